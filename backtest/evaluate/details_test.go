package evaluate

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
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
				if missing := math.IsNaN(float64(f)) || math.IsInf(float64(f), 0); (why != "") != missing {
					t.Errorf("%s: %s is %v, reason %q, in %+v", what, key, f, why, row)
				}
			}
		}
	}
	walk(v, "")
}

// Whatever is missing in any row says why, and nothing else does.
func TestEveryNullHasAReason(t *testing.T) {
	resampled := studyOf(1, 6, 500)
	resampled.Evaluation.Bootstrap = 50
	flat := studyOf(6, 60)
	flat.Evaluation.RankIC, flat.Evaluation.Persistence = false, false
	for name, c := range map[string]struct {
		study             *study.Study
		bars, instruments int
		constant          bool
	}{
		"plain":         {studyOf(1, 6, 60), 900, 1, false},
		"flat":          {flat, 900, 1, false},
		"resampled":     {resampled, 3000, 6, false},
		"constant":      {studyOf(6, 60), 900, 2, true},
		"short":         {studyOf(1, 6), 5, 1, false},
		"shorter still": {studyOf(1, 6), 2, 6, false},
		"one bar":       {studyOf(1, 6), 1, 1, false},
	} {
		f := worldOf(c.bars, c.instruments, 10*time.Minute, true, 6)
		if c.constant {
			for _, x := range f.values[1] {
				for k := range x {
					x[k] = 0.3
				}
			}
		}
		all := judged(t, f, c.study, All, f.whole(), 0, 2)
		windows := []*Figures{all}
		if half := c.bars / 2; half > 0 {
			windows = append(windows, judged(t, f, c.study, "0", f.span(0, 0, half), 0, 2), judged(t, f, c.study, "1", f.span(1, half, c.bars), 0, 2))
		}
		rows := 0
		for _, figures := range windows {
			v := reflect.ValueOf(*figures)
			for i := range v.NumField() {
				list := v.Field(i)
				if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.Struct || list.Type().Elem() == reflect.TypeFor[DailyIC]() {
					continue
				}
				for k := range list.Len() {
					rows++
					explained(t, name, list.Index(k).Interface())
				}
			}
		}
		for _, row := range Stability(f.signals, study.Composite, windows, nil) {
			explained(t, name, row)
		}
		if rows < 60 {
			t.Errorf("%s: %d rows", name, rows)
		}
	}
}

// An interval holds its figure, and is the same every time.
func TestBootstrapIntervals(t *testing.T) {
	f := worldOf(4000, 2, 10*time.Minute, false, 8)
	s := studyOf(6, 24)
	s.Evaluation.Bootstrap, s.Evaluation.Seed = 200, 1
	for _, row := range judged(t, f, s, All, f.whole(), 0, 2).IC {
		if row.Instrument == Pooled && !(row.Low < row.Pearson && row.Pearson < row.High) {
			t.Errorf("%s at %s: pearson %v in [%v, %v]", row.Signal, row.Horizon, row.Pearson, row.Low, row.High)
		}
	}
}

// The cross-section at a bar is the plain correlation over the instruments there, with gaps as without.
func TestCrossSection(t *testing.T) {
	const h = 24
	for _, gaps := range []bool{false, true} {
		f := worldOf(4500, 7, 10*time.Minute, gaps, 8)
		s := studyOf(6, h)
		got := judged(t, f, s, All, f.whole(), 1000, 2)
		for signal, named := range f.signals {
			row := got.find(t, named.Name, CrossSection, h)
			var pearson, spearman []float64
			for k := 0; k+1+h < f.grid.Len(); k++ {
				var x, r []float64
				for i, open := range f.open {
					if v := math.Log(open[k+1+h] / open[k+1]); !math.IsNaN(v + f.values[signal][i][k]) {
						x, r = append(x, f.values[signal][i][k]), append(r, v)
					}
				}
				if len(x) >= minCrossSection && !metrics.Constant(x) {
					pearson, spearman = append(pearson, metrics.Pearson(x, r)), append(spearman, metrics.Spearman(x, r))
				}
			}
			closeTo(t, row, "pearson", row.Pearson, metrics.Mean(pearson))
			closeTo(t, row, "spearman", row.Spearman, metrics.Mean(spearman))
			significance(t, row, pearson, h)
			rankSignificance(t, row, spearman, h)
			if row.N != len(pearson) {
				t.Errorf("n is %d, want %d", row.N, len(pearson))
			}
		}
	}
	small := worldOf(500, 4, 10*time.Minute, false, 8)
	for _, r := range judged(t, small, studyOf(6), All, small.whole(), 0, 1).IC {
		if r.Instrument == CrossSection {
			t.Fatal("four instruments have a cross-section")
		}
	}
}

