package backtest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// recall takes what models said, to questions before row n, from another result: by the key of each call. Where
// prompts look ahead those of the two differ.
func (r *Result) recall(was *Models, n int) error {
	if was == nil || r.Study.PromptsAhead() {
		return nil
	}
	questions := slices.DeleteFunc(r.questions(), func(q llm.Question) bool { return q.Row >= n })
	calls, err := was.Opinions.Config.Calls(questions)
	if err != nil {
		return fmt.Errorf("signals.llm: %w", err)
	}
	said := map[llm.Key]llm.Reply{}
	for _, list := range was.Opinions.Replies {
		for _, reply := range list {
			said[reply.Key] = reply
		}
	}
	o := &llm.Opinions{Config: was.Opinions.Config, Questions: questions, Replies: make([][]llm.Reply, len(calls))}
	for m, list := range calls {
		for _, call := range list {
			reply := said[call.Key()]
			reply.Key = call.Key()
			o.Replies[m] = append(o.Replies[m], reply)
		}
	}
	r.Models = r.models(o)
	return nil
}

// prompts has, at the bars whose question was put to the first model, the first 13 digits of that call's key as a
// number, which stands for every byte of the prompt; 0 at the others.
func (r *Result) prompts() *factors.Panel {
	cols := make([][]float64, len(r.Market.Instruments))
	for i := range cols {
		cols[i] = make([]float64, r.Market.Len())
	}
	for q, question := range r.Models.Opinions.Questions {
		digits, err := strconv.ParseUint(string(r.Models.Opinions.Replies[0][q].Key[:13]), 16, 64)
		if err != nil {
			panic("backtest: a key that is no number")
		}
		cols[r.Market.column(question.Instrument)][question.Row] = float64(digits)
	}
	return factors.NewPanel("prompt", r.Market.Grid, cols...)
}
