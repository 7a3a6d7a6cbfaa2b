package backtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	fig "github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	columns "github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
)

// byBlocks runs a frame through evaluate.Window.
func byBlocks(t testing.TB, m *Market, scores Scores, s *study.Study, name string, w study.Span, length, workers int) *fig.Figures {
	t.Helper()
	space := columns.New(1 << 30)
	defer space.Close()
	setup := fig.Setup{Grid: m.Grid, Study: s, Traded: study.Composite, Span: w, Window: name}
	var panels []*factors.Panel
	for _, p := range scores.Factors {
		setup.Signals, panels = append(setup.Signals, fig.Signal{Name: p.Name}), append(panels, p)
	}
	for _, p := range scores.Levels {
		setup.Signals, panels = append(setup.Signals, fig.Signal{Name: p.Name, Levels: true}), append(panels, p)
	}
	win, err := fig.New(setup, space)
	if err != nil {
		t.Fatal(err)
	}
	part := func(p *factors.Panel, lo, hi int) [][]float64 {
		if p == nil {
			return nil
		}
		out := make([][]float64, len(m.Instruments))
		for i := range out {
			out[i] = p.Col(i)[lo:hi]
		}
		return out
	}
	for lo := w.Lo; lo < w.Hi; lo += length {
		hi := min(lo+length, w.Hi)
		var sig [][][]float64
		for _, p := range panels {
			sig = append(sig, part(p, lo, hi))
		}
		b := &bars.Block{Lo: lo, Hi: hi, Close: m.Close[lo:hi]}
		if err := win.Step(context.Background(), b, part(m.Panel(s.Execution.Price), lo, hi), part(m.Panel("close"), lo, hi), sig, workers); err != nil {
			t.Fatal(err)
		}
	}
	f, err := win.Close(context.Background(), workers)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func flatten(t *testing.T, v any) map[string]any {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	var walk func(string, any)
	walk = func(p string, x any) {
		switch v := x.(type) {
		case map[string]any:
			for k, y := range v {
				walk(p+"."+k, y)
			}
		case []any:
			for k, y := range v {
				walk(fmt.Sprint(p, "[", k, "]"), y)
			}
		default:
			out[p] = x
		}
	}
	walk("", x)
	return out
}

func sameJSON(t *testing.T, what string, got, want any) {
	g, w := flatten(t, got), flatten(t, want)
	bad := 0
	for k, x := range w {
		y, ok := g[k]
		fx, isF := x.(float64)
		fy, isG := y.(float64)
		if ok && isF && isG {
			if math.Abs(fx-fy) <= 1e-11*math.Max(1, math.Abs(fx)) {
				continue
			}
		} else if ok && x == y || strings.Contains(k, "reasons") {
			continue
		}
		if bad++; bad < 12 {
			t.Errorf("%s%s: %v, want %v", what, k, y, x)
		}
	}
	for k, y := range g {
		if _, ok := w[k]; !ok && !strings.Contains(k, "reasons") {
			if bad++; bad < 12 {
				t.Errorf("%s%s: %v, want nothing", what, k, y)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d differ", what, bad, len(w))
	}
}

func TestBlocksAreTheOldEngine(t *testing.T) {
	for _, c := range []struct {
		bars, instruments int
		every             time.Duration
		gaps              bool
		hs                []int
	}{
		{3000, 1, 10 * time.Minute, false, []int{1, 6, 24, 144, 300, 2999}},
		{3000, 1, 10 * time.Minute, true, []int{1, 6, 24, 144, 300}},
		{20000, 1, time.Minute, false, []int{60, 5, 15, 240, 1440}},
		{20000, 1, time.Minute, true, []int{60, 5, 15, 240, 1440, 2000}},
		{6000, 3, 10 * time.Minute, true, []int{6, 1, 24, 144, 300}},
		{9000, 6, 10 * time.Minute, true, []int{6, 1, 24, 144, 300}},
		{5, 1, 10 * time.Minute, false, []int{1, 6}},
		{2, 6, 10 * time.Minute, false, []int{1, 6}},
	} {
		name := fmt.Sprint(c)
		m, scores, whole := worldOf(c.bars, c.instruments, c.every, c.gaps, 1)
		s := studyOf(c.hs...)
		s.Execution.Delay = 2
		s.Evaluation.Bootstrap, s.Evaluation.Seed = 100, 1
		s.Evaluation.RankIC, s.Evaluation.Persistence = true, true
		half := c.bars / 2
		win := study.Span{Index: 1, Lo: half, Hi: c.bars, From: m.Close[half-1], To: whole.To}
		ev := evaluate2(t, m, scores, s, whole, win)
		f := byBlocks(t, m, scores, s, All, whole, c.bars, 2)
		f2 := byBlocks(t, m, scores, s, "1", win, c.bars, 2)
		n := len(f.IC)
		sameJSON(t, name+" ic", f.IC, ev.IC[:n])
		sameJSON(t, name+" ic w", f2.IC, ev.IC[n:2*n])
		sameJSON(t, name+" levels", f.Levels, ev.Levels[:len(f.Levels)])
		sameJSON(t, name+" levels w", f2.Levels, ev.Levels[len(f.Levels):2*len(f.Levels)])
		sameJSON(t, name+" transitions", f.Transitions, ev.Transitions[:len(f.Transitions)])
		sameJSON(t, name+" daily", f.Daily, ev.Daily)
		sameJSON(t, name+" slices", f.Slices, ev.Slices)
		sameJSON(t, name+" memory", f.Persistence, ev.Memory)
		if c.bars > 10 && len(f.Quantiles) == len(ev.Spread) {
			sameJSON(t, name+" quantiles", f.Quantiles[:len(f.Quantiles)/2], ev.Spread[:len(f.Quantiles)/2])
		}
	}
}

// evaluate2 evaluates one window twice.
func evaluate2(t *testing.T, m *Market, scores Scores, s *study.Study, whole, w study.Span) *Evaluated {
	return evaluate(t, m, scores, s, whole, w, w)
}

func benchWorld(rows, instruments int) (*Market, Scores, study.Span, *study.Study) {
	m, two, whole := worldOf(rows, instruments, time.Minute, false, 7)
	f, composite := two.Factors[0], two.Levels[0]
	scores := Scores{Factors: []*factors.Panel{f, composite, f, composite}, Levels: two.Levels}
	s := studyOf(60, 5, 15, 240, 1440, 4320)
	s.Evaluation.RankIC, s.Evaluation.Persistence = true, true
	s.Evaluation.Bootstrap = 1000
	return m, scores, whole, s
}

func benchOld(b *testing.B, rows, instruments int) {
	m, scores, whole, s := benchWorld(rows, instruments)
	b.ReportAllocs()
	defer spent(b)()
	for b.Loop() {
		j, err := newJudge(m, scores, s)
		if err != nil {
			b.Fatal(err)
		}
		j.traded = study.Composite
		ev := &Evaluated{}
		v := j.view(All, whole)
		results := make([]horizonRows, len(j.horizons))
		datasets.ForAll(len(results), func(k int) { results[k] = v.horizon(k) })
		j.collect(ev, All, results)
		ev.Memory = v.memoryRows()
	}
}

func benchNew(b *testing.B, rows, instruments int, change func(*study.Study)) {
	m, scores, whole, s := benchWorld(rows, instruments)
	change(s)
	b.ReportAllocs()
	defer spent(b)()
	for b.Loop() {
		byBlocks(b, m, scores, s, All, whole, 8192, 0)
	}
}

// spent reports the processor time of an operation.
func spent(b *testing.B) func() {
	now := func() float64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return float64(u.Utime.Sec+u.Stime.Sec)*1e3 + float64(u.Utime.Usec+u.Stime.Usec)/1e3
	}
	from := now()
	return func() { b.ReportMetric((now()-from)/float64(b.N), "cpu-ms/op") }
}

func BenchmarkFigures(b *testing.B) {
	for _, c := range []struct{ rows, instruments int }{{129_600, 1}, {129_600, 2}, {129_600, 10}, {800_000, 1}} {
		b.Run(fmt.Sprint(c.rows, "x", c.instruments, "/old"), func(b *testing.B) { benchOld(b, c.rows, c.instruments) })
		b.Run(fmt.Sprint(c.rows, "x", c.instruments, "/new"), func(b *testing.B) { benchNew(b, c.rows, c.instruments, func(*study.Study) {}) })
		if c.instruments == 1 {
			b.Run(fmt.Sprint(c.rows, "x", c.instruments, "/flat"), func(b *testing.B) {
				benchNew(b, c.rows, c.instruments, func(s *study.Study) { s.Evaluation.RankIC, s.Evaluation.Persistence = false, false })
			})
		}
	}
}
