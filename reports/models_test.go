package reports

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/signals/llm"
)

// modelSample is the invented run, with two invented models.
func modelSample(t testing.TB, sh shape) *sampled {
	r := sample(t, sh)
	asked := []string{"deepseek-v3.2", "gemini-2.5-flash"}
	r.Traded = study.Combined
	r.Figures.Distribution[0].Signal = study.Combined
	ev := r.Figures
	for _, signal := range []string{study.Ensemble, study.OneModel + asked[0], study.OneModel + asked[1], study.Combined} {
		ev.IC = append(ev.IC, renamed(ev.IC, signal, func(r *evaluate.ICRow) *string { return &r.Signal })...)
		ev.Levels = append(ev.Levels, renamed(ev.Levels, signal, func(r *evaluate.LevelRow) *string { return &r.Signal })...)
		ev.Transitions = append(ev.Transitions, renamed(ev.Transitions, signal, func(r *evaluate.TransitionRow) *string { return &r.Signal })...)
		ev.Slices = append(ev.Slices, renamed(ev.Slices, signal, func(r *evaluate.SliceRow) *string { return &r.Signal })...)
		ev.Quantiles = append(ev.Quantiles, renamed(ev.Quantiles, signal, func(r *evaluate.QuantileRow) *string { return &r.Signal })...)
		if signal != study.Ensemble {
			ev.PnL = append(ev.PnL, renamed(ev.PnL, signal, func(r *evaluate.PnLRow) *string { return &r.Signal })...)
		}
	}
	for k := range ev.Daily {
		ev.Daily[k].Signal = study.Combined
	}
	m := &opinions.Models{
		Mode: llm.Blend, Weight: 0.3, Ensemble: llm.Mean, Cadence: "1d", Questions: 180,
		Agreement: opinions.AgreementSummary{Questions: 176, Mean: 0.83, Unanimous: 0.66, Opposed: 0.11, Pairs: []opinions.AgreementRow{
			{Model: asked[0], Other: asked[1], N: 176, Same: 0.66, Correlation: 0.48},
		}},
		Opinions: sampleOpinions(r, asked),
	}
	for k, name := range append(slices.Clone(asked), evaluate.Pooled) {
		u := opinions.UsageRow{
			Model: name, Calls: 180, Requests: 184, Valid: 178, Invalid: 2, PromptTokens: 61_200, AnswerTokens: 16_300,
			CostUSD: 0.0326 * evaluate.Figure(1+5*k), CostPerCall: 0.00018, LatencyP50: 2.4, LatencyP95: 6.9, CostPerBp: 0.0004, CostPerBpMore: nan,
			Reasons:  map[string]string{"cost_per_added_bp_usd": "the models added nothing"},
			AtPrices: []opinions.PriceRow{{Model: asked[0], CostUSD: 0.0326}, {Model: asked[1], CostUSD: 0.194}, {Model: "claude-sonnet-4.5", CostUSD: 1.16}},
		}
		m.Usage = append(m.Usage, u)
	}
	for k, name := range asked {
		m.Calibration = append(m.Calibration, opinions.CalibrationRow{
			Model: name, Horizon: "1d", N: 131, Neutral: 47, Confidence: 0.68, HitRate: 0.53 + 0.04*evaluate.Figure(k), Brier: 0.271, BrierSkill: -0.09, MeanReturn: 0.0011, T: 0.9,
		})
		for bin := range 10 {
			row := opinions.ReliabilityRow{Model: name, Bin: bin + 1, From: float64(bin) / 10, To: float64(bin+1) / 10, Confidence: nan, HitRate: nan}
			if bin >= 5 && bin < 9 {
				row.N, row.Confidence, row.HitRate = 20+8*bin*(9-bin), evaluate.Figure(row.From)+0.05, 0.5+0.03*evaluate.Figure(bin-5+k)
			}
			m.Reliability = append(m.Reliability, row)
		}
		for _, period := range []string{"before", "after"} {
			m.CutoffRows = append(m.CutoffRows, opinions.CutoffRow{Model: name, Cutoff: "2024-02-01", Period: period, N: 60, HitRate: 0.55, IC: 0.03, Brier: 0.26, MeanReturn: 0.001})
		}
		m.Paired = append(m.Paired, opinions.PairedRow{Model: name, N: 120, SameAction: 0.8, HitRateAnonymized: 0.51, HitRatePlain: 0.54, HitRateDifference: 0.03, HitRateT: 0.7, MeanReturnT: nan})
	}
	for k, signal := range []string{study.Composite, study.Ensemble, study.OneModel + asked[0], study.OneModel + asked[1], study.Combined} {
		m.Comparison = append(m.Comparison, opinions.ComparisonRow{
			Signal: signal, IC: 0.021 + 0.004*evaluate.Figure(k), T: 1.4, TotalReturn: 0.012 + 0.01*evaluate.Figure(k), Added: 0.01 * evaluate.Figure(k),
			Sharpe: 0.8, MaxDrawdown: -0.09, Fees: 3100, Trades: 412,
		})
	}
	m.Verdicts = []opinions.ModelVerdict{
		{Model: asked[0], Cutoff: "2024-02-01", Verdict: opinions.Contaminated, P: 0.003, Text: "It was right in 71 % of its answers before its cut-off and in 49 % after it."},
		{Model: asked[1], Verdict: opinions.UnknownCutoff, P: nan, Text: "The study names no knowledge cut-off."},
	}
	r.Models = m
	return r
}

