package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Every figure of an IC row by its plain definition, on data with gaps and ties, in windows, at sizes below, at and above
// those of a chunk, by several blocks.
func TestICRowsAreTheirDefinition(t *testing.T) {
	const every = 10 * time.Minute
	for _, c := range []struct {
		bars, instruments, delay int
		gaps                     bool
		offset                   float64
		horizons                 []int
	}{
		{3000, 3, 2, true, 0, []int{6, 1, 24, 144, 300}},
		{9500, 1, 1, true, 0, []int{6, 1, 24, 144, 300, 4500}},
		{9500, 1, 1, false, 1000, []int{6, 1, 24, 144, 300, 5000}},
		{8197, 2, 1, false, -3, []int{1, 700}},
		{9000, 6, 1, true, 0, []int{6, 24}},
	} {
		f := worldOf(c.bars, c.instruments, every, c.gaps, 1)
		for _, x := range f.values[0] {
			for k := range x {
				x[k] += c.offset // the mean is far from 0
			}
		}
		s := studyOf(c.horizons...)
		s.Execution.Delay = c.delay
		for name, w := range map[string]study.Span{All: f.whole(), "0": f.span(0, 100, c.bars/2), "1": f.span(1, c.bars/2, c.bars)} {
			got := judged(t, f, s, name, w, 777, 2)
			for k, signal := range f.signals {
				for _, h := range c.horizons {
					icIsItsDefinition(t, f, s, got, w, k, signal.Name, h)
				}
			}
		}
	}
}

func icIsItsDefinition(t *testing.T, f *frame, s *study.Study, got *Figures, w study.Span, signal int, name string, h int) {
	rows := f.grid.Len()
	sums, rankSums, counts := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	var n, pearson, spearman float64
	d := s.Execution.Delay
	for i, in := range f.grid.Instruments {
		x, price := f.values[signal][i], f.open[i]
		var a, r []float64
		var at []int
		for k := w.Lo; k+d+h < w.Hi; k++ {
			if v := math.Log(price[k+d+h] / price[k+d]); !math.IsNaN(v + x[k]) {
				a, r, at = append(a, x[k]), append(r, v), append(at, k)
			}
		}
		row := got.find(t, name, in.String(), h)
		if row.N != len(a) {
			t.Fatalf("%+v: n is %d", row, len(a))
		}
		if len(a) < metrics.MinPairs {
			continue
		}
		closeTo(t, row, "pearson", row.Pearson, metrics.Pearson(a, r))
		closeTo(t, row, "spearman", row.Spearman, metrics.Spearman(a, r))
		closeTo(t, row, "t_non_overlapping", row.TNonOverlap, metrics.NonOverlapping(a, r, h))
		n += float64(len(a))
		pearson += float64(len(a)) * metrics.Pearson(a, r)
		spearman += float64(len(a)) * metrics.Spearman(a, r)
		ra, rr := make([]float64, len(a)), make([]float64, len(a))
		metrics.AverageRanks(ra, a)
		metrics.AverageRanks(rr, r)
		for _, z := range [][]float64{ra, rr, a, r} {
			standardize(z)
		}
		u, ranked := make([]float64, len(a)), make([]float64, len(a))
		for k := range a {
			u[k], ranked[k] = a[k]*r[k], ra[k]*rr[k]
			sums[at[k]] += u[k]
			rankSums[at[k]] += ranked[k]
			counts[at[k]]++
		}
		significance(t, row, u, h)
		rankSignificance(t, row, ranked, h)
	}
	if n == 0 {
		return
	}
	var u, ranked []float64
	byDay := map[datasets.Day][]float64{}
	for k := range sums {
		if counts[k] > 0 {
			v := sums[k] / counts[k]
			u, ranked = append(u, v), append(ranked, rankSums[k]/counts[k])
			byDay[f.grid.Day(k)] = append(byDay[f.grid.Day(k)], v)
		}
	}
	row := got.find(t, name, Pooled, h)
	closeTo(t, row, "pearson", row.Pearson, pearson/n)
	closeTo(t, row, "spearman", row.Spearman, spearman/n)
	significance(t, row, u, h)
	rankSignificance(t, row, ranked, h)
	var days []float64
	for d := range datasets.Day(rows/144 + 2) {
		if h <= 24 && 4*len(byDay[d]) >= 144 {
			days = append(days, metrics.Mean(byDay[d]))
		}
	}
	if row.Daily.N != len(days) {
		t.Errorf("%s %d: %d days, want %d", name, h, row.Daily.N, len(days))
	}
	closeTo(t, row, "daily mean", row.Daily.Mean, metrics.Mean(days))
	if len(days) > 1 {
		closeTo(t, row, "icir", row.Daily.ICIR, metrics.Mean(days)/metrics.Std(days))
	}
}

