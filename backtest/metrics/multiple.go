package metrics

import (
	"math"
	"slices"
)

// Holm adjusts p-values for the number of tests (Holm 1979): with p sorted ascending,
//
//	adjusted_i = max_{j≤i} min(1, (m − j)·p_j),  j from 0
//
// NaN values are not tests: they stay NaN and do not count.
func Holm(p []float64) []float64 {
	out := make([]float64, len(p))
	var index []int
	for i, v := range p {
		out[i] = v
		if !math.IsNaN(v) {
			index = append(index, i)
		}
	}
	slices.SortStableFunc(index, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	largest := 0.0
	for j, i := range index {
		largest = max(largest, min(1, float64(len(index)-j)*p[i]))
		out[i] = largest
	}
	return out
}
