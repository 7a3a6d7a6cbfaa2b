package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// explained fails where a figure of the row is missing without a reason under its JSON key, or has one though it
// is there.
func explained(t *testing.T, what string, row any) {
	t.Helper()
	v := reflect.ValueOf(row)
	reasons := v.FieldByName("Reasons").Interface().(map[string]string)
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			key = prefix + key
			switch f := v.Field(i).Interface().(type) {
			case DailySummary:
				walk(v.Field(i), key+".")
			case Figure:
				why := reasons[key]
				if parent, _, nested := strings.Cut(key, "."); nested && why == "" {
					why = reasons[parent]
				}
				if (why != "") != math.IsNaN(float64(f)) {
					t.Errorf("%s: %s is %v, reason %q, in %+v", what, key, f, why, row)
				}
			}
		}
	}
	walk(v, "")
}

// Whatever is missing says why, and nothing else does.
func TestEveryNullHasAReason(t *testing.T) {
	idle := studyOf(6, 60)
	idle.Signals.Weights = signals.Weights{}
	funded := studyOf(6, 60)
	funded.Execution.Funding = true
	resampled := studyOf(1, 6, 500)
	resampled.Evaluation.Bootstrap = 50
	for name, c := range map[string]struct {
		study       *study.Study
		bars        int
		instruments int
		constant    bool
	}{
		"plain":         {studyOf(1, 6, 60), 900, 1, false},
		"idle":          {idle, 900, 1, false},
		"unknown":       {funded, 900, 2, false},
		"resampled":     {resampled, 3000, 6, false},
		"constant":      {studyOf(6, 60), 900, 2, true},
		"short":         {studyOf(1, 6), 5, 1, false},
		"shorter still": {studyOf(1, 6), 2, 6, false},
	} {
		m, scores, whole := worldOf(c.bars, c.instruments, 10*time.Minute, true, 6)
		for i := range m.Settlements {
			for k := range 8 {
				m.Settlements[i] = append(m.Settlements[i], settlement(int64(k)*8*3600e6))
			}
		}
		if c.constant {
			cols := make([][]float64, c.instruments)
			for i := range cols {
				cols[i] = fill(c.bars, 0.3)
			}
			scores.Levels[0] = factors.NewPanel("composite", m.Grid, cols...)
		}
		half := c.bars / 2
		ev := evaluate(t, m, scores, c.study, whole,
			study.Span{Index: 0, Hi: half, To: m.Close[half-1]}, study.Span{Index: 1, Lo: half, Hi: c.bars, From: m.Close[half-1], To: whole.To})
		v := reflect.ValueOf(*ev)
		for i := range v.NumField() {
			list := v.Field(i)
			if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.Struct || list.Type().Elem() == reflect.TypeFor[DailyIC]() {
				continue
			}
			if list.Len() == 0 {
				t.Errorf("%s: no %s", name, v.Type().Field(i).Name)
			}
			for k := range list.Len() {
				explained(t, name, list.Index(k).Interface())
			}
		}
	}
}

func world(t *testing.T, instruments int) (*Evaluated, *Market, Scores, *study.Study, study.Span) {
	m, scores, whole := worldOf(4000, instruments, 10*time.Minute, false, 8)
	s := studyOf(6, 24)
	s.Evaluation.Bootstrap, s.Evaluation.Seed, s.Evaluation.Delays = 200, 1, []int{1, 2, 5, 10}
	return evaluate(t, m, scores, s, whole), m, scores, s, whole
}

// An interval holds its figure, and is the same every time.
func TestBootstrapIntervals(t *testing.T) {
	ev, m, scores, s, whole := world(t, 2)
	for _, row := range ev.IC {
		if row.Instrument == Pooled && !(row.Low < row.Pearson && row.Pearson < row.High) {
			t.Errorf("%s at %s: pearson %v in [%v, %v]", row.Signal, row.Horizon, row.Pearson, row.Low, row.High)
		}
	}
	if row := ev.PnL[0]; !(row.SharpeLow < row.Sharpe && row.Sharpe < row.SharpeHigh && row.TotalReturnLow < row.TotalReturn && row.TotalReturn < row.TotalReturnHigh) {
		t.Errorf("Sharpe %v in [%v, %v], total return %v in [%v, %v]", row.Sharpe, row.SharpeLow, row.SharpeHigh, row.TotalReturn, row.TotalReturnLow, row.TotalReturnHigh)
	}
	if again := evaluate(t, m, scores, s, whole); again.PnL[0].SharpeLow != ev.PnL[0].SharpeLow {
		t.Error("a second evaluation has another interval")
	}
}

