package metrics

import "math"

// MinPairs is the number of pairs below which a correlation is not reported.
const MinPairs = 3

// Pearson is the correlation of the pairs (x_t, y_t):
//
//	Σ (x − x̄)(y − ȳ) / sqrt( Σ (x − x̄)² · Σ (y − ȳ)² )
//
// NaN for fewer than three pairs or where x or y is constant.
func Pearson(x, y []float64) float64 {
	if len(x) != len(y) {
		panic("metrics: Pearson of unequal lengths")
	}
	if len(x) < MinPairs || Constant(x) || Constant(y) {
		return math.NaN()
	}
	mx, my := Mean(x), Mean(y)
	r := products(x, y, mx, my) / math.Sqrt(float64(squares(x, mx)*squares(y, my)))
	return max(-1, min(1, r))
}

// Spearman is the Pearson correlation of average ranks.
func Spearman(x, y []float64) float64 {
	if len(x) != len(y) {
		panic("metrics: Spearman of unequal lengths")
	}
	rx, ry := make([]float64, len(x)), make([]float64, len(y))
	AverageRanks(rx, x)
	AverageRanks(ry, y)
	return Pearson(rx, ry)
}
