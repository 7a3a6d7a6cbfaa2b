package evaluate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

var nan = math.NaN()

// frame is a market in memory with the signals that are judged on it.
type frame struct {
	grid         *factors.Grid
	open, closes [][]float64
	signals      []Signal
	values       [][][]float64 // by signal and instrument
}

// worldOf makes a market of random walks with common moves and two signals, the first of which knows a
// little; gaps punches holes into both.
func worldOf(bars, instruments int, every time.Duration, gaps bool, seed uint64) *frame {
	r := rand.New(rand.NewPCG(seed, 2))
	g := &factors.Grid{Every: every, BarsPerYear: float64(365*24*time.Hour) / float64(every)}
	for t := range bars {
		g.Close = append(g.Close, int64(t+1)*every.Microseconds())
	}
	common := make([]float64, bars)
	for t := range common {
		common[t] = r.NormFloat64()
	}
	f := &frame{grid: g, signals: []Signal{{Name: "f"}, {Name: "composite", Levels: true}}, values: make([][][]float64, 2)}
	for i := range instruments {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "test", Symbol: fmt.Sprint("S", i)})
		o, c, x, y := make([]float64, bars), make([]float64, bars), make([]float64, bars), make([]float64, bars)
		p, v, s := 100.0, 0.0, 0.0
		for t := range bars {
			o[t] = p
			move := 0.7*common[t] + 0.7*r.NormFloat64()
			p *= math.Exp(1e-3 * (move + 0.05*v))
			c[t] = p
			v = 0.95*v + r.NormFloat64()
			s = 0.999*s + r.NormFloat64()
			x[t], y[t] = v, 0.4*v+0.02*s
			if gaps && r.IntN(40) == 0 {
				o[t], c[t] = nan, nan
			}
			if gaps && r.IntN(30) == 0 {
				x[t] = nan
			}
			if gaps && r.IntN(10) == 0 {
				y[t] = math.Round(y[t]) // ties
			}
		}
		f.open, f.closes = append(f.open, o), append(f.closes, c)
		f.values[0], f.values[1] = append(f.values[0], x), append(f.values[1], y)
	}
	return f
}

// whole is the window of all rows.
func (f *frame) whole() study.Span { return f.span(0, 0, f.grid.Len()) }

func (f *frame) span(index, lo, hi int) study.Span {
	s := study.Span{Index: index, Lo: lo, Hi: hi}
	if lo > 0 {
		s.From = f.grid.Close[lo-1]
	}
	if hi > 0 {
		s.To = f.grid.Close[hi-1]
	}
	return s
}

func studyOf(horizons ...int) *study.Study {
	s := &study.Study{Execution: study.ExecutionConfig{Delay: 1, Price: "open"}}
	s.Signals.Thresholds = signals.Cuts{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1}
	for _, h := range horizons {
		s.Evaluation.Horizons = append(s.Evaluation.Horizons, factors.Window{Bars: h})
	}
	s.Evaluation.PrimaryHorizon = s.Evaluation.Horizons[0]
	s.Evaluation.Quantiles, s.Evaluation.RankIC, s.Evaluation.Persistence = 5, true, true
	return s
}

// judged runs a frame through a window, in blocks of the given length (0: one).
func judged(t testing.TB, f *frame, s *study.Study, name string, w study.Span, length, workers int) *Figures {
	t.Helper()
	space := scratch.New(1 << 30)
	defer func() {
		if err := space.Close(); err != nil {
			t.Error(err)
		}
	}()
	win, err := New(Setup{Grid: f.grid, Study: s, Signals: f.signals, Traded: study.Composite, Span: w, Window: name}, space)
	if err != nil {
		t.Fatal(err)
	}
	if length == 0 {
		length = w.Hi - w.Lo
	}
	part := func(cols [][]float64, lo, hi int) [][]float64 {
		out := make([][]float64, len(cols))
		for i, x := range cols {
			out[i] = x[lo:hi]
		}
		return out
	}
	for lo := w.Lo; lo < w.Hi; lo += length {
		hi := min(lo+length, w.Hi)
		values := make([][][]float64, len(f.values))
		for k, x := range f.values {
			values[k] = part(x, lo, hi)
		}
		b := &bars.Block{Lo: lo, Hi: hi, Close: f.grid.Close[lo:hi]}
		if err := win.Step(context.Background(), b, part(f.open, lo, hi), part(f.closes, lo, hi), values, workers); err != nil {
			t.Fatal(err)
		}
	}
	out, err := win.Close(context.Background(), workers)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *Figures) find(t testing.TB, signal, instrument string, bars int) ICRow {
	t.Helper()
	i := slices.IndexFunc(f.IC, func(r ICRow) bool { return r.Signal == signal && r.Instrument == instrument && r.Bars == bars })
	if i < 0 {
		t.Fatalf("no row for %s %s %d", signal, instrument, bars)
	}
	return f.IC[i]
}

func closeTo(t testing.TB, row ICRow, what string, got Figure, want float64) {
	t.Helper()
	if math.IsNaN(float64(got)) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(float64(got)-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s %s window %s horizon %s: %s = %v, want %v", row.Signal, row.Instrument, row.Window, row.Horizon, what, got, want)
	}
}

func blockOf(f *frame, lo, hi int) *bars.Block {
	return &bars.Block{Lo: lo, Hi: hi, Close: f.grid.Close[lo:hi]}
}
