package reports

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

func TestExtremesKeepsEveryStretchsRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{1, 2, 7, 100, 5000} {
		a, b := make([]float64, rows), make([]float64, rows)
		for k := range a {
			a[k], b[k] = rng.NormFloat64(), rng.NormFloat64()
			if k%17 == 3 {
				a[k] = math.NaN()
			}
		}
		const n = 20
		at := extremes(n, a, b)
		if len(at) > 4*n+2 {
			t.Errorf("%d rows: %d kept, want at most %d", rows, len(at), 4*n+2)
		}
		kept := map[int]bool{}
		for k, row := range at {
			kept[row] = true
			if k > 0 && at[k-1] >= row {
				t.Fatalf("%d rows: not ascending: %v", rows, at)
			}
		}
		if !kept[0] || !kept[rows-1] {
			t.Errorf("%d rows: the first or the last is not kept", rows)
		}
		for _, c := range [][]float64{a, b} {
			for k := range n {
				lo, hi := bounds(c[k*rows/n : (k+1)*rows/n])
				gotLo, gotHi := math.Inf(1), math.Inf(-1)
				for row := range kept {
					if row >= k*rows/n && row < (k+1)*rows/n && finite(c[row]) {
						gotLo, gotHi = math.Min(gotLo, c[row]), math.Max(gotHi, c[row])
					}
				}
				if !math.IsInf(gotLo, 1) && (gotLo != lo || gotHi != hi) {
					t.Errorf("%d rows, stretch %d: range [%v, %v], want [%v, %v]", rows, k, gotLo, gotHi, lo, hi)
				}
			}
		}
	}
}

// nearly takes figures for equal that differ by rounding.
var nearly = cmp.Comparer(func(a, b backtest.Figure) bool { return math.Abs(float64(a-b)) < 1e-12 })

// Bars of 12 h from 30 January: the labels are 30 Jan 12:00, 31 Jan 00:00 (covers the 30th), 31 Jan
// 12:00, 1 Feb 00:00 (covers the 31st), 1 Feb 12:00, 2 Feb 00:00. January ends with the fourth bar:
// 100 → 121 is +21 %; February 121 → 108.9 is −10 %.
func TestMonths(t *testing.T) {
	first, err := datasets.ParseDay("2024-01-30")
	if err != nil {
		t.Fatal(err)
	}
	g := &factors.Grid{Every: 12 * time.Hour}
	for k := range 6 {
		g.Close = append(g.Close, first.Start()+int64(k+1)*datasets.MicrosPerDay/2)
	}
	run := &backtest.Run{Window: study.Span{Lo: 0, Hi: 6}, Capital: 100, Equity: []float64{101, 110, 99, 121, 130, 108.9}}
	got := months(g, run)
	want := []Month{{"2024-01", 2, 0.21}, {"2024-02", 1, -0.1}}
	if diff := cmp.Diff(want, got, nearly); diff != "" {
		t.Errorf("months (-want +got):\n%s", diff)
	}
}

func TestDrawdown(t *testing.T) {
	got := drawdown(100, []float64{90, 100, 120, 60, 120})
	want := []float64{-0.1, 0, 0, -0.5, 0}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("drawdown (-want +got):\n%s", diff)
	}
}

func TestDistributionCountsEveryValueOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := 3000
	x := make([]float64, n)
	for k := range x {
		x[k] = rng.NormFloat64()
	}
	x[5], x[6], x[7] = math.NaN(), 50, -50
	g := &factors.Grid{Close: make([]int64, n), Instruments: []datasets.Instrument{btc}}
	d := distribute(factors.NewPanel("composite", g, x), 0, n, signals.Cuts{})
	total := d.Below + d.Above
	for _, c := range d.Counts {
		total += c
	}
	if d.N != n-1 || d.Missing != 1 || total != d.N || d.Below != 1 || d.Above != 1 {
		t.Errorf("n %d, missing %d, counted %d, below %d, above %d", d.N, d.Missing, total, d.Below, d.Above)
	}
	mean, std := 0.0, 0.0
	for _, v := range x {
		if finite(v) {
			mean += v / float64(d.N)
		}
	}
	for _, v := range x {
		if finite(v) {
			std += (v - mean) * (v - mean) / float64(d.N-1)
		}
	}
	if math.Abs(float64(d.Mean)-mean) > 1e-12 || math.Abs(float64(d.Std)-math.Sqrt(std)) > 1e-12 {
		t.Errorf("mean %v, std %v, want %v, %v", d.Mean, d.Std, mean, math.Sqrt(std))
	}
}

// Values whose squares, or differences, no float holds have no bins and take nothing else with them.
func TestDistributionOfHugeValues(t *testing.T) {
	for _, x := range [][]float64{{1e308, -1e308, 0}, {1e200, 2, 3}, {math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}} {
		g := &factors.Grid{Close: make([]int64, len(x)), Instruments: []datasets.Instrument{btc}}
		if d := distribute(factors.NewPanel("composite", g, x), 0, len(x), signals.Cuts{}); d.N != len(x) {
			t.Errorf("%v: %+v", x, d)
		}
	}
	for _, c := range []struct {
		x    float64
		want int
	}{{math.NaN(), 0}, {math.Inf(1), 9}, {math.Inf(-1), 0}, {1e300, 9}, {3.9, 3}, {-0.5, 0}} {
		if got := whole(c.x, 9); got != c.want {
			t.Errorf("whole(%v, 9) = %d, want %d", c.x, got, c.want)
		}
	}
}

func TestDecimals(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 6e6: "6000000", 1e-7: "0.0000001", 1e-15: "0.000000000000001", 9.5e-16: "9.5e-16", -123456789012345.6: "-123456789012345.6",
		999999999999999.9: "999999999999999.9", 1e15: "1e+15", 0.1: "0.1", math.MaxFloat64: "1.7976931348623157e+308", math.Inf(1): "",
	} {
		got := decimal(v)
		if back, err := strconv.ParseFloat(got, 64); got != want || want != "" && (err != nil || back != v) {
			t.Errorf("decimal(%g) = %q, want %q", v, got, want)
		}
	}
}

func TestFigureTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{signed(1234567.891, 1), "+1,234,567.9"},
		{signed(-0.0312, 3), "−0.031"},
		{signed(-0.0001, 2), "0.00"},
		{signed(nan, 2), "–"},
		{plain(12.5, 1), "12.5"},
		{percent(0.0312, 1), "+3.1%"},
		{percent(0, 1), "+0.0%"},
		{percent(-0.5, 0), "−50%"},
		{share(0.25, 0), "25%"},
		{share(nan, 0), "–"},
		{pValue(0.00004), "< 0.001"},
		{pValue(0.0234), "0.023"},
		{pValue(0.234), "0.23"},
		{compact(43210.5), "43,210"},
		{compact(0.000123456), "0.0001235"},
		{multiple(nan), "–"},
		{bytesText(1_234_567), "1.2 MB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
