package portfolio

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// drawMarket draws a market of some instruments whose bars are as long as some days are: time bars, or, for one
// instrument, bars that are not. Funding accrues, settles, or is not known.
func drawMarket(t *rapid.T) (*testMarket, [][]float64, study.Span) {
	n := rapid.IntRange(2, 300).Draw(t, "bars")
	instruments := rapid.IntRange(1, 3).Draw(t, "instruments")
	bar := rapid.SampledFrom([]int64{1, 60, 400, 1440}).Draw(t, "minutes")
	continuous := rapid.Bool().Draw(t, "continuous")
	var tables []table
	for range instruments {
		x := drawTable(t, n)
		x.columns["funding_rate"] = make([]float64, n)
		for k := range n {
			x.columns["funding_rate"][k] = rapid.SampledFrom([]float64{0.001, -0.001, 0.0003, nan}).Draw(t, "rate")
		}
		x.columns["bid"], x.columns["ask"] = fill(n, nan), fill(n, nan)
		for k, c := range x.columns["close"] {
			if rapid.IntRange(0, 2).Draw(t, "quoted") > 0 {
				x.columns["bid"][k], x.columns["ask"][k] = c*0.999, c*1.002
			}
		}
		x.contract.ContinuousFunding = continuous && !x.contract.Spot
		for k := range x.funding {
			x.funding[k].Time *= bar
			if rapid.IntRange(0, 50).Draw(t, "known") == 0 {
				x.funding[k].Rate = nan
			}
		}
		for k := range x.target {
			if k > 0 && rapid.IntRange(0, 4).Draw(t, "stays") > 0 {
				x.target[k] = x.target[k-1]
			} else if rapid.IntRange(0, 9).Draw(t, "leverage") == 0 {
				x.target[k] *= 30
			}
		}
		tables = append(tables, x)
	}
	m, _, span := market(tables...)
	for k := range m.Close {
		m.Close[k] *= bar
	}
	if rapid.Bool().Draw(t, "gaps") {
		for range instruments {
			var gaps []bars.FundingGap
			at := int64(0)
			for range rapid.IntRange(0, 3).Draw(t, "gaps") {
				at += rapid.Int64Range(0, 100*bar*minute).Draw(t, "from")
				gaps = append(gaps, bars.FundingGap{From: at, To: at + rapid.Int64Range(1, 3*bar*minute).Draw(t, "silent"), Reason: "silence"})
				at = gaps[len(gaps)-1].To
			}
			m.Gaps = append(m.Gaps, gaps)
		}
	}
	if rapid.Bool().Draw(t, "days") {
		days := int(datasets.DayOf(m.Close[n-1]-1)) + 1
		for range instruments {
			var missing []datasets.Day
			for d := range datasets.Day(days) {
				if rapid.IntRange(0, 4).Draw(t, "missing day") == 0 {
					missing = append(missing, d)
				}
			}
			m.Days = append(m.Days, lake(days, missing...))
		}
	}
	m.Market.Grid.Every = time.Duration(bar) * time.Minute
	span.Lo = rapid.IntRange(0, n-1).Draw(t, "first")
	span.Hi = rapid.IntRange(span.Lo+1, n).Draw(t, "last")
	if span.Lo > 0 {
		span.From = m.Close[span.Lo-1]
	}
	span.To = m.Close[span.Hi-1]
	if instruments == 1 && rapid.Bool().Draw(t, "ticks") {
		m.Market.Grid.Every = 0
		span.To += rapid.Int64Range(0, 2*minute*bar).Draw(t, "silence")
	}
	target := make([][]float64, instruments)
	for i, x := range tables {
		target[i] = x.target
	}
	return m, target, span
}

// everything is what a replay gave, written out: two are equal where their texts are.
func everything(rows []Rows, a *Account) []string {
	var text []string
	add := func(format string, args ...any) { text = append(text, fmt.Sprintf(format, args...)) }
	for _, r := range rows {
		for k, label := range r.Close {
			line := fmt.Sprintf("%d %d", r.Lo+k, label)
			if r.Equity != nil {
				line += fmt.Sprintf(" %b", r.Equity[k])
			}
			if r.Bar != nil {
				line += fmt.Sprintf(" %b", r.Bar[k])
			}
			for i := range r.Quantity {
				line += fmt.Sprintf(" %b %b", r.Quantity[i][k], r.Weight[i][k])
			}
			add("%s", line)
		}
	}
	for _, r := range rows {
		for _, f := range r.Fills {
			add("%b", f)
		}
	}
	for _, r := range rows {
		for _, f := range r.Trips {
			add("%b", f)
		}
	}
	b := *a
	add("%v %v %b %b %b %b %b %b %b %v %b", b.Span, b.Ruined, b.Final, b.Total, b.ByInstrument, b.Turnover, b.Notional, b.Exposure, b.Residual, b.Fills, b.Drawdown.Max)
	add("%+v %b %v", b.Drawdown, b.Trips, b.Days)
	add("%v", b.Participation)
	for _, u := range append(b.UnknownOf, b.Unknown) {
		if u != nil {
			add("%+v", *u)
		}
	}
	for _, w := range b.Warnings {
		add("%v", w)
	}
	return text
}

