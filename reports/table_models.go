package reports

import (
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
)

// comparisonGrid has the study with and without its models.
func comparisonGrid(m *Models) grid {
	g := grid{Caption: "With and without the models", Note: "In the rows of models IC and t are those of the opinion alone; the rest is of the composite combined with it."}
	g.Head = []heading{
		{Text: "Score"}, {Text: "IC", Title: "at the primary horizon", Numeric: true},
		{Text: "t", Numeric: true}, {Text: "Return", Numeric: true},
		{Text: "Added, points", Title: "return less that of the composite alone", Numeric: true},
		{Text: "Sharpe", Numeric: true}, {Text: "Drawdown", Numeric: true}, {Text: "Fees", Numeric: true}, {Text: "Fills", Numeric: true},
	}
	for _, r := range m.Comparison {
		name := signalName(r.Signal)
		if r.Signal == study.Composite {
			name = "composite alone"
		}
		g.Rows = append(g.Rows, []entry{
			words(name),
			figure(r.IC, signed(r.IC, 4), r.Reasons["ic"]),
			figure(r.T, signed(r.T, 2), r.Reasons["t"]),
			figure(r.TotalReturn, percent(r.TotalReturn, 2), r.Reasons["total_return"]),
			figure(r.Added, signed(r.Added*100, 2), r.Reasons["added_return"]),
			figure(r.Sharpe, signed(r.Sharpe, 2), r.Reasons["sharpe"]),
			figure(r.MaxDrawdown, percent(r.MaxDrawdown, 2), r.Reasons["max_drawdown"]),
			figure(r.Fees, plain(r.Fees, 0), r.Reasons["fees"]),
			figure(r.Trades, count(float64(r.Trades)), r.Reasons["trades"]),
		})
	}
	return g
}

// usageGrid has what each model was asked and how it answered.
func usageGrid(m *Models) grid {
	g := grid{Caption: "Answers and tokens", Head: []heading{
		{Text: "Model"}, {Text: "Answers", Numeric: true}, {Text: "Valid", Numeric: true}, {Text: "Invalid", Title: "traded as neutral", Numeric: true},
		{Text: "Missing", Title: "not in the cache, traded as neutral", Numeric: true},
		{Text: "Requests", Title: "billed: repairs of invalid answers count", Numeric: true},
		{Text: "Tokens in", Numeric: true}, {Text: "Tokens out", Numeric: true},
		{Text: "Median, s", Title: "latency", Numeric: true}, {Text: "95%, s", Title: "latency that 95% of the calls stay below", Numeric: true},
	}}
	for _, u := range m.Usage {
		g.Rows = append(g.Rows, []entry{
			words(allWords(u.Model)), integer(u.Calls), integer(u.Valid), integer(u.Invalid), integer(u.Missing), integer(u.Requests),
			integer(u.PromptTokens), integer(u.AnswerTokens),
			figure(u.LatencyP50, plain(u.LatencyP50, 1), u.Reasons["latency_p50_seconds"]),
			figure(u.LatencyP95, plain(u.LatencyP95, 1), u.Reasons["latency_p95_seconds"]),
		})
	}
	return g
}

// costGrid has what the answers cost.
func costGrid(m *Models) grid {
	g := grid{Caption: "Cost, USD", Head: []heading{
		{Text: "Model"}, {Text: "Whole", Numeric: true}, {Text: "Per answer", Numeric: true},
		{Text: "Per basis point", Title: "by basis point that the run with this model earned on the initial capital", Numeric: true},
		{Text: "Per added basis point", Title: "by basis point that it earned more than the composite alone", Numeric: true},
	}}
	for _, u := range m.Usage {
		g.Rows = append(g.Rows, []entry{
			words(allWords(u.Model)),
			figure(u.CostUSD, usd(u.CostUSD), u.Reasons["cost_usd"]),
			figure(u.CostPerCall, usd(u.CostPerCall), u.Reasons["cost_per_call_usd"]),
			figure(u.CostPerBp, usd(u.CostPerBp), u.Reasons["cost_per_bp_usd"]),
			figure(u.CostPerBpMore, usd(u.CostPerBpMore), u.Reasons["cost_per_added_bp_usd"]),
		})
	}
	return g
}

