package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// cuts are ways to cut n rows into blocks.
func cuts(n int) map[string][]int {
	r := rand.New(rand.NewPCG(21, uint64(n)))
	out := map[string][]int{"whole": {n}}
	for name, size := range map[string]int{"1": 1, "7": 7, "8192": 8192} {
		for at := 0; at < n; at += size {
			out[name] = append(out[name], min(size, n-at))
		}
	}
	for at := 0; at < n; {
		size := r.IntN(min(n-at, 100) + 1)
		out["random"] = append(out["random"], size)
		at += size
	}
	return out
}

// constructors lists every Rolling.
var constructors = map[string]func(window, minPeriods int) Rolling{
	"Sum": NewSum, "Mean": NewMean, "Min": NewMin, "Max": NewMax, "Std": NewStd, "ReturnStd": NewReturnStd, "ZScore": NewZScore,
	"Skew": NewSkew, "Kurt": NewKurt, "Median": NewMedian, "Rank": NewRank, "Trend": NewTrend,
	"Quantile":      func(w, m int) Rolling { return NewQuantile(w, m, 0.3) },
	"Shift":         func(w, _ int) Rolling { return NewShift(w) },
	"Diff":          func(w, _ int) Rolling { return NewDiff(w) },
	"ExpandingMean": func(_, m int) Rolling { return NewExpandingMean(m) },
	"ExpandingStd":  func(_, m int) Rolling { return NewExpandingStd(m) },
}

var pairConstructors = map[string]func(window, minPeriods int) RollingPair{
	"Cov": NewCov, "Corr": NewCorr, "Slope": NewSlope, "Intercept": NewIntercept, "Residual": NewResidual,
}

// Any cutting into blocks gives the bits of the whole column.
func TestBlocksAreTheWhole(t *testing.T) {
	for name, x := range inputs(700) {
		for kind, start := range constructors {
			for _, w := range []int{1, 2, 20, 64, 300, 1000} {
				want := make([]float64, len(x))
				start(w, w/2).Next(want, x)
				for cut, sizes := range cuts(len(x)) {
					got := make([]float64, 0, len(x))
					k := start(w, w/2)
					for _, size := range sizes {
						at := len(got)
						got = got[:at+size]
						k.Next(got[at:], x[at:at+size])
					}
					same(t, kind+" of "+name+", cut "+cut, got, want)
				}
			}
		}
	}
}

func TestPairBlocksAreTheWhole(t *testing.T) {
	all := inputs(500)
	x := slices.Clone(all["normal"])
	x[99] = nan
	for name, y := range all {
		for kind, start := range pairConstructors {
			for _, w := range []int{1, 2, 20, 64, 1000} {
				want := make([]float64, len(x))
				start(w, w/2).Next(want, x, y)
				for cut, sizes := range cuts(len(x)) {
					got := make([]float64, 0, len(x))
					k := start(w, w/2)
					for _, size := range sizes {
						at := len(got)
						got = got[:at+size]
						k.Next(got[at:], x[at:at+size], y[at:at+size])
					}
					same(t, kind+" of "+name+", cut "+cut, got, want)
				}
			}
		}
	}
}

// Nothing is allocated a block once the window is full.
func TestBlocksDoNotAllocate(t *testing.T) {
	for name, x := range inputs(3000) {
		dst := make([]float64, 100)
		for kind, start := range constructors {
			k, at := start(50, 10), 0
			next := func() {
				k.Next(dst, x[at:at+100])
				at = (at + 100) % 2900
			}
			for range 60 {
				next()
			}
			if n := testing.AllocsPerRun(100, next); n > 0 {
				t.Errorf("%s of %s allocates %v times a block", kind, name, n)
			}
		}
	}
}

// Windows of equal contents have equal values, to the bit, wherever they stand.
func TestEqualWindowsAreEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for name, draw := range map[string]func() float64{
		"ticks":   func() float64 { return float64(r.IntN(5)-2) * 1.4e-6 },
		"rates":   func() float64 { return []float64{0, 0, 0, 0, 0, 0, 0, 1e-4, -2.5e-5, 3.3e-5}[r.IntN(10)] },
		"prices":  func() float64 { return 43_210.1 + 0.1*float64(r.IntN(40)) },
		"volumes": func() float64 { return float64(r.IntN(1000)) * 0.001 },
		"holes":   func() float64 { return []float64{nan, 0.1, 0.2, -0.3, math.Inf(1)}[r.IntN(5)] },
		"normal":  r.NormFloat64,
		"spikes": func() float64 {
			if r.IntN(50) == 0 {
				return 1e9
			}
			return float64(r.IntN(9)) * 0.1
		},
	} {
		const long = 300
		x, y := make([]float64, 20*long), make([]float64, 20*long)
		for i := range x {
			x[i], y[i] = draw(), draw()
		}
		at := []int{0}
		for lo := long + 13; lo+long < len(x); lo += 3*long/2 + r.IntN(100) {
			copy(x[lo:lo+long], x[:long])
			copy(y[lo:lo+long], y[:long])
			at = append(at, lo)
		}
		for _, w := range []int{1, 2, 5, 20, 64, 65, 299} {
			check := func(kind string, got []float64, reach int) {
				for _, lo := range at[1:] {
					same(t, kind+" of "+name, got[lo+reach-1:lo+long], got[reach-1:long])
				}
			}
			got := make([]float64, len(x))
			for kind, start := range constructors {
				switch kind {
				case "ExpandingMean", "ExpandingStd":
					continue // no windows
				}
				start(w, w/2).Next(got, x)
				check(kind, got, min(w+1, long))
			}
			for kind, start := range pairConstructors {
				start(w, w/2).Next(got, x, y)
				check(kind, got, w)
			}
			for _, k := range trailing {
				switch k.name {
				case "FadingMean", "FadingStd", "Product":
					continue // but for the last digits
				}
				k.start(w, w/2).Next(got, x)
				check(k.name, got, w)
			}
		}
	}
}
