package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// rolling lists every windowed kernel beside its definition: what it makes of the values of one
// window (finite ones, oldest first) whose newest entry is last (NaN where that is missing).
var rolling = []struct {
	name string
	need int // the statistic's own minimum of values
	run  func(dst, x []float64, window, minPeriods int)
	def  func(values []float64, last float64) float64
}{
	{"Sum", 0, Sum, func(v []float64, _ float64) float64 { return exactSum(v) }},
	{"Mean", 1, Mean, func(v []float64, _ float64) float64 { return exactSum(v) / float64(len(v)) }},
	{"Min", 1, Min, func(v []float64, _ float64) float64 { return slices.Min(v) }},
	{"Max", 1, Max, func(v []float64, _ float64) float64 { return slices.Max(v) }},
	{"Std", 2, Std, func(v []float64, _ float64) float64 { return math.Sqrt(exactVar(v)) }},
	{"ReturnStd", 2, func(dst, x []float64, window, minPeriods int) { NewReturnStd(window, minPeriods).Next(dst, x) },
		func(v []float64, _ float64) float64 { return math.Sqrt(exactVar(v)) }},
	{"ZScore", 2, ZScore, func(v []float64, last float64) float64 {
		s := math.Sqrt(exactVar(v))
		if s == 0 || !finite(last) {
			return nan
		}
		d := exact(0).Mul(exact(last), exact(float64(len(v))))
		for _, u := range v {
			d.Sub(d, exact(u))
		}
		y, _ := d.Quo(d, exact(float64(len(v)))).Float64()
		return y / s
	}},
	{"Skew", 3, Skew, func(v []float64, _ float64) float64 {
		n, m2, m3, _ := powersOf(v)
		return n * math.Sqrt(n-1) / (n - 2) * m3 / math.Pow(m2, 1.5)
	}},
	{"Kurt", 4, Kurt, func(v []float64, _ float64) float64 {
		n, m2, _, m4 := powersOf(v)
		return (n - 1) / ((n - 2) * (n - 3)) * (n*(n+1)*m4/(m2*m2) - 3*(n-1))
	}},
	{"Median", 1, Median, func(v []float64, _ float64) float64 { return quantile(v, 0.5) }},
	{"Quantile 0", 1, at(0), func(v []float64, _ float64) float64 { return slices.Min(v) }},
	{"Quantile 0.2", 1, at(0.2), func(v []float64, _ float64) float64 { return quantile(v, 0.2) }},
	{"Quantile 0.9", 1, at(0.9), func(v []float64, _ float64) float64 { return quantile(v, 0.9) }},
	{"Quantile 1", 1, at(1), func(v []float64, _ float64) float64 { return slices.Max(v) }},
	{"Rank", 1, Rank, func(v []float64, last float64) float64 {
		if !finite(last) {
			return nan
		}
		less, equal := 0.0, 0.0
		for _, u := range v {
			if u < last {
				less++
			} else if u == last {
				equal++
			}
		}
		return (less + (equal+1)/2) / float64(len(v))
	}},
}

func at(q float64) func(dst, x []float64, window, minPeriods int) {
	return func(dst, x []float64, window, minPeriods int) { Quantile(dst, x, window, minPeriods, q) }
}

// exact has room for every bit of the sums and squares in these tests.
func exact(v float64) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(v) }

func exactSum(v []float64) float64 {
	s := exact(0)
	for _, u := range v {
		s.Add(s, exact(u))
	}
	y, _ := s.Float64()
	return y
}

// exactVar is (n·Σx² − (Σx)²) / (n·(n−1)) without rounding before the division.
func exactVar(v []float64) float64 {
	s, ss := exact(0), exact(0)
	for _, u := range v {
		s.Add(s, exact(u))
		ss.Add(ss, exact(0).Mul(exact(u), exact(u)))
	}
	n := float64(len(v))
	ss.Mul(ss, exact(n))
	ss.Sub(ss, s.Mul(s, s))
	y, _ := ss.Quo(ss, exact(n*(n-1))).Float64()
	return y
}