// Each division's slices hold every bar once, so that their n-weighted IC is the pooled one.
func TestSlicesAddUp(t *testing.T) {
	for _, instruments := range []int{1, 2} {
		f := worldOf(4000, instruments, 10*time.Minute, false, 8)
		got := judged(t, f, studyOf(6, 24), All, f.whole(), 500, 2)
		want := got.find(t, "f", Pooled, 6)
		sums, counts := map[string]float64{}, map[string]int{}
		for _, row := range got.Slices {
			if row.Signal == "f" && row.N > 0 {
				sums[row.By] += float64(row.N) * float64(row.IC)
				counts[row.By] += row.N
			}
		}
		if len(sums) != 2 {
			t.Errorf("divisions %v", sums)
		}
		mean := 0.0 // of the pooled series, which for several instruments is not the row's weighted correlation
		for by, sum := range sums {
			if instruments == 1 {
				closeTo(t, want, by, want.Pearson, sum/float64(counts[by]))
				if counts[by] != want.N {
					t.Errorf("by %s there are %d bars, want %d", by, counts[by], want.N)
				}
			}
			if mean != 0 {
				closeTo(t, want, by, Figure(mean), sum/float64(counts[by]))
			}
			mean = sum / float64(counts[by])
		}
	}
}

// Two calm days, one wild: 20 % and 80 % of three days are the first and the last by volatility.
func TestVolatilitySlices(t *testing.T) {
	f := worldOf(3*144, 1, 10*time.Minute, false, 8)
	for k := range f.closes[0] {
		move := []float64{1e-3, 1e-2, 2e-3}[k/144]
		f.closes[0][k] = 100 * (1 + move*float64(k%2))
	}
	got := judged(t, f, studyOf(6), All, f.whole(), 0, 1)
	counts := map[string]int{}
	for _, row := range got.Slices {
		if row.By == "volatility" && row.Signal == "f" {
			counts[row.Slice] = row.N
		}
	}
	if counts["low"] != 144 || counts["high"] != 144 || counts["normal"] != 144-7 {
		t.Errorf("bars by volatility %v, want 144, 144 and the last day's 137", counts)
	}
}

