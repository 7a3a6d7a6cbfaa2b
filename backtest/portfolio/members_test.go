package portfolio

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/bars"
)

// TestMembers holds a ledger worked by hand. 1,000 of capital, 10 bps of fee, fills at the next open, which is the close; targets are 1
// throughout. B joins at row 1, leaves with its last bar, row 4, is delisted, and is listed again under the same name at row 6.
//
//	row 0  A alone has all: 1000/10 = 100 units are sent for
//	row 1  filled, fee 1: equity 999. B joins: A 0.5·999/10 = 49.95, B 0.5·999/20 = 24.975
//	row 2  A sells 50.05 for 500.5, B buys for 499.5, fees 1.0: equity 998
//	row 3  B is worth 25: 998 + 24.975·5 = 1122.875
//	row 4  B leaves: A 1122.875/10 = 112.2875 is sent for, and an order to sell B, for which there will be no bar
//	row 5  B is settled at 25, 624.375, fee 0.624375; A buys 62.3375 for 623.375, fee 0.623375: equity 1121.62725
//	row 6  both: A 56.0813625, B 0.5·1121.62725/5 = 112.162725
//	row 7  filled: A sells 56.2061375 for 562.061375, B buys for 560.813625, fees 1.122875: equity 1120.504375
func TestMembers(t *testing.T) {
	ten := fill(8, 10)
	b := []float64{20, 20, 20, 25, 25, nan, 5, 5}
	traded := []float64{1, 1, 1, 1, 1, 0, 1, 1}
	m, target, w := market(
		table{contract: linear, columns: map[string][]float64{"close": ten}, target: fill(8, 1)},
		table{contract: linear, columns: map[string][]float64{"close": b, "trades": traded}, target: fill(8, 1)},
	)
	labels := m.Frame.Grid.Close
	m.Ends = [][]int64{nil, {labels[4]}}
	members := [][]bool{{true, true, true, true, true, true, true, true}, {false, true, true, true, false, false, true, true}}
	want := []struct{ a, b, equity float64 }{
		{0, 0, 1000}, {100, 0, 999}, {49.95, 24.975, 998}, {49.95, 24.975, 1122.875}, {49.95, 24.975, 1122.875},
		{112.2875, 0, 1121.62725}, {112.2875, 0, 1121.62725}, {56.0813625, 112.162725, 1120.504375},
	}
	e := study.ExecutionConfig{Delay: 1, Price: "open", TakerBps: 10, InitialCapital: 1000, Sizing: "compounding"}
	for _, cut := range []int{8, 1, 3, 5} { // rows of a block
		own := &Market{Grid: m.Market.Grid, Contracts: m.Contracts, Settlements: m.Settlements, Ends: m.Ends}
		p, err := New(own, w, e, Options{Keep: true})
		if err != nil {
			t.Fatal(err)
		}
		near := func(row int, what string, got, want float64) {
			if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
				t.Errorf("blocks of %d, row %d: %s %v, want %v", cut, row, what, got, want)
			}
		}
		fills := 0
		for lo := 0; lo < 8; lo += cut {
			hi := min(lo+cut, 8)
			block := &bars.Block{Lo: lo, Hi: hi, Close: labels[lo:hi]}
			for _, x := range members {
				block.Members = append(block.Members, x[lo:hi])
			}
			var fields []int
			for _, name := range append(p.Fields(), p.Optional()...) {
				x := m.Panel(name)
				if x == nil {
					fields = append(fields, -1)
					continue
				}
				fields = append(fields, len(block.Cols))
				block.Cols = append(block.Cols, [][]float64{x.Col(0)[lo:hi], x.Col(1)[lo:hi]})
			}
			rows := p.Step(block, fields, [][]float64{target.Col(0)[lo:hi], target.Col(1)[lo:hi]})
			for k := range rows.Equity {
				near(lo+k, "A", rows.Quantity[0][k], want[lo+k].a)
				near(lo+k, "B", rows.Quantity[1][k], want[lo+k].b)
				near(lo+k, "equity", rows.Equity[k], want[lo+k].equity)
			}
			fills += len(rows.Fills)
		}
		a, err := p.Close()
		if err != nil {
			t.Fatal(err)
		}
		if fills != 7 || a.Fills != 7 {
			t.Errorf("%d fills, %d counted, want 7 with the settlement", fills, a.Fills)
		}
		near(7, "fees", a.Total.Fees, 1+1+0.624375+0.623375+1.122875)
	}
}
