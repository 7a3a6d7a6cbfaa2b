package opinions

import (
	"math"

	"github.com/qf-dev/qf/signals/llm"
)

// Combine is the score that is traded, of a composite f and an opinion: under Blend (1 − λ)·f + λ·opinion with λ the
// weight, under Gate f where the opinion has its sign and else 0, under Replace the opinion. Blend and Gate are NaN
// where either is missing.
func Combine(mode llm.Combine, weight, f, opinion float64) float64 {
	switch {
	case mode == llm.Replace:
		return opinion
	case math.IsNaN(f) || math.IsNaN(opinion):
		return math.NaN()
	case mode == llm.Blend:
		return float64((1-weight)*f) + float64(weight*opinion)
	case f > 0 && opinion > 0 || f < 0 && opinion < 0:
		return f
	}
	return 0
}

// CombineColumns writes Combine of f and opinion, row by row, into dst, which has their length and may be either.
func CombineColumns(dst []float64, mode llm.Combine, weight float64, f, opinion []float64) {
	if len(f) != len(dst) || len(opinion) != len(dst) {
		panic("opinions: columns of different length")
	}
	for t, x := range f {
		dst[t] = Combine(mode, weight, x, opinion[t])
	}
}
