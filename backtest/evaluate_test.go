package backtest

import (
	"encoding/json"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// worldOf makes a market of random walks with common moves and two signals, the first of which knows a
// little; gaps punches holes into both.
func worldOf(bars, instruments int, every time.Duration, gaps bool, seed uint64) (*Market, Scores, study.Span) {
	r := rand.New(rand.NewPCG(seed, 2))
	g := &factors.Grid{Every: every, BarsPerYear: float64(365*24*time.Hour) / float64(every)}
	for t := range bars {
		g.Close = append(g.Close, int64(t+1)*every.Microseconds())
	}
	m := &Market{Frame: &factors.Frame{Grid: g}}
	common := make([]float64, bars)
	for t := range common {
		common[t] = r.NormFloat64()
	}
	var open, closes, trades, f, composite [][]float64
	for i := range instruments {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "test", Symbol: fmt.Sprint("S", i)})
		m.Contracts, m.Settlements = append(m.Contracts, linear), append(m.Settlements, nil)
		o, c, n, x, y := fill(bars, 0), fill(bars, 0), fill(bars, 1), fill(bars, 0), fill(bars, 0)
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
				o[t], c[t], n[t] = nan, nan, nan
			}
			if gaps && r.IntN(30) == 0 {
				x[t] = nan
			}
			if gaps && r.IntN(10) == 0 {
				y[t] = math.Round(y[t]) // ties
			}
		}
		open, closes, trades, f, composite = append(open, o), append(closes, c), append(trades, n), append(f, x), append(composite, y)
	}
	for name, cols := range map[string][][]float64{"open": open, "close": closes, "trades": trades} {
		m.Panels = append(m.Panels, factors.NewPanel(name, g, cols...))
	}
	scores := Scores{
		Factors: []*factors.Panel{factors.NewPanel("f", g, f...)},
		Levels:  []*factors.Panel{factors.NewPanel("composite", g, composite...)},
	}
	return m, scores, study.Span{Hi: bars, From: 0, To: g.Close[bars-1]}
}

func studyOf(horizons ...int) *study.Study {
	s := &study.Study{Execution: execution()}
	s.Execution.TakerBps, s.Execution.HalfSpreadBps = 5, 1
	s.Signals.Thresholds = signals.Cuts{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1}
	s.Signals.Weights = signals.Weights{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1}
	for _, h := range horizons {
		s.Evaluation.Horizons = append(s.Evaluation.Horizons, factors.Window{Bars: h})
	}
	s.Evaluation.PrimaryHorizon = s.Evaluation.Horizons[0]
	s.Evaluation.Quantiles = 5
	return s
}

// targetOf is a plain threshold rule.
func targetOf(s *study.Study, score *factors.Panel) *factors.Panel {
	var cols [][]float64
	for i := range score.Instruments {
		col := make([]float64, score.Len())
		for t, f := range score.Col(i) {
			col[t] = s.Signals.Weights.Of(s.Signals.Thresholds.LevelOf(f))
		}
		cols = append(cols, col)
	}
	return factors.NewPanel("target", score.Grid, cols...)
}

