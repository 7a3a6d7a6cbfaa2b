package portfolio

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// TestMultiplierChanges holds a ledger worked by hand. Bars of half a day, 10,000 of capital, no costs, a contract of 0.1 coins that
// becomes one of 0.01 on the second day (1970-01-02), price 100, 110, 121, 121.
//
// The target of the first bar, 1, buys 10,000/(100·0.1) = 1000 contracts at the open of the second, 100. Its close, 110, makes equity
// 11,000. At midnight they are 10,000 contracts of 0.01 coins, worth the same; the close 121 makes 12,100. The third bar's target 0.5
// is sold down to 0.5·12,100/(121·0.01) = 5,000 contracts at the next open.
func TestMultiplierChanges(t *testing.T) {
	day := datasets.MicrosPerDay
	m, target, w := market(table{
		contract: datasets.Contract{Multiplier: 0.01},
		columns:  map[string][]float64{"open": {100, 100, 110, 121}, "close": {100, 110, 121, 121}},
		target:   []float64{1, 1, 0.5, 0.5},
	})
	g := m.Frame.Grid
	g.Every = 12 * 3600 * 1e9
	for k := range g.Close {
		g.Close[k] = int64(k+1) * int64(day) / 2
	}
	w.To = 2 * int64(day)
	m.Changes = [][]datasets.MultiplierChange{{{Day: 1, Before: 0.1}}}
	r, err := simulate(m, target, w, study.ExecutionConfig{Delay: 1, Price: "open", InitialCapital: 10_000, Sizing: "compounding"})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []struct{ quantity, equity, weight float64 }{{0, 10_000, 0}, {1000, 11_000, 1}, {10_000, 12_100, 1}, {5_000, 12_100, 0.5}} {
		for _, x := range [][2]float64{{r.Quantity[0][k], want.quantity}, {r.Equity[k], want.equity}, {r.Weight[0][k], want.weight}} {
			if math.Abs(x[0]-x[1]) > 1e-9*max(1, x[1]) {
				t.Errorf("row %d: quantity %v, equity %v, weight %v, want %v", k, r.Quantity[0][k], r.Equity[k], r.Weight[0][k], want)
			}
		}
	}
	if n := len(r.Fills); n != 2 {
		t.Errorf("%d fills, want 2: a change of the multiplier is none", n)
	}
}
