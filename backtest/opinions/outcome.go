package opinions

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/signals/llm"
)

// outcome is a valid answer and what came of it.
type outcome struct {
	question   int
	time       int64
	instrument int
	side       float64 // 1 long, −1 short, 0 neutral
	confidence float64
	opinion    float64
	forward    float64 // log return of the market from the fill of the decision on, over the cadence
}

// hit reports whether the market went the answer's way.
func (a outcome) hit() bool { return a.side*a.forward > 0 }

// gain is the forward return on the answer's side.
func (a outcome) gain() float64 { return float64(a.side * a.forward) }

// outcomes lists the valid answers of model m whose forward return is known, in the order of the questions.
func (in *Input) outcomes(o *llm.Opinions, m int) []outcome {
	var out []outcome
	for q, reply := range o.Replies[m] {
		if reply.State != llm.Valid || math.IsNaN(in.Forward[q]) {
			continue
		}
		question := o.Questions[q]
		a := outcome{
			question: q, time: question.Time, instrument: slices.Index(in.Instruments, question.Instrument),
			confidence: reply.Answer.Confidence, opinion: reply.Opinion, forward: in.Forward[q],
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

// sides leaves out the answers that take none.
func sides(list []outcome) []outcome {
	return slices.DeleteFunc(slices.Clone(list), func(a outcome) bool { return a.side == 0 })
}

// score sums up answers that take a side.
type score struct {
	n                                   int
	confidence, hits, brier, meanReturn float64 // means
}

func scoreOf(list []outcome) score {
	s := score{n: len(list)}
	for _, a := range list {
		hit := share(a.hit())
		s.confidence += a.confidence
		s.hits += hit
		s.brier += float64((a.confidence - hit) * (a.confidence - hit))
		s.meanReturn += a.gain()
	}
	n := float64(s.n)
	s.confidence, s.hits, s.brier, s.meanReturn = s.confidence/n, s.hits/n, s.brier/n, s.meanReturn/n
	return s
}

// share is 1 for a hit, else 0.
func share(hit bool) float64 {
	if hit {
		return 1
	}
	return 0
}

// byTime is the mean of a figure over the answers to each time of asking, in time order: instruments
// move together, and so count as one.
func byTime(list []outcome, f func(outcome) float64) []float64 {
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

// timeT is the t statistic of the mean of byTime. One cadence ends where the next begins, so that its values do not
// overlap.
func timeT(list []outcome, f func(outcome) float64) float64 {
	x := byTime(list, f)
	return metrics.Mean(x) / (metrics.Std(x) / math.Sqrt(float64(len(x))))
}
