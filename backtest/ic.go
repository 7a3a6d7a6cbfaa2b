package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// dailyLimit is the longest horizon for which a day's mean of the tested series says something about
// that day.
const dailyLimit = 4 * time.Hour

// view is one window, with what its rows share over the horizons.
type view struct {
	*judge
	w         study.Span
	name      string
	days      []daySpan
	order     [][]metrics.Sorted // per signal and instrument
	memory    [][]memory         // per signal and instrument
	levels    []leveled          // of the scores that have them
	divisions []division
}

// rank sorts every signal once and measures its memory.
func (v *view) rank() {
	for _, score := range v.scores[v.leveled:] {
		v.levels = append(v.levels, v.level(score))
	}
	if v.name == All {
		v.divisions = v.divide()
	}
	signals, n := len(v.scores), len(v.m.Instruments)
	v.order, v.memory = make([][]metrics.Sorted, signals), make([][]memory, signals)
	for k := range v.scores {
		v.order[k], v.memory[k] = make([]metrics.Sorted, n), make([]memory, n)
	}
	datasets.ForAll(signals*n, func(at int) {
		k, i := at/n, at%n
		x := v.column(v.scores[k], i)
		v.order[k][i] = metrics.Order(x)
		v.memory[k][i] = remember(x)
	})
}

// column is instrument i's column of a panel over the window's rows.
func (v *view) column(p *factors.Panel, i int) []float64 { return p.Col(i)[v.w.Lo:v.w.Hi] }

// closeUp leaves out what is missing.
func closeUp(x []float64) []float64 {
	out := make([]float64, 0, len(x))
	for _, v := range x {
		if metrics.Defined(v) {
			out = append(out, v)
		}
	}
	return out
}

// forward is R_{t,h} = ln(X_{t+d+h}/X_{t+d}) for the window's rows, row Lo first: the return of the
// trade that a decision at the close of t would have made. NaN where a price is missing or past the
// window's end.
func (v *view) forward(i, bars int) []float64 {
	x, d := v.price[i], v.s.Execution.Delay
	out := make([]float64, v.w.Hi-v.w.Lo)
	for k := range out {
		out[k] = math.NaN()
		if t := v.w.Lo + k; t+d+bars < v.w.Hi {
			if a, b := x[t+d], x[t+d+bars]; priced(a) && priced(b) {
				out[k] = math.Log(b / a)
			}
		}
	}
	return out
}

// horizonRows are the rows of one window and horizon.
type horizonRows struct {
	ic        []ICRow // by signal, then instrument, then pooled
	levels    []LevelRow
	quantiles [][]QuantileRow // per signal
	spreads   []SpreadRow     // per signal
	slices    []SliceRow      // at the primary horizon
	daily     []DailyIC
}

// horizon judges every signal at one horizon.
func (v *view) horizon(k int) horizonRows {
	p := newPairing(v, v.horizons[k])
	var out horizonRows
	for s, score := range v.scores {
		out.ic = append(out.ic, p.signal(s, score)...)
		buckets := p.quantileRows(score.Name)
		out.quantiles, out.spreads = append(out.quantiles, buckets), append(out.spreads, spreadRow(score.Name, p.h.Name, buckets))
		if k == v.primary {
			out.slices = append(out.slices, p.sliceRows(score.Name, v.divisions)...)
		}
		if score.Name == v.traded {
			out.daily = p.dailyRows(score.Name)
		}
		if len(v.m.Instruments) >= minCrossSection {
			out.ic = append(out.ic, p.crossRow(score))
		}
	}
	for s, l := range v.levels {
		out.levels = append(out.levels, p.levelRows(v.scores[v.leveled+s].Name, l)...)
	}
	return out
}

// ahead is one instrument's forward returns at one horizon, with what every signal without gaps shares.
type ahead struct {
	returns []float64 // by window row
	sorted  metrics.Sorted
	n       int       // defined returns
	z       []float64 // theirs, closed up; nil where they are constant
	ranks   []int32   // twice theirs, closed up
}

// pairing pairs signals with the forward returns of one horizon; its slices are reused from signal
// to signal.
type pairing struct {
	*view
	h     study.Horizon
	ahead []ahead // per instrument

	place       []int32        // position of a window row among the pairs, or −1
	rows        []int32        // window rows of the pairs
	places      metrics.Places // the pairs by value
	f, r        []float64
	ranks       []int32   // twice those of the returns
	signalRanks []int32   // and of the signal
	ranked      []float64 // the tested series of the ranks, closed up: the instrument's, then the pooled one
	sum, count  []float64 // of the tested series over the instruments, by window row
	rankSum     []float64
	pooled      []float64 // the mean tested series, closed up
	pooledRows  []int32
	sums        []daySum // of the pooled series
	buckets     []bucketSum

	memberships []member // of levels
}

