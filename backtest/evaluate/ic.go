package evaluate

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
)

// dailyLimit is the longest horizon for which a day's mean of the tested series says something about
// that day.
const dailyLimit = 4 * time.Hour

// FewSpans marks rows of a signal that changed its mind fewer than ten times.
const FewSpans = "few_spans"

// row is an IC row in which nothing is known yet.
func (w *Window) row(signal, instrument string, h study.Horizon) ICRow {
	r := ICRow{Signal: signal, Instrument: instrument, Window: w.Setup.Window, Horizon: h.Name, Bars: h.Bars, TMethod: metrics.Insufficient}
	r.blank()
	return r
}

// tested is a row in the making, with what later figures of it are made of.
type tested struct {
	ICRow
	days, hours []daySum // of the tested series
	length      int      // of a pooled one
}

// own fills the row of one instrument from its pairs.
func (w *Window) own(ctx context.Context, of *single, k, s, i int) (tested, moments, error) {
	h := w.horizons[k]
	t := tested{ICRow: w.row(w.Signals[s].Name, w.instrument(i), h)}
	p := of.pairs[k][s]
	if p == nil {
		t.miss("fewer than 3 pairs")
		return t, moments{}, nil
	}
	t.N = p.n
	switch {
	case p.n < metrics.MinPairs:
		t.miss("fewer than 3 pairs")
		return t, moments{}, nil
	case !p.variesF:
		t.miss("the signal is constant")
		return t, moments{}, nil
	case !p.variesR:
		t.miss("the forward return is constant")
		return t, moments{}, nil
	}
	n := float64(p.n)
	m := moments{f: of.signals[s].centre + p.lag[iX][i1]/n, r: of.ahead[k].centre + p.lag[iY][i1]/n, ok: true}
	c := p.close()
	m.scale = c.scale
	t.Pearson = Figure(c.pearson)
	only := make([]moments, w.instruments())
	only[i] = moments{f: m.f, r: m.r, scale: 1, ok: true} // the series before it is scaled, as all sums
	found, why, err := judge(c.longRun, c.nonOverlapping, c.few, w.meanAgain(ctx, k, s, only))
	if err != nil {
		return t, m, err
	}
	t.judge(found, why)
	t.days, t.hours = sums(p.days, c.scale), sums(p.hours, c.scale)
	t.Daily = w.summarize(t.days, h, &t.ICRow)
	return t, m, nil
}

// sums are those of u = v/scale.
func sums(of []tally, scale float64) []daySum {
	var out []daySum
	for _, t := range of {
		out = append(out, daySum{t.n, t.v / scale})
	}
	return out
}

// over fills a row from a series over instruments.
func (w *Window) over(t *tested, s *series, h study.Horizon, again func() ([]float64, error)) error {
	found, why, err := s.test(again)
	if err != nil {
		return err
	}
	t.judge(found, why)
	t.days, t.hours = s.days, s.hours
	t.Daily = w.summarize(t.days, h, &t.ICRow)
	return nil
}

// judge takes over what a test found.
func (r *ICRow) judge(s metrics.Significance, why string) {
	r.NEffective, r.THansenHodrick, r.TNonOverlap = Figure(s.NEffective), Figure(s.HansenHodrick), Figure(s.NonOverlapping)
	r.T, r.TMethod, r.P = Figure(s.T), s.Method, Figure(s.P)
	if math.IsNaN(s.NonOverlapping) {
		r.reason("t_non_overlapping", "fewer than 3 pairs that do not overlap, or a constant among them")
	}
	const flat = "the tested series is constant"
	if math.IsNaN(s.HansenHodrick) {
		r.reason("t_hansen_hodrick", orElse(why, flat))
	}
	if math.IsNaN(s.NEffective) {
		r.reason("n_effective", orElse(why, flat))
	}
	r.lacks("t", s, why)
}

// judgeRanks is judge for the ranks.
func (r *ICRow) judgeRanks(s metrics.Significance, why string) {
	r.SpearmanT, r.SpearmanP = Figure(s.T), Figure(s.P)
	r.lacks("spearman_t", s, why)
}

// lacks says why a headline t is missing, if it is.
func (r *ICRow) lacks(key string, s metrics.Significance, why string) {
	switch {
	case s.Method == metrics.Insufficient:
		r.reason(key, "the sample spans fewer than 10 horizons")
	case math.IsNaN(s.T):
		r.reason(key, orElse(why, "the tested series is constant"))
	}
}

func orElse(why, other string) string {
	if why != "" {
		return why
	}
	return other
}

// spans warns where the signal changed its mind fewer than ten times over n bars.
func (r *ICRow) spans(n int, tau float64) {
	if float64(n)/tau < metrics.FewSpans {
		r.Warnings = append(r.Warnings, FewSpans)
	}
}

