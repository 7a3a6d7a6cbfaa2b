package bars

import (
	"math/rand/v2"
	"testing"
)

// A tick window's sums depend on the trades alone: not on how many come at once.
func TestTickWindowRuns(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100} {
		rnd := rand.New(rand.NewPCG(1, uint64(n)))
		runs, single := newTickWindow(n), newTickWindow(n)
		for range 400 {
			buy, sell := make([]float64, rnd.IntN(5*n+2)), make([]float64, 0)
			for i := range buy {
				buy[i] = rnd.ExpFloat64()
				sell = append(sell, rnd.ExpFloat64())
				single.add(buy[i:i+1], sell[i:i+1])
			}
			runs.add(buy, sell)
			if rnd.IntN(2) == 0 {
				b, s := runs.sums()
				if wantB, wantS := single.sums(); b != wantB || s != wantS {
					t.Fatalf("last %d trades: %v, %v; one by one %v, %v", n, b, s, wantB, wantS)
				}
			}
		}
	}
}
