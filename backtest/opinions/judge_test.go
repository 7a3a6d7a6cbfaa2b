package opinions

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

const notKnown = "net PnL is not known"

// earned are runs of which only the total return is known, and that there were as many trades as per cents of it.
func earned(returns map[string]float64) func(signal string) evaluate.PnLRow {
	return func(signal string) evaluate.PnLRow {
		r, ok := returns[signal]
		if !ok {
			panic("nobody traded " + signal)
		}
		row := evaluate.PnLRow{Signal: signal, Window: evaluate.All, Figures: map[string]evaluate.Figure{}, Reasons: map[string]string{}}
		for _, key := range []string{"sharpe", "max_drawdown", "fees"} {
			row.Figures[key], row.Reasons[key] = null, "it is not looked at"
		}
		row.Figures["total_return"], row.Figures["trades"] = evaluate.Figure(r), evaluate.Figure(math.Round(100*r))
		if math.IsNaN(r) {
			row.Figures["trades"], row.Reasons["total_return"] = 0, notKnown
		}
		return row
	}
}

// Two models, three questions. a answers all, in 1, 2 and 4 s and with 1000 prompt and 100 answer tokens each, once
// after a repair; at 2 and 10 USD a million that is 3·(1000·2 + 100·10)/1e6 = 0.009 USD, and at b's 4 and 4
// 3300·4/1e6 = 0.0132. b answers one, invalid, and lacks two. The run with a earns 3 %, 100 bp more than the
// composite's 2 %: 0.009/300 and 0.009/100 USD a basis point. Both together earn nothing.
func TestUsageByHand(t *testing.T) {
	ask := func(key string, state llm.State, calls int, seconds float64) llm.Reply {
		return llm.Reply{Key: llm.Key(key), State: state, Calls: calls, Prompt: 1000, Complete: 100, Latency: time.Duration(seconds * 1e9)}
	}
	o := &llm.Opinions{
		Config:    llm.Config{Models: []llm.Model{{Name: "a", Input: 2, Output: 10}, {Name: "b", Input: 4, Output: 4}}},
		Questions: make([]llm.Question, 3),
		Replies: [][]llm.Reply{
			{ask("1", llm.Valid, 1, 1), ask("2", llm.Valid, 2, 4), ask("3", llm.Valid, 1, 2)},
			{ask("4", llm.Missing, 0, 0), ask("5", llm.Invalid, 2, 3), ask("6", llm.Missing, 0, 0)},
		},
	}
	in := &Input{Opinions: o, PnL: earned(map[string]float64{study.Composite: 0.02, "llm:a": 0.03, "llm:b": math.NaN(), study.Combined: -0.01})}
	rows := in.usageRows()
	a, b, all := rows[0], rows[1], rows[2]
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"cost", float64(a.CostUSD), 0.009}, {"cost per call", float64(a.CostPerCall), 0.003},
		{"median latency", float64(a.LatencyP50), 2}, {"latency", float64(a.LatencyP95), 3.8},
		{"cost of a basis point", float64(a.CostPerBp), 0.009 / 300}, {"of one more", float64(a.CostPerBpMore), 0.009 / 100},
		{"at its own price", float64(a.AtPrices[0].CostUSD), 0.009}, {"at b's price", float64(a.AtPrices[1].CostUSD), 0.0132},
		{"cost of both", float64(all.CostUSD), 0.009 + 0.0044},
	} {
		if math.Abs(c.got-c.want) > 1e-12*c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if a.Requests != 4 || a.Calls != 3 || b.Missing != 2 || b.Invalid != 1 || all.Calls != 4 || all.Requests != 6 || all.PromptTokens != 4000 {
		t.Errorf("%+v\n%+v\n%+v", a, b, all)
	}
	if b.Reasons["cost_per_bp_usd"] != notKnown || b.Reasons["cost_per_added_bp_usd"] != notKnown || all.Reasons["cost_per_bp_usd"] != "the run earned nothing" {
		t.Errorf("reasons %v and %v", b.Reasons, all.Reasons)
	}
}