// The cross-section at a bar is the plain correlation over the instruments there.
func TestCrossSection(t *testing.T) {
	ev, m, scores, s, w := world(t, 6)
	const h = 24
	row := find(t, ev, "f", CrossSection, All, h)
	var pearson, spearman []float64
	for k := w.Lo; k+s.Execution.Delay+h < w.Hi; k++ {
		var f, r []float64
		for i := range m.Instruments {
			x := m.Panel("open").Col(i)
			f, r = append(f, scores.Factors[0].Col(i)[k]), append(r, math.Log(x[k+1+h]/x[k+1]))
		}
		pearson, spearman = append(pearson, metrics.Pearson(f, r)), append(spearman, metrics.Spearman(f, r))
	}
	closeTo(t, row, "pearson", row.Pearson, metrics.Mean(pearson))
	closeTo(t, row, "spearman", row.Spearman, metrics.Mean(spearman))
	significance(t, row, pearson, h)
	if row.N != len(pearson) {
		t.Errorf("n is %d, want %d", row.N, len(pearson))
	}
	small, _, _, _, _ := world(t, 4)
	for _, r := range small.IC {
		if r.Instrument == CrossSection {
			t.Fatal("four instruments have a cross-section")
		}
	}
}

// Each division's slices hold every bar once, so that their n-weighted IC is the pooled one.
func TestSlicesAddUp(t *testing.T) {
	ev, _, _, _, _ := world(t, 1)
	want := find(t, ev, "f", Pooled, All, 6)
	sums, counts := map[string]float64{}, map[string]int{}
	for _, row := range ev.Slices {
		if row.Signal == "f" && row.N > 0 {
			sums[row.By] += float64(row.N) * float64(row.IC)
			counts[row.By] += row.N
		}
	}
	if len(sums) != 2 {
		t.Errorf("divisions %v", sums)
	}
	for by, sum := range sums {
		if counts[by] != want.N {
			t.Errorf("by %s there are %d bars, want %d", by, counts[by], want.N)
		}
		closeTo(t, want, by, want.Pearson, sum/float64(counts[by]))
	}
}

// Scores 0, 0.6, 0.6, null, 1.2, −0.7: long for two bars, strong long and short for one, neutral for one.
func TestLevels(t *testing.T) {
	m, scores, whole := worldOf(6, 1, 10*time.Minute, false, 9)
	scores.Levels[0] = factors.NewPanel("composite", m.Grid, []float64{0, 0.6, 0.6, nan, 1.2, -0.7})
	open := m.Panel("open").Col(0)
	ev := evaluate(t, m, scores, studyOf(1), whole)
	want := map[string]struct {
		bars    int
		holding float64
	}{"neutral": {1, 1}, "long": {2, 2}, "strong_long": {1, 1}, "short": {1, 1}, "strong_short": {0, nan}}
	for _, row := range ev.Levels {
		w := want[row.Level]
		if row.Bars != w.bars || row.Bars > 0 && float64(row.MeanHolding) != w.holding || float64(row.Share) != float64(w.bars)/5 {
			t.Errorf("%+v, want %+v", row, w)
		}
		if row.Level == "long" {
			r := (math.Log(open[3]/open[2]) + math.Log(open[4]/open[3])) / 2
			if math.Abs(float64(row.MeanReturn)-r) > 1e-15 || math.Abs(float64(row.BreakEven)-r/2*1e4) > 1e-11 {
				t.Errorf("long: mean return %v, break-even %v, want %v and %v", row.MeanReturn, row.BreakEven, r, r/2*1e4)
			}
		}
	}
	seen := map[string]int{}
	for _, row := range ev.Transitions {
		if row.Bars > 0 {
			seen[row.From+" "+row.To] = row.Bars
		}
	}
	if len(seen) != 3 || seen["neutral long"] != 1 || seen["long long"] != 1 || seen["strong_long short"] != 1 {
		t.Errorf("transitions %v", seen)
	}
}

