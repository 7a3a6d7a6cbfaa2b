package study

import (
	"fmt"
	"slices"
	"strings"

	"github.com/qf-dev/qf/factors"
)

// FactorInfo says what a factor of a study is made of.
type FactorInfo struct {
	Name         string   `json:"name"`
	Expr         string   `json:"expr,omitempty"`    // of a formula of the study's own
	Kind         string   `json:"kind,omitempty"`    // else the kind with its parameters, as a formula calls it
	Formula      string   `json:"formula,omitempty"` // of a kind
	LookbackBars int      `json:"lookback_bars"`     // up to and including its own that a value may depend on
	Inputs       []string `json:"inputs"`            // bar columns, those of references as close["bybit:BTCUSDT"], and series
	Feeds        []string `json:"feeds"`             // that carry the bar columns: of several that would do the one to fetch
}

// Described says what each of the study's factors is made of, in their order.
func (s *Study) Described() ([]FactorInfo, error) {
	made, err := s.MakeFactors(s.Grid())
	if err != nil {
		return nil, err
	}
	scope := s.scope()
	list := make([]FactorInfo, len(s.Factors))
	for k, c := range s.Factors {
		info := FactorInfo{Name: c.Name, Expr: c.Expr, LookbackBars: made[k].Lookback, Inputs: scope.Inputs(c.Name), Feeds: []string{}}
		if kind, err := factors.Find(c.Kind); err == nil {
			info.Kind, info.Formula = c.call(kind), kind.Formula
		}
		for _, name := range info.Inputs {
			field, _, _ := strings.Cut(name, "[")
			feed := string(factors.FieldFeeds(field)[0])
			if slices.Contains(scope.Series, name) {
				feed = "series"
			}
			if !slices.Contains(info.Feeds, feed) {
				info.Feeds = append(info.Feeds, feed)
			}
		}
		if len(info.Inputs) == 0 {
			info.Inputs = []string{}
		}
		list[k] = info
	}
	return list, nil
}

// call writes a kind with the parameters that the study gives, as a formula calls it.
func (f FactorConfig) call(kind factors.Kind) string {
	var given []string
	for _, p := range kind.Params {
		if v, ok := f.Params[p.Name]; ok {
			given = append(given, fmt.Sprintf("%s = %s", p.Name, v))
		}
	}
	return kind.Name + "(" + strings.Join(given, ", ") + ")"
}
