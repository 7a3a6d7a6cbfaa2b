package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

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
	r := &Result{Models: &Models{Opinions: o}, Evaluation: &Evaluated{PnL: []PnLRow{
		{Signal: study.Composite, Window: All, TotalReturn: 0.02}, {Signal: "llm:a", Window: All, TotalReturn: 0.03},
		{Signal: "llm:b", Window: All, TotalReturn: null}, {Signal: study.Combined, Window: All, TotalReturn: -0.01},
	}}}
	rows := r.usageRows()
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
	if b.Reasons["cost_per_bp_usd"] != unknownFunding || all.Reasons["cost_per_bp_usd"] != "the run earned nothing" {
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
	third := Figure(1.0 / 3)
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
	at := func(time int64, side, forward float64) told { return told{time: time, side: side, forward: forward} }
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
	var list []told
	for i, n := range []int{4, 3, 2} {
		sign := []float64{1, -1, 1}[i]
		for k := range n {
			list = append(list, told{instrument: i, opinion: float64(k), forward: sign * float64(k)})
		}
	}
	if got := opinionIC(list, 3); math.Abs(got-1.0/7) > 1e-15 {
		t.Errorf("%v, want 1/7", got)
	}
}

// What is compared is what was evaluated: pooled IC at the primary horizon and the PnL of the whole span.
func TestComparisonRows(t *testing.T) {
	g := &factors.Grid{}
	s := &study.Study{Evaluation: study.EvaluationConfig{PrimaryHorizon: factors.Window{Bars: 6}}}
	r := &Result{Study: s, Models: &Models{Panels: []*factors.Panel{factors.NewPanel("llm", g), factors.NewPanel("llm:a", g)}}, Evaluation: &Evaluated{
		PnL: []PnLRow{
			{Signal: study.Composite, Window: All, TotalReturn: 0.02}, {Signal: "llm:a", Window: All, TotalReturn: 0.05}, {Signal: study.Combined, Window: All, TotalReturn: 0.04, Trades: 7},
			{Signal: study.Combined, Window: "0", TotalReturn: 9},
		},
		IC: []ICRow{
			{Signal: "llm", Instrument: "x", Window: All, Horizon: "6", Pearson: 9}, {Signal: "llm", Instrument: Pooled, Window: "0", Horizon: "6", Pearson: 9},
			{Signal: "llm", Instrument: Pooled, Window: All, Horizon: "1", Pearson: 9}, {Signal: "llm", Instrument: Pooled, Window: All, Horizon: "6", Pearson: 0.1, T: 2},
		},
	}}
	rows := r.comparisonRows()
	if len(rows) != 4 || rows[1].Signal != "llm" || rows[1].IC != 0.1 || rows[1].T != 2 || rows[1].TotalReturn != 0.04 || rows[1].Trades != 7 ||
		math.Abs(float64(rows[2].Added)-0.03) > 1e-15 || rows[3].Signal != study.Combined || rows[0].Added != 0 {
		t.Errorf("%+v", rows)
	}
}