func newPairing(v *view, h study.Horizon) *pairing {
	n, bars := len(v.m.Instruments), v.w.Hi-v.w.Lo
	p := &pairing{
		view: v, h: h, ahead: make([]ahead, n), place: make([]int32, bars), rows: make([]int32, 0, bars),
		f: make([]float64, 0, bars), r: make([]float64, 0, bars), ranks: make([]int32, bars), signalRanks: make([]int32, bars),
		ranked: make([]float64, 0, bars), memberships: make([]member, 0, bars*n),
	}
	if n > 1 {
		p.sum, p.rankSum, p.count = make([]float64, bars), make([]float64, bars), make([]float64, bars)
		p.pooled, p.pooledRows = make([]float64, 0, bars), make([]int32, 0, bars)
	}
	if v.name == All {
		p.buckets = make([]bucketSum, v.s.Evaluation.Quantiles)
	}
	for i := range p.ahead {
		returns := v.forward(i, h.Bars)
		p.pair(returns, returns)
		a := ahead{returns: returns, sorted: metrics.Order(returns), n: len(p.rows)}
		a.ranks = make([]int32, a.n)
		a.sorted.Select(&p.places, p.place)
		p.places.Rank(a.ranks)
		if a.z = make([]float64, a.n); !metrics.Standardize(a.z, p.r) {
			a.z = nil
		}
		p.ahead[i] = a
	}
	return p
}

// signal gives the signal's rows: one per instrument, then the pooled one.
func (p *pairing) signal(s int, score *factors.Panel) []ICRow {
	clear(p.buckets)
	p.pooled, p.pooledRows, p.sums = p.pooled[:0], p.pooledRows[:0], nil
	n := len(p.m.Instruments)
	if n > 1 {
		clear(p.sum)
		clear(p.rankSum)
		clear(p.count)
	}
	rows := make([]ICRow, 0, n+1)
	for i, in := range p.m.Instruments {
		rows = append(rows, p.instrument(s, i, p.row(score.Name, in.String()), p.column(score, i)))
	}
	var pooled ICRow
	if n == 1 { // the pooled series is the instrument's
		pooled = rows[0]
		pooled.Instrument = Pooled
		pooled.Reasons = maps.Clone(pooled.Reasons)
		pooled.Warnings = slices.Clone(pooled.Warnings)
	} else {
		p.pool()
		pooled = p.pooledRow(s, p.row(score.Name, Pooled), rows)
	}
	p.bootstrap(&pooled, p.sums)
	for i := range rows {
		rows[i].reason("pearson_low", "only pooled rows are resampled")
		rows[i].reason("pearson_high", "only pooled rows are resampled")
	}
	return append(rows, pooled)
}

func (p *pairing) row(signal, instrument string) ICRow {
	return ICRow{
		Signal: signal, Instrument: instrument, Window: p.name, Horizon: p.h.Name, Bars: p.h.Bars,
		NEffective: null, Pearson: null, Spearman: null, SpearmanT: null, SpearmanP: null, Low: null, High: null, T: null, TMethod: metrics.Insufficient,
		THansenHodrick: null, TNonOverlap: null, P: null, PHolm: null,
		Daily: DailySummary{Mean: null, Std: null, ICIR: null},
	}
}

// pair collects the window rows at which both the score x and the return are defined.
func (p *pairing) pair(x, returns []float64) {
	f, r, rows, n := p.f[:len(x)], p.r[:len(x)], p.rows[:len(x)], 0
	for k, y := range returns {
		p.place[k] = -1
		if v := x[k]; metrics.Defined(v) && metrics.Defined(y) {
			p.place[k] = int32(n)
			f[n], r[n], rows[n] = v, y, int32(k)
			n++
		}
	}
	p.f, p.r, p.rows = f[:n], r[:n], rows[:n]
}

