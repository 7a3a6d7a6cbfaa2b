package backtest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever the blocks in which rows come, the first and the last are drawn, and of each stretch the rows of each counted
// column's least and greatest value.
func TestThinnerKeepsEveryStretchsRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 20
	for _, rows := range []int{1, 2, 7, 100, 5000} {
		ts, a, b, c := make([]int64, rows), make([]float64, rows), make([]float64, rows), make([]float64, rows)
		for k := range a {
			ts[k], a[k], b[k], c[k] = int64(k), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
			if k%17 == 3 {
				a[k] = math.NaN()
			}
		}
		want := []int{0, rows - 1}
		for k := range n {
			lo, hi := k*rows/n, (k+1)*rows/n
			for _, x := range [][]float64{a, b} {
				least, most := -1, -1
				for t := lo; t < hi; t++ {
					if math.IsNaN(x[t]) {
						continue
					}
					if least < 0 || x[t] < x[least] {
						least = t
					}
					if most < 0 || x[t] > x[most] {
						most = t
					}
				}
				if least >= 0 {
					want = append(want, least, most)
				}
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		for _, length := range []int{1, 7, rows} {
			thin := newThinner(rows, n, 2, 3)
			for lo := 0; lo < rows; lo += length {
				hi := min(lo+length, rows)
				thin.add(ts[lo:hi], a[lo:hi], b[lo:hi], c[lo:hi])
			}
			at, cols := thin.done()
			if len(at) != len(want) {
				t.Fatalf("%d rows in blocks of %d: %d kept, want %d", rows, length, len(at), len(want))
			}
			for k, row := range want {
				if at[k] != int64(row) || cols[1][k] != b[row] || cols[2][k] != c[row] || cols[0][k] != a[row] && !math.IsNaN(a[row]) {
					t.Fatalf("%d rows in blocks of %d: point %d is row %d, want %d", rows, length, k, at[k], row)
				}
			}
		}
	}
}