// renamed copies the composite's rows under another signal's name.
func renamed[T any](rows []T, signal string, name func(*T) *string) []T {
	var out []T
	for _, r := range rows {
		if *name(&r) == study.Composite {
			*name(&r) = signal
			out = append(out, r)
		}
	}
	return out
}

func sampleOpinions(r *sampled, asked []string) *llm.Opinions {
	o := &llm.Opinions{}
	for _, name := range asked {
		o.Config.Models = append(o.Config.Models, llm.Model{Name: name})
		o.Replies = append(o.Replies, nil)
	}
	for d := range 10 {
		row := r.Span.Lo + d
		o.Questions = append(o.Questions, llm.Question{Instrument: btc, Row: row, Time: r.Grid.Close[row]})
		for m := range asked {
			reply := llm.Reply{State: llm.Valid, Calls: 1, Latency: time.Second, Answer: llm.Answer{
				Action: []string{"long", "short", "neutral"}[d%3], Confidence: 0.5 + 0.04*float64(d), PositionSize: []float64{0.5, -0.5, 0}[d%3],
				Reasoning: "Momentum of a week and of a month agree, and volatility is low.",
			}}
			if d == 5 {
				reply = llm.Reply{State: llm.Invalid, Reason: "confidence is 85, want 0 to 1"}
			}
			reply.Opinion = reply.Answer.Opinion()
			o.Replies[m] = append(o.Replies[m], reply)
		}
	}
	return o
}

func TestModelSection(t *testing.T) {
	run := finishedResult(t, modelSample(t, small))
	if run.Report.Score != study.Combined {
		t.Fatalf("score %q, want what is traded: %q", run.Report.Score, study.Combined)
	}
	page := render(t, HTML, run)
	for _, want := range []string{
		"What did the models add?", "&#43;4.0 points of return", "composite alone", "deepseek-v3.2", "contaminated", "cut-off not known",
		"Is a model as right as it says?", "Brier score", "What the same tokens would cost", "claude-sonnet-4.5", "the models added nothing",
		"Anonymized and plain prompts", "Same action", "confidence is 85, want 0 to 1", "Momentum of a week",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	text := render(t, Text, run)
	for _, want := range []string{"What do the models add?  +4.0 points of return", "without them", "deepseek-v3.2: contaminated (and 1 more)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > screenLines+modelLines {
		t.Errorf("the summary has %d lines, want at most %d", n, screenLines+modelLines)
	}
}

// A run without models says nothing of them, in no document.
func TestNoModels(t *testing.T) {
	run := finished(t, small)
	for f, bad := range map[Format]string{HTML: "models", JSON: `"models"`, Text: "models"} {
		if out := render(t, f, run); strings.Contains(out, bad) {
			t.Errorf("%s of a run without models contains %q", f, bad)
		}
	}
}

func TestExamplesAreFewAndShort(t *testing.T) {
	r := modelSample(t, small)
	for m := range 9 {
		r.Models.Opinions.Config.Models = append(r.Models.Opinions.Config.Models, llm.Model{Name: "more"})
		replies := slices.Clone(r.Models.Opinions.Replies[m%2])
		for q := range replies {
			replies[q].Answer.Reasoning = strings.Repeat("ß", 100_000)
		}
		r.Models.Opinions.Replies = append(r.Models.Opinions.Replies, replies)
	}
	got := New(r.Result).Models.Examples
	if len(got) != maxExamples {
		t.Errorf("%d examples, want %d", len(got), maxExamples)
	}
	kinds := map[string]bool{}
	for _, e := range got {
		kinds[e.Action] = true
		if n := len([]rune(e.Reasoning)); n > maxReasoning {
			t.Errorf("a reasoning of %d letters, want at most %d", n, maxReasoning)
		}
	}
	if !kinds["long"] || !kinds["short"] || !kinds[invalid] {
		t.Errorf("the examples show only %v", kinds)
	}
	if got[0].Confidence != 0.86 {
		t.Errorf("the first long has confidence %v, want the surest, 0.86", got[0].Confidence)
	}
}

// The interval of 8 hits in 10 by Wilson's formula, worked by hand: z² = 3.8415, the middle is
// (0.8 + 0.192073)/(1.384146) = 0.716740, half the width 1.959964/1.384146·√(0.016 + 0.009604) = 0.226577.
func TestWilson(t *testing.T) {
	lo, hi := wilson(0.8, 10)
	if math.Abs(lo-0.490163) > 1e-6 || math.Abs(hi-0.943317) > 1e-6 {
		t.Errorf("8 of 10: [%.6f, %.6f], want [0.490163, 0.943317]", lo, hi)
	}
	for _, p := range []float64{0, 1} {
		if lo, hi := wilson(p, 3); lo < -1e-12 || hi > 1+1e-12 || lo > p || hi < p {
			t.Errorf("%v of 3: [%v, %v]", p, lo, hi)
		}
	}
}