// Four questions, of which two models answer three validly: long and long, long and short, neutral and short. They agree
// in one of three; the commonest action has all of them once and half of them twice.
func TestAgreementByHand(t *testing.T) {
	say := func(action string, opinion float64) llm.Reply {
		return llm.Reply{State: llm.Valid, Answer: llm.Answer{Action: action}, Opinion: opinion}
	}
	o := &llm.Opinions{
		Config:    llm.Config{Models: []llm.Model{{Name: "a"}, {Name: "b"}}},
		Questions: make([]llm.Question, 4),
		Replies: [][]llm.Reply{
			{say("long", 1), say("long", 2), say("neutral", 0), say("short", -1)},
			{say("long", 0.5), say("short", -1), say("short", -0.5), {State: llm.Invalid}},
		},
	}
	s := agreement(o)
	third := evaluate.Figure(1.0 / 3)
	if s.Questions != 3 || math.Abs(float64(s.Mean)-2.0/3) > 1e-15 || s.Unanimous != third || s.Opposed != third {
		t.Errorf("%+v", s)
	}
	want := metrics.Pearson([]float64{1, 2, 0}, []float64{0.5, -1, -0.5})
	if p := s.Pairs[0]; p.N != 3 || p.Same != third || float64(p.Correlation) != want {
		t.Errorf("%+v, want a correlation of %v", p, want)
	}
}

