package backtest

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// bucketSum collects the forward returns of one quantile bucket.
type bucketSum struct {
	n   int
	sum float64
}

// quantileRows are the buckets of the signal that was judged last: within each instrument the pairs are
// ranked by the signal, ties by time, and cut into equal buckets, which are then taken together.
func (p *pairing) quantileRows(signal string) []QuantileRow {
	out := make([]QuantileRow, len(p.buckets))
	for i, b := range p.buckets {
		out[i] = QuantileRow{Signal: signal, Horizon: p.h.Name, Quantile: i + 1, N: b.n, MeanReturn: Figure(b.sum / float64(b.n))}
		if b.n == 0 {
			out[i].Reasons = map[string]string{"mean_return": "the bucket is empty"}
		}
	}
	return out
}

// spreadRow sums up the buckets of one signal and horizon.
func spreadRow(signal, horizon string, buckets []QuantileRow) SpreadRow {
	row := SpreadRow{Signal: signal, Horizon: horizon, Spread: null, Monotonicity: null}
	numbers, means := make([]float64, len(buckets)), make([]float64, len(buckets))
	for i, b := range buckets {
		numbers[i], means[i] = float64(i), float64(b.MeanReturn)
	}
	switch {
	case len(buckets) < 2:
		row.Reasons = map[string]string{"spread": "fewer than two buckets", "monotonicity": "fewer than two buckets"}
		return row
	case len(closeUp(means)) < len(means):
		row.Reasons = map[string]string{"spread": "a bucket is empty", "monotonicity": "a bucket is empty"}
		return row
	}
	row.Spread = Figure(means[len(means)-1] - means[0])
	if row.Monotonicity = Figure(metrics.Spearman(numbers, means)); math.IsNaN(float64(row.Monotonicity)) {
		row.Reasons = map[string]string{"monotonicity": "fewer than three buckets, or all with the same return"}
	}
	return row
}
