package kernel

import (
	"runtime"
	"slices"

	"github.com/qf-dev/qf/factors/kernel/radix"
)

// PercentRank writes the percentile rank of each value among all of x into dst: the average rank of those that
// equal it, counted from 1, over the number of values; NaN where x is missing. dst may be x. It looks
// ahead. It takes O(n) time, on all processors, and 8 bytes of scratch a value.
func PercentRank(dst, x []float64) {
	checkLengths(len(dst), len(x))
	n := 0.0
	for t, v := range x {
		if finite(v) {
			n++
		} else {
			dst[t] = nan
		}
	}
	workers := 1
	if len(x) > 1<<17 {
		workers = runtime.GOMAXPROCS(0)
	}
	var s radix.Sorter
	s.Sort(x, workers, func(p *radix.Part, before int) {
		for i := 0; i < p.Len(); {
			j := p.Run(i)
			pct := float64(2*before+i+j+1) / (2 * n)
			for ; i < j; i++ {
				dst[p.Row(i)] = pct
			}
		}
	})
}

// SampleQuantiles gives the type 7 quantiles of all values in x at each of q; NaN where there is none. It
// counts values by their leading bits and sorts those alone that a quantile may be among: O(n) time.
func SampleQuantiles(x []float64, q ...float64) []float64 {
	return PartsQuantiles([][]float64{x}, q...)
}

// PartsQuantiles is SampleQuantiles of a column in parts.
func PartsQuantiles(parts [][]float64, q ...float64) []float64 {
	const shift = 44 // 2²⁰ counts
	counts := make([]int32, 1<<(64-shift))
	n := 0
	for _, x := range parts {
		for _, v := range x {
			if finite(v) {
				counts[key(v)>>shift]++
				n++
			}
		}
	}
	out := make([]float64, len(q))
	for k, q := range q {
		if out[k] = nan; n > 0 {
			at := float64(float64(n-1) * q)
			i := min(int(at), n-1)
			a, b := selected(parts, counts, i, min(i+1, n-1), shift)
			out[k] = a + float64((at-float64(i))*(b-a))
		}
	}
	return out
}

// selected gives the i-th and the j-th smallest value, j being i or its successor.
func selected(parts [][]float64, counts []int32, i, j, shift int) (a, b float64) {
	bucket := func(i int) (at uint64, before int) {
		for i-before >= int(counts[at]) {
			before += int(counts[at])
			at++
		}
		return at, before
	}
	first, before := bucket(i)
	last, _ := bucket(j)
	var in []float64
	for _, x := range parts {
		for _, v := range x {
			if finite(v) {
				if at := key(v) >> shift; at == first || at == last {
					in = append(in, v)
				}
			}
		}
	}
	slices.Sort(in)
	return in[i-before], in[j-before]
}
