package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fullColumns have ties, missing values, few distinct values, and values crowded in their last bits.
func fullColumns() map[string][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	out := map[string][]float64{"empty": {}, "missing": {math.NaN(), math.Inf(1)}, "one": {math.NaN(), 4}, "equal": {2, 2, 2}}
	make := func(name string, n int, f func(t int) float64) {
		var x []float64
		for t := range n {
			v := f(t)
			if r.IntN(40) == 0 {
				v = []float64{math.NaN(), math.Inf(-1)}[r.IntN(2)]
			}
			x = append(x, v)
		}
		out[name] = x
	}
	make("deviations", 3000, func(int) float64 {
		if r.IntN(5) == 0 {
			return 0
		}
		return math.Exp(r.NormFloat64())
	})
	make("ties", 2000, func(int) float64 { return float64(r.IntN(20) - 10) })
	make("crowded", 2000, func(t int) float64 {
		if t%100 == 0 {
			return math.Exp(300 * r.NormFloat64())
		}
		return 1 + float64(r.IntN(50))*0x1p-52
	})
	return out
}

func TestPercentRank(t *testing.T) {
	for name, x := range fullColumns() {
		want := make([]float64, len(x))
		var n float64
		for _, v := range x {
			if finite(v) {
				n++
			}
		}
		for i, v := range x {
			below, equal := 0.0, 0.0
			for _, o := range x {
				if finite(o) && o < v {
					below++
				} else if o == v {
					equal++
				}
			}
			if want[i] = (below + (equal+1)/2) / n; !finite(v) {
				want[i] = nan
			}
		}
		got := make([]float64, len(x))
		PercentRank(got, x)
		same(t, "PercentRank of "+name, got, want)
		in := slices.Clone(x)
		PercentRank(in, in)
		same(t, "PercentRank in place of "+name, in, want)
	}
}

func TestSampleQuantiles(t *testing.T) {
	q := []float64{0, 0.2, 0.5, 0.8, 1}
	for name, x := range fullColumns() {
		var values []float64
		for _, v := range x {
			if finite(v) {
				values = append(values, v)
			}
		}
		got := SampleQuantiles(x, q...)
		same(t, name+" in parts", PartsQuantiles([][]float64{x[:len(x)/3], nil, x[len(x)/3:]}, q...), got)
		for k, q := range q {
			want := nan
			if len(values) > 0 {
				want = quantile(values, q)
			}
			if !near(got[k], want, 1e-15, math.Abs(want)) {
				t.Errorf("%s: quantile %v is %v, want %v", name, q, got[k], want)
			}
		}
	}
}

func BenchmarkPercentRank(b *testing.B) {
	for _, n := range []int{100_000, 4_000_000} {
		r := rand.New(rand.NewPCG(5, 6))
		x, dst := make([]float64, n), make([]float64, n)
		for t := range x {
			if r.IntN(5) > 0 {
				x[t] = math.Exp(r.NormFloat64())
			}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				PercentRank(dst, x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/elem")
		})
	}
}