// blocks plays portfolios side by side over a market cut into blocks, and copies what they gave.
func blocks(t *rapid.T, m *testMarket, target [][]float64, portfolios []*Portfolio, cut func(at int) int) ([][]Rows, []*Account) {
	rows := make([][]Rows, len(portfolios))
	names := []string{"close", "open", "trades", "turnover", "funding_rate", "bid", "ask"}
	for lo := 0; lo < m.Len(); {
		hi := min(m.Len(), lo+cut(lo))
		b := &bars.Block{Lo: lo, Hi: hi, Close: m.Close[lo:hi]}
		for _, name := range names {
			var cols [][]float64
			for i := range m.Market.Grid.Instruments {
				cols = append(cols, m.Panel(name).Col(i)[lo:hi])
			}
			b.Cols = append(b.Cols, cols)
		}
		var part [][]float64
		for _, x := range target {
			part = append(part, x[lo:hi])
		}
		places := func(wanted []string) (at []int) {
			for _, name := range wanted {
				at = append(at, slices.Index(names, name))
			}
			return at
		}
		shared := portfolios[0].market
		shared.Remember(b, places(shared.Remembers()))
		datasets.ForAll(len(portfolios), func(k int) {
			p := portfolios[k]
			fields := places(append(p.Fields(), p.Optional()...))
			rows[k] = append(rows[k], clone(p.Step(b, fields, part)))
		})
		lo = hi
	}
	accounts := make([]*Account, len(portfolios))
	for k, p := range portfolios {
		var err error
		if accounts[k], err = p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return rows, accounts
}

func clone(r *Rows) Rows {
	c := Rows{Lo: r.Lo, Close: append([]int64(nil), r.Close...), Equity: append([]float64(nil), r.Equity...), Bar: append([]Attribution(nil), r.Bar...),
		Fills: append([]Fill(nil), r.Fills...), Trips: append([]RoundTrip(nil), r.Trips...)}
	for i := range r.Quantity {
		c.Quantity = append(c.Quantity, append([]float64(nil), r.Quantity[i]...))
		c.Weight = append(c.Weight, append([]float64(nil), r.Weight[i]...))
	}
	return c
}

// Whatever the market and the execution: however the rows are cut into blocks, the same comes out to the last bit, and
// keeping rows changes none either.
func TestBlocksChangeNothing(t *testing.T) {
	ruined, unknown, traded := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m, target, span := drawMarket(t)
		e := drawExecution(t)
		all := []Options{{Keep: true, Participate: true}, {Participate: true}, {Hold: true, Equity: true}, {Frictionless: true, Equity: true}, {Delay: 5}}
		begin := func() (list []*Portfolio) {
			fresh := &Market{Grid: m.Market.Grid, Contracts: m.Contracts, Settlements: m.Settlements, Gaps: m.Gaps, Days: m.Days}
			for _, o := range all {
				p, err := New(fresh, span, e, o)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, p)
			}
			return list
		}
		n := m.Len()
		rows, accounts := blocks(t, m, target, begin(), func(int) int { return n })
		want := make([][]string, len(all))
		for k := range all {
			want[k] = everything(rows[k], accounts[k])
		}
		for _, length := range []int{1, 7, 0} {
			rows, accounts := blocks(t, m, target, begin(), func(int) int {
				if length == 0 {
					return rapid.IntRange(1, n).Draw(t, "block")
				}
				return length
			})
			for k, o := range all {
				got := everything(rows[k], accounts[k])
				for j := range max(len(got), len(want[k])) {
					if j >= len(got) || j >= len(want[k]) || got[j] != want[k][j] {
						t.Fatalf("%+v, blocks of %d: line %d of %d\n%v\nwant\n%v", o, length, j, len(want[k]), got[min(j, len(got)-1)], want[k][min(j, len(want[k])-1)])
					}
				}
			}
		}
		if a, b := accounts[0], accounts[1]; everything(nil, a)[0] != everything(nil, b)[0] {
			t.Fatalf("with rows %+v\nwithout %+v", a, b)
		}
		a := accounts[0]
		traded += a.Fills
		if a.Ruined {
			ruined++
		}
		if a.Unknown != nil {
			unknown++
		}
	})
	t.Logf("%d fills, %d ruins, %d with unknown funding", traded, ruined, unknown)
}