func evaluate(t testing.TB, m *Market, scores Scores, s *study.Study, whole study.Span, windows ...study.Span) *Evaluated {
	t.Helper()
	if windows == nil {
		windows = []study.Span{whole}
	}
	target := targetOf(s, scores.Levels[0])
	var runs []*Run
	for _, w := range append([]study.Span{whole}, windows...) {
		r, err := Simulate(m, target, w, s.Execution)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	ev, err := Evaluate(m, scores, s, whole, windows, []Trial{{study.Composite, runs[0], runs[1:]}})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// Every figure of an IC row by its plain definition, on data with gaps and ties, in windows.
func TestICRowsAreTheirDefinition(t *testing.T) {
	const every = 10 * time.Minute
	m, scores, whole := worldOf(3000, 3, every, true, 1)
	windows := []study.Span{
		{Index: 0, Lo: 100, Hi: 1600, From: m.Close[99], To: m.Close[1599]},
		{Index: 1, Lo: 1600, Hi: 3000, From: m.Close[1599], To: m.Close[2999]},
	}
	s := studyOf(1, 6, 24, 144, 300)
	s.Execution.Delay = 2
	ev := evaluate(t, m, scores, s, whole, windows...)
	seen := 0
	for name, w := range map[string]study.Span{All: whole, "0": windows[0], "1": windows[1]} {
		for _, score := range slices.Concat(scores.Factors, scores.Levels) {
			for _, h := range []int{1, 6, 24, 144, 300} {
				sums, rankSums, counts := make([]float64, m.Len()), make([]float64, m.Len()), make([]float64, m.Len())
				var n, pearson, spearman float64
				for i := range m.Instruments {
					x, price := score.Col(i), m.Panel("open").Col(i)
					var f, r []float64
					var rows []int
					for k := w.Lo; k+2+h < w.Hi; k++ {
						if fwd := math.Log(price[k+2+h] / price[k+2]); !math.IsNaN(fwd + x[k]) {
							f, r, rows = append(f, x[k]), append(r, fwd), append(rows, k)
						}
					}
					row := find(t, ev, score.Name, m.Instruments[i].String(), name, h)
					seen++
					if row.N != len(f) {
						t.Fatalf("%+v: n is %d", row, len(f))
					}
					closeTo(t, row, "pearson", row.Pearson, metrics.Pearson(f, r))
					closeTo(t, row, "spearman", row.Spearman, metrics.Spearman(f, r))
					closeTo(t, row, "t_non_overlapping", row.TNonOverlap, metrics.NonOverlapping(f, r, h))
					n += float64(len(f))
					pearson += float64(len(f)) * metrics.Pearson(f, r)
					spearman += float64(len(f)) * metrics.Spearman(f, r)
					rf, rr := make([]float64, len(f)), make([]float64, len(f))
					metrics.AverageRanks(rf, f)
					metrics.AverageRanks(rr, r)
					rankT := metrics.NonOverlapping(rf, rr, h)
					metrics.Standardize(rf, rf)
					metrics.Standardize(rr, rr)
					for k := range rf {
						rf[k] *= rr[k]
						rankSums[rows[k]] += rf[k]
					}
					rankSignificance(t, row, rf, h, rankT)
					zf, zr := make([]float64, len(f)), make([]float64, len(f))
					metrics.Standardize(zf, f)
					metrics.Standardize(zr, r)
					for k := range zf {
						zf[k] *= zr[k]
						sums[rows[k]] += zf[k]
						counts[rows[k]]++
					}
					significance(t, row, zf, h)
				}
				var u, ranked []float64
				byDay := map[datasets.Day][]float64{}
				for k := range sums {
					if counts[k] > 0 {
						v := sums[k] / counts[k]
						u, ranked = append(u, v), append(ranked, rankSums[k]/counts[k])
						byDay[m.Day(k)] = append(byDay[m.Day(k)], v)
					}
				}
				row := find(t, ev, score.Name, Pooled, name, h)
				closeTo(t, row, "pearson", row.Pearson, pearson/n)
				closeTo(t, row, "spearman", row.Spearman, spearman/n)
				significance(t, row, u, h)
				rankSignificance(t, row, ranked, h, metrics.NonOverlappingMean(ranked, h))
				var days []float64
				for d := datasets.Day(0); d < 30; d++ {
					if h <= 24 && 4*len(byDay[d]) >= 144 {
						days = append(days, metrics.Mean(byDay[d]))
					}
				}
				if row.Daily.N != len(days) {
					t.Errorf("%s %s %d: %d days, want %d", name, score.Name, h, row.Daily.N, len(days))
				}
				closeTo(t, row, "daily mean", row.Daily.Mean, metrics.Mean(days))
				closeTo(t, row, "icir", row.Daily.ICIR, metrics.Mean(days)/metrics.Std(days))
			}
		}
	}
	if want := 3 * 2 * 5 * 4; len(ev.IC) != want || seen*4/3 != want {
		t.Errorf("%d rows, want %d", len(ev.IC), want)
	}
}

func significance(t *testing.T, row ICRow, u []float64, h int) {
	t.Helper()
	test := metrics.Test(u, h, float64(row.TNonOverlap))
	closeTo(t, row, "t_hansen_hodrick", row.THansenHodrick, test.HansenHodrick)
	closeTo(t, row, "n_effective", row.NEffective, test.NEffective)
	closeTo(t, row, "t", row.T, test.T)
	if row.TMethod != test.Method {
		t.Errorf("%+v: method %s", row, test.Method)
	}
}

func rankSignificance(t *testing.T, row ICRow, u []float64, h int, nonOverlapping float64) {
	t.Helper()
	test := metrics.Test(u, h, nonOverlapping)
	closeTo(t, row, "spearman_t", row.SpearmanT, test.T)
	closeTo(t, row, "spearman_p", row.SpearmanP, test.P)
}

func closeTo(t *testing.T, row ICRow, what string, got Figure, want float64) {
	t.Helper()
	if math.IsNaN(float64(got)) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(float64(got)-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s %s window %s horizon %s: %s = %v, want %v", row.Signal, row.Instrument, row.Window, row.Horizon, what, got, want)
	}
}

func find(t *testing.T, ev *Evaluated, signal, instrument, window string, bars int) ICRow {
	t.Helper()
	i := slices.IndexFunc(ev.IC, func(r ICRow) bool {
		return r.Signal == signal && r.Instrument == instrument && r.Window == window && r.Bars == bars
	})
	if i < 0 {
		t.Fatalf("no row for %s %s %s %d", signal, instrument, window, bars)
	}
	return ev.IC[i]
}

// The result does not depend on how the work is spread.
func TestEvaluateIsDeterministic(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	m, scores, whole := worldOf(2000, 2, 10*time.Minute, true, 3)
	a, b := evaluate(t, m, scores, studyOf(6, 24), whole), evaluate(t, m, scores, studyOf(6, 24), whole)
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if y, _ := json.Marshal(b); string(x) != string(y) {
		t.Error("two evaluations differ")
	}
}

// One window is "all" and has no rows beside; one instrument's pooled row is its own.
func TestOneWindowOneInstrument(t *testing.T) {
	m, scores, whole := worldOf(1000, 1, 10*time.Minute, false, 4)
	ev := evaluate(t, m, scores, studyOf(6, 24), whole)
	if len(ev.IC) != 2*2*2 || len(ev.PnL) != 1 || len(ev.Levels) != 2*5 || len(ev.Spread) != 2*2*5 {
		t.Errorf("%d IC, %d PnL, %d level, %d quantile rows", len(ev.IC), len(ev.PnL), len(ev.Levels), len(ev.Spread))
	}
	own, pooled := find(t, ev, "composite", "test:S0", All, 24), find(t, ev, "composite", Pooled, All, 24)
	own.Instrument, own.Reasons, pooled.Reasons = Pooled, nil, nil
	if x, y := fmt.Sprintf("%+v", own), fmt.Sprintf("%+v", pooled); x != y {
		t.Errorf("pooled row\n%s\nwant\n%s", y, x)
	}
	if row := find(t, ev, "composite", Pooled, All, 6); !math.IsNaN(float64(row.PHolm)) || row.Reasons["p_holm"] == "" {
		t.Errorf("the primary horizon has p_holm %v, reasons %v", row.PHolm, row.Reasons)
	}
}

// What cannot be computed is null with a reason, and a short sample is insufficient.
func TestNullsHaveReasons(t *testing.T) {
	m, scores, whole := worldOf(300, 1, 10*time.Minute, false, 5)
	scores.Factors[0] = factors.NewPanel("f", m.Grid, fill(300, 0.1))
	ev := evaluate(t, m, scores, studyOf(1, 50, 400), whole)
	for _, c := range []struct {
		signal, key, why string
		bars             int
	}{
		{"f", "pearson", "the signal is constant", 1},
		{"composite", "pearson", "fewer than 3 pairs", 400},
		{"composite", "t", "the sample spans fewer than 10 horizons", 50},
		{"composite", "daily", "the horizon is longer than 4h", 50},
	} {
		if row := find(t, ev, c.signal, Pooled, All, c.bars); row.Reasons[c.key] != c.why {
			t.Errorf("%s at %d bars: reason of %s is %q, want %q", c.signal, c.bars, c.key, row.Reasons[c.key], c.why)
		}
	}
	if row := find(t, ev, "composite", Pooled, All, 50); row.TMethod != metrics.Insufficient || math.IsNaN(float64(row.Pearson)) {
		t.Errorf("row %+v", row)
	}
	if row := find(t, ev, "composite", Pooled, All, 1); !slices.Contains(row.Warnings, FewSpans) {
		t.Errorf("a score with a memory of 1000 bars has no warning over 300: %+v", row)
	}
}

// A window in which nothing traded has a warning and no rows.
func TestEmptyWindow(t *testing.T) {
	m, scores, whole := worldOf(300, 1, 10*time.Minute, false, 12)
	ev := evaluate(t, m, scores, studyOf(1), whole, study.Span{Index: 0, Hi: 300, To: whole.To}, study.Span{Index: 1, Lo: 300, Hi: 300, From: whole.To, To: whole.To + minute})
	if len(ev.PnL) != 2 || len(ev.Hold) != 3 || len(ev.Warnings) != 1 {
		t.Errorf("%d PnL rows, %d benchmarks, warnings %v", len(ev.PnL), len(ev.Hold), ev.Warnings)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	m, two, whole := worldOf(129_600, 2, time.Minute, false, 7)
	f, composite := two.Factors[0], two.Levels[0]
	scores := Scores{Factors: []*factors.Panel{f, composite, f, composite}, Levels: two.Levels}
	s := studyOf(60, 5, 15, 240, 1440, 4320)
	target := targetOf(s, composite)
	r, err := Simulate(m, target, whole, s.Execution)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Evaluate(m, scores, s, whole, []study.Span{whole}, []Trial{{study.Composite, r, []*Run{r}}}); err != nil {
			b.Fatal(err)
		}
	}
}

func settlement(at int64) bars.Settlement { return bars.Settlement{Time: at, Rate: nan, Mark: nan} }
