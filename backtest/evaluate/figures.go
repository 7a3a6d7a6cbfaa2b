package evaluate

import (
	"context"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/scratch"
)

// finish is what Close works out, by horizon, signal and instrument.
type finish struct {
	own     [][][]tested
	moments [][][]moments
	pooled  [][]tested // of several instruments, by horizon and signal
	across  [][]tested // the same across them; nil below five
	levels  []LevelRow
	ranks   [][][]ranking   // nil where they are not wanted
	ranked  [][]ranking     // of the pooled series, by horizon and signal
	buckets [][]*buckets    // by horizon and signal; nil but in window All
	persist [][]persistence // by signal and instrument
}

func grid[T any](n, m int) [][]T {
	out := make([][]T, n)
	for k := range out {
		out[k] = make([]T, m)
	}
	return out
}

// figures makes the rows.
func (w *Window) figures(ctx context.Context, workers int) (*Figures, error) {
	hs, ss, is := len(w.horizons), len(w.Signals), w.instruments()
	f := &finish{buckets: grid[*buckets](hs, ss), persist: grid[persistence](ss, is)}
	for range hs {
		f.own, f.moments = append(f.own, grid[tested](ss, is)), append(f.moments, grid[moments](ss, is))
	}
	// What Pearson's correlation and levels are made of; of several instruments from their columns.
	if err := datasets.ForEach(ctx, workers, is, func(ctx context.Context, i int) error {
		s := w.newSingleOf(i)
		if w.line == nil {
			if err := s.read(ctx, i); err != nil {
				return err
			}
		}
		return w.close(ctx, s, i, f)
	}); err != nil {
		return nil, err
	}
	if is > 1 {
		pooled, err := w.pool(ctx, workers, f.moments)
		if err != nil {
			return nil, err
		}
		if err := w.testPooled(ctx, workers, pooled, f); err != nil {
			return nil, err
		}
	}
	var err error
	if f.levels, err = w.levelRows(ctx); err != nil {
		return nil, err
	}
	// Then what needs columns as a whole; a signal's goes once it is ranked.
	signals := grid[ranked](ss, is)
	if err := datasets.ForEach(ctx, workers, ss*is, func(_ context.Context, at int) (err error) {
		s, i := at/is, at%is
		signals[s][i], f.persist[s][i], err = w.whole(s, i)
		return err
	}); err != nil {
		return nil, err
	}
	if w.Study.Evaluation.RankIC {
		if err := w.rank(ctx, workers, signals, f); err != nil {
			return nil, err
		}
	}
	return w.collect(ctx, workers, f)
}

// newSingleOf is what gathers the pairs of instrument i, or has done so.
func (w *Window) newSingleOf(i int) *single {
	if w.line != nil {
		return w.line.single
	}
	return w.newSingle()
}

