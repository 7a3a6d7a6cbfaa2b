package study

import (
	"slices"

	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// shown is one value of a prompt's summary: the factor that it is unless the study names another.
type SummaryValue struct {
	Kind   string
	Params factors.Params
	Named  func(SummaryConfig) string
	Value  func(*llm.Summary) *float64
}

var SummaryValues = []SummaryValue{
	{"momentum", factors.Params{"window": "7d"}, func(s SummaryConfig) string { return s.Momentum1W }, func(s *llm.Summary) *float64 { return &s.Momentum1W }},
	{"momentum", factors.Params{"window": "30d"}, func(s SummaryConfig) string { return s.Momentum1M }, func(s *llm.Summary) *float64 { return &s.Momentum1M }},
	{"volatility", factors.Params{"window": "20d"}, func(s SummaryConfig) string { return s.Volatility }, func(s *llm.Summary) *float64 { return &s.Volatility }},
	{"vol_regime", nil, func(s SummaryConfig) string { return s.Regime }, func(s *llm.Summary) *float64 { return &s.Regime }},
	{"liquidity_score", nil, func(s SummaryConfig) string { return s.LiquidityScore }, func(s *llm.Summary) *float64 { return &s.LiquidityScore }},
	{"funding", nil, func(s SummaryConfig) string { return s.FundingRate }, func(s *llm.Summary) *float64 { return &s.FundingRate }},
	{"ofi", nil, func(s SummaryConfig) string { return s.OrderFlowImbalance }, func(s *llm.Summary) *float64 { return &s.OrderFlowImbalance }},
}

// summaryWarmup is how far back prompts want to look, in days: the month of momentum, after which a regime exists, too.
const summaryWarmup = 30

// promptsAhead reports whether there are prompts that know the whole sample, by the composite or by a factor that
// they show.
func (s *Study) PromptsAhead() bool {
	if s.Signals.LLM == nil {
		return false
	}
	knowing := s.FullSampleFactors()
	return s.NormalizesAhead() || slices.ContainsFunc(SummaryValues, func(v SummaryValue) bool {
		return slices.Contains(knowing, v.Named(s.Signals.LLM.Summary))
	})
}

// fields are the market fields that the value is computed from.
func (v SummaryValue) Fields() []string {
	fields, err := factors.Needs(v.Kind, v.Params)
	if err != nil {
		panic("study: " + err.Error())
	}
	return fields
}

// summaryFactors are, by value of the summary, the factor that a prompt shows: one of the study's, or one of its own,
// which is not judged and lies in own. Its name is empty where these bars or this market cannot have it.
func (s *Study) SummaryFactors(g *factors.Grid, has func(field string) bool, study []factors.Factor) (names []string, own []factors.Factor) {
	for _, v := range SummaryValues {
		name := v.Named(s.Signals.LLM.Summary)
		if name == "" {
			f, err := factors.Make(OwnPrefix+v.Kind+v.Params["window"], v.Kind, v.Params, g)
			same := slices.IndexFunc(study, func(g factors.Factor) bool { return g.Key == f.Key })
			switch {
			case err != nil: // a window in time, of bars that have no length
			case same >= 0:
				name = study[same].Name
			case !slices.ContainsFunc(v.Fields(), func(field string) bool { return !has(field) }):
				name = f.Name
				own = append(own, f)
			}
		}
		names = append(names, name)
	}
	return names, own
}

// OwnPrefix begins the names of factors that only prompts show; no factor of a study may have one.
const OwnPrefix = "llm "