// standardize makes x z(x), ddof 0.
func standardize(x []float64) {
	m, ss := metrics.Mean(x), 0.0
	for _, v := range x {
		ss += (v - m) * (v - m)
	}
	for k := range x {
		x[k] = (x[k] - m) / math.Sqrt(ss/float64(len(x)))
	}
}

func significance(t *testing.T, row ICRow, u []float64, h int) {
	t.Helper()
	test := metrics.Test(u, h, float64(row.TNonOverlap))
	if len(u) <= h {
		test.HansenHodrick, test.NEffective = nan, nan // the window holds all values, whose sum is 0
	}
	closeTo(t, row, "t_hansen_hodrick", row.THansenHodrick, test.HansenHodrick)
	closeTo(t, row, "n_effective", row.NEffective, test.NEffective)
	closeTo(t, row, "t", row.T, test.T)
	closeTo(t, row, "p", row.P, test.P)
	if row.TMethod != test.Method {
		t.Errorf("%+v: method %s", row, test.Method)
	}
}

func rankSignificance(t *testing.T, row ICRow, u []float64, h int) {
	t.Helper()
	test := metrics.Test(u, h, nan)
	closeTo(t, row, "spearman_t", row.SpearmanT, test.T)
	closeTo(t, row, "spearman_p", row.SpearmanP, test.P)
}

// The result does not depend on how rows are cut into blocks or how the work is spread, to the bit.
func TestBlocksAndWorkersChangeNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, c := range []struct {
		bars, instruments int
		gaps, ranks       bool
	}{{9000, 1, false, true}, {9000, 1, true, false}, {5000, 6, true, true}} {
		f := worldOf(c.bars, c.instruments, 10*time.Minute, c.gaps, 3)
		s := studyOf(6, 1, 24, 300)
		s.Evaluation.RankIC, s.Evaluation.Persistence = c.ranks, c.ranks
		s.Evaluation.Bootstrap, s.Evaluation.Seed = 20, 1
		want := ""
		for _, length := range []int{0, 1, 7, 4096, 8192} {
			for _, workers := range []int{1, 2, 8} {
				if length == 1 && workers > 1 {
					continue
				}
				text, err := json.Marshal(judged(t, f, s, All, f.whole(), length, workers))
				if err != nil {
					t.Fatal(err)
				}
				if want == "" {
					want = string(text)
				}
				if string(text) != want {
					t.Errorf("%d instruments by blocks of %d, %d workers: other figures", c.instruments, length, workers)
				}
			}
		}
	}
}

