package evaluate

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
)

// Signal is a column by instrument whose prediction is judged.
type Signal struct {
	Name   string
	Levels bool // also by its five levels: the composite; where models are asked, their opinions and the two combined
}

// Setup says what is judged, over which rows.
type Setup struct {
	Grid    *factors.Grid // without labels
	Study   *study.Study
	Signals []Signal
	Traded  string     // the signal whose daily IC is listed
	Span    study.Span // the rows of the window
	Window  string     // All, or the window's index
}

// Figures is what is said about the signals of one window.
type Figures struct {
	Primary      study.Horizon // the one that verdicts use
	IC           []ICRow
	Levels       []LevelRow
	Transitions  []TransitionRow
	Daily        []DailyIC     // of window "all", as all that follow
	Quantiles    []QuantileRow // the buckets
	Spreads      []SpreadRow   // what they say together
	Persistence  []PersistenceRow
	Slices       []SliceRow
	Distribution []*Distribution // of the signals with levels
}

// Window judges signals over the rows of one window, which come in order.
type Window struct {
	Setup
	space    *scratch.Space
	horizons []study.Horizon
	primary  int
	within   []int // the horizons that are shorter than the window, by index
	delay    int   // bars between decision and fill
	reach    int   // rows after a row that its returns look at
	all      bool  // the window is All

	rows   int     // taken so far
	base   int     // the first of those held
	done   int     // folded
	chunks int     // of them
	labels []int64 // of the rows held
	prices [][]float64
	closes [][]float64 // nil where there are none

	columns  [][]*column  // by signal and instrument
	ahead    [][]*ahead   // by horizon and instrument; nil where the horizon is longer than the window
	pairs    [][][]*pairs // by horizon, signal and instrument
	levels   []*leveling
	spread   []*Distribution
	volatile []*realized // by instrument; nil where it is not wanted
	calendar calendar
	kept     *kept // columns for figures that need them whole; nil where none does
}

// New begins a window. Where figures need columns as a whole, these live in space, which must outlast the window.
func New(s Setup, space *scratch.Space) (*Window, error) {
	w := &Window{Setup: s, space: space, delay: s.Study.Execution.Delay, all: s.Window == All}
	var err error
	if w.horizons, w.primary, err = s.Study.Evaluation.HorizonsOn(s.Grid); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	rows, far := s.Span.Hi-s.Span.Lo, 0
	for k, h := range w.horizons {
		if w.delay+h.Bars < rows {
			w.within = append(w.within, k)
			far = max(far, h.Bars)
		}
	}
	w.reach = w.delay + far
	w.calendar = newCalendar(s.Span, w.all)
	instruments := len(s.Grid.Instruments)
	w.prices = make([][]float64, instruments)
	w.columns = make([][]*column, len(s.Signals))
	for k, signal := range s.Signals {
		for range instruments {
			w.columns[k] = append(w.columns[k], &column{deviations: newDeviations(far)})
		}
		if signal.Levels {
			l := newLeveling(k, instruments)
			l.tests = make([]*levelTest, len(w.horizons))
			for _, h := range w.within {
				l.tests[h] = &levelTest{h: w.horizons[h].Bars}
			}
			w.levels = append(w.levels, l)
			if w.all {
				w.spread = append(w.spread, newDistribution(signal.Name))
			}
		}
	}
	w.ahead, w.pairs = make([][]*ahead, len(w.horizons)), make([][][]*pairs, len(w.horizons))
	for _, k := range w.within {
		h := w.horizons[k].Bars
		for range instruments {
			w.ahead[k] = append(w.ahead[k], &ahead{h: h, deviations: newDeviations(h)})
		}
		w.pairs[k] = make([][]*pairs, len(s.Signals))
		for j := range s.Signals {
			for range instruments {
				w.pairs[k][j] = append(w.pairs[k][j], newPairs(h, rows, len(w.calendar.days), w.all && k == w.primary))
			}
		}
	}
	if w.all {
		w.closes = make([][]float64, instruments)
		for range instruments {
			w.volatile = append(w.volatile, newRealized(len(w.calendar.days)))
		}
	}
	if e := s.Study.Evaluation; e.RankIC || e.Persistence || instruments > 1 {
		w.kept = newKept(space, len(s.Signals), instruments)
		if e.RankIC && instruments == 1 {
			w.kept.keepReturns(space, len(w.horizons))
		}
	}
	return w, nil
}

// Step takes the next rows of the window: their labels from b, the execution price and the close by instrument, the
// signals by signal and instrument. Nothing of them is kept or changed. closes may be nil.
func (w *Window) Step(ctx context.Context, b *bars.Block, price, closes [][]float64, signals [][][]float64, workers int) error {
	if want := w.Span.Lo + w.rows; b.Lo != want || b.Hi > w.Span.Hi {
		panic(fmt.Sprintf("evaluate: rows %d to %d in place of those from %d to %d", b.Lo, b.Hi, want, w.Span.Hi))
	}
	for lo := 0; lo < b.Len(); {
		held := w.rows - w.base
		n := min(b.Len()-lo, w.reach+2*chunk-held)
		hi := lo + n
		w.labels = append(w.labels, b.Close[lo:hi]...)
		for i := range w.prices {
			w.prices[i] = append(w.prices[i], price[i][lo:hi]...)
			if w.closes != nil && closes != nil {
				w.closes[i] = append(w.closes[i], closes[i][lo:hi]...)
			}
		}
		for k, of := range w.columns {
			for i, c := range of {
				c.raw = append(c.raw, signals[k][i][lo:hi]...)
			}
		}
		w.rows += n
		lo = hi
		for w.rows-w.done >= chunk+w.reach {
			if err := w.fold(ctx, chunk, workers); err != nil {
				return err
			}
		}
		w.forget()
	}
	return nil
}