// instrument fills the row of one instrument and adds its tested series to the pool.
func (p *pairing) instrument(s, i int, row ICRow, x []float64) ICRow {
	a := &p.ahead[i]
	p.pair(x, a.returns)
	n := len(p.rows)
	row.N = n
	spearman, rankT := p.rankPairs(s, i)
	switch {
	case n < metrics.MinPairs:
		row.miss("fewer than 3 pairs")
		return row
	case metrics.Constant(p.f):
		row.miss("the signal is constant")
		return row
	case metrics.Constant(p.r):
		row.miss("the forward return is constant")
		return row
	}
	row.Spearman = Figure(spearman)
	row.judgeRanks(metrics.Test(p.ranked, p.h.Bars, rankT))
	nonOverlapping := metrics.NonOverlapping(p.f, p.r, p.h.Bars)
	metrics.Standardize(p.f, p.f)
	z := a.z
	if n < a.n {
		z = p.r
		metrics.Standardize(z, z)
	}
	u := p.f
	for k, r := range z {
		u[k] *= r
	}
	row.Pearson = Figure(metrics.Mean(u))
	row.judge(metrics.Test(u, p.h.Bars, nonOverlapping))
	row.spans(n, p.memory[s][i].tau)
	p.sums = p.byDay(u, p.rows)
	row.Daily = p.summarize(p.sums, &row)
	p.add(u)
	return row
}

// add puts an instrument's tested series into the pool.
func (p *pairing) add(u []float64) {
	if len(p.ahead) == 1 {
		p.pooled, p.pooledRows = u, p.rows
		return
	}
	for k, row := range p.rows {
		p.sum[row] += u[k]
		p.rankSum[row] += p.ranked[k]
		p.count[row]++
	}
}

// rankPairs correlates the ranks of both sides, from orders that are already known, and fills the buckets. It gives the t
// of pairs that do not overlap, too, and leaves the tested series of the ranks.
func (p *pairing) rankPairs(s, i int) (spearman, t float64) {
	a, n := &p.ahead[i], len(p.rows)
	ranks := a.ranks
	if n < a.n {
		ranks = p.ranks[:n]
		a.sorted.Select(&p.places, p.place)
		p.places.Rank(ranks)
	}
	p.order[s][i].Select(&p.places, p.place)
	signal := p.signalRanks[:n]
	p.places.Rank(signal)
	for b := range p.buckets {
		in := p.places.At[metrics.BucketStart(b, n, len(p.buckets)):metrics.BucketStart(b+1, n, len(p.buckets))]
		sum := 0.0
		for _, at := range in {
			sum += p.r[at]
		}
		p.buckets[b].n += len(in)
		p.buckets[b].sum += sum
	}
	p.ranked = p.ranked[:n]
	return metrics.RankProducts(p.ranked, signal, ranks), metrics.NonOverlapping(signal, ranks, p.h.Bars)
}

// pool closes up the mean tested series over the instruments present.
func (p *pairing) pool() {
	u, ranked, rows := p.pooled[:0], p.ranked[:0], p.pooledRows[:0]
	for k, n := range p.count {
		if n > 0 {
			u, ranked, rows = append(u, p.sum[k]/n), append(ranked, p.rankSum[k]/n), append(rows, int32(k))
		}
	}
	p.pooled, p.ranked, p.pooledRows = u, ranked, rows
	p.sums = p.byDay(u, rows)
}

// pooledRow fills the row over all instruments from theirs: n-weighted mean correlations, and the
// significance of the pooled series, whose length is in bars, not in pairs.
func (p *pairing) pooledRow(s int, row ICRow, each []ICRow) ICRow {
	var pearson, spearman, tau, n float64
	for i, r := range each {
		if math.IsNaN(float64(r.Pearson)) {
			continue
		}
		w := float64(r.N)
		n += w
		pearson += float64(w * float64(r.Pearson))
		spearman += float64(w * float64(r.Spearman))
		tau += float64(w * p.memory[s][i].tau)
	}
	if n == 0 {
		row.miss("no instrument has an information coefficient")
		return row
	}
	row.N = int(n)
	row.Pearson, row.Spearman = Figure(pearson/n), Figure(spearman/n)
	row.judge(metrics.Test(p.pooled, p.h.Bars, metrics.NonOverlappingMean(p.pooled, p.h.Bars)))
	row.judgeRanks(metrics.Test(p.ranked, p.h.Bars, metrics.NonOverlappingMean(p.ranked, p.h.Bars)))
	row.spans(len(p.pooled), tau/n)
	row.Daily = p.summarize(p.sums, &row)
	return row
}

// daySum is what the tested series adds up to over a day that has n of its values.
type daySum struct {
	day    daySpan
	sum, n float64
}