// powersOf are the sums of the powers of the distances from the exact mean.
func powersOf(v []float64) (n, m2, m3, m4 float64) {
	n = float64(len(v))
	mean := exact(0)
	for _, u := range v {
		mean.Add(mean, exact(u))
	}
	mean.Quo(mean, exact(n))
	for _, u := range v {
		d, _ := exact(0).Sub(exact(u), mean).Float64()
		m2, m3, m4 = m2+d*d, m3+d*d*d, m4+d*d*d*d
	}
	return n, m2, m3, m4
}

func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	h := float64(len(v)-1) * q
	k := int(h)
	if k+1 == len(v) {
		return v[k]
	}
	return v[k] + (h-float64(k))*(v[k+1]-v[k])
}

// near tells whether got is want within tol of scale; missing only equals missing.
func near(got, want, tol, scale float64) bool {
	if math.IsNaN(got) || math.IsNaN(want) {
		return math.IsNaN(got) && math.IsNaN(want)
	}
	return got == want || math.Abs(got-want) <= tol*scale
}

// inputs are series that have broken rolling statistics before.
func inputs(n int) map[string][]float64 {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	make := func(f func(t int) float64) []float64 {
		x := make([]float64, n)
		for t := range x {
			x[t] = f(t)
		}
		return x
	}
	return map[string][]float64{
		"normal":     make(func(int) float64 { return r.NormFloat64() }),
		"price":      make(func(int) float64 { return 1e5 + r.NormFloat64() }),
		"offset":     make(func(int) float64 { return 1e8 + r.NormFloat64() }),
		"tied":       make(func(int) float64 { return float64(r.IntN(4)) - 1 }),
		"constant":   make(func(int) float64 { return 0.1 }),
		"steps":      make(func(t int) float64 { return 0.1 * float64(t/37) }),
		"rising":     make(func(t int) float64 { return float64(t) }),
		"alternates": make(func(t int) float64 { return float64(t%2*2-1) * (1 + float64(t)) }),
		"spikes": make(func(t int) float64 {
			if t%97 == 5 {
				return 1e9
			}
			return r.NormFloat64()
		}),
		"holes": make(func(t int) float64 {
			switch r.IntN(6) {
			case 0:
				return nan
			case 1:
				return math.Inf(r.IntN(2)*2 - 1)
			}
			if t/50%3 == 1 {
				return nan
			}
			return r.NormFloat64()
		}),
		"missing": make(func(int) float64 { return nan }),
		"zeros":   make(func(t int) float64 { return math.Copysign(0, float64(t%2)-0.5) }),
	}
}

const exactness = 1e-9 // SPEC: of Σ|terms|

func TestRollingMatchesDefinition(t *testing.T) {
	for _, k := range rolling {
		t.Run(k.name, func(t *testing.T) {
			for name, x := range inputs(300) {
				for _, w := range []int{1, 2, 3, 20, 100, 299, 300, 1000} {
					for _, minPeriods := range []int{0, 1, (w + 1) / 2, w} {
						got := make([]float64, len(x))
						k.run(got, x, w, minPeriods)
						for i := 0; i < len(x); i += 1 + min(w, 30) {
							v := window(x, i, w)
							want, scale := nan, 0.0
							if len(v) >= max(minPeriods, k.need) {
								want = k.def(v, x[i])
								scale = math.Max(math.Abs(want), scaleOf(k.name, v))
							}
							if !near(got[i], want, exactness, scale) {
								t.Fatalf("%s, window %d, minPeriods %d: dst[%d] = %v, want %v", name, w, minPeriods, i, got[i], want)
							}
						}
					}
				}
			}
		})
	}
}

func window(x []float64, t, w int) []float64 {
	var v []float64
	for _, u := range x[max(t-w+1, 0) : t+1] {
		if finite(u) {
			v = append(v, u)
		}
	}
	return v
}

// scaleOf is Σ|terms| of a sum, and 0 where the result's own size is the measure: a variance is a
// sum of squares, and order statistics do not round.
func scaleOf(name string, v []float64) float64 {
	s := 0.0
	switch name {
	case "Sum", "Mean":
		for _, u := range v {
			s += math.Abs(u)
		}
		if name == "Mean" {
			s /= float64(len(v))
		}
	case "ZScore", "Skew", "Kurt":
		s = 1
	}
	return s
}

