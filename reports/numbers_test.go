package reports

import (
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// nearly takes figures for equal that differ by rounding.
var nearly = cmp.Comparer(func(a, b evaluate.Figure) bool { return math.Abs(float64(a-b)) < 1e-12 })

// January ends with the second day: 1.1·1.1 − 1 is +21 %; February lost 10 %. A month in which a payment is not known is
// null, one before it is not.
func TestMonths(t *testing.T) {
	first, err := datasets.ParseDay("2024-01-30")
	if err != nil {
		t.Fatal(err)
	}
	a := &portfolio.Account{Span: study.Span{From: first.Start(), To: (first + 3).Start()}}
	for k, r := range []float64{0.1, 0.1, -0.1} {
		a.Days = append(a.Days, portfolio.Day{Day: first + datasets.Day(k), Return: r})
	}
	want := []Month{{"2024-01", 2, 0.21}, {"2024-02", 1, -0.1}}
	if diff := cmp.Diff(want, months(a), nearly); diff != "" {
		t.Errorf("months (-want +got):\n%s", diff)
	}
	a.Unknown = &portfolio.Unknown{From: (first + 2).Start() + 1}
	if got := months(a); got[0].Return != months(&portfolio.Account{Span: a.Span, Days: a.Days})[0].Return || finite(float64(got[1].Return)) {
		t.Errorf("with a payment not known in February: %v", got)
	}
	a.Unknown.From = (first + 2).Start() - 1
	if got := months(a); finite(float64(got[0].Return)) {
		t.Errorf("with a payment not known at the end of January: %v", got)
	}
	// The lake lacks the two middle days of four, and the return over them and the fourth is of both months.
	a = &portfolio.Account{Span: study.Span{From: first.Start(), To: (first + 5).Start()}, Days: []portfolio.Day{
		{Day: first, Return: 0.1}, {Day: first + 3, Hole: 2, Return: 0.3}, {Day: first + 4, Return: 0.2},
	}}
	for k, m := range months(a) {
		if want := []Month{{"2024-01", 2, nan}, {"2024-02", 3, nan}}[k]; m.Month != want.Month || m.Days != want.Days || finite(float64(m.Return)) {
			t.Errorf("over a hole: %v, want %v", m, want)
		}
	}
	a.Days[1] = portfolio.Day{Day: first + 1, Hole: 1, Return: 0.5}
	if got := months(a)[0]; got.Days != 2 || math.Abs(float64(got.Return)-0.65) > 1e-12 {
		t.Errorf("a hole within January: %v, want 0.65 of two days", got)
	}
}

func TestDrawdown(t *testing.T) {
	got, high := drawdown(nil, []float64{90, 100, 120, 60, 120}, 100)
	want := []float64{-0.1, 0, 0, -0.5, 0}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" || high != 120 {
		t.Errorf("drawdown, highest %v (-want +got):\n%s", high, diff)
	}
}

// The bins of a score count every value once, in equal widths that whole cells fill.
func TestGatherCountsEveryValue(t *testing.T) {
	c := &evaluate.Distribution{Missing: 7, Below: 1, Above: 2, Cells: make([]int, 1<<14)}
	width := 2.0 * evaluate.ScoreLimit / float64(len(c.Cells))
	var values []float64
	for k := range 5000 {
		v := math.Round(1000*math.Sin(float64(k)))/1000 + width/4 // never on the edge of a cell
		values = append(values, v)
		c.Cells[int((v+evaluate.ScoreLimit)/width)]++
	}
	c.N, c.Least, c.Most = len(values)+3, -20, 30
	var d Distribution
	d.gather(c, 0.7)
	in, lo, hi := 0, float64(d.Lo), float64(d.Hi)
	for at, n := range d.Counts {
		from := lo + float64(at)*(hi-lo)/float64(len(d.Counts))
		want := 0
		for _, v := range values {
			if v >= from && v < from+(hi-lo)/float64(len(d.Counts)) {
				want++
			}
		}
		if n != want {
			t.Errorf("bin %d from %v has %d values, want %d", at, from, n, want)
		}
		in += n
	}
	if in+d.Below+d.Above != d.N || d.Missing != 7 || len(d.Counts) > distributionBins || len(d.Counts) < distributionBins/2 {
		t.Errorf("%d in %d bins, %d below, %d above of %d, %d missing", in, len(d.Counts), d.Below, d.Above, d.N, d.Missing)
	}
	empty := Distribution{Counts: []int{}}
	if empty.gather(&evaluate.Distribution{Missing: 3}, math.NaN()); empty.Missing != 3 || len(empty.Counts) != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}

// A score beyond all cells, or so large that its deviation is no number, still has a bin to draw.
func TestGatherOfHugeValues(t *testing.T) {
	for _, most := range []float64{17, 1e200, math.MaxFloat64} {
		var d Distribution
		d.gather(&evaluate.Distribution{N: 2, Above: 2, Cells: make([]int, 64), Mean: most, Least: most, Most: most}, math.NaN())
		if len(d.Counts) != 1 || d.Above != 2 || !(d.Hi > d.Lo) {
			t.Errorf("%v: %+v", most, d)
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
