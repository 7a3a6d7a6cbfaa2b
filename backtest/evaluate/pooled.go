package evaluate

import (
	"context"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// minCrossSection is the number of instruments below which a bar has no cross-sectional IC.
const minCrossSection = 5

// moments standardize the pairs of one signal, instrument and horizon: u = (f − F)·(R − R̄)/scale.
type moments struct {
	f, r, scale float64
	ok          bool // the instrument has an IC
}

// pooled are the series over instruments of every signal at one horizon.
type pooled struct {
	mean   []*series // U_t: the mean of u over the instruments present
	across []*series // the correlation across the instruments at a bar; nil below five instruments
	ranks  []*series // the same of ranks
}

// pool makes the pooled series of a horizon from the kept columns.
func (w *Window) pool(ctx context.Context, k int, of [][]moments) (*pooled, error) {
	out := &pooled{}
	instruments := len(w.prices)
	for range w.Signals {
		s := w.daily(w.horizons[k].Bars)
		if w.all && k == w.primary {
			s.hours = make([]daySum, 24)
		}
		out.mean = append(out.mean, s)
		if instruments >= minCrossSection {
			out.across, out.ranks = append(out.across, w.daily(w.horizons[k].Bars)), append(out.ranks, newSeries(w.horizons[k].Bars))
		}
	}
	c := newCross(instruments, w.Study.Evaluation.RankIC)
	err := w.together(ctx, k, func(x *together) error {
		for s := range w.Signals {
			if err := x.load(s); err != nil {
				return err
			}
			u, cut := x.mean(of[s])
			out.mean[s].add(u, cut)
			if out.across == nil {
				continue
			}
			u, ranked, cut := c.correlate(x)
			out.across[s].add(u, cut)
			out.ranks[s].add(ranked, nil)
		}
		return nil
	})
	return out, err
}

// daily is a series with its days.
func (w *Window) daily(h int) *series {
	s := newSeries(h)
	s.phases, s.days = metrics.NewPhases(h), make([]daySum, len(w.calendar.days))
	return s
}

// together is a chunk of rows of all instruments at one horizon.
type together struct {
	*reader
	lo, hi int
	cut    []stretch // of its rows
	r      [][]float64
	f      [][]float64 // of the signal that was loaded

	sum, count, u []float64
	closed        []stretch
}

// together reads the window chunk by chunk.
func (w *Window) together(ctx context.Context, k int, each func(*together) error) error {
	n, h := len(w.prices), w.horizons[k].Bars
	x := &together{reader: w.kept.reader(), r: make([][]float64, n), f: make([][]float64, n)}
	for lo := 0; lo < w.rows; lo += chunk {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		x.lo, x.hi = lo, min(lo+chunk, w.rows)
		x.cut = w.calendar.between(x.cut, x.lo, x.hi)
		for i := range n {
			var err error
			if x.r[i], err = x.returns(i, w.delay, h, x.lo, x.hi); err != nil {
				return err
			}
		}
		if err := each(x); err != nil {
			return err
		}
	}
	return nil
}

// load reads a signal.
func (x *together) load(s int) (err error) {
	for i := range x.f {
		if x.f[i], err = x.signal(s, i, x.lo, x.hi); err != nil {
			return err
		}
	}
	return nil
}

// mean is U over the rows at which any instrument has both a signal and a return, closed up.
func (x *together) mean(of []moments) ([]float64, []stretch) {
	rows := x.hi - x.lo
	sum, count := resize(&x.sum, rows), resize(&x.count, rows)
	clear(sum)
	clear(count)
	for i, m := range of {
		if !m.ok {
			continue
		}
		r := x.r[i]
		for k, f := range x.f[i] {
			u := (f - m.f) * (r[k] - m.r) / m.scale
			if metrics.Defined(u) {
				sum[k] += u
				count[k]++
			}
		}
	}
	u := resize(&x.u, rows)[:0]
	x.closed = x.closed[:0]
	for _, c := range x.cut {
		from := len(u)
		for k := c.lo; k < c.hi; k++ {
			if count[k] > 0 {
				u = append(u, sum[k]/count[k])
			}
		}
		x.closed = append(x.closed, stretch{c.day, c.hour, from, len(u)})
	}
	return u, x.closed
}

// cross correlates a signal with the forward return across the instruments at every bar where five or more have both.
type cross struct {
	f, r, rf, rr []float64
	u, ranked    []float64
	cut          []stretch
	ranks        bool
}

func newCross(instruments int, ranks bool) *cross {
	of := func() []float64 { return make([]float64, instruments) }
	return &cross{f: of(), r: of(), rf: of(), rr: of(), ranks: ranks}
}

// correlate gives the Pearson correlation of each bar of a chunk that has one, and that of average ranks.
func (c *cross) correlate(x *together) (u, ranked []float64, cut []stretch) {
	u, ranked, cut = c.u[:0], c.ranked[:0], c.cut[:0]
	for _, s := range x.cut {
		from := len(u)
		for k := s.lo; k < s.hi; k++ {
			f, r := c.f[:0], c.r[:0]
			for i, column := range x.f {
				if a, b := column[k], x.r[i][k]; metrics.Defined(a) && metrics.Defined(b) {
					f, r = append(f, a), append(r, b)
				}
			}
			if len(f) < minCrossSection || metrics.Constant(f) || metrics.Constant(r) {
				continue
			}
			u = append(u, metrics.Pearson(f, r))
			if c.ranks {
				rankFew(c.rf[:len(f)], f)
				rankFew(c.rr[:len(r)], r)
				ranked = append(ranked, metrics.Pearson(c.rf[:len(f)], c.rr[:len(r)]))
			}
		}
		cut = append(cut, stretch{s.day, s.hour, from, len(u)})
	}
	c.u, c.ranked, c.cut = u, ranked, cut
	return u, ranked, cut
}

// rankFew writes the average ranks of a handful of values by counting.
func rankFew(dst, x []float64) {
	for i, v := range x {
		below, equal := 0, 0
		for _, o := range x {
			if o < v {
				below++
			} else if o == v {
				equal++
			}
		}
		dst[i] = float64(below) + float64(equal+1)/2
	}
}

// again collects the values of a series that together makes.
func (w *Window) again(ctx context.Context, k int, of func(x *together) ([]float64, error)) func() ([]float64, error) {
	return func() ([]float64, error) {
		var all []float64
		err := w.together(ctx, k, func(x *together) error {
			u, err := of(x)
			all = append(all, u...)
			return err
		})
		return all, err
	}
}

// meanAgain is U of a signal once more, for one instrument the tested series itself.
func (w *Window) meanAgain(ctx context.Context, k, s int, of []moments) func() ([]float64, error) {
	if w.kept == nil {
		return nil
	}
	return w.again(ctx, k, func(x *together) ([]float64, error) {
		if err := x.load(s); err != nil {
			return nil, err
		}
		u, _ := x.mean(of)
		return u, nil
	})
}

// weighted is the n-weighted mean of what instruments have.
type weighted struct{ n, sum float64 }

func (m *weighted) add(n int, v float64) {
	if !math.IsNaN(v) {
		m.n += float64(n)
		m.sum += float64(float64(n) * v)
	}
}

func (m weighted) mean() float64 { return m.sum / m.n }