func TestExactOnLongWindows(t *testing.T) {
	const n, w = 60_000, 43_200
	r := rand.New(rand.NewPCG(1, 2))
	walk, spikes, offset, jump := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	p := 1e5
	for t := range n {
		p *= math.Exp(1e-4 * r.NormFloat64())
		walk[t], spikes[t], offset[t] = p, r.NormFloat64(), 1e8+r.NormFloat64()
		if jump[t] = 0.1; t >= 52_199 { // all round alike
			jump[t] = 0.137
		}
		if t == 9_000 {
			spikes[t] = 1e9
		}
	}
	got := make([]float64, n)
	for name, x := range map[string][]float64{"walk": walk, "spikes": spikes, "offset": offset, "jump": jump} {
		for _, at := range []int{w - 1, 52_199, 52_201, n - 1} {
			v := x[at-w+1 : at+1]
			abs := scaleOf("Sum", v)
			if Sum(got, x, w, w); !near(got[at], exactSum(v), exactness, abs) {
				t.Errorf("Sum of %s at %d = %v, want %v", name, at, got[at], exactSum(v))
			}
			if Std(got, x, w, w); !near(got[at]*got[at], exactVar(v), exactness, exactVar(v)) {
				t.Errorf("Std of %s at %d = %v, want %v", name, at, got[at], math.Sqrt(exactVar(v)))
			}
			n, m2, m3, m4 := powersOf(v)
			want := n * math.Sqrt(n-1) / (n - 2) * m3 / math.Pow(m2, 1.5)
			if Skew(got, x, w, w); m2 > 0 && !near(got[at], want, exactness, math.Max(1, math.Abs(want))) {
				t.Errorf("Skew of %s at %d = %v, want %v", name, at, got[at], want)
			}
			want = (n - 1) / ((n - 2) * (n - 3)) * (n*(n+1)*m4/(m2*m2) - 3*(n-1))
			if Kurt(got, x, w, w); m2 > 0 && !near(got[at], want, exactness, math.Max(1, math.Abs(want))) {
				t.Errorf("Kurt of %s at %d = %v, want %v", name, at, got[at], want)
			}
		}
	}
}

// The value at t must not know what comes after t, nor what lies before its window.
func TestRollingSeesItsWindowAlone(t *testing.T) {
	const n = 500
	for _, k := range rolling {
		for name, x := range inputs(n) {
			for _, w := range []int{2, 19, 20, 64} {
				full, part := make([]float64, n), make([]float64, n)
				k.run(full, x, w, w/2)
				for _, cut := range []int{1, 19, 20, 21, 250, 499} {
					k.run(part[:cut], x[:cut], w, w/2)
					same(t, k.name+" of "+name+" without the future", part[:cut], full[:cut])
				}
				for _, from := range []int{19, 20, 21, 250, 480} {
					y := slices.Clone(x)
					for i := range from {
						y[i] = 1e12 * float64(i%5)
					}
					k.run(part, y, w, w/2)
					lo := min(from+w-1, n)
					same(t, k.name+" of "+name+" with another past", part[lo:], full[lo:])
				}
			}
		}
	}
}

func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: row %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// Chunks of the order statistics begin at 4096 rows and at 4 windows.
func TestOrderAcrossChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float64, 13_000)
	for t := range x {
		if x[t] = math.Round(r.NormFloat64() * 50); r.IntN(9) == 0 {
			x[t] = nan
		}
		if t/3000%2 == 1 { // the two middle values far apart
			x[t] += float64(t%2*2-1) * (1e6 + float64(t))
		}
	}
	for _, k := range rolling {
		if k.name != "Median" && k.name != "Rank" && k.name != "Quantile 0.9" {
			continue
		}
		for _, w := range []int{5, 1500} {
			got := make([]float64, len(x))
			k.run(got, x, w, 1)
			for _, around := range []int{4096, 6000, 8192, 12_000} {
				for i := around - 3; i < around+3; i++ {
					want := nan
					if v := window(x, i, w); len(v) > 0 {
						want = k.def(v, x[i])
					}
					if !near(got[i], want, exactness, math.Abs(want)) {
						t.Errorf("%s, window %d: dst[%d] = %v, want %v", k.name, w, i, got[i], want)
					}
				}
			}
		}
	}
}

