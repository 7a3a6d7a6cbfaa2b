package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
)

// standing is where each instrument stands among those that have a value, row by row: a signal, which is the same at all
// horizons, or the returns of one, which are the same for all signals. Deviations from the mean over the root of the sum of
// their squares, of values and of average ranks, so that a correlation across instruments is Σ z·z.
type standing struct {
	n       int       // instruments
	z, rank []float64 // by row and instrument; 0 where missing
	words   int
	present []uint64 // by row: the instruments that are there
	varies  []bool   // by row: five or more are, and not all with the same value

	x     []float64
	order []int32 // of the row before, from which that of a row is near
	ranks []float64
}

func newStanding(instruments int) *standing {
	s := &standing{n: instruments, words: (instruments + 63) / 64, x: make([]float64, instruments), ranks: make([]float64, instruments)}
	s.order = make([]int32, instruments)
	return s
}

// take works out the rows of columns, one by instrument.
func (s *standing) take(columns [][]float64, ranks bool) {
	rows := len(columns[0])
	s.z, s.rank, s.varies = resize(&s.z, rows*s.n), resize(&s.rank, rows*s.n), resize(&s.varies, rows)
	s.present = resize(&s.present, rows*s.words)
	clear(s.present)
	for k := range s.order {
		s.order[k] = int32(k)
	}
	for k := range rows {
		z, present, n, sum := s.z[k*s.n:(k+1)*s.n], s.present[k*s.words:(k+1)*s.words], 0, 0.0
		first, varies := math.NaN(), false
		for i, c := range columns {
			v := c[k]
			if s.x[i] = v; !metrics.Defined(v) {
				s.x[i] = math.NaN()
				continue
			}
			if present[i>>6] |= 1 << (i & 63); n == 0 {
				first = v
			}
			varies = varies || v != first
			sum += v
			n++
		}
		if s.varies[k] = varies && n >= minCrossSection; !s.varies[k] {
			continue
		}
		mean := sum / float64(n)
		spread(z, s.x, mean)
		if ranks {
			s.sort()
			rank(s.ranks, s.x, s.order[:n])
			spread(s.rank[k*s.n:(k+1)*s.n], s.ranks, float64(float64(n+1)/2))
		}
	}
}

// spread writes the deviations from the mean over the root of the sum of their squares, 0 where missing.
func spread(dst, x []float64, mean float64) {
	ss := 0.0
	for i, v := range x {
		d := v - mean
		if !metrics.Defined(d) {
			d = 0
		}
		dst[i] = d
		ss += float64(d * d)
	}
	scale := 1 / math.Sqrt(ss)
	for i := range dst {
		dst[i] *= scale
	}
}

// sort orders x from the order of the row before, missing values last.
func (s *standing) sort() {
	o, x := s.order, s.x
	for k := 1; k < len(o); k++ {
		at := o[k]
		v := x[at]
		j := k
		for ; j > 0; j-- {
			if b := x[o[j-1]]; !(v < b) && (b == b || v != v) {
				break
			}
			o[j] = o[j-1]
		}
		o[j] = at
	}
}

// rank writes the average ranks of x, given its order; those that are not in it are NaN.
func rank(dst, x []float64, order []int32) {
	for i := range dst {
		dst[i] = math.NaN()
	}
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			dst[at] = float64(i+j+1) / 2
		}
		i = j
	}
}

// few correlates across instruments at rows at which not all that have a signal have a return, or the other way round.
type few struct {
	f, r, rf, rr []float64
	order        []int32
}

// at collects those that have both at row k, and reports whether there is a correlation.
func (c *few) at(f, r [][]float64, k int) bool {
	c.f, c.r = c.f[:0], c.r[:0]
	for i, x := range f {
		if a, b := x[k], r[i][k]; metrics.Defined(a) && metrics.Defined(b) {
			c.f, c.r = append(c.f, a), append(c.r, b)
		}
	}
	return len(c.f) >= minCrossSection && !metrics.Constant(c.f) && !metrics.Constant(c.r)
}

// ranked is the correlation of average ranks.
func (c *few) ranked() float64 {
	c.rf, c.rr = c.rank(c.rf, c.f), c.rank(c.rr, c.r)
	return metrics.Pearson(c.rf, c.rr)
}

// rank writes the average ranks of x to dst, whose memory is kept. There are seldom more than some dozens.
func (c *few) rank(dst, x []float64) []float64 {
	dst, c.order = append(dst[:0], x...), c.order[:0]
	for k := range x {
		c.order = append(c.order, int32(k))
	}
	slices.SortFunc(c.order, func(a, b int32) int { return cmp.Compare(x[a], x[b]) })
	rank(dst, x, c.order)
	return dst
}

// correlate gives the Pearson correlation across the instruments of each row where five or more have both a signal and a
// return and these vary, and that of average ranks.
func (p *part) correlate(at, s int, ranks bool) {
	m := &p.made[at][s]
	m.across, m.ranks, m.acrossCut = m.across[:0], m.ranks[:0], m.acrossCut[:0]
	f, r, n := p.signals[s], p.returned, len(p.prices)
	for _, c := range p.cut {
		from := len(m.across)
		for k := c.lo; k < c.hi; k++ {
			if sameRow(f, r, k) {
				if f.varies[k] && r.varies[k] {
					m.across = append(m.across, product(f.z[k*n:(k+1)*n], r.z[k*n:(k+1)*n]))
					if ranks {
						m.ranks = append(m.ranks, product(f.rank[k*n:(k+1)*n], r.rank[k*n:(k+1)*n]))
					}
				}
				continue
			}
			if !p.few.at(p.f[s], p.r[at], k) {
				continue
			}
			m.across = append(m.across, metrics.Pearson(p.few.f, p.few.r))
			if ranks {
				m.ranks = append(m.ranks, p.few.ranked())
			}
		}
		m.acrossCut = append(m.acrossCut, stretch{c.day, c.hour, from, len(m.across)})
	}
}

// product is Σ a·b, a correlation.
func product(a, b []float64) float64 {
	s := 0.0
	b = b[:len(a)]
	for i, v := range a {
		s += float64(v * b[i])
	}
	return max(-1, min(1, s))
}