// close turns an instrument's pairs into rows.
func (w *Window) close(ctx context.Context, s *single, i int, f *finish) (err error) {
	for k := range w.horizons {
		for j := range w.Signals {
			if f.own[k][j][i], f.moments[k][j][i], err = w.own(ctx, s, k, j, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// testPooled tests the series over instruments.
func (w *Window) testPooled(ctx context.Context, workers int, pooled []*pooled, f *finish) error {
	hs, ss := len(w.horizons), len(w.Signals)
	f.pooled, f.across = grid[tested](hs, ss), grid[tested](hs, ss)
	return datasets.ForEach(ctx, workers, hs*ss, func(ctx context.Context, at int) (err error) {
		k, s := at/ss, at%ss
		if f.pooled[k][s], err = w.pooledRow(ctx, k, s, f.own[k][s], f.moments[k][s], pooled[k]); err == nil && w.instruments() >= minCrossSection {
			f.across[k][s], err = w.crossRow(ctx, k, s, pooled[k])
		}
		return err
	})
}

// whole is what needs a signal's column as a whole, which it frees: its ranks, and how long it remembers itself.
func (w *Window) whole(s, i int) (r ranked, p persistence, err error) {
	p = forgotten
	e := w.Study.Evaluation
	if !e.RankIC && !e.Persistence {
		return r, p, nil
	}
	m := columnPads.Get().(*columnPad)
	defer columnPads.Put(m)
	x, err := w.kept.signals[s][i].View(&m.x, 0, w.rows)
	if err != nil {
		return r, p, err
	}
	if e.Persistence {
		p = remember(x)
	}
	if e.RankIC {
		r, err = m.rank(w.space, x, w.kept.signals[s][i].Free)
	}
	return r, p, err
}

// rank makes the rank figures, a few horizons at a time, whose returns are sorted once for all signals.
func (w *Window) rank(ctx context.Context, workers int, signals [][]ranked, f *finish) error {
	hs, ss, is := len(w.horizons), len(w.Signals), w.instruments()
	for range hs {
		f.ranks = append(f.ranks, grid[ranking](ss, is))
	}
	f.ranked = grid[ranking](hs, ss)
	for k := range f.buckets {
		for s := range f.buckets[k] {
			if w.all {
				f.buckets[k][s] = newBuckets(w.Study.Evaluation.Quantiles)
			}
		}
	}
	for at, few := 0, 1+7/is; at < len(w.within); at += few {
		batch := w.within[at:min(at+few, len(w.within))]
		returns := grid[returned](hs, is)
		var tasks []func() error
		for _, k := range batch {
			for i := range is {
				tasks = append(tasks, func() (err error) {
					returns[k][i], err = w.sortReturns(k, i)
					return err
				})
			}
		}
		if err := run(ctx, workers, tasks); err != nil {
			return err
		}
		tasks = tasks[:0]
		for _, k := range batch {
			for s := range ss {
				tasks = append(tasks, func() error { return w.rankSignal(ctx, k, s, signals[s], returns[k], f) })
			}
		}
		if err := run(ctx, workers, tasks); err != nil {
			return err
		}
		for _, of := range returns {
			for i := range of {
				of[i].free()
			}
		}
	}
	return nil
}

// sortReturns makes and sorts the forward returns of one instrument at one horizon.
func (w *Window) sortReturns(k, i int) (r returned, err error) {
	m := columnPads.Get().(*columnPad)
	defer columnPads.Put(m)
	var x []float64
	if w.kept.returns != nil {
		r.values = w.kept.returns[k]
		x, err = r.values.View(&m.x, 0, w.rows)
	} else {
		x, err = w.kept.prices[i].View(&m.prices, 0, w.rows)
		if err == nil {
			prices := x
			x = resize(&m.x, w.rows)
			forward(x, prices, w.delay, w.horizons[k].Bars)
		}
	}
	if err != nil {
		return r, err
	}
	if r.ranked, err = m.rank(w.space, x, nil); err == nil && w.all && r.values == nil {
		r.values = scratch.Floats(w.space)
		err = r.values.Append(x)
	}
	return r, err
}

// rankSignal makes the rank figures of one signal at one horizon.
func (w *Window) rankSignal(ctx context.Context, k, s int, signal []ranked, returns []returned, f *finish) (err error) {
	m := rankPads.Get().(*rankPad)
	defer rankPads.Put(m)
	b := f.buckets[k][s]
	var pool *rankPool
	if len(signal) > 1 {
		pool = &rankPool{resize(&m.sum, w.rows), resize(&m.count, w.rows)}
		clear(pool.sum)
		clear(pool.count)
		if b != nil {
			for _, g := range signal {
				b.k = max(b.k, min(b.q, g.Distinct))
			}
		}
	}
	for i := range signal {
		p := pool
		if !f.moments[k][s][i].ok {
			p = nil
		}
		if f.ranks[k][s][i], err = w.rankPairs(ctx, k, signal[i], returns[i], m, b, p); err != nil {
			return err
		}
	}
	if pool != nil {
		r := &f.ranked[k][s]
		r.found, r.why, err = pool.test(w.horizons[k].Bars)
	}
	return err
}

// collect orders the rows by signal, instrument and horizon, and adjusts p-values over the horizons.
func (w *Window) collect(ctx context.Context, workers int, f *finish) (*Figures, error) {
	hs, ss, is := len(w.horizons), len(w.Signals), w.instruments()
	perSignal := is + 1
	if is >= minCrossSection {
		perSignal++
	}
	rows := make([][][]tested, ss)
	for s := range rows {
		rows[s] = grid[tested](perSignal, hs)
	}
	if err := datasets.ForEach(ctx, workers, hs*ss, func(_ context.Context, at int) error {
		k, s := at/ss, at%ss
		for j, t := range w.rowsOf(k, s, f) {
			rows[s][j][k] = t
		}
		return nil
	}); err != nil {
		return nil, err
	}
	out := &Figures{Primary: w.horizons[w.primary]}
	volatility := []int(nil)
	if w.all {
		volatility = w.byVolatility()
	}
	for s, signal := range w.Signals {
		for _, of := range rows[s] {
			list := make([]ICRow, hs)
			for k, t := range of {
				list[k] = t.ICRow
			}
			adjust(list, w.primary)
			out.IC = append(out.IC, list...)
		}
		if !w.all {
			continue
		}
		for k, h := range w.horizons {
			quantiles, spread := f.buckets[k][s].rows(signal.Name, h.Name)
			out.Quantiles, out.Spreads = append(out.Quantiles, quantiles...), append(out.Spreads, spread)
		}
		pooled := &rows[s][is][w.primary]
		out.Slices = append(out.Slices, pooled.sliceRows(volatility)...)
		if signal.Name == w.Traded {
			days, means := w.dailyMeans(pooled.days, w.horizons[w.primary])
			for k, d := range days {
				out.Daily = append(out.Daily, DailyIC{Signal: signal.Name, Day: w.calendar.day(d).String(), IC: Figure(means[k])})
			}
		}
		for i := range is {
			out.Persistence = append(out.Persistence, f.persist[s][i].row(signal.Name, w.instrument(i), w.Study.Evaluation.Persistence))
		}
	}
	out.Distribution, out.Levels = w.spread, f.levels
	for _, l := range w.levels {
		out.Transitions = append(out.Transitions, l.transitions(w.Signals[l.signal].Name, w.Setup.Window)...)
	}
	return out, nil
}

// rowsOf are the rows of a signal at a horizon: one by instrument, the pooled one, and that across instruments.
func (w *Window) rowsOf(k, s int, f *finish) []tested {
	own := f.own[k][s]
	var tau, spearman weighted
	for i := range own {
		t := &own[i]
		if math.IsNaN(float64(t.Pearson)) {
			continue
		}
		t.spans(t.N, f.persist[s][i].tau)
		tau.add(t.N, f.persist[s][i].tau)
		if f.ranks == nil {
			t.reason("spearman", noRanks)
			continue
		}
		r := f.ranks[k][s][i]
		spearman.add(t.N, r.spearman)
		t.Spearman = Figure(r.spearman)
		t.judgeRanks(r.found, r.why)
	}
	list := append([]tested(nil), own...)
	if len(own) == 1 {
		list = append(list, alone(own[0]))
	} else {
		t := f.pooled[k][s]
		if !math.IsNaN(float64(t.Pearson)) {
			if t.spans(t.length, tau.mean()); f.ranks == nil {
				t.reason("spearman", noRanks)
			} else {
				t.Spearman = Figure(spearman.mean())
				t.judgeRanks(f.ranked[k][s].found, f.ranked[k][s].why)
			}
		}
		list = append(list, t)
	}
	for i := range own {
		list[i].reason("pearson_low", "only pooled rows are resampled")
		list[i].reason("pearson_high", "only pooled rows are resampled")
	}
	if len(own) >= minCrossSection {
		list = append(list, f.across[k][s])
	}
	for j := len(own); j < len(list); j++ {
		if t := &list[j]; !math.IsNaN(float64(t.Pearson)) {
			t.bootstrap(w.Study.Evaluation)
		}
	}
	return list
}

// levelRows are the rows of levels, by signal, level and horizon.
func (w *Window) levelRows(ctx context.Context) (list []LevelRow, err error) {
	for _, l := range w.levels {
		var rows [levelCount][]LevelRow
		for k, h := range w.horizons {
			var of [levelCount]outcome
			if t := l.tests[k]; t != nil {
				of = t.outcomes(func(level int, mean float64) (float64, string) {
					if w.kept == nil {
						return math.NaN(), notKept
					}
					x, e := w.levelAgain(ctx, k, l.signal, level, mean)
					if e != nil {
						err = e
						return math.NaN(), ""
					}
					return metrics.NeweyWest(x, 2*t.h) * float64(len(x)), "the level's returns are constant"
				})
			}
			for at, row := range l.rows(w.Signals[l.signal].Name, w.Setup.Window, h, of) {
				rows[at] = append(rows[at], row)
			}
		}
		for _, r := range rows {
			list = append(list, r...)
		}
	}
	return list, err
}

// levelAgain is the tested series of a level whose mean return is known.
func (w *Window) levelAgain(ctx context.Context, k, s, level int, mean float64) ([]float64, error) {
	l := newLeveling(s, w.instruments())
	return w.again(ctx, k, s, func(p *part) []float64 {
		for i, f := range p.f[s] {
			l.take(i, f, w.Study.Signals.Thresholds)
		}
		var out []float64
		for t := range p.hi - p.lo {
			sum, any := 0.0, false
			for i, of := range l.of {
				if r := p.r[k][i][t]; of[t] != noLevel && metrics.Defined(r) {
					if any = true; int(of[t]) == level {
						sum += r - mean
					}
				}
			}
			if any {
				out = append(out, sum)
			}
		}
		return out
	})()
}