func TestExpanding(t *testing.T) {
	for name, x := range inputs(300) {
		for _, minPeriods := range []int{0, 1, 5} {
			mean, std := make([]float64, len(x)), make([]float64, len(x))
			ExpandingMean(mean, x, minPeriods)
			ExpandingStd(std, x, minPeriods)
			for i := 0; i < len(x); i += 7 {
				v := window(x, i, len(x))
				wantMean, wantStd := nan, nan
				if len(v) >= max(minPeriods, 1) {
					wantMean = exactSum(v) / float64(len(v))
				}
				if len(v) >= max(minPeriods, 2) {
					wantStd = math.Sqrt(exactVar(v))
				}
				allMean, allStd := MeanStd(x[:i+1], minPeriods)
				if !near(allMean, wantMean, exactness, scaleOf("Mean", v)) || !near(allStd, wantStd, exactness, wantStd) {
					t.Fatalf("MeanStd of %s up to %d = %v, %v, want %v, %v", name, i, allMean, allStd, wantMean, wantStd)
				}
				if !near(mean[i], wantMean, exactness, scaleOf("Mean", v)) || !near(std[i], wantStd, exactness, wantStd) {
					t.Fatalf("%s: mean, std at %d = %v, %v, want %v, %v", name, i, mean[i], std[i], wantMean, wantStd)
				}
			}
		}
	}
}

func TestShiftAndDiff(t *testing.T) {
	x := []float64{1, 4, nan, 9, math.Inf(1), 25}
	dst := make([]float64, len(x))
	Shift(dst, x, 2)
	same(t, "Shift by 2", dst, []float64{nan, nan, 1, 4, nan, 9})
	Shift(dst, x, 0)
	same(t, "Shift by 0", dst, x)
	Shift(dst, x, 9)
	same(t, "Shift by 9", dst, []float64{nan, nan, nan, nan, nan, nan})
	Diff(dst, x, 1)
	same(t, "Diff by 1", dst, []float64{nan, 3, nan, nan, nan, nan})
	Diff(dst, x, 3)
	same(t, "Diff by 3", dst, []float64{nan, nan, nan, 8, nan, nan})
}

// A window may be longer than any series, and a series empty.
func TestExtremeLengths(t *testing.T) {
	x := []float64{3, nan, 1}
	for _, k := range rolling {
		got, want := make([]float64, 3), make([]float64, 3)
		k.run(want, x, 3, 1)
		k.run(got, x, math.MaxInt, 1)
		for i, w := range want {
			if !near(got[i], w, exactness, math.Abs(w)) {
				t.Errorf("%s over everything: %v at %d, want %v", k.name, got[i], i, w)
			}
		}
		k.run(nil, nil, 5, 1)
	}
}

func TestPanics(t *testing.T) {
	x, short := make([]float64, 3), make([]float64, 2)
	for name, f := range map[string]func(){
		"lengths":        func() { Sum(short, x, 1, 1) },
		"window 0":       func() { Std(x, x, 0, 0) },
		"periods":        func() { Max(x, x, 2, 3) },
		"negative":       func() { Rank(x, x, 2, -1) },
		"q":              func() { Quantile(x, x, 2, 1, 1.01) },
		"q missing":      func() { Quantile(x, x, 2, 1, nan) },
		"look ahead":     func() { Shift(x, x, -1) },
		"expand lengths": func() { ExpandingMean(short, x, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// Scratch is allocated by the call, not by the element.
func TestAllocations(t *testing.T) {
	x := inputs(20_000)["normal"]
	dst := make([]float64, len(x))
	for _, k := range rolling {
		few := testing.AllocsPerRun(5, func() { k.run(dst[:2_000], x[:2_000], 100, 50) })
		many := testing.AllocsPerRun(5, func() { k.run(dst, x, 100, 50) })
		if many > few {
			t.Errorf("%s allocates %v times over 2,000 rows and %v times over 20,000", k.name, few, many)
		}
	}
}

func BenchmarkRolling(b *testing.B) {
	x := inputs(129_600)["normal"]
	dst := make([]float64, len(x))
	for _, k := range rolling {
		for _, w := range []int{20, 100, 1440, 43_200} {
			b.Run(k.name+"/"+strconv.Itoa(w), func(b *testing.B) {
				for b.Loop() {
					k.run(dst, x, w, w)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/elem")
			})
		}
	}
}
