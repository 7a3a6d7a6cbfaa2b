package kernel

import (
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
	"Sum": NewSum, "Mean": NewMean, "Min": NewMin, "Max": NewMax, "Var": NewVar, "Std": NewStd, "ZScore": NewZScore,
	"Skew": NewSkew, "Kurt": NewKurt, "Median": NewMedian, "Rank": NewRank, "Trend": NewTrend,
	"Quantile":      func(w, m int) Rolling { return NewQuantile(w, m, 0.3) },
	"Shift":         func(w, _ int) Rolling { return NewShift(w) },
	"Diff":          func(w, _ int) Rolling { return NewDiff(w) },
	"EWMMean":       func(w, m int) Rolling { return NewEWMMean(2/(float64(w)+1), true, m) },
	"EWMStd":        func(w, m int) Rolling { return NewEWMStd(2/(float64(w)+1), false, m) },
	"ExpandingMean": func(_, m int) Rolling { return NewExpandingMean(m) },
	"ExpandingStd":  func(_, m int) Rolling { return NewExpandingStd(m) },
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
		for kind, start := range map[string]func(w, m int) RollingPair{"Cov": NewCov, "Corr": NewCorr, "Slope": NewSlope} {
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
