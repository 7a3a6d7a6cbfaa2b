package backtest

import (
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
)

// pairs are the pairs of a signal with a forward return: their number, and the sums of both sides, or their means.
type pairs struct{ n, f, r float64 }

// pairSums are what the first pass adds up, so that the second can take deviations from the means.
type pairSums struct {
	of    [][]pairs   // by factor and horizon
	joint []pairs     // by horizon, of the composite's rows: number, and sum of returns
	parts [][]float64 // by horizon and component: the sums of the columns over those rows
}

func (st *stream) newPairSums() *pairSums {
	s := &pairSums{of: make([][]pairs, len(st.fs)), joint: make([]pairs, len(st.horizons)), parts: make([][]float64, len(st.horizons))}
	for k := range s.of {
		s.of[k] = make([]pairs, len(st.horizons))
	}
	for h := range s.parts {
		s.parts[h] = make([]float64, len(st.parts))
	}
	return s
}

func (s *pairSums) add(o *pairSums) {
	plus := func(to *pairs, p pairs) {
		to.n += p.n
		to.f += p.f
		to.r += p.r
	}
	for k := range s.of {
		for h := range s.of[k] {
			plus(&s.of[k][h], o.of[k][h])
		}
	}
	for h := range s.joint {
		plus(&s.joint[h], o.joint[h])
		for p := range s.parts[h] {
			s.parts[h][p] += o.parts[h][p]
		}
	}
}

// sumPairs sums a chunk up.
func (st *stream) sumPairs(c *sheet) *pairSums {
	s := st.newPairSums()
	rows := len(c.price)
	whole := make([]bool, len(st.all)) // no value is missing
	sums, gaps := make([]float64, len(st.all)), false
	for k, x := range c.columns {
		sums[k] = metrics.Sum(x)
		whole[k] = metrics.Defined(sums[k])
		gaps = gaps || !whole[k]
	}
	st.whole[(c.lo-st.span.Lo)/st.length] = whole
	for _, h := range st.horizons {
		gaps = gaps || st.paired(c, h) < rows
	}
	if !gaps {
		st.sumWhole(c, s, sums)
		return s
	}
	st.look(c)
	returns := make([]float64, len(st.horizons))
	for h, r := range c.ahead {
		returns[h] = metrics.Sum(r)
	}
	for k := range st.fs {
		x := c.columns[k]
		for h, r := range c.ahead {
			if len(r) == rows && whole[k] {
				s.of[k][h] = pairs{float64(rows), sums[k], returns[h]}
				continue
			}
			p := &s.of[k][h]
			for i, r := range r {
				if v := x[i]; metrics.Defined(v) {
					p.n++
					p.f += v
					p.r += r
				}
			}
		}
	}
	for h, r := range c.ahead {
		st.sumJoint(c, s, h, r, returns[h], sums)
	}
	return s
}

// sumWhole is sumPairs where nothing is missing. The forward returns of successive rows add up to
//
//	Σ_{t=lo}^{hi−1} ln(X_{t+h}/X_t) = Σ_{i<h} ln(X_{hi+i}/X_{lo+i})
//
// where the horizon is shorter than the chunk, so that few of them need to be made.
func (st *stream) sumWhole(c *sheet, s *pairSums, sums []float64) {
	rows := len(c.price)
	for k, h := range st.horizons {
		from, to := st.execution(c, h)
		n := rows
		if h.Bars < rows {
			n, to = h.Bars, from[rows:]
		}
		r := 0.0
		for i := range n {
			r += factors.LogReturn(from[i], to[i])
		}
		for f := range st.fs {
			s.of[f][k] = pairs{float64(rows), sums[f], r}
		}
		s.joint[k] = pairs{n: float64(rows), r: r}
		for p, at := range st.parts {
			s.parts[k][p] = sums[at]
		}
	}
}

// sumJoint sums the rows at which every component of the composite is there.
func (st *stream) sumJoint(c *sheet, s *pairSums, h int, r []float64, returned float64, sums []float64) {
	whole := len(r) == len(c.price)
	for _, at := range st.parts {
		whole = whole && metrics.Defined(sums[at])
	}
	if whole {
		s.joint[h] = pairs{n: float64(len(r)), r: returned}
		for k, at := range st.parts {
			s.parts[h][k] = sums[at]
		}
		return
	}
rows:
	for i, r := range r {
		for _, at := range st.parts {
			if !metrics.Defined(c.columns[at][i]) {
				continue rows
			}
		}
		s.joint[h].n++
		s.joint[h].r += r
		for k, at := range st.parts {
			s.parts[h][k] += c.columns[at][i]
		}
	}
}

// meansOf turns the sums into means, by signal and horizon: the factors and then the composite, whose mean follows
// from those of its components over its rows.
func (st *stream) meansOf(s *pairSums) [][]pairs {
	out := append(s.of[:len(s.of):len(s.of)], make([]pairs, len(st.horizons)))
	for k := range st.fs {
		for h := range st.horizons {
			p := &out[k][h]
			if st.full[k] != nil {
				p.f = st.sumFull(k, h)
			}
			p.f, p.r = p.f/p.n, p.r/p.n
		}
	}
	for h, p := range s.joint {
		means := s.parts[h]
		for k := range means {
			means[k] /= p.n
		}
		out[len(st.fs)][h] = pairs{n: p.n, f: st.score.Mean(means), r: p.r / p.n}
	}
	return out
}

// sumFull sums a column that knows the full sample over its pairs at a horizon.
func (st *stream) sumFull(k, h int) float64 {
	x := st.full[k]
	x = x[:max(0, len(x)-st.horizons[h].Bars-st.s.Execution.Delay)]
	sum := 0.0
	for lo := 0; lo < len(x); lo += chunkRows {
		part := x[lo:min(lo+chunkRows, len(x))]
		t := metrics.Sum(part)
		if !metrics.Defined(t) {
			t = metrics.Sum(closeUp(part))
		}
		sum += t
	}
	return sum
}
