package backtest

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
)

// Numbers of equal stretches of rows that curves are thinned to. Of each, the rows of the least and the greatest value
// of every curve are drawn, and the span's first and last row.
const (
	equityStretches   = 160
	positionStretches = 120
)

// Curves are the run over the span, thinned for drawing.
type Curves struct {
	Equity    EquityCurve
	Positions []PositionCurve // by instrument
}

// EquityCurve is equity in quote currency at bar closes. Its first point is the initial capital at the start of the span.
type EquityCurve struct {
	TS     []int64
	Equity []float64
	// BeforeCosts is the equity of the same targets traded without fees, spread and impact.
	BeforeCosts []float64
	BuyAndHold  []float64 // NaN where it is not known
	// Drawdown is Equity over its highest value so far, minus 1; HoldDrawdown is that of BuyAndHold.
	Drawdown     []float64
	HoldDrawdown []float64
}

// PositionCurve is one instrument's close and the signed fraction of equity held in it.
type PositionCurve struct {
	TS            []int64
	Price, Weight []float64
}

// curves thins as rows come.
type curves struct {
	capital        float64
	from           int64
	equity         *thinner
	positions      []*thinner
	high, holdHigh float64
	down, holdDown []float64
}

func newCurves(p *plan, span study.Span) *curves {
	rows := span.Hi - span.Lo
	c := &curves{capital: p.s.Execution.InitialCapital, from: span.From}
	c.high, c.holdHigh = c.capital, c.capital
	c.equity = newThinner(rows, equityStretches, 3, 5)
	for range p.grid.Instruments {
		c.positions = append(c.positions, newThinner(rows, positionStretches, 2, 2))
	}
	return c
}

// add takes the next rows of the study's run, its run without costs and its benchmark.
func (c *curves) add(s *step, closes [][]float64, run, free, hold *portfolio.Rows) {
	c.down, c.high = drawdown(c.down, run.Equity, c.high)
	c.holdDown, c.holdHigh = drawdown(c.holdDown, hold.Equity, c.holdHigh)
	c.equity.add(s.Close, run.Equity, hold.Equity, c.down, free.Equity, c.holdDown)
	for i, t := range c.positions {
		t.add(s.Close, closes[i], run.Weight[i])
	}
}

// drawdown fills dst with equity over the highest so far, minus 1.
func drawdown(dst, equity []float64, high float64) ([]float64, float64) {
	dst = dst[:0]
	for _, e := range equity {
		high = max(high, e)
		dst = append(dst, e/high-1)
	}
	return dst, high
}

// done gives what is drawn.
func (c *curves) done(holdKnown bool) Curves {
	ts, cols := c.equity.done()
	first := func(v float64, x []float64) []float64 { return append([]float64{v}, x...) }
	e := EquityCurve{
		TS: append([]int64{c.from}, ts...), Equity: first(c.capital, cols[0]), BuyAndHold: first(c.capital, cols[1]),
		Drawdown: first(0, cols[2]), BeforeCosts: first(c.capital, cols[3]), HoldDrawdown: first(0, cols[4]),
	}
	if !holdKnown {
		for k := range e.TS[1:] {
			e.BuyAndHold[k+1], e.HoldDrawdown[k+1] = nan, nan
		}
	}
	out := Curves{Equity: e}
	for _, t := range c.positions {
		ts, cols := t.done()
		out.Positions = append(out.Positions, PositionCurve{ts, cols[0], cols[1]})
	}
	return out
}

// thinner keeps the rows that are drawn of some columns: the first and the last, and of each of n equal stretches those of
// the least and the greatest value (the first of equals) of the columns that count. Missing values are passed over.
type thinner struct {
	rows, n, counted int
	next             int // row
	stretch          int
	extremes         []thinRow // of the stretch: least and greatest by counted column
	ts               []int64
	cols             [][]float64
	lastRow          int // of those kept
}

// thinRow is one row that may be drawn; none where at is negative.
type thinRow struct {
	at   int
	ts   int64
	cols []float64
}

func newThinner(rows, stretches, counted, columns int) *thinner {
	t := &thinner{rows: rows, n: stretches, counted: counted, cols: make([][]float64, columns), lastRow: -1}
	for range 2*counted + 1 {
		t.extremes = append(t.extremes, thinRow{at: -1, cols: make([]float64, columns)})
	}
	return t
}

func (t *thinner) add(ts []int64, cols ...[]float64) {
	for lo := 0; lo < len(ts); {
		for t.stretch < t.n-1 && t.next >= (t.stretch+1)*t.rows/t.n {
			t.flush()
			t.stretch++
		}
		end := (t.stretch + 1) * t.rows / t.n
		hi := min(len(ts), lo+end-t.next)
		for k, x := range cols[:t.counted] {
			least, most := &t.extremes[2*k], &t.extremes[2*k+1]
			a, b := least.value(k, math.Inf(1)), most.value(k, math.Inf(-1))
			l, m := span(x[lo:hi], a, b)
			if l < a {
				t.note(least, lo+slices.Index(x[lo:hi], l), lo, ts, cols)
			}
			if m > b {
				t.note(most, lo+slices.Index(x[lo:hi], m), lo, ts, cols)
			}
		}
		last := &t.extremes[2*t.counted]
		if t.next == 0 {
			t.note(last, lo, lo, ts, cols)
			t.emit(last)
			last.at = -1
		}
		if t.next+hi-lo == t.rows {
			t.note(last, hi-1, lo, ts, cols)
		}
		t.next += hi - lo
		lo = hi
	}
}

// value is that of a column, or another where there is no row.
func (r *thinRow) value(k int, otherwise float64) float64 {
	if r.at < 0 {
		return otherwise
	}
	return r.cols[k]
}

// span is from the least to the greatest value of x and of a and b. What is no number counts as missing.
func span(x []float64, a, b float64) (least, most float64) {
	least, most = a, b
	for _, v := range x {
		if v < least {
			least = v
		}
		if v > most {
			most = v
		}
	}
	if least >= -math.MaxFloat64 && most <= math.MaxFloat64 {
		return least, most
	}
	least, most = a, b
	for _, v := range x {
		if v-v == 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	return least, most
}

// note remembers row at of the columns; the row lo is t.next.
func (t *thinner) note(to *thinRow, at, lo int, ts []int64, cols [][]float64) {
	to.at, to.ts = t.next+at-lo, ts[at]
	for k, x := range cols {
		to.cols[k] = x[at]
	}
}

// flush keeps the stretch's rows, in order, each once.
func (t *thinner) flush() {
	for {
		next := -1
		for k := range t.extremes {
			if x := &t.extremes[k]; x.at > t.lastRow && (next < 0 || x.at < t.extremes[next].at) {
				next = k
			}
		}
		if next < 0 {
			break
		}
		t.emit(&t.extremes[next])
	}
	for k := range t.extremes {
		t.extremes[k].at = -1
	}
}

func (t *thinner) emit(x *thinRow) {
	if x.at <= t.lastRow {
		return
	}
	t.lastRow = x.at
	t.ts = append(t.ts, x.ts)
	for k, v := range x.cols {
		t.cols[k] = append(t.cols[k], v)
	}
}

func (t *thinner) done() ([]int64, [][]float64) {
	t.flush()
	return t.ts, t.cols
}
