package evaluate

import (
	"context"
	"math"
	"math/bits"
	"sync"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets/scratch"
)

// ranked is a column's ranks, by row (see metrics.Ranks).
type ranked struct {
	metrics.Ranks
	start, end *scratch.Column[int32] // end is nil where no two values are equal
}

// returned are forward returns.
type returned struct {
	ranked
	values *scratch.Column[float64] // nil where they are not wanted
}

// free gives the columns back.
func (r *returned) free() {
	for _, c := range []*scratch.Column[int32]{r.start, r.end} {
		if c != nil {
			c.Free()
		}
	}
	if r.values != nil {
		r.values.Free()
	}
}

// columnPad is memory for whole columns, one at a time.
type columnPad struct {
	sorter     metrics.Sorter
	x, prices  []float64
	start, end []int32
}

var columnPads = sync.Pool{New: func() any { return new(columnPad) }}

// rank sorts a column, which is not needed any more once done has been called, where that is given.
func (m *columnPad) rank(space *scratch.Space, x []float64, done func()) (r ranked, err error) {
	start, end := resize(&m.start, len(x)), resize(&m.end, len(x))
	if r.Ranks = m.sorter.Rank(start, end, x); done != nil {
		done()
	}
	r.start = scratch.Ints(space)
	if err = r.start.Append(start); err == nil && r.Tied {
		r.end = scratch.Ints(space)
		err = r.end.Append(end)
	}
	return r, err
}

// rankPad is the memory of one rank test at a time.
type rankPad struct {
	view   []int32
	values []float64 // returns of a chunk
	pairs  metrics.Bits
	f, r   thinned
	v      []float64 // of the tested series of a chunk
	all    []float64 // the tested series, of several instruments
	sum    []float64 // of all instruments, by row
	count  []int32
}

