package backtest

import (
	"errors"

	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/scratch"
)

// RunRows are successive rows of one replay, as they were after everything that happened in them. They are valid until
// the next ones, and not to be written to.
type RunRows struct {
	Window string  // evaluate.All, or its index
	TS     []int64 // labels, Unix µs
	// By instrument: the bar's close, what its close decided, and what was held after it, in units of amount and as a
	// signed fraction of equity.
	Close, Target, Quantity, Weight [][]float64
	Equity                          []float64 // quote currency
	Hold                            []float64 // equity of buying and holding under the same costs

	// The causes of a bar's change of equity, which is PricePnL − Fees − Slippage − Impact + Funding.
	PricePnL, Fees, Slippage, Impact, Funding []float64
}

// FillRow is a fill with the labels of the bars that filled and decided it, Unix µs.
type FillRow struct {
	Window      string
	TS, Decided int64
	portfolio.Fill
}

// kept is what scratch space holds of a result's rows.
type kept struct {
	space  *scratch.Space
	span   study.Span
	labels *scratch.Column[float64] // of the span: whole µs, which a float64 holds exactly
	closes []*scratch.Column[float64]
	runs   []*keptRun
}

// keptRun is one replay's.
type keptRun struct {
	window                   string
	span                     study.Span
	equity, hold             *scratch.Column[float64]
	bar                      [5]*scratch.Column[float64]
	target, quantity, weight []*scratch.Column[float64]
	fills                    [fillColumns]*scratch.Column[float64]

	buffers [][]float64
}

// keeping says what of replays stays for the files of a report.
type keeping struct{ rows, fills bool }

// keeping is what the study's formats ask for.
func (p *plan) keeping() keeping {
	var k keeping
	for _, format := range p.s.Report.Formats {
		k.rows = k.rows || format == "parquet"
		k.fills = k.rows || k.fills || format == "csv"
	}
	return k
}

func newKept(space *scratch.Space, p *plan, what keeping) *kept {
	k := &kept{space: space, span: p.span, labels: scratch.Floats(space)}
	if what.rows {
		k.closes = floats(space, len(p.grid.Instruments))
	}
	return k
}

func floats(space *scratch.Space, n int) []*scratch.Column[float64] {
	list := make([]*scratch.Column[float64], n)
	for k := range list {
		list[k] = scratch.Floats(space)
	}
	return list
}

func newKeptRun(space *scratch.Space, window string, span study.Span, instruments int, what keeping) *keptRun {
	k := &keptRun{window: window, span: span}
	copy(k.fills[:], floats(space, len(k.fills)))
	if what.rows {
		k.equity, k.hold = scratch.Floats(space), scratch.Floats(space)
		k.target, k.quantity, k.weight = floats(space, instruments), floats(space, instruments), floats(space, instruments)
		copy(k.bar[:], floats(space, len(k.bar)))
	}
	return k
}

// add takes the labels and closes of rows of the span.
func (k *kept) add(s *step, closes [][]float64) error {
	at := make([]float64, s.Len())
	for t, label := range s.Close {
		at[t] = float64(label)
	}
	err := k.labels.Append(at)
	for i, c := range k.closes {
		err = errors.Join(err, c.Append(closes[i]))
	}
	return err
}

// add takes the rows that the study's own replay and its benchmark gave.
func (k *keptRun) add(s *step, target [][]float64, run, hold *portfolio.Rows) error {
	for len(k.buffers) < fillColumns {
		k.buffers = append(k.buffers, nil)
	}
	var err error
	if k.equity != nil {
		err = k.addBars(target, run, hold)
	}
	for c := range k.buffers {
		k.buffers[c] = k.buffers[c][:0]
	}
	for _, f := range run.Fills {
		for c, v := range fillValues(f) {
			k.buffers[c] = append(k.buffers[c], v)
		}
	}
	for c := range k.fills {
		err = errors.Join(err, k.fills[c].Append(k.buffers[c]))
	}
	return err
}

// addBars is add for what there is of every bar.
func (k *keptRun) addBars(target [][]float64, run, hold *portfolio.Rows) error {
	err := errors.Join(k.equity.Append(run.Equity), k.hold.Append(hold.Equity))
	for i := range k.target {
		err = errors.Join(err, k.target[i].Append(target[i]), k.quantity[i].Append(run.Quantity[i]), k.weight[i].Append(run.Weight[i]))
	}
	for c := range k.bar {
		k.buffers[c] = k.buffers[c][:0]
	}
	for _, a := range run.Bar {
		for c, v := range [...]float64{a.PricePnL, a.Fees, a.Slippage, a.Impact, a.Funding} {
			k.buffers[c] = append(k.buffers[c], v)
		}
	}
	for c := range k.bar {
		err = errors.Join(err, k.bar[c].Append(k.buffers[c]))
	}
	return err
}

