package radix

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

func columns(n int) map[string][]float64 {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	of := func(f func(t int) float64) []float64 {
		x := make([]float64, n)
		for t := range x {
			x[t] = f(t)
		}
		return x
	}
	return map[string][]float64{
		"normal":   of(func(int) float64 { return r.NormFloat64() }),
		"tied":     of(func(int) float64 { return float64(r.IntN(7)) - 3 }),
		"constant": of(func(int) float64 { return 0.1 }),
		"zeros":    of(func(t int) float64 { return math.Copysign(0, float64(t%2)-0.5) }),
		"crowded":  of(func(int) float64 { return 1 + float64(r.IntN(1000))*0x1p-52 + float64(r.IntN(2))*1e300 }),
		"heavy":    of(func(int) float64 { return r.NormFloat64() / r.Float64() / r.Float64() }),
		"wild":     of(func(int) float64 { return math.Exp2(float64(r.IntN(2000)-1000)) * (r.Float64() - 0.5) }),
		"widest":   of(func(int) float64 { return math.MaxFloat64 * (2*r.Float64() - 1) }),
		"smallest": of(func(int) float64 { return math.SmallestNonzeroFloat64 * float64(r.IntN(500)-250) }),
		"spikes":   of(func(t int) float64 { return r.NormFloat64() + float64(t%1000/999)*1e30*r.Float64() }),
		"returns": of(func(int) float64 { // of few distinct values, near one another
			p := 50000 + float64(r.IntN(3000))/10
			return math.Log((p + float64(r.IntN(7))/10) / p)
		}),
		"missing": of(func(int) float64 { return math.NaN() }),
		"holes": of(func(int) float64 {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), r.ExpFloat64(), -r.ExpFloat64()}[r.IntN(5)]
		}),
	}
}

// Rows stand as a stable comparison sort puts them.
func TestSortIsASort(t *testing.T) {
	var s Sorter
	for _, n := range []int{0, 1, 2, 63, 64, 5_000, 150_000} {
		for name, x := range columns(n) {
			var want []int
			for row, v := range x {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					want = append(want, row)
				}
			}
			slices.SortStableFunc(want, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
			for _, workers := range []int{1, 3} {
				got, tied := make([]int, len(want)), make([]bool, len(want))
				s.Sort(x, workers, func(p *Part, before int) {
					for i, end := 0, 0; i < p.Len(); i++ {
						got[before+i], tied[before+i] = p.Row(i), i < end
						if i == end {
							end = p.Run(i)
						}
					}
				})
				for i, row := range want {
					if got[i] != row || tied[i] != (i > 0 && x[row] == x[want[i-1]]) {
						t.Fatalf("%d rows of %s: place %d has row %d (tied %v), want %d", n, name, i, got[i], tied[i], row)
					}
				}
			}
		}
	}
}

func BenchmarkSort(b *testing.B) {
	for _, n := range []int{1 << 13, 1 << 17, 1 << 20, 1 << 23} {
		x := columns(n)
		for _, name := range []string{"normal", "returns", "heavy", "tied"} {
			b.Run(name+"/"+strconv.Itoa(n), func(b *testing.B) {
				var s Sorter
				for b.Loop() {
					s.Sort(x[name], 1, func(*Part, int) {})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
			})
		}
	}
}