// byDay adds up u by UTC day, where there is any of it. rows are u's window rows, ascending.
func (p *pairing) byDay(u []float64, rows []int32) []daySum {
	out := make([]daySum, 0, len(p.days))
	for _, d := range p.days {
		x := daySum{day: d}
		at := 0
		for at < len(rows) && int(rows[at]) < d.hi-p.w.Lo {
			x.sum += u[at]
			at++
		}
		if u, rows = u[at:], rows[at:]; at > 0 {
			x.n = float64(at)
			out = append(out, x)
		}
	}
	return out
}

// dailyMeans are the means of a tested series by UTC day; days with fewer than a quarter of their bars are
// left out.
func (p *pairing) dailyMeans(sums []daySum) (days []datasets.Day, means []float64) {
	if p.tooLongForDays() {
		return nil, nil
	}
	for _, d := range sums {
		if 4*d.n >= float64(p.m.barsOf(d.day)) {
			days, means = append(days, d.day.day), append(means, d.sum/d.n)
		}
	}
	return days, means
}

func (p *pairing) tooLongForDays() bool {
	return time.Duration(p.h.Bars)*p.m.Every > dailyLimit
}

// summarize is the mean, std and ICIR of daily means; the row says why one is missing.
func (p *pairing) summarize(sums []daySum, row *ICRow) DailySummary {
	_, x := p.dailyMeans(sums)
	std := metrics.Std(x)
	out := DailySummary{N: len(x), Mean: Figure(metrics.Mean(x)), Std: Figure(std), ICIR: Figure(metrics.Mean(x) / std)}
	switch {
	case p.tooLongForDays():
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

// dailyRows are the days of the signal that was judged last.
func (p *pairing) dailyRows(signal string) []DailyIC {
	days, means := p.dailyMeans(p.sums)
	out := make([]DailyIC, len(days))
	for i, d := range days {
		out[i] = DailyIC{Signal: signal, Day: d.String(), IC: Figure(means[i])}
	}
	return out
}

// judge takes over what a test found.
func (r *ICRow) judge(s metrics.Significance) {
	r.NEffective, r.THansenHodrick, r.TNonOverlap = Figure(s.NEffective), Figure(s.HansenHodrick), Figure(s.NonOverlapping)
	r.T, r.TMethod, r.P = Figure(s.T), s.Method, Figure(s.P)
	if math.IsNaN(s.NonOverlapping) {
		r.reason("t_non_overlapping", "fewer than 3 pairs that do not overlap, or a constant among them")
	}
	r.lacks("t", s)
}

// judgeRanks is judge for the ranks.
func (r *ICRow) judgeRanks(s metrics.Significance) {
	r.SpearmanT, r.SpearmanP = Figure(s.T), Figure(s.P)
	r.lacks("spearman_t", s)
}

// lacks says why a headline t is missing, if it is.
func (r *ICRow) lacks(key string, s metrics.Significance) {
	switch {
	case s.Method == metrics.Insufficient:
		r.reason(key, "the sample spans fewer than 10 horizons")
	case math.IsNaN(s.T):
		r.reason(key, "fewer than 3 pairs that do not overlap, or a constant among them")
	}
}

// spans warns where the signal changed its mind fewer than ten times over n bars.
func (r *ICRow) spans(n int, tau float64) {
	if float64(n)/tau < metrics.FewSpans {
		r.Warnings = append(r.Warnings, FewSpans)
	}
}

// FewSpans marks rows of a signal that changed its mind fewer than ten times.
const FewSpans = "few_spans"

// miss says why a row has no figures at all.
func (r *ICRow) miss(why string) {
	for _, key := range []string{"pearson", "spearman", "spearman_t", "t", "daily"} {
		r.reason(key, why)
	}
}

func (r *ICRow) reason(key, why string) {
	if r.Reasons == nil {
		r.Reasons = map[string]string{}
	}
	r.Reasons[key] = why
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

// explain gives every figure that follows from another one that is missing the other's reason.
func (r *ICRow) explain() {
	for _, f := range []struct {
		key   string
		value Figure
		from  string
	}{
		{"n_effective", r.NEffective, "pearson"}, {"t_hansen_hodrick", r.THansenHodrick, "pearson"},
		{"t_non_overlapping", r.TNonOverlap, "pearson"}, {"spearman_t", r.SpearmanT, "spearman"}, {"spearman_p", r.SpearmanP, "spearman_t"}, {"p", r.P, "t"}, {"p_holm", r.PHolm, "t"},
		{"pearson_low", r.Low, "pearson"}, {"pearson_high", r.High, "pearson"},
	} {
		if _, said := r.Reasons[f.key]; math.IsNaN(float64(f.value)) && !said {
			r.reason(f.key, r.Reasons[f.from])
		}
	}
}

var null = Figure(math.NaN())
