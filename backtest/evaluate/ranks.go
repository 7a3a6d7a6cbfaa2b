package evaluate

import (
	"context"
	"math"
	"sync"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets/scratch"
)

// groups is a column as the numbers of its distinct values, in ascending order: a rank is this column and how many rows count.
type groups struct {
	of    *scratch.Column[int32] // by row; −1 where missing
	count int
	sizes []int32 // of each; nil where no two rows share one
}

var sorters = sync.Pool{New: func() any { return new(metrics.Sorter) }}

// group sorts a column.
func group(space *scratch.Space, x []float64) (groups, error) {
	s := sorters.Get().(*metrics.Sorter)
	defer sorters.Put(s)
	of := make([]int32, len(x))
	g := groups{of: scratch.Ints(space)}
	g.count, g.sizes = s.Groups(of, x)
	return g, g.of.Append(of)
}

// counts fills dst with how many rows each group has.
func (g groups) counts(dst *[]int32) []int32 {
	c := resize(dst, g.count)
	if g.sizes != nil {
		copy(c, g.sizes)
		return c
	}
	for k := range c {
		c[k] = 1
	}
	return c
}

// rankPad is the memory of one rank test at a time.
type rankPad struct {
	f, r     []int32 // groups of a chunk
	ofF, ofR []int32 // by group: rows that are pairs, then twice their average rank
	slots    metrics.Slots
	v        []float64 // of the tested series of a chunk
	rows     []int32   // of each
}

var rankPads = sync.Pool{New: func() any { return new(rankPad) }}

// ranking is what the ranks of one signal say at one horizon.
type ranking struct {
	spearman float64
	found    metrics.Significance
	why      string // some of it is missing
}

// rankPairs correlates average ranks, in place of signal and return, as pairs does these. Rows count that have both. Each value
// of the tested series goes to pool with its row, and each return to the bucket of its signal.
func (w *Window) rankPairs(ctx context.Context, k, i int, f, r groups, m *rankPad, buckets *buckets, pool *rankPool) (ranking, error) {
	out := ranking{spearman: math.NaN()}
	ofF, ofR := f.counts(&m.ofF), r.counts(&m.ofR)
	n := 0
	if err := w.readGroups(ctx, f, r, m, func(_ int, a, b []int32) error {
		for t, x := range a {
			y := b[t]
			switch {
			case x >= 0 && y >= 0:
				n++
			case x >= 0:
				ofF[x]--
			case y >= 0:
				ofR[y]--
			}
		}
		return nil
	}); err != nil {
		return out, err
	}
	if buckets != nil {
		if buckets.k == 0 {
			buckets.k = min(buckets.q, metrics.Distinct(ofF))
		}
		m.slots.Cut(ofF, buckets.k)
		clear(buckets.sums)
	}
	root := math.Sqrt(float64(rankSquares(ofF, n) * rankSquares(ofR, n)))
	scale := root / float64(n)
	metrics.TwiceRanks(ofF, ofF)
	metrics.TwiceRanks(ofR, ofR)
	tested, returned := newSeries(w.horizons[k].Bars), w.kept.reader()
	products := func(a, b []int32) []float64 {
		v, centre := resize(&m.v, len(a))[:0], int32(n+1)
		m.rows = resize(&m.rows, len(a))[:0]
		for t, x := range a {
			if y := b[t]; x >= 0 && y >= 0 {
				v, m.rows = append(v, float64(ofF[x]-centre)*float64(ofR[y]-centre)), append(m.rows, int32(t))
			}
		}
		return v
	}
	if err := w.readGroups(ctx, f, r, m, func(lo int, a, b []int32) error {
		v := products(a, b)
		tested.add(v, nil)
		if pool != nil && root > 0 {
			pool.add(lo, m.rows, v, scale)
		}
		if buckets == nil {
			return nil
		}
		returns, err := returned.returns(i, w.delay, w.horizons[k].Bars, lo, lo+len(a))
		for _, t := range m.rows {
			buckets.sums[m.slots.Of[a[t]]] += returns[t]
		}
		return err
	}); err != nil {
		return out, err
	}
	if buckets != nil {
		buckets.end(&m.slots)
	}
	if n < metrics.MinPairs || root == 0 {
		return out, nil
	}
	out.spearman = max(-1, min(1, tested.sum/root))
	var err error
	out.found, out.why, err = tested.test(func() (all []float64, err error) {
		err = w.readGroups(ctx, f, r, m, func(_ int, a, b []int32) error {
			all = append(all, products(a, b)...)
			return nil
		})
		return all, err
	})
	return out, err
}

// rankSquares is Σ (twice the rank − its mean)² of n values, given how many each group has.
func rankSquares(counts []int32, n int) float64 {
	sum, below := 0.0, 0
	for _, c := range counts {
		d := float64(2*below + int(c) - n)
		sum += float64(float64(c) * float64(d*d))
		below += int(c)
	}
	return sum
}

// readGroups reads two columns chunk by chunk.
func (w *Window) readGroups(ctx context.Context, f, r groups, m *rankPad, each func(lo int, f, r []int32) error) error {
	for lo := 0; lo < w.rows; lo += chunk {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		hi := min(lo+chunk, w.rows)
		a, err := f.of.View(resize(&m.f, hi-lo), lo, hi)
		if err != nil {
			return err
		}
		b, err := r.of.View(resize(&m.r, hi-lo), lo, hi)
		if err != nil {
			return err
		}
		if err := each(lo, a, b); err != nil {
			return err
		}
	}
	return nil
}

// rankPool adds up the tested series of the ranks of all instruments by row.
type rankPool struct {
	sum   []float64
	count []int32
}

func (p *rankPool) add(lo int, rows []int32, v []float64, scale float64) {
	for k, t := range rows {
		p.sum[lo+int(t)] += v[k] / scale
		p.count[lo+int(t)]++
	}
}

// test judges their mean at the rows at which there is any.
func (p *rankPool) test(h int) (metrics.Significance, string, error) {
	s := newSeries(h)
	var u []float64
	each := func(then func()) {
		for lo := 0; lo < len(p.sum); lo += chunk {
			for t := lo; t < min(lo+chunk, len(p.sum)); t++ {
				if n := p.count[t]; n > 0 {
					u = append(u, p.sum[t]/float64(n))
				}
			}
			then()
		}
	}
	each(func() {
		s.add(u, nil)
		u = u[:0]
	})
	return s.test(func() ([]float64, error) {
		each(func() {})
		return u, nil
	})
}

// buckets gather the forward returns of the quantile buckets of one signal at one horizon. Within each instrument the
// pairs are cut into equal buckets by the signal, the rows of one value spread evenly over the buckets that they span
// (metrics.BucketWeights); these are then taken together. There are as many as the signal has distinct values, at most q.
type buckets struct {
	q, k   int       // wanted and made; 0 before that is known
	n, sum []float64 // by bucket
	sums   []float64 // by slot, of one instrument
}

func newBuckets(q int) *buckets {
	return &buckets{q: q, n: make([]float64, q), sum: make([]float64, q), sums: make([]float64, 256)}
}

// end adds what one instrument's slots have gathered.
func (b *buckets) end(s *metrics.Slots) {
	for k := range s.K {
		b.n[k] += s.Sizes[k]
		b.sum[k] += b.sums[k]
	}
	for _, share := range s.Share {
		b.sum[share.Bucket] += float64(share.Weight * b.sums[s.K+share.Group])
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