const fillColumns = 11

func fillValues(f portfolio.Fill) [fillColumns]float64 {
	return [fillColumns]float64{
		float64(f.Row), float64(f.Decided), float64(f.Instrument), f.Quantity, f.Reference, f.Price, f.Notional, f.Held, f.Fee, f.Slippage, f.Impact,
	}
}

func fillOf(v [fillColumns]float64) portfolio.Fill {
	return portfolio.Fill{
		Row: int(v[0]), Decided: int(v[1]), Instrument: int(v[2]), Quantity: v[3], Reference: v[4], Price: v[5], Notional: v[6], Held: v[7],
		Fee: v[8], Slippage: v[9], Impact: v[10],
	}
}

// rowsAtOnce is the number of rows that Rows and Fills give at a time: a scratch column has them in one place.
const rowsAtOnce = 1 << 13

// ErrNoRows says that a result keeps no rows, or no fills, since no format of its study wants them: parquet wants both, csv
// fills alone.
var ErrNoRows = errors.New("the rows of the replays were not kept: no format of report.formats wants them")

// Rows calls f with every row of every replay, in order: the run over the span and then, where there are several
// windows, theirs.
func (r *Result) Rows(f func(*RunRows) error) error {
	if r.kept == nil || r.kept.closes == nil {
		return ErrNoRows
	}
	for _, run := range r.kept.runs {
		if err := r.kept.rows(run, f); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) rows(run *keptRun, f func(*RunRows) error) error {
	var buffers [][]float64
	n := len(k.closes)
	x := &RunRows{Window: run.window, Close: make([][]float64, n), Target: make([][]float64, n), Quantity: make([][]float64, n), Weight: make([][]float64, n)}
	for lo := run.span.Lo; lo < run.span.Hi; lo += rowsAtOnce {
		hi := min(lo+rowsAtOnce, run.span.Hi)
		at := 0
		var failed error
		view := func(c *scratch.Column[float64], from int) []float64 {
			if at == len(buffers) {
				buffers = append(buffers, nil)
			}
			v, err := c.View(&buffers[at], lo-from, hi-from)
			failed = errors.Join(failed, err)
			at++
			return v
		}
		x.TS = x.TS[:0]
		for _, label := range view(k.labels, k.span.Lo) {
			x.TS = append(x.TS, int64(label))
		}
		for i := range n {
			x.Close[i] = view(k.closes[i], k.span.Lo)
			x.Target[i], x.Quantity[i], x.Weight[i] = view(run.target[i], run.span.Lo), view(run.quantity[i], run.span.Lo), view(run.weight[i], run.span.Lo)
		}
		x.Equity, x.Hold = view(run.equity, run.span.Lo), view(run.hold, run.span.Lo)
		for c, to := range []*[]float64{&x.PricePnL, &x.Fees, &x.Slippage, &x.Impact, &x.Funding} {
			*to = view(run.bar[c], run.span.Lo)
		}
		if failed != nil {
			return failed
		}
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// Fills calls f with every fill of every replay, in the order of Rows and then of time.
func (r *Result) Fills(f func(*FillRow) error) error {
	if r.kept == nil {
		return ErrNoRows
	}
	for _, run := range r.kept.runs {
		if err := r.kept.fills(run, f); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) fills(run *keptRun, f func(*FillRow) error) error {
	filled, decided := cursor{column: k.labels}, cursor{column: k.labels}
	x := &FillRow{Window: run.window}
	var buffers, parts [fillColumns][]float64
	for lo := 0; lo < run.fills[0].Len(); lo += rowsAtOnce {
		hi := min(lo+rowsAtOnce, run.fills[0].Len())
		for c := range parts {
			var err error
			if parts[c], err = run.fills[c].View(&buffers[c], lo, hi); err != nil {
				return err
			}
		}
		for t := range parts[0] {
			var v [fillColumns]float64
			for c := range parts {
				v[c] = parts[c][t]
			}
			x.Fill = fillOf(v)
			var err, late error
			x.TS, err = filled.at(x.Row - k.span.Lo)
			x.Decided, late = decided.at(x.Fill.Decided - k.span.Lo)
			if err = errors.Join(err, late); err != nil {
				return err
			}
			if err := f(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// cursor reads single values of a column that are asked for in nearly ascending order.
type cursor struct {
	column *scratch.Column[float64]
	lo     int
	view   []float64
	buffer []float64
}

func (c *cursor) at(row int) (int64, error) {
	if row < c.lo || row >= c.lo+len(c.view) {
		c.lo = row / rowsAtOnce * rowsAtOnce
		var err error
		if c.view, err = c.column.View(&c.buffer, c.lo, min(c.lo+rowsAtOnce, c.column.Len())); err != nil {
			c.view = nil
			return 0, err
		}
	}
	return int64(c.view[row-c.lo]), nil
}
