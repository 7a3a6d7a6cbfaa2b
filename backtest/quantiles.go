package backtest

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
		out[i] = QuantileRow{Signal: signal, Horizon: p.h.name, Quantile: i + 1, N: b.n, MeanReturn: Figure(b.sum / float64(b.n))}
	}
	return out
}