// Three questions at two times: the plain answers are right on both sides they take at the first time, the anonymized
// ones on one. Differences by time are 0.5 and 0 in hits, so that t = 0.25/(√0.125/√2) = 1; the third
// answer is neutral in one form and counts for returns alone.
func TestPairedByHand(t *testing.T) {
	at := func(time int64, side, forward float64) outcome {
		return outcome{time: time, side: side, forward: forward}
	}
	row := pairedRow("m", []pair{
		{at(1, 1, 0.02), at(1, 1, 0.02)},
		{at(1, -1, -0.01), at(1, 1, -0.01)},
		{at(2, 1, 0.03), at(2, 1, 0.03)},
		{at(2, 0, 0.04), at(2, 1, 0.04)},
	})
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"same action", float64(row.SameAction), 0.5}, {"plain hits", float64(row.HitRatePlain), 1}, {"anonymized hits", float64(row.HitRateAnonymized), 2.0 / 3},
		{"difference", float64(row.HitRateDifference), 1.0 / 3}, {"t", float64(row.HitRateT), 1},
		{"plain return", float64(row.MeanReturnPlain), 0.015}, {"anonymized return", float64(row.MeanReturnAnonymized), 0.02},
		// by time: (0 + 0.02)/2 = 0.01 and (0 − 0.04)/2 = −0.02
		{"t of returns", float64(row.MeanReturnT), -0.005 / (math.Sqrt(0.00045) / math.Sqrt2)},
	} {
		if math.Abs(c.got-c.want) > 1e-14 {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
}

// The IC of opinions is weighted by how many each instrument has: a perfect one of four and a perfectly wrong one of
// three give (4 − 3)/7; an instrument with two answers has none.
func TestOpinionICByHand(t *testing.T) {
	var list []outcome
	for i, n := range []int{4, 3, 2} {
		sign := []float64{1, -1, 1}[i]
		for k := range n {
			list = append(list, outcome{instrument: i, opinion: float64(k), forward: sign * float64(k)})
		}
	}
	if got := opinionIC(list, 3); math.Abs(got-1.0/7) > 1e-15 {
		t.Errorf("%v, want 1/7", got)
	}
}

// What is compared is what was evaluated: pooled IC at the primary horizon and the PnL of the whole span.
func TestComparisonRows(t *testing.T) {
	pnl := earned(map[string]float64{study.Composite: 0.02, "llm:a": 0.05, study.Combined: 0.04})
	in := &Input{
		Study:    &study.Study{Evaluation: study.EvaluationConfig{PrimaryHorizon: factors.Window{Bars: 6}}},
		Opinions: &llm.Opinions{Config: llm.Config{Models: []llm.Model{{Name: "a"}}}}, PnL: pnl,
		IC: []evaluate.ICRow{
			{Signal: "llm", Instrument: "x", Window: evaluate.All, Horizon: "6", Pearson: 9}, {Signal: "llm", Instrument: evaluate.Pooled, Window: "0", Horizon: "6", Pearson: 9},
			{Signal: "llm", Instrument: evaluate.Pooled, Window: evaluate.All, Horizon: "1", Pearson: 9}, {Signal: "llm", Instrument: evaluate.Pooled, Window: evaluate.All, Horizon: "6", Pearson: 0.1, T: 2},
		},
	}
	rows := in.comparisonRows()
	if len(rows) != 4 || rows[1].Signal != "llm" || rows[1].IC != 0.1 || rows[1].T != 2 || rows[1].TotalReturn != 0.04 || rows[1].Trades != 4 ||
		math.Abs(float64(rows[2].Added)-0.03) > 1e-15 || rows[3].Signal != study.Combined || rows[0].Added != 0 {
		t.Errorf("%+v", rows)
	}
}

// judged plays a study and judges what was said.
func judged(t *testing.T, p *play) (*Models, []error) {
	t.Helper()
	got, err := p.listen(t, p.listener(t, true), 64)
	if err != nil {
		t.Fatal(err)
	}
	m, warnings, err := Judge(Input{
		Study: p.study, Opinions: got.said, Forward: got.forward, Instruments: p.grid.Instruments, Span: p.span, Windows: []study.Span{p.span},
		PnL: earned(map[string]float64{study.Composite: 0.02, "llm:a": 0.03, "llm:b": math.NaN(), study.Combined: 0.01}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, warnings
}

// Every figure that is null has a reason, whatever was answered.
func TestNullsHaveReasons(t *testing.T) {
	for name, answer := range map[string]func(int, llm.Question) string{
		"all":  follows,
		"none": func(int, llm.Question) string { return "" },
		"one alone": func(model int, q llm.Question) string {
			if model == 1 {
				return ""
			}
			return follows(model, q)
		},
		"invalid": func(int, llm.Question) string { return "I would rather not say." },
	} {
		p := newPlay(t, 5)
		p.study.Signals.LLM.OnMissing = study.MissingNeutral
		p.span.From, p.span.To = p.close[p.span.Lo-1], p.close[p.span.Hi-1]
		for k := range p.study.Signals.LLM.Models {
			p.study.Signals.LLM.Models[k].KnowledgeCutoff = datasets.DayOf(p.close[p.span.Hi-1])
		}
		p.fill(t, answer)
		m, _ := judged(t, p)
		if len(m.Usage) != 3 || len(m.Calibration) != 2 || len(m.Reliability) != 20 || len(m.CutoffRows) != 4 || len(m.Verdicts) != 2 || len(m.Comparison) != 5 {
			t.Errorf("%s: %+v", name, m)
		}
		nullsHaveReasons(t, m)
	}
}

// nullsHaveReasons looks for nulls without a reason, and reasons of what is not null.
func nullsHaveReasons(t *testing.T, m *Models) {
	t.Helper()
	text, err := json.Marshal([]any{m.Usage, m.Calibration, m.Reliability, m.Agreement, m.Agreement.Pairs, m.Comparison, m.CutoffRows, m.Verdicts, m.Paired})
	if err != nil {
		t.Fatal(err)
	}
	var lists []any
	if err := json.Unmarshal(text, &lists); err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		rows, ok := list.([]any)
		if !ok {
			rows = []any{list}
		}
		for _, row := range rows {
			fields := row.(map[string]any)
			why, _ := fields["reasons"].(map[string]any)
			for key, value := range fields {
				if said, _ := why[key].(string); value == nil && said == "" && key != "ic" && key != "t" { // there is no ICRow
					t.Errorf("%s is null without a reason in %v", key, fields)
				}
			}
			for key := range why {
				if value, ok := fields[key]; !ok || value != nil {
					t.Errorf("a reason for %s, which is %v", key, value)
				}
			}
		}
	}
}

// The same questions with the other form of prompts in the cache are compared in pairs, and what was said to both
// names the run.
func TestPairedPrompts(t *testing.T) {
	p := newPlay(t, 6)
	p.study.Signals.LLM.OnMissing = study.MissingNeutral
	p.fill(t, follows)
	alone, _ := judged(t, p)
	if len(alone.Paired) != 0 {
		t.Errorf("one form is paired: %+v", alone.Paired)
	}
	p.study.Signals.LLM.Anonymize = true
	p.fill(t, func(model int, q llm.Question) string {
		switch {
		case model == 1:
			return ""
		case q.Instrument.Symbol == "ETHUSDT":
			return `{"action": "neutral", "confidence": 0.5, "position_size": 0, "reasoning": "?"}`
		}
		return follows(model, q)
	})
	for _, anonymize := range []bool{false, true} {
		p.study.Signals.LLM.Anonymize = anonymize
		m, _ := judged(t, p)
		if len(m.Paired) != 1 || m.Paired[0].Model != "a" || m.Paired[0].HitRateDifference != 0 {
			t.Fatalf("paired %+v", m.Paired)
		}
		o := m.Opinions
		if anonymize {
			o = m.other
		}
		var list []outcome // the plain answers
		in := Input{Forward: p.definition(t).forward, Instruments: p.grid.Instruments}
		list = in.outcomes(o, 0)
		plain, ofB := 0.0, 0
		for _, a := range list {
			plain += a.gain()
			ofB += a.instrument
		}
		row := m.Paired[0]
		if got := float64(row.MeanReturnPlain); math.Abs(got-plain/float64(len(list))) > 1e-15 || row.N != len(list) {
			t.Errorf("plain answers earned %v over %d, want %v over %d", got, row.N, plain/float64(len(list)), len(list))
		}
		if want := 1 - float64(ofB)/float64(len(list)); math.Abs(float64(row.SameAction)-want) > 1e-15 {
			t.Errorf("the same action in %v, want %v", row.SameAction, want)
		}
		nullsHaveReasons(t, m)
		var one, both strings.Builder
		if err := alone.WriteReplies(&one); err != nil {
			t.Fatal(err)
		}
		if err := m.WriteReplies(&both); err != nil {
			t.Fatal(err)
		}
		if strings.Count(one.String(), "\n") != 1 || strings.Count(both.String(), "\n") != 2 {
			t.Error("replies do not stand in a line for each form of prompts")
		}
	}
}

// A model that knows each outcome up to its cut-off is named in a warning; one that follows the composite is not.
func TestContaminatedModelIsNamed(t *testing.T) {
	p := newPlay(t, 7)
	p.study.Signals.LLM.Cadence.Time = 20 * time.Minute
	p.span.From, p.span.To = p.close[p.span.Lo-1], p.close[p.span.Hi-1]
	p.study.Signals.LLM.OnMissing = study.MissingNeutral
	cutoff := datasets.Day(19001) // the middle of the rows
	for k := range p.study.Signals.LLM.Models {
		p.study.Signals.LLM.Models[k].KnowledgeCutoff = cutoff
	}
	silent, err := p.listen(t, p.listener(t, false), 64)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]float64{}
	for q, question := range silent.said.Questions {
		known[question.String()] = silent.forward[q]
	}
	p.fill(t, func(model int, q llm.Question) string {
		if model == 0 && q.Time <= cutoff.Start() {
			q.Summary.Composite = known[q.String()]
		}
		return follows(0, q)
	})
	m, warnings := judged(t, p)
	if v := m.Verdicts; v[0].Verdict != Contaminated || v[1].Verdict != Overlaps {
		t.Errorf("verdicts %+v", v)
	}
	if rows := m.CutoffRows; rows[0].HitRate != 1 || rows[0].Brier > 0.21 || rows[1].HitRate > 0.7 {
		t.Errorf("%+v", rows)
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0].Error(), "a is contaminated") {
		t.Errorf("warnings %v", warnings)
	}
}
