package evaluate

import (
	"maps"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
)

// buckets gather the forward returns of the quantile buckets of one signal at one horizon. Within each instrument the
// pairs are cut into equal buckets by the signal, the rows of one value spread evenly over the buckets that they span
// (metrics.BucketWeights); these are then taken together. There are as many as the signal has distinct values, at most q.
type buckets struct {
	q, k   int       // wanted and made; 0 before that is known
	n, sum []float64 // by bucket

	// Of one instrument.
	open   bool         // it counts
	each   bool         // each of its values is a bucket
	starts []int32      // ranks at which buckets begin, and at which the last one ends
	values []int32      // the ranks at which values begin, where each is a bucket
	scale  float64      // buckets a rank
	sums   [2][]float64 // by bucket; of every other pair each, so that adding up does not wait for itself
	shared map[int32]*sharing
}

// sharing is what the rows of one value have that several buckets share, by the rank at which it begins.
type sharing struct {
	end int32
	sum float64
}

func newBuckets(q int) *buckets {
	return &buckets{q: q, n: make([]float64, q), sum: make([]float64, q)}
}

// begin takes up an instrument with so many pairs and distinct values of the signal. A constant has no buckets.
func (b *buckets) begin(pairs, distinct int) {
	if b.k == 0 {
		b.k = min(b.q, distinct)
	}
	if b.open, b.each = distinct > 1, distinct == b.k; !b.open {
		return
	}
	b.starts, b.values, b.shared = b.starts[:0], b.values[:0], map[int32]*sharing{}
	for k := range b.k + 1 {
		b.starts = append(b.starts, int32(metrics.BucketStart(k, pairs, b.k)))
	}
	b.scale = float64(b.k) / float64(pairs)
	for k := range b.sums {
		b.sums[k] = append(b.sums[k][:0], make([]float64, b.k)...)
	}
}

// see notes values of a signal that has as many as there are buckets, by the ranks at which they begin.
func (b *buckets) see(start []int32) {
	last := int32(-1)
	for _, s := range start {
		if s == last {
			continue
		}
		last = s
		if k, known := slices.BinarySearch(b.values, s); !known {
			b.values = slices.Insert(b.values, k, s)
		}
	}
}

// add takes returns of pairs whose signal's ranks begin and end there; end may be nil for start + 1.
func (b *buckets) add(start, end []int32, r []float64) {
	if b.each {
		for k, s := range start {
			at, _ := slices.BinarySearch(b.values, s)
			b.sums[k&1][at] += r[k]
		}
		return
	}
	starts, even, odd := b.starts, b.sums[0], b.sums[1]
	for k, s := range start {
		at := int(float64(float64(s) * b.scale)) // off by one at most
		if s < starts[at] {
			at--
		} else if s >= starts[at+1] {
			at++
		}
		if end != nil && end[k] > starts[at+1] {
			x := b.shared[s]
			if x == nil {
				x = &sharing{end: end[k]}
				b.shared[s] = x
			}
			x.sum += r[k]
			continue
		}
		if k&1 == 0 {
			even[at] += r[k]
		} else {
			odd[at] += r[k]
		}
	}
}

// close takes the instrument's buckets together with those of the others.
func (b *buckets) close(pairs int) {
	for k := range b.k {
		b.sum[k] += b.sums[0][k] + b.sums[1][k]
		if !b.each {
			b.n[k] += float64(b.starts[k+1] - b.starts[k])
			continue
		}
		end := int32(pairs)
		if k+1 < len(b.values) {
			end = b.values[k+1]
		}
		b.n[k] += float64(end - b.values[k])
	}
	for _, low := range slices.Sorted(maps.Keys(b.shared)) {
		x := b.shared[low]
		at, found := slices.BinarySearch(b.starts, low)
		if !found {
			at--
		}
		for from := low; from < x.end; at++ {
			to := min(x.end, b.starts[at+1])
			b.sum[at] += float64(float64(to-from) / float64(x.end-low) * x.sum)
			from = to
		}
	}
}

// rows are the buckets, and what they say together.
func (b *buckets) rows(signal, horizon string) ([]QuantileRow, SpreadRow) {
	spread := SpreadRow{Signal: signal, Horizon: horizon, Spread: null, Monotonicity: null}
	if b == nil {
		spread.miss("evaluation.rank_ic is false")
		return nil, spread
	}
	var rows []QuantileRow
	numbers, means := make([]float64, b.k), make([]float64, b.k)
	for k := range b.k {
		row := QuantileRow{Signal: signal, Horizon: horizon, Quantile: k + 1, N: int(b.n[k]), MeanReturn: null}
		numbers[k], means[k] = float64(k), math.NaN()
		if b.n[k] > 0 {
			means[k] = b.sum[k] / b.n[k]
			row.MeanReturn = Figure(means[k])
		} else {
			row.Reasons = map[string]string{"mean_return": "the bucket is empty"}
		}
		rows = append(rows, row)
	}
	switch {
	case b.k < 2:
		spread.miss("the signal has fewer than two values with a forward return")
		return nil, spread
	case math.IsNaN(metrics.Sum(means)):
		spread.miss("a bucket is empty")
		return rows, spread
	}
	spread.Spread = Figure(means[b.k-1] - means[0])
	if spread.Monotonicity = Figure(metrics.Spearman(numbers, means)); math.IsNaN(float64(spread.Monotonicity)) {
		say(&spread.Reasons, "monotonicity", "fewer than three buckets, or all with the same return")
	}
	return rows, spread
}

// miss says why a row has no figures.
func (r *SpreadRow) miss(why string) {
	say(&r.Reasons, "spread", why)
	say(&r.Reasons, "monotonicity", why)
}