// miss says why a row has no figures at all.
func (r *ICRow) miss(why string) {
	r.reason("pearson", why)
	r.reason("daily", why)
}

func (r *ICRow) reason(key, why string) { say(&r.Reasons, key, why) }

// say records why a figure is missing.
func say(reasons *map[string]string, key, why string) {
	if *reasons == nil {
		*reasons = map[string]string{}
	}
	(*reasons)[key] = why
}

// dailyMeans are the means of a tested series by UTC day; days with fewer than a quarter of their bars are
// left out.
func (w *Window) dailyMeans(days []daySum, h study.Horizon) (of []int, means []float64) {
	if w.tooLongForDays(h) {
		return nil, nil
	}
	for k, d := range days {
		if d.n > 0 && 4*d.n >= float64(w.calendar.barsOf(k, w.Grid.Every)) {
			of, means = append(of, k), append(means, d.sum/d.n)
		}
	}
	return of, means
}

func (w *Window) tooLongForDays(h study.Horizon) bool {
	return time.Duration(h.Bars)*w.Grid.Every > dailyLimit
}

// summarize is the mean, std and ICIR of daily means; the row says why one is missing.
func (w *Window) summarize(days []daySum, h study.Horizon, row *ICRow) DailySummary {
	_, x := w.dailyMeans(days, h)
	std := metrics.Std(x)
	out := DailySummary{N: len(x), Mean: Figure(metrics.Mean(x)), Std: Figure(std), ICIR: Figure(metrics.Mean(x) / std)}
	switch {
	case w.tooLongForDays(h):
		row.reason("daily", "the horizon is longer than 4h")
	case len(x) == 0:
		row.reason("daily", "no day has a quarter of its bars")
	case len(x) == 1:
		row.reason("daily.std", "one day only")
		row.reason("daily.icir", "one day only")
	case std == 0:
		out.ICIR = null
		row.reason("daily.icir", "every day has the same mean")
	}
	return out
}

// pooledRow fills the row over all instruments from theirs: n-weighted mean correlations, and the
// significance of the pooled series, whose length is in bars, not in pairs. Ranks follow later.
func (w *Window) pooledRow(ctx context.Context, k, s int, own []tested, of []moments, p *pooled) (tested, error) {
	h := w.horizons[k]
	t := tested{ICRow: w.row(w.Signals[s].Name, Pooled, h)}
	var pearson weighted
	for _, r := range own {
		pearson.add(r.N, float64(r.Pearson))
	}
	if pearson.n == 0 {
		t.miss("no instrument has an information coefficient")
		return t, nil
	}
	t.N, t.Pearson, t.length = int(pearson.n), Figure(pearson.mean()), p.mean[s].n
	return t, w.over(&t, p.mean[s], h, w.meanAgain(ctx, k, s, of))
}

const noRanks = "evaluation.rank_ic is false"

// crossRow fills the row of the correlations across instruments; n counts bars.
func (w *Window) crossRow(ctx context.Context, k, s int, p *pooled) (tested, error) {
	h := w.horizons[k]
	t := tested{ICRow: w.row(w.Signals[s].Name, CrossSection, h)}
	if p == nil || p.across[s].n == 0 {
		t.miss("no bar has five instruments with a signal and a return that vary")
		return t, nil
	}
	u, ranks := p.across[s], p.ranks[s]
	t.N, t.Pearson = u.n, Figure(u.sum/float64(u.n))
	if err := w.over(&t, u, h, w.acrossAgain(ctx, k, s, false)); err != nil {
		return t, err
	}
	if ranks.n == 0 {
		t.reason("spearman", noRanks)
		return t, nil
	}
	t.Spearman = Figure(ranks.sum / float64(ranks.n))
	found, why, err := ranks.test(w.acrossAgain(ctx, k, s, true))
	if err != nil {
		return t, err
	}
	t.judgeRanks(found, why)
	return t, nil
}

// adjust fills the Holm-adjusted p-values of one signal's rows over the horizons but the primary one.
func adjust(rows []ICRow, primary int) {
	p := make([]float64, len(rows))
	for k := range rows {
		p[k] = float64(rows[k].P)
		if k == primary {
			p[k] = math.NaN()
		}
	}
	for k, v := range metrics.Holm(p) {
		rows[k].PHolm = Figure(v)
	}
	rows[primary].reason("p_holm", "the primary horizon is not adjusted")
	for k := range rows {
		rows[k].explain()
	}
}

// alone is the pooled row of the only instrument: its own.
func alone(own tested) tested {
	own.Instrument, own.Reasons, own.Warnings = Pooled, maps.Clone(own.Reasons), slices.Clone(own.Warnings)
	return own
}
