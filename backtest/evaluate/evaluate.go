package evaluate

import (
	"context"
	"fmt"

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

	rows     int // taken so far
	calendar calendar
	levels   []*leveling
	spread   []*Distribution // of the signals with levels; nil where it is not wanted
	volatile []*realized     // by instrument; nil where it is not wanted
	kept     *kept           // columns that are needed as a whole; nil where none is
	line     *line           // of the only instrument; nil of several, whose columns are kept and gathered by Close
}

// line holds the rows of one instrument until their returns are known.
type line struct {
	*single
	base, done int // the first row held, and the first that is not folded
	price      []float64
	signals    [][]float64
}

// New begins a window. Where figures need columns as a whole, these live in space, until Close.
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
	for k, signal := range s.Signals {
		if !signal.Levels {
			continue
		}
		l := newLeveling(k, w.instruments())
		l.tests = make([]*levelTest, len(w.horizons))
		for _, h := range w.within {
			l.tests[h] = &levelTest{h: w.horizons[h].Bars}
		}
		w.levels = append(w.levels, l)
		if w.all {
			w.spread = append(w.spread, newDistribution(signal.Name))
		}
	}
	if w.all {
		for range w.instruments() {
			w.volatile = append(w.volatile, newRealized(len(w.calendar.days)))
		}
	}
	e := s.Study.Evaluation
	if e.RankIC || e.Persistence || w.instruments() > 1 {
		w.kept = newKept(space, len(s.Signals), w.instruments())
	}
	if w.instruments() == 1 {
		w.line = &line{single: w.newSingle(), signals: make([][]float64, len(s.Signals))}
		if e.RankIC {
			w.kept.keepReturns(space, len(w.horizons))
		}
	}
	return w, nil
}

func (w *Window) instruments() int { return len(w.Grid.Instruments) }

// instrument names the i-th.
func (w *Window) instrument(i int) string { return w.Grid.Instruments[i].String() }

// Step takes the next rows of the window: their labels from b, the execution price and the close by instrument, the
// signals by signal and instrument. Nothing of them is kept or changed. closes may be nil.
func (w *Window) Step(ctx context.Context, b *bars.Block, price, closes [][]float64, signals [][][]float64, workers int) error {
	if want := w.Span.Lo + w.rows; b.Lo != want || b.Hi > w.Span.Hi {
		panic(fmt.Sprintf("evaluate: rows %d to %d in place of those from %d to %d", b.Lo, b.Hi, want, w.Span.Hi))
	}
	cut := w.calendar.cut(b.Close)
	if w.volatile != nil && closes != nil {
		for i, x := range closes {
			w.volatile[i].add(x, cut)
		}
	}
	if err := w.keep(ctx, price, signals, workers); err != nil {
		return err
	}
	if w.line == nil {
		w.rows += b.Len()
		return nil
	}
	for lo := 0; lo < b.Len(); {
		l := w.line
		n := min(b.Len()-lo, w.reach+2*chunk-(w.rows-l.base))
		hi := lo + n
		l.price = append(l.price, price[0][lo:hi]...)
		for k, of := range signals {
			l.signals[k] = append(l.signals[k], of[0][lo:hi]...)
		}
		w.rows += n
		lo = hi
		for w.rows-l.done >= chunk+w.reach {
			if err := w.fold(ctx, chunk, workers); err != nil {
				return err
			}
		}
		l.forget(w.rows, w.reach)
	}
	return nil
}

// keep keeps the columns of a block.
func (w *Window) keep(ctx context.Context, price [][]float64, signals [][][]float64, workers int) error {
	if w.kept == nil {
		return nil
	}
	var tasks []func() error
	for i, x := range price {
		tasks = append(tasks, func() error { return w.kept.prices[i].Append(x) })
		for k := range signals {
			tasks = append(tasks, func() error { return w.kept.signals[k][i].Append(signals[k][i]) })
		}
	}
	return run(ctx, workers, tasks)
}

// forget drops the rows that were folded, once there is no room for a chunk.
func (l *line) forget(rows, reach int) {
	if rows-l.base <= reach+chunk {
		return
	}
	n := l.done - l.base
	l.price = append(l.price[:0], l.price[n:]...)
	for k, x := range l.signals {
		l.signals[k] = append(x[:0], x[n:]...)
	}
	l.base = l.done
}

// fold takes the next rows of the only instrument, a chunk or what is left of the window, into all figures. Rows after them
// are held as far as there are any.
func (w *Window) fold(ctx context.Context, rows, workers int) error {
	l := w.line
	from := l.done - l.base
	p := piece{lo: l.done, rows: rows, price: l.price[from:], cut: w.calendar.between(nil, l.done, l.done+rows)}
	for _, x := range l.signals {
		p.signals = append(p.signals, x[from:from+rows])
	}
	tasks := l.before(p)
	for k, level := range w.levels {
		tasks = append(tasks, func() error {
			x := p.signals[level.signal]
			level.take(0, x, w.Study.Signals.Thresholds)
			level.count(level.of)
			if w.spread != nil {
				w.spread[k].add(x)
			}
			return nil
		})
	}
	if err := run(ctx, workers, tasks); err != nil {
		return err
	}
	tasks = l.pair(p)
	for _, k := range w.within {
		r := l.ahead[k].r
		tasks = append(tasks, func() error { return w.kept.returned(k, r) })
		for _, level := range w.levels {
			tasks = append(tasks, func() error { level.tests[k].addOne(level.of[0], r); return nil })
		}
	}
	if err := run(ctx, workers, tasks); err != nil {
		return err
	}
	l.done += rows
	l.next()
	return nil
}

// run runs tasks, each of which writes places of its own, on at most so many workers.
func run(ctx context.Context, workers int, tasks []func() error) error {
	return datasets.ForEach(ctx, workers, len(tasks), func(_ context.Context, k int) error { return tasks[k]() })
}

// Close ends the window: what is left is folded, and figures that need whole columns are made.
func (w *Window) Close(ctx context.Context, workers int) (*Figures, error) {
	defer w.kept.free()
	for l := w.line; l != nil && l.done < w.rows; {
		if err := w.fold(ctx, min(chunk, w.rows-l.done), workers); err != nil {
			return nil, err
		}
	}
	return w.figures(ctx, workers)
}
