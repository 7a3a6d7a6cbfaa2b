package opinions

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/signals/llm"
)

// questioner finds the bars at which models are asked, by time, then instrument: the first after each multiple of the
// cadence, counted from 00:00 UTC, whose composite exists. Nothing in a question is later than its bar.
type questioner struct {
	instruments []datasets.Instrument
	cadence     int64   // µs
	lo, hi      int     // rows at which it may ask
	shown       []int   // by study.SummaryValues: the factor shown, or −1
	missing     float64 // what a prompt shows of a value that is not there

	until []int64 // by instrument: the last label of the stretch in which it was asked about
	least int64   // of until
	list  []llm.Question
}

func newQuestioner(c *study.LLMConfig, instruments []datasets.Instrument, span study.Span, shown []int) *questioner {
	q := &questioner{
		instruments: instruments, cadence: c.Cadence.Time.Microseconds(), lo: span.Lo, hi: span.Hi, shown: shown,
		missing: math.NaN(), until: slices.Repeat([]int64{math.MinInt64}, len(instruments)), least: math.MinInt64,
	}
	if c.Summary.Missing == "zero" {
		q.missing = 0
	}
	return q
}

// next lists the questions of a block's rows; the list is valid until the next one.
func (q *questioner) next(b *bars.Block, score, closes [][]float64, columns [][][]float64) []llm.Question {
	q.list = q.list[:0]
	for t := max(b.Lo, q.lo); t < min(b.Hi, q.hi); t++ {
		k := t - b.Lo
		label := b.Close[k]
		if label <= q.least {
			continue
		}
		for i, in := range q.instruments {
			if label <= q.until[i] || math.IsNaN(score[i][k]) {
				continue
			}
			q.until[i] = ((label-1)/q.cadence + 1) * q.cadence // a bar labelled with a boundary is the last before it
			q.list = append(q.list, llm.Question{
				Instrument: in, Row: t, Time: label, Close: closes[i][k], Summary: q.summary(score[i][k], columns, i, k),
			})
		}
		q.least = slices.Min(q.until)
	}
	return q.list
}

// summary is what a prompt says about instrument i at row k of a block.
func (q *questioner) summary(composite float64, columns [][][]float64, i, k int) llm.Summary {
	s := llm.Summary{Composite: composite}
	for v, value := range study.SummaryValues {
		x := q.missing
		if f := q.shown[v]; f >= 0 && !math.IsNaN(columns[f][i][k]) {
			x = columns[f][i][k]
		}
		*value.Value(&s) = x
	}
	return s
}
