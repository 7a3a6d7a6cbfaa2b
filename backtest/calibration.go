package backtest

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/signals/llm"
)

// told is a valid answer and what came of it.
type told struct {
	question   int
	time       int64
	instrument int
	side       float64 // 1 long, −1 short, 0 neutral
	confidence float64
	opinion    float64
	forward    float64 // log return of the market from the fill of the decision on, over the cadence
}

// hit reports whether the market went the answer's way.
func (a told) hit() bool { return a.side*a.forward > 0 }

// told lists the valid answers of model m whose forward return is known, in the order of the questions.
func (r *Result) told(o *llm.Opinions, m int) []told {
	var out []told
	for q, reply := range o.Replies[m] {
		question := o.Questions[q]
		a := told{question: q, time: question.Time, instrument: r.Market.column(question.Instrument), confidence: reply.Answer.Confidence, opinion: reply.Opinion}
		if a.forward = r.forward(question.Row, a.instrument); reply.State != llm.Valid || math.IsNaN(a.forward) {
			continue
		}
		switch reply.Answer.Action {
		case "long":
			a.side = 1
		case "short":
			a.side = -1
		}
		out = append(out, a)
	}
	return out
}

// forward is the log return of instrument i from the fill of a decision at row t to that of one a cadence
// later; NaN where a price is missing or past the span's end.
func (r *Result) forward(t, i int) float64 {
	g, delay := r.Market.Grid, r.Study.Execution.Delay
	next, _ := slices.BinarySearch(g.Close, g.Close[t]+r.Study.Signals.LLM.Cadence.Time.Microseconds())
	if next+delay >= r.Span.Hi {
		return math.NaN()
	}
	x := r.Market.Panel(r.Study.Execution.Price).Col(i)
	if a, b := x[t+delay], x[next+delay]; priced(a) && priced(b) {
		return math.Log(b / a)
	}
	return math.NaN()
}

// sides leaves out the answers that take none.
func sides(list []told) []told {
	return slices.DeleteFunc(slices.Clone(list), func(a told) bool { return a.side == 0 })
}

// score sums up answers that take a side.
type score struct {
	n                                   int
	confidence, hits, brier, meanReturn float64 // means
}

func scoreOf(list []told) score {
	s := score{n: len(list)}
	for _, a := range list {
		hit := 0.0
		if a.hit() {
			hit = 1
		}
		s.confidence += a.confidence
		s.hits += hit
		s.brier += float64((a.confidence - hit) * (a.confidence - hit))
		s.meanReturn += float64(a.side * a.forward)
	}
	n := float64(s.n)
	s.confidence, s.hits, s.brier, s.meanReturn = s.confidence/n, s.hits/n, s.brier/n, s.meanReturn/n
	return s
}

const (
	noSides = "no valid answer takes a side and has a forward return"
	oneTime = "fewer than two times of asking, or all with the same value"
)

// reasons collects why figures of a row are null, by their key.
type reasons map[string]string

func (why reasons) all(text string, keys ...string) {
	for _, key := range keys {
		why[key] = text
	}
}

// null makes a figure that is no number null and says why, unless that was said before.
func (why reasons) null(key string, f *Figure, text string) {
	if metrics.Defined(float64(*f)) {
		return
	}
	if *f = null; why[key] == "" {
		why[key] = text
	}
}

// given is nil where there is no reason.
func (why reasons) given() map[string]string {
	if len(why) == 0 {
		return nil
	}
	return why
}

// calibrationRow compares what a model believed with what came of it.
func (r *Result) calibrationRow(model string, list []told) CalibrationRow {
	taken := sides(list)
	s := scoreOf(taken)
	row := CalibrationRow{
		Model: model, Horizon: r.Models.Cadence, N: s.n, Neutral: len(list) - s.n,
		Confidence: Figure(s.confidence), HitRate: Figure(s.hits), Brier: Figure(s.brier), BrierSkill: Figure(1 - s.brier/(s.hits*(1-s.hits))),
		MeanReturn: Figure(s.meanReturn), T: Figure(timeT(taken, func(a told) float64 { return a.side * a.forward })),
	}
	why := reasons{}
	if s.n == 0 {
		why.all(noSides, "confidence", "hit_rate", "brier", "brier_skill", "mean_return", "t")
	}
	why.null("brier_skill", &row.BrierSkill, "every answer was right, or none")
	why.null("t", &row.T, oneTime)
	row.Reasons = why.given()
	return row
}

const reliabilityBins = 10

// reliabilityRows cut the answers that take a side by their confidence.
func reliabilityRows(model string, list []told) []ReliabilityRow {
	bins := make([][]told, reliabilityBins)
	for _, a := range sides(list) {
		k := min(int(a.confidence*reliabilityBins), reliabilityBins-1)
		bins[k] = append(bins[k], a)
	}
	var rows []ReliabilityRow
	for k, bin := range bins {
		s := scoreOf(bin)
		row := ReliabilityRow{
			Model: model, Bin: k + 1, From: float64(k) / reliabilityBins, To: float64(k+1) / reliabilityBins,
			N: s.n, Confidence: Figure(s.confidence), HitRate: Figure(s.hits),
		}
		if s.n == 0 {
			const why = "no answer has such a confidence"
			row.Reasons = map[string]string{"confidence": why, "hit_rate": why}
		}
		rows = append(rows, row)
	}
	return rows
}

// byTime is the mean of a figure over the answers to each time of asking, in time order: instruments
// move together, and so count as one.
func byTime(list []told, f func(told) float64) []float64 {
	var out []float64
	for from := 0; from < len(list); {
		sum, to := 0.0, from
		for ; to < len(list) && list[to].time == list[from].time; to++ {
			sum += f(list[to])
		}
		out = append(out, sum/float64(to-from))
		from = to
	}
	return out
}

// timeT is the t statistic of the mean of byTime. One horizon ends where the next begins, so that its values do not overlap.
func timeT(list []told, f func(told) float64) float64 {
	x := byTime(list, f)
	return metrics.Mean(x) / (metrics.Std(x) / math.Sqrt(float64(len(x))))
}
