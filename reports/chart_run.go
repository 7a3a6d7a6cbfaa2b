package reports

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

// hoverColumns is the number of places along a curve that show their values to a pointer.
const hoverColumns = 90

// equityChart draws the return of the run, of the same targets traded without costs, and of holding.
func equityChart(d *Report) template.HTML {
	e := d.Curves.Equity
	if len(e.TS) < 2 {
		return ""
	}
	capital := float64(e.Equity[0])
	x := instants(e.TS)
	netted, unfunded := returns(e.Equity, capital), returns(e.Unfunded, capital)
	free, hold := returns(e.ZeroCost, capital), returns(e.BuyAndHold, capital)
	lo, hi := bounds(netted, unfunded, free, hold)
	p := chart.New("Return after costs, traded without costs and of buy and hold over time, in percent", 280,
		chart.Time(int64(x[0]), int64(x[len(x)-1])).In("UTC"), chart.Linear(lo, hi, 7, percentTick).In("return"))
	p.Line("line hold", x, hold)
	p.Line("line gross", x, free)
	if d.netUnknown(evaluate.All) != nil {
		p.Line("line net unfunded", x, unfunded)
	}
	p.Line("line net", x, netted)
	hover(p, x, func(k int) string {
		after := "after costs " + percent(evaluate.Figure(netted[k]), 2)
		if finite(unfunded[k]) {
			after = "after costs, without funding " + percent(evaluate.Figure(unfunded[k]), 2)
		}
		return fmt.Sprintf("%s\n%s\nwithout costs %s\nbuy and hold %s", instant(e.TS[k]), after,
			percent(evaluate.Figure(free[k]), 2), percent(evaluate.Figure(hold[k]), 2))
	})
	return p.SVG()
}

// drawdownChart draws how far equity and buy and hold stand below their highest value.
func drawdownChart(d *Report) template.HTML {
	e := d.Curves.Equity
	if len(e.TS) < 2 {
		return ""
	}
	x, y, hold := instants(e.TS), floats(e.Drawdown), floats(e.HoldDrawdown)
	lo, _ := bounds(y, hold)
	p := chart.New("Drawdown of the run and of buy and hold over time, in percent", 120,
		chart.Time(int64(x[0]), int64(x[len(x)-1])).In("UTC"), chart.Linear(math.Min(lo, -0.001), 0, 3, percentTick).In("below the peak"))
	p.Area("area loss", x, y, 0)
	p.Line("line hold over", x, hold)
	hover(p, x, func(k int) string {
		return instant(e.TS[k]) + "\ndrawdown " + percent(e.Drawdown[k], 2) + "\nbuy and hold " + percent(e.HoldDrawdown[k], 2)
	})
	return p.SVG()
}

// priceChart draws an instrument's close, and weightChart what was held of it.
func priceChart(c PositionCurve) template.HTML {
	x, y := instants(c.TS), floats(c.Price)
	lo, hi := bounds(y)
	p := chart.New("Close of "+c.Instrument, 130, chart.Time(int64(x[0]), int64(x[len(x)-1])).Bare(), chart.Linear(lo, hi, 4, moneyTick).In("close"))
	p.Line("line ink thin", x, y)
	hover(p, x, c.show)
	return p.SVG()
}

func weightChart(c PositionCurve) template.HTML {
	at := instants(c.TS)
	x, y := steps(at, floats(c.Weight))
	lo, hi := bounds(y, []float64{0})
	p := chart.New("Weight of "+c.Instrument+" in equity, in percent", 64,
		chart.Time(int64(x[0]), int64(x[len(x)-1])).In("UTC"), chart.Linear(lo, hi, 2, percentTick).In("of equity"))
	p.Area("area gain", x, clamp(y, 0, math.Inf(1)), 0)
	p.Area("area loss", x, clamp(y, math.Inf(-1), 0), 0)
	hover(p, at, c.show)
	return p.SVG()
}

// show is the k-th point for a pointer.
func (c PositionCurve) show(k int) string {
	return instant(c.TS[k]) + "\nclose " + compact(float64(c.Price[k])) + "\nweight " + percent(c.Weight[k], 0)
}

// hover lays columns that show a curve's values over a plot: each shows its last point.
func hover(p *chart.Plot, x []float64, title func(k int) string) {
	n := min(hoverColumns, len(x))
	first, last := x[0], x[len(x)-1]
	k := 0
	for c := range n {
		to := first + (last-first)*float64(c+1)/float64(n)
		found := max(k-1, 0)
		for k < len(x) && x[k] <= to {
			found = k
			k++
		}
		p.Column(first+(last-first)*float64(c)/float64(n), to, title(found))
	}
}

// returns is equity over the initial capital, minus 1.
func returns(equity []evaluate.Figure, capital float64) []float64 {
	out := floats(equity)
	for k, v := range out {
		out[k] = v/capital - 1
	}
	return out
}

func instants(ts []string) []float64 {
	out := make([]float64, len(ts))
	for k, s := range ts {
		out[k] = float64(parseStamp(s))
	}
	return out
}

// steps holds each value until the next point.
func steps(x, y []float64) (sx, sy []float64) {
	for k := range x {
		if k > 0 {
			sx, sy = append(sx, x[k]), append(sy, y[k-1])
		}
		sx, sy = append(sx, x[k]), append(sy, y[k])
	}
	return sx, sy
}

// clamp holds values within [lo, hi].
func clamp(x []float64, lo, hi float64) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = math.Min(math.Max(v, lo), hi)
	}
	return out
}

// instant is a time of the report for reading.
func instant(s string) string {
	return time.UnixMicro(parseStamp(s)).UTC().Format("2 Jan 2006 15:04") + " UTC"
}
