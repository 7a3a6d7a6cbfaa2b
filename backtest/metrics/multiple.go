package metrics

import (
	"cmp"
	"math"
	"slices"
)

// Adjusted p-values of m tests: a test is significant at a level where its adjusted p-value does not exceed it. NaN values
// are not tests: they stay NaN and do not count towards m.

// Holm bounds the chance of one false finding or more, whatever the dependence. With p sorted ascending,
//
//	adjusted_i = max_{j≤i} min(1, (m − j)·p_j),  j from 0
//
// Holm (1979).
func Holm(p []float64) []float64 {
	out, order := slices.Clone(p), ascending(p)
	largest := 0.0
	for j, i := range order {
		largest = max(largest, min(1, float64(len(order)-j)*p[i]))
		out[i] = largest
	}
	return out
}

// BenjaminiHochberg bounds the expected share of false findings among the findings, of tests that are independent or
// depend positively. With p sorted ascending,
//
//	adjusted_i = min_{j≥i} min(1, m/(j + 1)·p_j),  j from 0
//
// Benjamini and Hochberg (1995).
func BenjaminiHochberg(p []float64) []float64 { return stepUp(p, 1) }

// BenjaminiYekutieli bounds the same whatever the dependence: BenjaminiHochberg times Σ_{k=1…m} 1/k.
// Benjamini and Yekutieli (2001).
func BenjaminiYekutieli(p []float64) []float64 {
	harmonic := 0.0
	for k := range ascending(p) {
		harmonic += 1 / float64(k+1)
	}
	return stepUp(p, harmonic)
}

func stepUp(p []float64, factor float64) []float64 {
	out, order := slices.Clone(p), ascending(p)
	smallest, m := 1.0, float64(len(order))
	for j := len(order) - 1; j >= 0; j-- {
		smallest = min(smallest, factor*m/float64(j+1)*p[order[j]])
		out[order[j]] = smallest
	}
	return out
}

// ascending lists the places of the tests by their p-value, equal ones in order.
func ascending(p []float64) []int {
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}