// pricesGrid has what the same tokens would have cost elsewhere: a column for each priced model.
func pricesGrid(m *Models) grid {
	g := grid{Caption: "What the same tokens would cost with each priced model, USD"}
	for _, u := range m.Usage {
		if len(u.AtPrices) == 0 {
			continue
		}
		if g.Head == nil {
			g.Head = []heading{{Text: "Tokens of"}}
			for _, p := range u.AtPrices {
				g.Head = append(g.Head, heading{Text: p.Model, Numeric: true})
			}
		}
		line := []entry{words(allWords(u.Model))}
		for _, p := range u.AtPrices {
			line = append(line, figure(p.CostUSD, usd(p.CostUSD), ""))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}

func allWords(model string) string {
	if model == evaluate.Pooled {
		return "all"
	}
	return model
}

// calibrationGrid sets each model's confidence against how often it was right.
func calibrationGrid(m *Models) grid {
	g := grid{Caption: "Calibration", Head: []heading{
		{Text: "Model"}, {Text: "Over", Title: "horizon of the forward return", Numeric: true},
		{Text: "Answers", Title: "valid ones that take a side", Numeric: true}, {Text: "Neutral", Numeric: true},
		{Text: "Confidence", Title: "mean", Numeric: true}, {Text: "Hit rate", Numeric: true},
		{Text: "Brier score", Title: "mean of (confidence − hit)²: 0 is perfect, 0.25 is a coin", Numeric: true},
		{Text: "Brier skill", Title: "above 0, the confidence says more than its mean would", Numeric: true},
		{Text: "Mean return, bps", Title: "log, of the action's sign", Numeric: true}, {Text: "t", Title: "of the mean return", Numeric: true},
	}}
	for _, r := range m.Calibration {
		g.Rows = append(g.Rows, []entry{
			words(r.Model), {Text: r.Horizon, Key: r.Horizon, Numeric: true}, integer(r.N), integer(r.Neutral),
			figure(r.Confidence, share(r.Confidence, 1), r.Reasons["confidence"]),
			figure(r.HitRate, share(r.HitRate, 1), r.Reasons["hit_rate"]),
			figure(r.Brier, plain(r.Brier, 3), r.Reasons["brier"]),
			figure(r.BrierSkill, signed(r.BrierSkill, 3), r.Reasons["brier_skill"]),
			figure(r.MeanReturn, signed(r.MeanReturn*1e4, 1), r.Reasons["mean_return"]),
			figure(r.T, signed(r.T, 2), r.Reasons["t"]),
		})
	}
	return g
}

// reliabilityGrid has the tenths of confidence that hold answers.
func reliabilityGrid(m *Models) grid {
	g := grid{Caption: "Confidence against hit rate", Head: []heading{
		{Text: "Model"}, {Text: "Confidence", Numeric: true}, {Text: "Answers", Numeric: true}, {Text: "Mean", Numeric: true}, {Text: "Hit rate", Numeric: true},
	}}
	for _, r := range m.Reliability {
		if r.N == 0 {
			continue
		}
		between := share(evaluate.Figure(r.From), 0) + " to " + share(evaluate.Figure(r.To), 0)
		g.Rows = append(g.Rows, []entry{
			words(r.Model), {Text: between, Key: decimal(r.From), Numeric: true}, integer(r.N),
			figure(r.Confidence, share(r.Confidence, 1), r.Reasons["confidence"]),
			figure(r.HitRate, share(r.HitRate, 1), r.Reasons["hit_rate"]),
		})
	}
	return g
}

// cutoffGrid sets what each model did before its knowledge cut-off against what it did after it.
func cutoffGrid(m *Models) grid {
	g := grid{Caption: "Before and after the knowledge cut-off", Head: []heading{
		{Text: "Model"}, {Text: "Cut-off"}, {Text: "Period"}, {Text: "Answers", Numeric: true}, {Text: "Hit rate", Numeric: true},
		{Text: "IC", Numeric: true}, {Text: "Brier score", Numeric: true}, {Text: "Mean return, bps", Numeric: true},
	}}
	for _, r := range m.CutoffRows {
		g.Rows = append(g.Rows, []entry{
			words(r.Model), {Text: r.Cutoff, Class: "fixed"}, words(r.Period), integer(r.N),
			figure(r.HitRate, share(r.HitRate, 1), r.Reasons["hit_rate"]),
			figure(r.IC, signed(r.IC, 4), r.Reasons["ic"]),
			figure(r.Brier, plain(r.Brier, 3), r.Reasons["brier"]),
			figure(r.MeanReturn, signed(r.MeanReturn*1e4, 1), r.Reasons["mean_return"]),
		})
	}
	return g
}

// agreementGrid has how far each two models agree.
func agreementGrid(m *Models) grid {
	g := grid{Caption: "Do the models agree?", Note: m.agreeSentence(), Head: []heading{
		{Text: "Model"}, {Text: "Other"}, {Text: "Questions", Numeric: true},
		{Text: "Same action", Numeric: true}, {Text: "Correlation", Title: "of the opinions", Numeric: true},
	}}
	for _, r := range m.Agreement.Pairs {
		g.Rows = append(g.Rows, []entry{
			words(r.Model), words(r.Other), integer(r.N),
			figure(r.Same, share(r.Same, 1), r.Reasons["same_action"]),
			figure(r.Correlation, signed(r.Correlation, 2), r.Reasons["correlation"]),
		})
	}
	return g
}

// pairedGrid sets the answers to anonymized prompts against those to plain ones.
func pairedGrid(m *Models) grid {
	g := grid{Caption: "Anonymized and plain prompts", Note: "The same questions with and without names, dates and price level."}
	g.Head = []heading{
		{Text: "Model"}, {Text: "Figure"}, {Text: "Questions", Title: "answered validly in both forms", Numeric: true}, {Text: "Same action", Numeric: true},
		{Text: "Anonymized", Numeric: true}, {Text: "Plain", Numeric: true},
		{Text: "Difference", Title: "plain less anonymized", Numeric: true}, {Text: "t", Title: "of the difference", Numeric: true},
	}
	for _, r := range m.Paired {
		line := []entry{words(r.Model), words("hit rate"), integer(r.N), figure(r.SameAction, share(r.SameAction, 1), r.Reasons["same_action"])}
		g.Rows = append(g.Rows, append(slices.Clip(line),
			figure(r.HitRateAnonymized, share(r.HitRateAnonymized, 1), r.Reasons["hit_rate_anonymized"]),
			figure(r.HitRatePlain, share(r.HitRatePlain, 1), r.Reasons["hit_rate_plain"]),
			figure(r.HitRateDifference, percent(r.HitRateDifference, 1), r.Reasons["hit_rate_difference"]),
			figure(r.HitRateT, signed(r.HitRateT, 2), r.Reasons["hit_rate_t"])))
		line = slices.Clone(line)
		line[1] = words("mean return, bps")
		g.Rows = append(g.Rows, append(line,
			figure(r.MeanReturnAnonymized, signed(r.MeanReturnAnonymized*1e4, 1), r.Reasons["mean_return_anonymized"]),
			figure(r.MeanReturnPlain, signed(r.MeanReturnPlain*1e4, 1), r.Reasons["mean_return_plain"]),
			figure(r.MeanReturnDifference, signed(r.MeanReturnDifference*1e4, 1), r.Reasons["mean_return_difference"]),
			figure(r.MeanReturnT, signed(r.MeanReturnT, 2), r.Reasons["mean_return_t"])))
	}
	return g
}