// thinned is a column's ranks among the rows that are pairs.
type thinned struct {
	metrics.Thinned
	start, end []int32 // of the pairs of a chunk; end is nil where it is start + 1
	ends       []int32
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
func (w *Window) rankPairs(ctx context.Context, k int, f ranked, r returned, m *rankPad, buckets *buckets, pool *rankPool) (ranking, error) {
	out := ranking{spearman: math.NaN()}
	m.pairs = resize((*[]uint64)(&m.pairs), len(f.Defined))
	for k, b := range f.Defined {
		m.pairs[k] = b & r.Defined[k]
	}
	n := m.pairs.Count()
	if err := m.f.thin(f, m.pairs, m); err != nil {
		return out, err
	}
	if err := m.r.thin(r.ranked, m.pairs, m); err != nil {
		return out, err
	}
	each := func(then func(lo int, rows metrics.Bits) error) error {
		for lo := 0; lo < w.rows; lo += chunk {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			hi := min(lo+chunk, w.rows)
			rows := m.pairs[lo/64 : (hi+63)/64]
			if err := m.f.load(f, lo, hi, rows, m); err != nil {
				return err
			}
			if err := m.r.load(r.ranked, lo, hi, rows, m); err != nil {
				return err
			}
			if err := then(lo, rows); err != nil {
				return err
			}
		}
		return nil
	}
	if buckets != nil {
		if buckets.begin(n, m.f.Distinct); buckets.each {
			if err := each(func(int, metrics.Bits) error { buckets.see(m.f.start); return nil }); err != nil {
				return out, err
			}
		}
	}
	tested := newSeries(w.horizons[k].Bars)
	var xx, yy float64
	m.all = m.all[:0]
	if err := each(func(lo int, rows metrics.Bits) error {
		v, x2, y2 := rankProducts(&m.v, &m.f, &m.r, n)
		xx += x2
		yy += y2
		tested.add(v, nil)
		if pool != nil {
			m.all = append(m.all, v...)
		}
		if buckets == nil || !buckets.open {
			return nil
		}
		values, err := r.values.View(&m.values, lo, min(lo+chunk, w.rows))
		if err != nil {
			return err
		}
		buckets.add(m.f.start, m.f.end, closed(&m.v, values, rows))
		return nil
	}); err != nil {
		return out, err
	}
	if buckets != nil && buckets.open {
		buckets.close(n)
	}
	root := math.Sqrt(float64(xx * yy))
	if n < metrics.MinPairs || root == 0 {
		return out, nil
	}
	if pool != nil {
		pool.add(m.pairs, m.all, float64(n)/root)
	}
	out.spearman = max(-1, min(1, tested.sum/root))
	var err error
	out.found, out.why, err = tested.test(func() (all []float64, err error) {
		err = each(func(int, metrics.Bits) error {
			v, _, _ := rankProducts(&m.v, &m.f, &m.r, n)
			all = append(all, v...)
			return nil
		})
		return all, err
	})
	return out, err
}

// thin drops the rows of a column that are no pairs.
func (t *thinned) thin(r ranked, pairs metrics.Bits, m *rankPad) error {
	t.Begin(r.Ranks)
	for lo := 0; lo < r.start.Len(); lo += chunk {
		hi := min(lo+chunk, r.start.Len())
		var start, end []int32
		for k := lo / 64; k < (hi+63)/64; k++ {
			for drop := r.Defined[k] &^ pairs[k]; drop != 0; drop &= drop - 1 {
				var err error
				if start == nil {
					if start, err = r.start.View(&t.start, lo, hi); err != nil {
						return err
					}
					if r.end != nil {
						if end, err = r.end.View(&t.ends, lo, hi); err != nil {
							return err
						}
					}
				}
				at := 64*k + bits.TrailingZeros64(drop) - lo
				if end != nil {
					t.Drop(start[at], end[at])
				} else {
					t.Drop(start[at], start[at]+1)
				}
			}
		}
	}
	t.Close()
	return nil
}

// load gives the ranks of the pairs among rows [lo, hi).
func (t *thinned) load(r ranked, lo, hi int, rows metrics.Bits, m *rankPad) error {
	x, err := r.start.View(&m.view, lo, hi)
	if err != nil {
		return err
	}
	t.start, t.end = t.Of(t.start, x, rows), nil
	if r.end == nil {
		return nil
	}
	if x, err = r.end.View(&m.view, lo, hi); err != nil {
		return err
	}
	t.ends = t.Of(t.ends, x, rows)
	t.end = t.ends
	return nil
}

// rankProducts are the products of the ranks, twice and less their mean, of a chunk of n pairs, and the sums of their squares.
// They are whole, and exact as far as 2⁵³ goes.
func rankProducts(buffer *[]float64, f, r *thinned, n int) (v []float64, xx, yy float64) {
	v = resize(buffer, len(f.start))
	a, b := f.start, r.start[:len(f.start)]
	switch {
	case f.end == nil && r.end == nil:
		c := int32(n - 1)
		for k, s := range a {
			x, y := float64(2*s-c), float64(2*b[k]-c)
			v[k] = x * y
			xx += float64(x * x)
			yy += float64(y * y)
		}
		return v, xx, yy
	default:
		for k, s := range a {
			e, o := s+1, b[k]+1
			if f.end != nil {
				e = f.end[k]
			}
			if r.end != nil {
				o = r.end[k]
			}
			x, y := float64(s+e-int32(n)), float64(b[k]+o-int32(n))
			v[k] = x * y
			xx += float64(x * x)
			yy += float64(y * y)
		}
		return v, xx, yy
	}
}

// closed are the values of some rows, closed up.
func closed(buffer *[]float64, x []float64, rows metrics.Bits) []float64 {
	if rows.Count() == len(x) {
		return x
	}
	out := resize(buffer, len(x))[:0]
	for k, w := range rows {
		part := x[64*k : min(64*k+64, len(x))]
		if w == ^uint64(0) {
			out = append(out, part...)
			continue
		}
		for ; w != 0; w &= w - 1 {
			out = append(out, part[bits.TrailingZeros64(w)])
		}
	}
	return out
}

// rankPool adds up the tested series of the ranks of all instruments by row.
type rankPool struct {
	sum   []float64
	count []int32
}

// add takes the values v, times scale, of a set of rows.
func (p *rankPool) add(rows metrics.Bits, v []float64, scale float64) {
	k := 0
	for at, w := range rows {
		for ; w != 0; w &= w - 1 {
			t := 64*at + bits.TrailingZeros64(w)
			p.sum[t] += float64(v[k] * scale)
			p.count[t]++
			k++
		}
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
