package opinions

import (
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/signals/llm"
)

// usageRows are what each model took, and "*", all of them together.
func (in *Input) usageRows() []UsageRow {
	o := in.Opinions
	var rows []UsageRow
	sum, spent := UsageRow{Model: "*"}, 0.0
	var latency []time.Duration
	for k, model := range o.Config.Models {
		b := o.Billed(k)
		row := UsageRow{
			Model: model.Name, Calls: b.Calls, Requests: b.Requests, Valid: b.Valid, Invalid: b.Invalid,
			Missing: o.MissingOf(k).Calls, PromptTokens: b.Usage.Prompt, AnswerTokens: b.Usage.Complete,
		}
		sum.add(row)
		cost := b.Usage.Cost(model)
		spent += cost
		latency = append(latency, b.Latency...)
		row.fill(in, study.OneModel+model.Name, cost, b.Latency)
		rows = append(rows, row)
	}
	sum.fill(in, study.Combined, spent, latency)
	return append(rows, sum)
}

// add counts a model's row in.
func (row *UsageRow) add(o UsageRow) {
	row.Calls += o.Calls
	row.Requests += o.Requests
	row.Valid += o.Valid
	row.Invalid += o.Invalid
	row.Missing += o.Missing
	row.PromptTokens += o.PromptTokens
	row.AnswerTokens += o.AnswerTokens
}

// fill completes a row whose calls and tokens are known; signal is the run that its cost is held against.
func (row *UsageRow) fill(in *Input, signal string, cost float64, latency []time.Duration) {
	why := reasons{}
	if row.Calls == 0 {
		why.all("the cache has no answer", "cost_per_call_usd", "latency_p50_seconds", "latency_p95_seconds")
	}
	if math.IsNaN(cost) {
		why.all("the price is not known", "cost_usd", "cost_per_call_usd", "cost_per_bp_usd", "cost_per_added_bp_usd")
	}
	seconds := make([]float64, len(latency))
	for k, d := range latency {
		seconds[k] = d.Seconds()
	}
	run, alone := in.PnL(signal), in.PnL(study.Composite)
	earned := float64(run.Of("total_return"))
	more := earned - float64(alone.Of("total_return"))
	row.CostUSD, row.CostPerCall = evaluate.Figure(cost), evaluate.Figure(cost/float64(row.Calls))
	row.LatencyP50, row.LatencyP95 = evaluate.Figure(metrics.Quantile(seconds, 0.5)), evaluate.Figure(metrics.Quantile(seconds, 0.95))
	row.CostPerBp, row.CostPerBpMore = perBp(cost, earned), perBp(cost, more)
	if math.IsNaN(earned) {
		why.null("cost_per_bp_usd", &row.CostPerBp, unknownReturn(run))
	}
	if math.IsNaN(more) {
		why.null("cost_per_added_bp_usd", &row.CostPerBpMore, unknownReturn(run, alone))
	}
	for key, f := range map[string]*evaluate.Figure{
		"cost_usd": &row.CostUSD, "cost_per_call_usd": &row.CostPerCall, "latency_p50_seconds": &row.LatencyP50, "latency_p95_seconds": &row.LatencyP95,
	} {
		why.null(key, f, "the cache has no answer")
	}
	why.null("cost_per_bp_usd", &row.CostPerBp, "the run earned nothing")
	why.null("cost_per_added_bp_usd", &row.CostPerBpMore, "the run did not earn more than the composite alone")
	row.Reasons = why.given()
	tokens := llm.Usage{Prompt: row.PromptTokens, Complete: row.AnswerTokens}
	for _, m := range pricedModels(in.Opinions.Config.Models) {
		row.AtPrices = append(row.AtPrices, PriceRow{m.Name, evaluate.Figure(tokens.Cost(m))})
	}
}

const basisPoint = 1e-4

// perBp is the cost of one basis point of a return; NaN unless something was earned.
func perBp(cost, earned float64) evaluate.Figure {
	if !(earned > 0) {
		return null
	}
	return evaluate.Figure(cost / (earned / basisPoint))
}

// pricedModels are those whose price is known: the study's, then those of the built-in list.
func pricedModels(own []llm.Model) []llm.Model {
	list := slices.DeleteFunc(slices.Clone(own), func(m llm.Model) bool { return !m.Priced() })
	for _, m := range llm.Prices() {
		if !slices.ContainsFunc(own, func(s llm.Model) bool { return s.Name == m.Name }) {
			list = append(list, m)
		}
	}
	return list
}
