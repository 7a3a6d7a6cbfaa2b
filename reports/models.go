package reports

import (
	"cmp"
	"slices"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/signals/llm"
)

// Models is what the language models of a study were worth, with some of their answers.
type Models struct {
	*opinions.Models
	Examples []Example `json:"examples"`
}

// Example is one answer of a model as it was given.
type Example struct {
	Model        string          `json:"model"`
	Instrument   string          `json:"instrument"`
	TS           string          `json:"ts"`     // the bar that was asked about
	Action       string          `json:"action"` // long, short, neutral or invalid
	Confidence   evaluate.Figure `json:"confidence"`
	PositionSize evaluate.Figure `json:"position_size"`
	Opinion      evaluate.Figure `json:"opinion"` // in [−2, 2]; an invalid one trades as 0
	Reasoning    string          `json:"reasoning"`
	Invalid      string          `json:"invalid,omitempty"` // why it does not fit the form
}

// Bounds of the examples: a report shows that models answered sensibly, the cache has every answer.
const (
	maxExamples  = 12
	maxReasoning = 400 // letters
)

func models(r *backtest.Result) *Models {
	if r.Models == nil {
		return nil
	}
	m := *r.Models
	m.Usage, m.Calibration, m.Reliability = list(m.Usage), list(m.Calibration), list(m.Reliability)
	m.Comparison, m.CutoffRows, m.Verdicts, m.Paired = list(m.Comparison), list(m.CutoffRows), list(m.Verdicts), list(m.Paired)
	m.Agreement.Pairs = list(m.Agreement.Pairs)
	return &Models{&m, examples(m.Opinions)}
}

// examples picks, for each model, its surest long and short and its first invalid answer.
func examples(o *llm.Opinions) []Example {
	out := []Example{}
	if o == nil {
		return out
	}
	for m, replies := range o.Replies {
		for _, kind := range []string{"long", "short", invalid} {
			best := -1
			for q, reply := range replies {
				if kindOf(reply) == kind && (best < 0 || reply.Answer.Confidence > replies[best].Answer.Confidence) {
					best = q
				}
			}
			if best >= 0 && len(out) < maxExamples {
				out = append(out, example(o.Config.Models[m].Name, o.Questions[best], replies[best]))
			}
		}
	}
	return out
}

// invalid stands for the action of an answer that does not fit the form.
const invalid = "invalid"

func kindOf(r llm.Reply) string {
	switch r.State {
	case llm.Valid:
		return r.Answer.Action
	case llm.Invalid:
		return invalid
	}
	return ""
}

func example(model string, q llm.Question, r llm.Reply) Example {
	e := Example{
		Model: model, Instrument: q.Instrument.String(), TS: stamp(q.Time), Action: kindOf(r),
		Confidence: nan, PositionSize: nan, Opinion: evaluate.Figure(r.Opinion), Invalid: clip(r.Reason, maxReasoning),
	}
	if r.State == llm.Valid {
		e.Confidence, e.PositionSize = evaluate.Figure(r.Answer.Confidence), evaluate.Figure(r.Answer.PositionSize)
		e.Reasoning = clip(r.Answer.Reasoning, maxReasoning)
	}
	return e
}

// names lists the models in the study's order.
func (m *Models) names() []string {
	var out []string
	for _, u := range m.Usage {
		if u.Model != evaluate.Pooled {
			out = append(out, u.Model)
		}
	}
	return out
}

// total is the usage of all models together; nil where there is none.
func (m *Models) total() *opinions.UsageRow {
	for k := range m.Usage {
		if m.Usage[k].Model == evaluate.Pooled {
			return &m.Usage[k]
		}
	}
	return nil
}

// compared is the row of a signal among the comparisons; nil where there is none.
func (m *Models) compared(signal string) *opinions.ComparisonRow {
	for k := range m.Comparison {
		if m.Comparison[k].Signal == signal {
			return &m.Comparison[k]
		}
	}
	return nil
}

// Suspects lists the verdicts that a reader must know, the worst first.
func (m *Models) Suspects() []opinions.ModelVerdict {
	worst := map[string]int{opinions.Contaminated: 0, opinions.Overlaps: 1, opinions.UnknownCutoff: 2}
	out := slices.DeleteFunc(slices.Clone(m.Verdicts), func(v opinions.ModelVerdict) bool { return v.Verdict == opinions.Clean })
	slices.SortStableFunc(out, func(a, b opinions.ModelVerdict) int { return cmp.Compare(worst[a.Verdict], worst[b.Verdict]) })
	return out
}
