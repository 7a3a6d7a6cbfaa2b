package backtest

import (
	"context"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// shown is one value of a prompt's summary: the factor that it is unless the study names another.
type shown struct {
	kind   string
	params factors.Params
	named  func(Summary) string
	value  func(*llm.Summary) *float64
}

var summary = []shown{
	{"momentum", factors.Params{"window": "7d"}, func(s Summary) string { return s.Momentum1W }, func(s *llm.Summary) *float64 { return &s.Momentum1W }},
	{"momentum", factors.Params{"window": "30d"}, func(s Summary) string { return s.Momentum1M }, func(s *llm.Summary) *float64 { return &s.Momentum1M }},
	{"volatility", factors.Params{"window": "20d"}, func(s Summary) string { return s.Volatility }, func(s *llm.Summary) *float64 { return &s.Volatility }},
	{"vol_regime", nil, func(s Summary) string { return s.Regime }, func(s *llm.Summary) *float64 { return &s.Regime }},
	{"liquidity_score", nil, func(s Summary) string { return s.LiquidityScore }, func(s *llm.Summary) *float64 { return &s.LiquidityScore }},
	{"funding", nil, func(s Summary) string { return s.FundingRate }, func(s *llm.Summary) *float64 { return &s.FundingRate }},
	{"ofi", nil, func(s Summary) string { return s.OrderFlowImbalance }, func(s *llm.Summary) *float64 { return &s.OrderFlowImbalance }},
}

// summaryWarmup is how far back prompts want to look, in days: the month of momentum, after which a regime exists, too.
const summaryWarmup = 30

// Questions lists what the study asks its models, by time, then instrument: at the first bar after
// each multiple of the cadence, counted from 00:00 UTC, whose composite exists. Nothing in a question is later than its
// bar. A study without models has none.
func Questions(ctx context.Context, lake *datasets.Lake, s *Study, o Options) ([]llm.Question, error) {
	if s.Signals.LLM == nil {
		return nil, nil
	}
	if _, err := s.streamed(ctx, lake, o); err != nil { // a study of too many trades asks no models
		return nil, err
	}
	r, err := production.composed(ctx, lake, s, o)
	if err != nil {
		return nil, err
	}
	return r.questions(), nil
}

// summaryFactors are, by value of the summary, the factor that a prompt shows: one of the study's, or one of its own,
// which is not judged and lies in own. Its name is empty where these bars or this market cannot have it.
func (s *Study) summaryFactors(market *factors.Frame, study []factors.Factor) (names []string, own []factors.Factor) {
	for _, v := range summary {
		name := v.named(s.Signals.LLM.Summary)
		if name == "" {
			f, err := factors.Make(llmOwn+v.kind+v.params["window"], v.kind, v.params, market.Grid)
			same := slices.IndexFunc(study, func(g factors.Factor) bool { return g.Key == f.Key })
			switch {
			case err != nil: // a window in time, of bars that have no length
			case same >= 0:
				name = study[same].Name
			case v.lacks(market) == "":
				name = f.Name
				own = append(own, f)
			}
		}
		names = append(names, name)
	}
	return names, own
}

// promptsAhead reports whether there are prompts that know the whole sample, by the composite or by a factor that
// they show.
func (s *Study) promptsAhead() bool {
	if s.Signals.LLM == nil {
		return false
	}
	knowing := s.knowing()
	return s.normalizesAhead() || slices.ContainsFunc(summary, func(v shown) bool {
		return slices.Contains(knowing, v.named(s.Signals.LLM.Summary))
	})
}

// llmOwn begins the names of factors that only prompts show; no factor of a study may have one.
const llmOwn = "llm "

// lacks is a market field that the value needs and the market does not have.
func (v shown) lacks(market *factors.Frame) string {
	for _, field := range v.fields() {
		if market.Panel(field) == nil {
			return field
		}
	}
	return ""
}

// fields are the market fields that the value is computed from.
func (v shown) fields() []string {
	fields, err := factors.Needs(v.kind, v.params)
	if err != nil {
		panic("backtest: " + err.Error())
	}
	return fields
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
	for k, v := range summary {
		x := v.value(&s)
		if *x = missing; r.shown[k] == nil {
			continue
		}
		if now := r.shown[k].Col(i)[t]; !math.IsNaN(now) {
			*x = now
		}
	}
	return s
}