// A column in the file gives what one on the heap does, and of one instrument without ranks and persistence nothing is kept.
func TestWhatIsKept(t *testing.T) {
	f := worldOf(100, 1, 10*time.Minute, false, 3)
	for _, c := range []struct {
		instruments        int
		ranks, persistence bool
		kept               bool
	}{{1, false, false, false}, {1, true, false, true}, {1, false, true, true}, {2, false, false, true}} {
		s := studyOf(1)
		s.Evaluation.RankIC, s.Evaluation.Persistence = c.ranks, c.persistence
		g := *f.grid
		g.Instruments = slices.Repeat(g.Instruments, c.instruments)
		w, err := New(Setup{Grid: &g, Study: s, Signals: f.signals, Span: f.whole(), Window: All}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if (w.kept != nil) != c.kept {
			t.Errorf("%+v: columns are kept: %v", c, w.kept != nil)
		}
	}
}

// One instrument's pooled row is its own, and the primary horizon is not adjusted.
func TestOneInstrument(t *testing.T) {
	f := worldOf(1000, 1, 10*time.Minute, false, 4)
	got := judged(t, f, studyOf(6, 24), All, f.whole(), 0, 2)
	if len(got.IC) != 2*2*2 || len(got.Levels) != 2*5 || len(got.Quantiles) != 2*2*5 || len(got.Spreads) != 4 {
		t.Errorf("%d IC, %d level, %d quantile rows, %d spreads", len(got.IC), len(got.Levels), len(got.Quantiles), len(got.Spreads))
	}
	own, pooled := got.find(t, "composite", "test:S0", 24), got.find(t, "composite", Pooled, 24)
	own.Instrument, own.Reasons, pooled.Reasons = Pooled, nil, nil
	if x, y := fmt.Sprintf("%+v", own), fmt.Sprintf("%+v", pooled); x != y {
		t.Errorf("pooled row\n%s\nwant\n%s", y, x)
	}
	if row := got.find(t, "composite", Pooled, 6); !math.IsNaN(float64(row.PHolm)) || row.Reasons["p_holm"] == "" {
		t.Errorf("the primary horizon has p_holm %v, reasons %v", row.PHolm, row.Reasons)
	}
}

// What cannot be computed is null with a reason, and a short sample is insufficient.
func TestNullsHaveReasons(t *testing.T) {
	f := worldOf(300, 1, 10*time.Minute, false, 5)
	for k := range f.values[0][0] {
		f.values[0][0][k] = 0.1
	}
	got := judged(t, f, studyOf(1, 50, 200, 400), All, f.whole(), 0, 2)
	for _, c := range []struct {
		signal, key, why string
		bars             int
	}{
		{"f", "pearson", "the signal is constant", 1},
		{"composite", "pearson", "fewer than 3 pairs", 400},
		{"composite", "t", "the sample spans fewer than 10 horizons", 50},
		{"composite", "daily", "the horizon is longer than 4h", 50},
		{"composite", "t_hansen_hodrick", "the sample is no longer than the horizon", 200},
		{"composite", "pearson_low", "fewer than 3 pairs", 400},
	} {
		if row := got.find(t, c.signal, Pooled, c.bars); row.Reasons[c.key] != c.why {
			t.Errorf("%s at %d bars: reason of %s is %q, want %q", c.signal, c.bars, c.key, row.Reasons[c.key], c.why)
		}
	}
	if row := got.find(t, "composite", Pooled, 50); row.TMethod != metrics.Insufficient || math.IsNaN(float64(row.Pearson)) {
		t.Errorf("row %+v", row)
	}
	if row := got.find(t, "composite", Pooled, 1); !slices.Contains(row.Warnings, FewSpans) {
		t.Errorf("a score with a memory of 1000 bars has no warning over 300: %+v", row)
	}
}

// Where Hansen and Hodrick's variance is not positive Newey and West's is taken, from columns that are kept; without them the
// reason says so.
func TestFallback(t *testing.T) {
	const rows, h = 4000, 2
	f := worldOf(rows, 1, time.Minute, false, 1)
	r := rand.New(rand.NewPCG(1, 1))
	// Returns of a bar 0, 1, 0, −1 are 1, 1, −1, −1 over two; with a signal of 1, −1, −1, 1, u is ±1 in turn: γ1 = −γ0.
	p := 0.0
	for k := range rows {
		p += 1e-3 * ([]float64{0, 1, 0, -1}[k%4] + 0.1*r.NormFloat64())
		f.open[0][k], f.values[0][0][k] = math.Exp(p), []float64{1, -1, -1, 1}[k%4]+0.1*r.NormFloat64()
	}
	s := studyOf(h)
	row := judged(t, f, s, All, f.whole(), 0, 1).find(t, "f", Pooled, h)
	if row.TMethod != metrics.ByNeweyWest {
		t.Fatalf("%+v: want the fallback", row)
	}
	icIsItsDefinition(t, f, s, judged(t, f, s, All, f.whole(), 100, 2), f.whole(), 0, "f", h)
	s.Evaluation.RankIC, s.Evaluation.Persistence = false, false
	row = judged(t, f, s, All, f.whole(), 0, 1).find(t, "f", Pooled, h)
	if !math.IsNaN(float64(row.T)) || row.Reasons["t"] != notKept || row.Reasons["t_hansen_hodrick"] != notKept || row.Reasons["n_effective"] != notKept {
		t.Errorf("%+v: want no t, for want of columns", row)
	}
}

// Without ranks and persistence the figures that need them say so, and the others are the same.
func TestWithoutRanks(t *testing.T) {
	f := worldOf(3000, 2, 10*time.Minute, true, 6)
	s := studyOf(6, 24)
	with := judged(t, f, s, All, f.whole(), 0, 2)
	s.Evaluation.RankIC, s.Evaluation.Persistence = false, false
	without := judged(t, f, s, All, f.whole(), 0, 2)
	for k, a := range with.IC {
		b := without.IC[k]
		if b.Reasons["spearman"] != noRanks || b.Reasons["spearman_t"] == "" || len(b.Warnings) > 0 {
			t.Errorf("%+v: want no ranks and no warning", b)
		}
		if a.Pearson != b.Pearson || a.T != b.T || a.N != b.N || a.Daily != b.Daily {
			t.Errorf("%+v\nwithout ranks\n%+v", a, b)
		}
	}
	if len(without.Quantiles) > 0 || without.Spreads[0].Reasons["spread"] != noRanks || without.Persistence[0].Reasons["half_life_bars"] != "evaluation.persistence is false" {
		t.Errorf("%+v, %+v, %+v", without.Quantiles, without.Spreads[0], without.Persistence[0])
	}
}

// Rows that do not follow are a fault of the caller.
func TestRowsMustFollow(t *testing.T) {
	f := worldOf(10, 1, time.Minute, false, 1)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s := f.whole()
	s.Lo = 1
	g := *f
	g.grid = &factors.Grid{Every: f.grid.Every, Close: f.grid.Close, Instruments: f.grid.Instruments}
	w, err := New(Setup{Grid: g.grid, Study: studyOf(1), Signals: f.signals, Span: s, Window: All}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Step(t.Context(), blockOf(f, 0, 10), f.open, f.closes, f.values, 1)
}

// Five signals at six horizons, as the default study has them.
func BenchmarkFigures(b *testing.B) {
	for _, c := range []struct {
		rows, instruments int
		ranks             bool
	}{{129_600, 1, true}, {129_600, 1, false}, {129_600, 10, true}, {800_000, 1, true}, {800_000, 1, false}} {
		b.Run(fmt.Sprintf("rows=%d/instruments=%d/ranks=%v", c.rows, c.instruments, c.ranks), func(b *testing.B) {
			f := worldOf(c.rows, c.instruments, time.Minute, false, 7)
			f.values = [][][]float64{f.values[0], f.values[1], f.values[0], f.values[1], f.values[1]}
			f.signals = []Signal{{Name: "f"}, {Name: "composite"}, {Name: "f"}, {Name: "composite"}, {Name: "composite", Levels: true}}
			s := studyOf(60, 5, 15, 240, 1440, 4320)
			s.Evaluation.Bootstrap, s.Evaluation.RankIC, s.Evaluation.Persistence = 1000, c.ranks, c.ranks
			b.ReportAllocs()
			for b.Loop() {
				judged(b, f, s, All, f.whole(), 8192, 0)
			}
		})
	}
}

// Sums about centres that are far off at first give what the definition does: levels far from 0, trends, jumps, spikes, a
// long constant beginning, returns that nearly are one.
func TestCentresDoNotMatter(t *testing.T) {
	const rows = 14_000
	r := rand.New(rand.NewPCG(4, 4))
	for name, of := range map[string]struct{ signal, move func(k int) float64 }{
		"level":    {func(k int) float64 { return 1e8 + r.NormFloat64() }, func(int) float64 { return 1e-3 * r.NormFloat64() }},
		"trend":    {func(k int) float64 { return float64(k) + r.NormFloat64() }, func(int) float64 { return 1e-2 + 1e-3*r.NormFloat64() }},
		"jump":     {func(k int) float64 { return 1e3*float64(k/9000) + r.NormFloat64() }, func(k int) float64 { return 1e-3 * r.NormFloat64() }},
		"spike":    {func(k int) float64 { return 1e6*float64(1-min(k, 1)) + r.NormFloat64() }, func(int) float64 { return 1e-3 * r.NormFloat64() }},
		"late":     {func(k int) float64 { return float64(k/9000) * r.NormFloat64() }, func(int) float64 { return 1e-3 * r.NormFloat64() }},
		"creeping": {func(k int) float64 { return r.NormFloat64() }, func(int) float64 { return 1e-3 + 1e-8*r.NormFloat64() }},
	} {
		f := worldOf(rows, 1, time.Minute, false, 1)
		p := 0.0
		for k := range rows {
			f.open[0][k], f.values[0][0][k] = math.Exp(p), of.signal(k)
			p += of.move(k)
		}
		s := studyOf(6, 1, 40, 1000)
		got := judged(t, f, s, "0", f.whole(), 1000, 2)
		for _, h := range []int{1, 6, 40, 1000} {
			if row := got.find(t, "f", Pooled, h); math.IsNaN(float64(row.Pearson)) {
				t.Errorf("%s at %d: no correlation", name, h)
			}
			x, price := f.values[0][0], f.open[0]
			var a, b []float64
			for k := 0; k+1+h < rows; k++ {
				a, b = append(a, x[k]), append(b, factors.LogReturn(price[k+1], price[k+1+h]))
			}
			for k, middle, first := 0, math.Round(metrics.Mean(a)), b[0]; k < len(a); k++ {
				a[k] -= middle // both exact where it matters, and so is then what the definition adds up
				b[k] -= first
			}
			row := got.find(t, "f", Pooled, h)
			closeTo(t, row, name+" pearson", row.Pearson, metrics.Pearson(a, b))
			closeTo(t, row, name+" t_non_overlapping", row.TNonOverlap, metrics.NonOverlapping(a, b, h))
			standardize(a)
			standardize(b)
			for k := range a {
				a[k] *= b[k]
			}
			significance(t, row, a, h)
		}
	}
}

// A window without rows has rows of figures that are all missing.
func TestEmptyWindow(t *testing.T) {
	for _, instruments := range []int{1, 6} {
		f := worldOf(10, instruments, time.Minute, false, 1)
		w := study.Span{Lo: 10, Hi: 10, From: f.grid.Close[9], To: f.grid.Close[9] + 60e6}
		for _, row := range judged(t, f, studyOf(1, 5), All, w, 1, 2).IC {
			if row.N != 0 || row.Reasons["pearson"] == "" {
				t.Errorf("%+v", row)
			}
		}
	}
}
