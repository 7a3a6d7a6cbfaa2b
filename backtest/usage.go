package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/signals/llm"
)

// usageRows are what each model took, and "*", all of them together.
func (r *Result) usageRows() []UsageRow {
	o := r.Models.Opinions
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
		row.fill(r, study.OneModel+model.Name, cost, b.Latency)
		rows = append(rows, row)
	}
	sum.fill(r, study.Combined, spent, latency)
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
func (row *UsageRow) fill(r *Result, signal string, cost float64, latency []time.Duration) {
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
	earned, alone := r.totalReturn(signal), r.totalReturn(study.Composite)
	row.CostUSD, row.CostPerCall = Figure(cost), Figure(cost/float64(row.Calls))
	row.LatencyP50, row.LatencyP95 = Figure(metrics.Quantile(seconds, 0.5)), Figure(metrics.Quantile(seconds, 0.95))
	row.CostPerBp, row.CostPerBpMore = perBp(cost, earned), perBp(cost, earned-alone)
	if math.IsNaN(earned) {
		why.null("cost_per_bp_usd", &row.CostPerBp, unknownFunding)
	}
	if math.IsNaN(earned - alone) {
		why.null("cost_per_added_bp_usd", &row.CostPerBpMore, unknownFunding)
	}
	for key, f := range map[string]*Figure{
		"cost_usd": &row.CostUSD, "cost_per_call_usd": &row.CostPerCall, "latency_p50_seconds": &row.LatencyP50, "latency_p95_seconds": &row.LatencyP95,
	} {
		why.null(key, f, "the cache has no answer")
	}
	why.null("cost_per_bp_usd", &row.CostPerBp, "the run earned nothing")
	why.null("cost_per_added_bp_usd", &row.CostPerBpMore, "the run did not earn more than the composite alone")
	row.Reasons = why.given()
	tokens := llm.Usage{Prompt: row.PromptTokens, Complete: row.AnswerTokens}
	for _, m := range pricedModels(r.Models.Opinions.Config.Models) {
		row.AtPrices = append(row.AtPrices, PriceRow{m.Name, Figure(tokens.Cost(m))})
	}
}

// perBp is the cost of one basis point of a return; NaN unless something was earned.
func perBp(cost, earned float64) Figure {
	if !(earned > 0) {
		return null
	}
	return Figure(cost / (earned / basisPoint))
}

// pricedModels are those whose price is known: the study's, then those of the built-in list.
func pricedModels(study []llm.Model) []llm.Model {
	list := slices.DeleteFunc(slices.Clone(study), func(m llm.Model) bool { return !m.Priced() })
	for _, m := range llm.Prices() {
		if !slices.ContainsFunc(study, func(s llm.Model) bool { return s.Name == m.Name }) {
			list = append(list, m)
		}
	}
	return list
}

// pnl is a signal's row over the whole span.
func (r *Result) pnl(signal string) PnLRow {
	k := slices.IndexFunc(r.Evaluation.PnL, func(p PnLRow) bool { return p.Signal == signal && p.Window == All })
	return r.Evaluation.PnL[k]
}

func (r *Result) totalReturn(signal string) float64 { return float64(r.pnl(signal).TotalReturn) }

// comparisonRows put what was evaluated with and without models side by side.
func (r *Result) comparisonRows() []ComparisonRow {
	signals := []string{study.Composite}
	for _, p := range r.Models.Panels {
		signals = append(signals, p.Name)
	}
	var rows []ComparisonRow
	for _, signal := range append(signals, study.Combined) {
		run := signal
		if signal == study.Ensemble {
			run = study.Combined
		}
		p := r.pnl(run)
		row := ComparisonRow{
			Signal: signal, IC: null, T: null, TotalReturn: p.TotalReturn, Added: p.TotalReturn - r.pnl(study.Composite).TotalReturn,
			Sharpe: p.Sharpe, MaxDrawdown: p.MaxDrawdown, Fees: p.Fees, Trades: p.Trades,
		}
		why := reasons{}
		why.null("total_return", &row.TotalReturn, p.Reasons["total_return"])
		why.null("added_return", &row.Added, unknownFunding)
		why.null("sharpe", &row.Sharpe, p.Reasons["sharpe"])
		why.null("max_drawdown", &row.MaxDrawdown, p.Reasons["max_drawdown"])
		for _, ic := range r.Evaluation.IC {
			if ic.Signal == signal && ic.Instrument == Pooled && ic.Window == All && ic.Horizon == r.Study.Evaluation.PrimaryHorizon.String() {
				row.IC, row.T = ic.Pearson, ic.T
				why.null("ic", &row.IC, ic.Reasons["pearson"])
				why.null("t", &row.T, ic.Reasons["t"])
			}
		}
		row.Reasons = why.given()
		rows = append(rows, row)
	}
	return rows
}
