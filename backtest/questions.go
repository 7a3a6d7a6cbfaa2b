package backtest

import (
	"context"
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// Questions lists what the study asks its models, by time, then instrument: at the first bar after
// each multiple of the cadence, counted from 00:00 UTC, whose composite exists. Nothing in a question is later than its
// bar. A study without models has none.
func Questions(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) ([]llm.Question, error) {
	if s.Signals.LLM == nil {
		return nil, nil
	}
	if _, err := streamed(ctx, lake, s, o); err != nil { // a study of too many trades asks no models
		return nil, err
	}
	r, err := production.composed(ctx, lake, s, o)
	if err != nil {
		return nil, err
	}
	return r.questions(), nil
}

// questions are those of the evaluated span.
func (r *Result) questions() []llm.Question {
	l, g := r.Study.Signals.LLM, r.Market.Grid
	cadence, closes := l.Cadence.Time.Microseconds(), r.Market.Panel("close")
	var out []llm.Question
	asked := make([]int64, len(g.Instruments))
	for t := r.Span.Lo; t < r.Span.Hi; t++ {
		stretch := (g.Close[t]-1)/cadence + 1 // a bar labelled with a boundary is the last before it
		for i, in := range g.Instruments {
			if stretch == asked[i] || math.IsNaN(r.Score.Col(i)[t]) {
				continue
			}
			asked[i] = stretch
			out = append(out, llm.Question{Instrument: in, Row: t, Time: g.Close[t], Close: closes.Col(i)[t], Summary: r.summarize(t, i)})
		}
	}
	return out
}

// summarize is what a prompt says about instrument i at row t.
func (r *Result) summarize(t, i int) llm.Summary {
	s := llm.Summary{Composite: r.Score.Col(i)[t]}
	missing := math.NaN()
	if r.Study.Signals.LLM.Summary.Missing == "zero" {
		missing = 0
	}
	for k, v := range study.SummaryValues {
		x := v.Value(&s)
		if *x = missing; r.shown[k] == nil {
			continue
		}
		if now := r.shown[k].Col(i)[t]; !math.IsNaN(now) {
			*x = now
		}
	}
	return s
}