// forget drops the rows that were folded, once there is no room for a chunk.
func (w *Window) forget() {
	n := w.done - w.base
	if w.rows-w.base+chunk <= w.reach+2*chunk {
		return
	}
	drop := func(x []float64) []float64 { return append(x[:0], x[n:]...) }
	w.labels = append(w.labels[:0], w.labels[n:]...)
	for i := range w.prices {
		w.prices[i] = drop(w.prices[i])
		if w.closes != nil && w.closes[i] != nil {
			w.closes[i] = drop(w.closes[i])
		}
	}
	for _, of := range w.columns {
		for _, c := range of {
			c.raw = drop(c.raw)
		}
	}
	w.base = w.done
}

// fold takes the next rows, a chunk or what is left of the window, into all figures. Rows after them are held as far as there
// are any.
func (w *Window) fold(ctx context.Context, rows, workers int) error {
	from := w.done - w.base
	cut := w.calendar.cut(w.labels[from : from+rows])
	// First what every figure shares: deviations, returns, levels.
	var tasks []func() error
	for k, of := range w.columns {
		for i, c := range of {
			tasks = append(tasks, func() error {
				raw := c.raw[from : from+rows]
				c.take(raw, w.done, cut)
				return w.kept.signal(k, i, raw)
			})
		}
	}
	for i, price := range w.prices {
		for _, k := range w.within {
			tasks = append(tasks, func() error {
				a := w.ahead[k][i]
				a.r = resize(&a.r, rows)
				a.take(price[from:], rows, w.delay, w.done, cut)
				return w.kept.returned(k, a.r)
			})
		}
		tasks = append(tasks, func() error {
			if w.volatile != nil && w.closes[i] != nil {
				w.volatile[i].add(w.closes[i][from:from+rows], cut)
			}
			return w.kept.price(i, price[from:from+rows])
		})
	}
	for k, l := range w.levels {
		tasks = append(tasks, func() error {
			for i, c := range w.columns[l.signal] {
				raw := c.raw[from : from+rows]
				l.take(i, raw, w.Study.Signals.Thresholds)
				if w.spread != nil {
					w.spread[k].add(raw)
				}
			}
			l.count()
			return nil
		})
	}
	if err := run(ctx, workers, tasks); err != nil {
		return err
	}
	tasks = tasks[:0]
	for _, k := range w.within {
		for _, l := range w.levels {
			tasks = append(tasks, func() error {
				l.tests[k].add(l, w.ahead[k])
				return nil
			})
		}
		for j, of := range w.columns {
			for i, c := range of {
				tasks = append(tasks, func() error {
					w.pairs[k][j][i].pair(c, c.raw[from:from+rows], w.ahead[k][i], w.done, cut)
					return nil
				})
			}
		}
	}
	if err := run(ctx, workers, tasks); err != nil {
		return err
	}
	w.done += rows
	if w.chunks++; bits.OnesCount(uint(w.chunks)) == 1 {
		w.centre()
	}
	return nil
}

// centre moves all centres to the means so far. It is done after 1, 2, 4, 8, … chunks, so that centres are never far off.
func (w *Window) centre() {
	for _, k := range w.within {
		for j, of := range w.columns {
			for i, c := range of {
				p, a := w.pairs[k][j][i], w.ahead[k][i]
				if dx, dy := c.move(), a.move(); (dx != 0 || dy != 0) && p.n > 0 {
					x, y := p.lastX, p.lastY
					if x == nil {
						x, y = c.x[len(c.x)-p.h:], a.x[len(a.x)-p.h:]
					}
					p.shift(dx, dy, x, y)
				}
			}
		}
	}
	for _, of := range w.columns {
		for _, c := range of {
			c.shift(c.move())
		}
	}
	for _, of := range w.ahead {
		for _, a := range of {
			a.shift(a.move())
			a.stale = a.h // W is of the old centre
		}
	}
}

// run runs tasks, each of which writes places of its own, on at most so many workers.
func run(ctx context.Context, workers int, tasks []func() error) error {
	return datasets.ForEach(ctx, workers, len(tasks), func(_ context.Context, k int) error { return tasks[k]() })
}

// instrument names the i-th.
func (w *Window) instrument(i int) string { return w.Grid.Instruments[i].String() }

// Close ends the window: what is left is folded, and figures that need whole columns are made.
func (w *Window) Close(ctx context.Context, workers int) (*Figures, error) {
	for w.done < w.rows {
		if err := w.fold(ctx, min(chunk, w.rows-w.done), workers); err != nil {
			return nil, err
		}
	}
	return w.figures(ctx, workers)
}