// Scores 0, 0.6, 0.6, null, 1.2, −0.7: long for two bars, strong long and short for one, neutral for one.
func TestLevels(t *testing.T) {
	f := worldOf(6, 1, 10*time.Minute, false, 9)
	f.values[1][0] = []float64{0, 0.6, 0.6, nan, 1.2, -0.7}
	open := f.open[0]
	got := judged(t, f, studyOf(1), All, f.whole(), 0, 1)
	want := map[string]struct {
		bars    int
		holding float64
	}{"neutral": {1, 1}, "long": {2, 2}, "strong_long": {1, 1}, "short": {1, 1}, "strong_short": {0, nan}}
	for _, row := range got.Levels {
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
	for _, row := range got.Transitions {
		if row.Bars > 0 {
			seen[row.From+" "+row.To] = row.Bars
		}
	}
	if len(seen) != 3 || seen["neutral long"] != 1 || seen["long long"] != 1 || seen["strong_long short"] != 1 {
		t.Errorf("transitions %v", seen)
	}
	d := got.Distribution[0]
	if d.N != 5 || d.Missing != 1 || d.Least != -0.7 || d.Most != 1.2 || math.Abs(d.Mean-0.34) > 1e-15 {
		t.Errorf("distribution: n %d, missing %d, mean %v, from %v to %v", d.N, d.Missing, d.Mean, d.Least, d.Most)
	}
}

// levelSeries is a level's tested series: the sum over the instruments of D·(R − m) at the bars at which any of them has a level
// and a return. n counts D.
func levelSeries(f *frame, s *study.Study, h int, level string, m float64) (x []float64, n float64) {
	d := s.Execution.Delay
	for k := 0; k+d+h < f.grid.Len(); k++ {
		sum, any := 0.0, false
		for i, open := range f.open {
			r := math.Log(open[k+d+h] / open[k+d])
			l := s.Signals.Thresholds.LevelOf(f.values[1][i][k])
			if l == signals.NoLevel || math.IsNaN(r) {
				continue
			}
			if any = true; l.String() == level {
				sum += r - m
				n++
			}
		}
		if any {
			x = append(x, sum)
		}
	}
	return x, n
}

// A level's t is that of the mean of D·(R − m) over the bars at which any instrument has a level and a return.
func TestLevelTIsItsDefinition(t *testing.T) {
	for _, instruments := range []int{1, 3} {
		f := worldOf(9000, instruments, 10*time.Minute, true, 21)
		s := studyOf(6, 24)
		tested := 0
		for _, row := range judged(t, f, s, All, f.whole(), 0, 2).Levels {
			if math.IsNaN(float64(row.T)) {
				continue
			}
			h := 6
			if row.Horizon != s.Evaluation.Horizons[0].String() {
				h = 24
			}
			x, n := levelSeries(f, s, h, row.Level, float64(row.MeanReturn))
			variance := metrics.HansenHodrick(x, h)
			if variance <= 0 {
				variance = metrics.NeweyWest(x, 2*h)
			}
			if want := float64(row.MeanReturn) * n / math.Sqrt(float64(len(x))*variance); math.Abs(float64(row.T)-want) > 1e-9*math.Abs(want) {
				t.Errorf("%s at %s: t = %v, want %v", row.Level, row.Horizon, row.T, want)
			}
			tested++
		}
		if tested < 6 {
			t.Errorf("%d rows have a t", tested)
		}
	}
}

// Where a level's returns turn sign from bar to bar, Newey and West judge it.
func TestLevelFallback(t *testing.T) {
	const rows, h = 4000, 2
	f := worldOf(rows, 1, time.Minute, false, 1)
	// Stretches of ten bars at long, over which the two-bar returns are 1, −1, 1, …, and ten at neutral.
	p, move := 0.0, 0.5
	for k := range rows {
		at := k % 20
		f.values[1][0][k] = []float64{0.7, 0}[at/10]
		switch j := at - 2; { // the bar of a row's return begins one later, and it has two
		case j == 0:
			move = 0.5
		case j > 0 && j < 11:
			move = float64(1-2*((j-1)%2)) - move
		default:
			move = 0
		}
		p += move
		f.open[0][k] = math.Exp(1e-4 * (p + 0.2*float64(k%7)))
	}
	s := studyOf(h)
	for _, row := range judged(t, f, s, All, f.whole(), 0, 1).Levels {
		if row.Level != "long" {
			continue
		}
		x, n := levelSeries(f, s, h, row.Level, float64(row.MeanReturn))
		if hansen := metrics.HansenHodrick(x, h); hansen > 0 {
			t.Fatalf("Hansen and Hodrick's variance is %v", hansen)
		}
		want := float64(row.MeanReturn) * n / math.Sqrt(float64(len(x))*metrics.NeweyWest(x, 2*h))
		if math.Abs(float64(row.T)-want) > 1e-9*math.Abs(want) {
			t.Errorf("t = %v, want %v", row.T, want)
		}
	}
}

// An AR(1) of 0.95 has ρ_k = 0.95^k: half of it is gone after 14 bars.
func TestPersistence(t *testing.T) {
	f := worldOf(100_000, 1, 10*time.Minute, false, 10)
	row := judged(t, f, studyOf(6), All, f.whole(), 0, 2).Persistence[0]
	if math.Abs(float64(row.Lag1)-0.95) > 0.005 || math.Abs(float64(row.HalfLife)-14) > 1 || math.Abs(float64(row.Time)-39) > 6 {
		t.Errorf("persistence %+v, want 0.95, 14 bars and 39 bars", row)
	}
}

func TestStability(t *testing.T) {
	f := worldOf(3000, 1, 10*time.Minute, false, 11)
	s := studyOf(6, 1)
	var windows []*Figures
	var pnl []PnLRow
	for k := range 3 {
		windows = append(windows, judged(t, f, s, fmt.Sprint(k), f.span(k, 1000*k, 1000*(k+1)), 0, 2))
		pnl = append(pnl, PnLRow{Signal: study.Composite, Window: fmt.Sprint(k), Figures: map[string]Figure{"total_return": Figure(k) - 0.5}})
	}
	rows := Stability(f.signals, study.Composite, windows, pnl)
	positive, worst, in := 0, Figure(math.Inf(1)), ""
	for _, w := range windows {
		r := w.find(t, "f", Pooled, 6)
		if r.Pearson > 0 {
			positive++
		}
		if r.Pearson < worst {
			worst, in = r.Pearson, r.Window
		}
	}
	if row := rows[0]; row.Windows != 3 || row.Positive != Figure(float64(positive)/3) || row.Worst != worst || row.WorstIn != in {
		t.Errorf("%+v, want %d of 3 positive, worst %v in %s", row, positive, worst, in)
	}
	if row := rows[2]; row.Figure != "total_return" || row.Windows != 3 || row.Positive != 2./3 || row.Worst != -0.5 || row.WorstIn != "0" {
		t.Errorf("%+v", row)
	}
}

// Buckets by hand. Signal 1, 1, 2, 3, 4, 5 with returns 1 … 6: of three buckets of two, the first holds the two ties. With the
// values 1, 1, 1, 2, 3, 4 the third of the ties' weight that is beyond the first bucket lies in the second:
// (1 + 2 + 3)/3·2, then (1 + 2 + 3)/3 + 4 over two, then 5 and 6. What comes first does not matter.
func TestBuckets(t *testing.T) {
	for name, c := range map[string]struct {
		signal, returns []float64
		want            []float64
		why             string
	}{
		"a bucket of ties": {[]float64{1, 1, 2, 3, 4, 5}, []float64{1, 2, 3, 4, 5, 6}, []float64{1.5, 3.5, 5.5}, ""},
		"a shared group":   {[]float64{1, 1, 1, 2, 3, 4}, []float64{1, 2, 3, 4, 5, 6}, []float64{2, 3, 5.5}, ""},
		"in another order": {[]float64{4, 1, 2, 1, 3, 1}, []float64{6, 3, 4, 1, 5, 2}, []float64{2, 3, 5.5}, ""},
		"two values":       {[]float64{1, 1, 1, 1, 1, 9}, []float64{1, 2, 3, 4, 5, 6}, []float64{3, 6}, ""},
		"a constant":       {[]float64{1, 1, 1, 1, 1, 1}, []float64{1, 2, 3, 4, 5, 6}, nil, "the signal has fewer than two values with a forward return"},
	} {
		n := len(c.signal)
		f := worldOf(n+2, 1, time.Minute, false, 1)
		f.values[0][0] = append(append([]float64(nil), c.signal...), nan, nan)
		p := 0.0
		for k := range n + 2 {
			f.open[0][k] = math.Exp(1e-2 * p)
			if k > 0 && k <= n {
				p += c.returns[k-1]
			}
		}
		s := studyOf(1)
		s.Evaluation.Quantiles = 3
		got := judged(t, f, s, All, f.whole(), 0, 1)
		var means []float64
		for _, row := range got.Quantiles {
			if row.Signal == "f" {
				means = append(means, 100*float64(row.MeanReturn))
			}
		}
		if len(means) != len(c.want) {
			t.Errorf("%s: %d buckets, want %d", name, len(means), len(c.want))
			continue
		}
		for k, m := range means {
			if math.Abs(m-c.want[k]) > 1e-9 {
				t.Errorf("%s: means %v, want %v", name, means, c.want)
				break
			}
		}
		spread := got.Spreads[0]
		if len(c.want) > 0 && math.Abs(100*float64(spread.Spread)-(c.want[len(c.want)-1]-c.want[0])) > 1e-9 || spread.Reasons["spread"] != c.why {
			t.Errorf("%s: spread %+v", name, spread)
		}
	}
}

// Buckets of random ties are those that metrics.BucketWeights gives.
func TestBucketsAreWeights(t *testing.T) {
	const h, q = 3, 5
	for _, values := range []int{2, 4, 5, 6, 9, 40, 3000} {
		f := worldOf(3000, 1, time.Minute, true, uint64(values))
		x := f.values[0][0]
		for k := range x {
			x[k] = math.Floor(float64(values) * math.Mod(math.Abs(x[k]), 1))
		}
		got := judged(t, f, studyOf(h), All, f.whole(), 0, 1)
		byValue := map[float64][]float64{}
		for k := 0; k+1+h < len(x); k++ {
			if r := math.Log(f.open[0][k+1+h] / f.open[0][k+1]); !math.IsNaN(r + x[k]) {
				byValue[x[k]] = append(byValue[x[k]], r)
			}
		}
		sorted := slices.Sorted(maps.Keys(byValue))
		var counts []int
		for _, v := range sorted {
			counts = append(counts, len(byValue[v]))
		}
		weights, buckets := metrics.BucketWeights(counts, q)
		n, sum := make([]float64, buckets), make([]float64, buckets)
		for _, w := range weights {
			n[w.Bucket] += w.Weight * float64(counts[w.Group])
			sum[w.Bucket] += w.Weight * metrics.Sum(byValue[sorted[w.Group]])
		}
		seen := 0
		for _, row := range got.Quantiles {
			if row.Signal != "f" {
				continue
			}
			k := row.Quantile - 1
			if seen++; math.Abs(n[k]-float64(row.N)) > 1e-6 || math.Abs(sum[k]/n[k]-float64(row.MeanReturn)) > 1e-12 {
				t.Errorf("%d values: bucket %d has %d pairs and %v, want %v and %v", values, row.Quantile, row.N, row.MeanReturn, n[k], sum[k]/n[k])
			}
		}
		if seen != buckets {
			t.Errorf("%d values: %d buckets, want %d", values, seen, buckets)
		}
	}
}
