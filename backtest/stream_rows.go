package backtest

import (
	"context"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// RunRows are some rows of the replay of a streamed study, in order. They are valid until the next ones.
type RunRows struct {
	TS       []int64 // labels, Unix µs
	Close    []float64
	Target   []float64
	Equity   []float64
	Hold     []float64 // equity of buying and holding
	Quantity []float64
	Weight   []float64
	Bar      []Ledger
	Fills    []Fill  // Row counts from the first of these rows
	Decided  []int64 // by fill: the label of the bar whose close decided
}

// Rows replays the study and calls f with all rows of its span. The study is played from the lake again, which
// must be as it was, and stops when the context of Backtest is done.
func (s *Streamed) Rows(f func(*RunRows) error) error {
	st := s.stream
	run, err := st.newStreamRun(st.s.Execution, false, false, true)
	if err != nil {
		return err
	}
	hold, err := st.newStreamRun(st.s.Execution, true, false, false)
	if err != nil {
		return err
	}
	rows, labels := &RunRows{}, []int64{}
	return st.playback(st.ctx, st.span.Lo, st.span.Hi, st.chunks.Fields(), st.decide, func(c *sheet) error {
		run.play(st, c)
		hold.play(st, c)
		*rows = RunRows{
			TS: c.ts, Close: c.price, Target: c.target, Equity: run.equity, Hold: hold.equity,
			Quantity: run.quantity, Weight: run.weight, Bar: run.bar, Fills: run.fills, Decided: rows.Decided[:0],
		}
		before := len(labels)
		labels = append(labels, c.ts...)
		for _, x := range run.fills {
			rows.Decided = append(rows.Decided, labels[before+x.Decided])
		}
		labels = append(labels[:0], labels[max(0, len(labels)-st.s.Execution.Delay):]...)
		return f(rows)
	})
}

// FrameRows are some rows of a streamed study's frame, in order; a column for each of Streamed.Columns. They are
// valid until the next ones.
type FrameRows struct {
	TS      []int64 // labels, Unix µs
	Columns [][]float64
}

// Columns names the columns of the frame: those of the bars, the factors, and the composite.
func (s *Streamed) Columns() []string {
	return append(append(slices.Clone(s.stream.barColumns()), s.stream.names()[:len(s.stream.fs)]...), study.Composite)
}

// barColumns are those of tick bars of one trade, as package bars names them.
func (st *stream) barColumns() []string {
	list := []string{"open", "high", "low", "close", "vwap", "volume", "turnover", "buy_turnover", "sell_turnover", "trades", "buy_trades"}
	windows := st.s.BarSpec().TickWindows
	if len(windows) == 0 {
		windows = []int{bars.DefaultTickWindow}
	}
	for _, n := range windows {
		list = append(list, factors.TickField(n))
	}
	return list
}

// Frame calls f with all rows of the span's frame, and stops when the context of Backtest or Frame is done.
func (s *Streamed) Frame(f func(*FrameRows) error) error {
	st := s.stream
	var vwap, ones []float64
	rows := &FrameRows{}
	names := st.barColumns()
	return st.playback(st.ctx, st.span.Lo, st.span.Hi, names, st.decide, func(c *sheet) error {
		rows.TS, rows.Columns = c.ts, rows.Columns[:0]
		t := c.trades
		part := func(name string) []float64 { return t.Column(name)[c.lo-t.Base : c.hi-t.Base] }
		for _, name := range names {
			switch name {
			case "vwap":
				vwap = append(vwap[:0], c.price...)
				for k, v := range part("volume") {
					if v == 0 {
						vwap[k] = math.NaN()
					}
				}
				rows.Columns = append(rows.Columns, vwap)
			case "trades":
				for len(ones) < len(c.ts) {
					ones = append(ones, 1)
				}
				rows.Columns = append(rows.Columns, ones[:len(c.ts)])
			default:
				rows.Columns = append(rows.Columns, part(name))
			}
		}
		rows.Columns = append(append(rows.Columns, c.columns[:len(st.fs)]...), c.score)
		return f(rows)
	})
}

// frame is the result that Frame gives of a streamed study: what its rows are made from, and none of them.
func (st *stream) frame(ctx context.Context) (*Result, error) {
	st.o.log("streaming %d trades: what normalizations know of the sample", st.rows())
	if err := st.learn(ctx); err != nil {
		return nil, err
	}
	return st.result(), nil
}
