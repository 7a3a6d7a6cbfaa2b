package study

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// variableName is the form of an environment variable's name; empty for none.
var variableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)?$`)

// checkLLM reads the templates and checks the section against the factors and the bars. file is
// where the study stands.
func (s *Study) checkLLM(p *yamlconf.Positions, g *factors.Grid, file string) {
	l := s.Signals.LLM
	if l == nil {
		return
	}
	l.file = file
	const at = "signals.llm"
	switch w := l.Cadence; {
	case w.Time <= 0:
		p.Errorf(at+".cadence", "%v, want a length of time such as 1d", w)
	case w.Time%(24*3600*1e9) != 0 && (24*3600*1e9)%w.Time != 0:
		p.Errorf(at+".cadence", "%v, want whole days or a part of one that divides it", w)
	case g.Every > 0:
		if _, err := w.In(g); err != nil {
			p.Errorf(at+".cadence", "%v", err)
		}
	}
	if !variableName.MatchString(l.APIKeyEnv) { // it may be a key: neither it nor its line is shown
		p.Errorf("", "%s.api_key_env: want the name of an environment variable, such as HOLYSHEEP_API_KEY, and never a key itself", at)
	}
	if u, err := url.Parse(l.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		p.Errorf("", "%s.base_url: want an address without a key, such as %s", at, defaultLLM().BaseURL)
	} else if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/chat/completions") {
		p.Errorf(at+".base_url", "want the address without /chat/completions, which requests add")
	}
	weights := 0.0
	for i, m := range l.Models {
		weights += m.Weight
		if l.BudgetUSD != nil && !m.Priced() {
			p.Errorf(fmt.Sprintf("%s.models[%d]", at, i), "%s has no price, and there is a budget: give its input_usd and output_usd, or leave budget_usd out", m.Name)
		}
	}
	if l.Ensemble == llm.Weighted && weights == 0 {
		p.Errorf(at+".models", "no model has a weight: want one of more than 0")
	}
	if l.Combine.Mode != llm.Blend {
		if p.Has(at+".combine.weight") && l.Combine.Weight != 0 {
			p.Errorf(at+".combine.weight", "%s has no weight: want it with mode: blend", l.Combine.Mode)
		}
		l.Combine.Weight = 0
	}
	for _, f := range []struct{ key, factor string }{
		{"momentum_1w", l.Summary.Momentum1W}, {"momentum_1m", l.Summary.Momentum1M}, {"volatility", l.Summary.Volatility},
		{"regime", l.Summary.Regime}, {"liquidity_score", l.Summary.LiquidityScore}, {"funding_rate", l.Summary.FundingRate},
		{"order_flow_imbalance", l.Summary.OrderFlowImbalance},
	} {
		if f.factor != "" {
			s.checkFactorOf(p, at+".summary."+f.key, f.factor, "one at all", func(factors.Kind) bool { return true })
		}
	}
	for _, t := range []struct {
		key string
		*Template
	}{{at + ".system_template", &l.SystemTemplate}, {at + ".user_template", &l.UserTemplate}} {
		if t.Path == "" {
			continue
		}
		path := t.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		text, err := yamlconf.ReadFile(path)
		if err == nil && len(text) > maxTemplate {
			err = fmt.Errorf("%s: more than %d kB: this is not a template", path, maxTemplate>>10)
		}
		if err != nil {
			p.Errorf(t.key, "%v", err)
			continue
		}
		if t.Text = string(text); t.Text == "" {
			p.Errorf(t.key, "%s is empty", path)
		}
	}
	if _, err := l.Config(); err != nil {
		p.Errorf(at, "%v", err)
	}
}

// maxTemplate bounds a template's file, in bytes.
const maxTemplate = 1 << 18