// A level's t is that of the mean of D·(R − m) over the bars at which any instrument has a level and a return.
func TestLevelTIsItsDefinition(t *testing.T) {
	m, scores, whole := worldOf(3000, 3, 10*time.Minute, true, 21)
	s := studyOf(6, 24)
	score, tested := scores.Levels[0], 0
	for _, row := range evaluate(t, m, scores, s, whole).Levels {
		if math.IsNaN(float64(row.T)) {
			continue
		}
		h, err := s.Evaluation.Horizons[0].In(m.Grid)
		if row.Horizon != s.Evaluation.Horizons[0].String() {
			h, err = s.Evaluation.Horizons[1].In(m.Grid)
		}
		if err != nil {
			t.Fatal(err)
		}
		var x []float64
		n := 0.0
		for k := 0; k+s.Execution.Delay+h < 3000; k++ {
			sum, any := 0.0, false
			for i := range m.Instruments {
				open := m.Panel("open").Col(i)
				r := math.Log(open[k+s.Execution.Delay+h] / open[k+s.Execution.Delay])
				level := s.Signals.Thresholds.LevelOf(score.Col(i)[k])
				if level == signals.NoLevel || math.IsNaN(r) {
					continue
				}
				if any = true; level.String() == row.Level {
					sum += r - float64(row.MeanReturn)
					n++
				}
			}
			if any {
				x = append(x, sum)
			}
		}
		variance, _ := metrics.LongRunVariance(x, h)
		if want := float64(row.MeanReturn) * n / math.Sqrt(float64(len(x))*variance); math.Abs(float64(row.T)-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s at %s: t = %v, want %v", row.Level, row.Horizon, row.T, want)
		}
		tested++
	}
	if tested < 6 {
		t.Errorf("%d rows have a t", tested)
	}
}

// An AR(1) of 0.95 has ρ_k = 0.95^k: half of it is gone after 14 bars.
func TestMemory(t *testing.T) {
	m, scores, whole := worldOf(100_000, 1, 10*time.Minute, false, 10)
	s := studyOf(6)
	j, err := newJudge(m, scores, s)
	if err != nil {
		t.Fatal(err)
	}
	row := j.view(All, whole).memoryRows()[0]
	if math.Abs(float64(row.Lag1)-0.95) > 0.005 || math.Abs(float64(row.HalfLife)-14) > 1 || math.Abs(float64(row.Time)-39) > 6 {
		t.Errorf("memory %+v, want 0.95, 14 bars and 39 bars", row)
	}
}

// The delay curve holds the run itself, and the zero-cost variant pays nothing.
func TestVariants(t *testing.T) {
	ev, _, _, _, _ := world(t, 2)
	seen := map[string]int{}
	for _, row := range ev.Variants {
		seen[row.Variant]++
		switch {
		case row.Variant == "delay" && row.Delay == 1 && row.TotalReturn != ev.PnL[0].TotalReturn:
			t.Errorf("at its own delay the run returns %v, not %v", row.TotalReturn, ev.PnL[0].TotalReturn)
		case row.Variant == "zero_cost" && (row.Fees != 0 || row.Slippage != 0 || row.Trades == 0 || row.TotalReturn <= ev.PnL[0].TotalReturn):
			t.Errorf("zero cost: %+v", row)
		case row.Variant == "buy_and_hold" && row.TotalReturn != ev.PnL[0].BuyAndHold:
			t.Errorf("buy and hold returns %v and %v", row.TotalReturn, ev.PnL[0].BuyAndHold)
		}
	}
	if seen["delay"] != 4 || seen["zero_cost"] != 1 || seen["buy_and_hold"] != 1 {
		t.Errorf("variants %v", seen)
	}
}

func TestStability(t *testing.T) {
	m, scores, whole := worldOf(3000, 1, 10*time.Minute, false, 11)
	var windows []study.Span
	for k := range 3 {
		windows = append(windows, study.Span{Index: k, Lo: 1000 * k, Hi: 1000 * (k + 1), From: int64(1000*k) * 600e6, To: int64(1000*(k+1)) * 600e6})
	}
	ev := evaluate(t, m, scores, studyOf(6), whole, windows...)
	for _, row := range ev.Stability {
		if row.Figure != "ic" || row.Signal != "f" {
			continue
		}
		positive, worst, in := 0, Figure(math.Inf(1)), ""
		for _, r := range ev.IC {
			if r.Signal == "f" && r.Instrument == Pooled && r.Window != All {
				if r.Pearson > 0 {
					positive++
				}
				if r.Pearson < worst {
					worst, in = r.Pearson, r.Window
				}
			}
		}
		if row.Windows != 3 || row.Positive != Figure(float64(positive)/3) || row.Worst != worst || row.WorstIn != in {
			t.Errorf("%+v, want %d of 3 positive, worst %v in %s", row, positive, worst, in)
		}
	}
}
