package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// A sum is the exact one, rounded once, however far sizes lie apart.
func TestSumIsRoundedOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	apart := func(scale float64) func() float64 {
		return func() float64 { return r.NormFloat64() * math.Exp2(scale*r.NormFloat64()) }
	}
	for name, draw := range map[string]func() float64{
		"near":    r.NormFloat64,
		"far":     apart(15),
		"farther": apart(60),
		"ties":    func() float64 { return math.Ldexp(float64(r.IntN(3)-1), 53*r.IntN(4)-53*r.IntN(2)) },
		"cancel": func() float64 {
			return []float64{1, -1, 0x1p-53, -0x1p-53, 0x1p-54, 0x1p-106, -0x1p-106, 3, 0x1p60, -0x1p60}[r.IntN(10)]
		},
		"subnormal": func() float64 { return math.Ldexp(float64(r.IntN(9)-4), -1074) },
		"in turns": func() func() float64 { // calm for long, then not
			at := 0
			return func() float64 {
				if at++; at/1500%2 == 1 {
					return apart(60)()
				}
				return r.NormFloat64()
			}
		}(),
	} {
		x := make([]float64, 6000)
		for i := range x {
			x[i] = draw()
		}
		for _, w := range []int{1, 2, 7, 100, 3000} {
			got := make([]float64, len(x))
			Sum(got, x, w, 0)
			for i := 0; i < len(x); i += 1 + w/20 {
				sum := new(big.Float).SetPrec(2200)
				for _, v := range x[max(i-w+1, 0) : i+1] {
					sum.Add(sum, new(big.Float).SetFloat64(v))
				}
				if want, _ := sum.Float64(); got[i] != want {
					t.Fatalf("%s, window %d: dst[%d] = %v, want %v", name, w, i, got[i], want)
				}
			}
		}
	}
}
