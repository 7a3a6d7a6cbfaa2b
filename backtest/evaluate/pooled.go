package evaluate

import (
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
)

const (
	// minCrossSection is the number of instruments below which a bar has no cross-sectional IC.
	minCrossSection = 5

	// jointRows is the number of rows that are taken of all signals and instruments at once.
	jointRows = 1024
)

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

// pool makes the pooled series of all horizons from the kept columns: some parts of the window at a time, side by side, which
// are then added to the series in order.
func (w *Window) pool(ctx context.Context, workers int, of [][][]moments) ([]*pooled, error) {
	out := make([]*pooled, len(w.horizons))
	ranks := w.Study.Evaluation.RankIC
	for _, k := range w.within {
		out[k] = &pooled{}
		for range w.Signals {
			s := w.daily(w.horizons[k].Bars)
			if w.all && k == w.primary {
				s.hours = make([]daySum, 24)
			}
			out[k].mean = append(out[k].mean, s)
			if w.instruments() >= minCrossSection {
				out[k].across, out[k].ranks = append(out[k].across, w.daily(w.horizons[k].Bars)), append(out[k].ranks, newSeries(w.horizons[k].Bars))
			}
		}
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	parts := make([]*part, min(workers, 8)) // how many changes nothing
	for lo := 0; lo < w.rows; {
		n := 0
		for ; n < len(parts) && lo < w.rows; n++ {
			if parts[n] == nil {
				parts[n] = w.newPart()
			}
			parts[n].begin(lo, min(lo+jointRows, w.rows))
			lo += jointRows
		}
		if err := datasets.ForEach(ctx, workers, n, func(_ context.Context, at int) error { return parts[at].work(of, ranks) }); err != nil {
			return nil, err
		}
		if err := run(ctx, workers, w.add(out, parts[:n])); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// add lists what adds parts that follow one another to the series, to levels and their distribution.
func (w *Window) add(out []*pooled, parts []*part) (tasks []func() error) {
	for _, k := range w.within {
		for s := range w.Signals {
			tasks = append(tasks, func() error {
				for _, p := range parts {
					m := &p.made[k][s]
					out[k].mean[s].add(m.mean, m.cut)
					if out[k].across != nil {
						out[k].across[s].add(m.across, m.acrossCut)
						out[k].ranks[s].add(m.ranks, nil)
					}
				}
				return nil
			})
		}
		for at, l := range w.levels {
			tasks = append(tasks, func() error {
				for _, p := range parts {
					l.tests[k].add(p.levels[at], p.r[k])
				}
				return nil
			})
		}
	}
	for at, l := range w.levels {
		tasks = append(tasks, func() error {
			for _, p := range parts {
				l.count(p.levels[at])
				for _, x := range p.f[l.signal] {
					if w.spread != nil {
						w.spread[at].add(x)
					}
				}
			}
			return nil
		})
	}
	return tasks
}

// daily is a series with its days.
func (w *Window) daily(h int) *series {
	s := newSeries(h)
	s.phases, s.days = metrics.NewPhases(h), make([]daySum, len(w.calendar.days))
	return s
}

// part is some rows of all signals and instruments.
type part struct {
	*reader
	w      *Window
	lo, hi int
	cut    []stretch     // of its rows
	prices [][]float64   // by instrument, as far as returns look
	f      [][][]float64 // by signal and instrument
	r      [][][]float64 // by horizon and instrument
	whole  [][]bool      // of f: nothing is missing
	levels [][][]int8    // by signal with levels and instrument

	made       [][]made // by horizon and signal
	sum, count []float64
	signals    []*standing // by signal, across instruments
	returned   *standing
	few        few
}

// made is what a part adds to the series of one signal at one horizon, closed up.
type made struct {
	mean, across, ranks []float64
	cut, acrossCut      []stretch
}

func (w *Window) newPart() *part {
	n := w.instruments()
	p := &part{reader: w.kept.reader(len(w.Signals)), w: w, prices: make([][]float64, n), f: grid[[]float64](len(w.Signals), n)}
	p.r, p.levels = grid[[]float64](len(w.horizons), n), grid[[]int8](len(w.levels), n)
	p.whole, p.made = grid[bool](len(w.Signals), n), grid[made](len(w.horizons), len(w.Signals))
	for range w.Signals {
		p.signals = append(p.signals, newStanding(n))
	}
	p.returned = newStanding(n)
	return p
}

// begin moves to other rows.
func (p *part) begin(lo, hi int) {
	p.lo, p.hi = lo, hi
	p.cut = p.w.calendar.between(p.cut, lo, hi)
}

// load reads signals and prices.
func (p *part) load(signals []int) error {
	for _, s := range signals {
		for i := range p.prices {
			x, err := p.signal(s, i, p.lo, p.hi)
			if err != nil {
				return err
			}
			p.f[s][i], p.whole[s][i] = x, metrics.Defined(metrics.Sum(x))
		}
	}
	for i := range p.prices {
		var err error
		if p.prices[i], err = p.price(i, p.lo, min(p.hi+p.w.reach, p.w.rows)); err != nil {
			return err
		}
	}
	return nil
}

// look makes the forward returns at a horizon.
func (p *part) look(k int) {
	for i, x := range p.prices {
		p.r[k][i] = resize(&p.r[k][i], p.hi-p.lo)
		forward(p.r[k][i], x, p.w.delay, p.w.horizons[k].Bars)
	}
}

// work makes what all series need.
func (p *part) work(of [][][]moments, ranks bool) error {
	if err := p.load(upTo(len(p.f))); err != nil {
		return err
	}
	across := len(p.prices) >= minCrossSection
	if across {
		for s, x := range p.signals {
			x.take(p.f[s], ranks)
		}
	}
	for at, l := range p.w.levels {
		for i, x := range p.f[l.signal] {
			p.levels[at][i] = levelsOf(&p.levels[at][i], x, p.w.Study.Signals.Thresholds)
		}
	}
	for _, k := range p.w.within {
		p.look(k)
		if across {
			p.returned.take(p.r[k], ranks)
		}
		for s := range p.f {
			p.mean(k, s, of[k][s])
			if across {
				p.correlate(k, s, ranks)
			}
		}
	}
	return nil
}

// mean is U over the rows at which any instrument has both a signal and a return.
func (p *part) mean(k, s int, of []moments) []float64 {
	rows, m := p.hi-p.lo, &p.made[k][s]
	sum, count := resize(&p.sum, rows), resize(&p.count, rows)
	clear(sum)
	clear(count)
	everywhere := 0.0
	for i, of := range of {
		if !of.ok {
			continue
		}
		r, f, scale := p.r[k][i][:rows], p.f[s][i][:rows], 1/of.scale
		if p.whole[s][i] && metrics.Defined(metrics.Sum(r)) {
			for k, x := range f {
				sum[k] += float64((x - of.f) * (r[k] - of.r) * scale)
			}
			everywhere++
			continue
		}
		for k, x := range f {
			if u := float64((x - of.f) * (r[k] - of.r) * scale); metrics.Defined(u) {
				sum[k] += u
				count[k]++
			}
		}
	}
	m.mean, m.cut = m.mean[:0], m.cut[:0]
	for _, c := range p.cut {
		from := len(m.mean)
		for k := c.lo; k < c.hi; k++ {
			if n := everywhere + count[k]; n > 0 {
				m.mean = append(m.mean, sum[k]/n)
			}
		}
		m.cut = append(m.cut, stretch{c.day, c.hour, from, len(m.mean)})
	}
	return m.mean
}

// again makes one series once more.
func (w *Window) again(ctx context.Context, k, s int, of func(p *part) []float64) func() ([]float64, error) {
	if w.kept == nil {
		return nil
	}
	return func() (all []float64, err error) {
		p := w.newPart()
		for lo := 0; lo < w.rows; lo += jointRows {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			p.begin(lo, min(lo+jointRows, w.rows))
			if err := p.load([]int{s}); err != nil {
				return nil, err
			}
			p.look(k)
			all = append(all, of(p)...)
		}
		return all, nil
	}
}

// meanAgain is U of a signal once more, for one instrument the tested series itself.
func (w *Window) meanAgain(ctx context.Context, k, s int, of []moments) func() ([]float64, error) {
	return w.again(ctx, k, s, func(p *part) []float64 {
		return p.mean(k, s, of)
	})
}

// acrossAgain is the correlation across instruments once more, of values or of ranks.
func (w *Window) acrossAgain(ctx context.Context, k, s int, ranks bool) func() ([]float64, error) {
	return w.again(ctx, k, s, func(p *part) []float64 {
		p.signals[s].take(p.f[s], ranks)
		p.returned.take(p.r[k], ranks)
		if p.correlate(k, s, ranks); ranks {
			return p.made[k][s].ranks
		}
		return p.made[k][s].across
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

// upTo lists the numbers below n.
func upTo(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

// sameRow reports whether the same instruments are present at row k.
func sameRow(a, b *standing, k int) bool {
	return slices.Equal(a.present[k*a.words:(k+1)*a.words], b.present[k*b.words:(k+1)*b.words])
}
