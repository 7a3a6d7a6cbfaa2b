package study

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// Signals turns scores into targets. Everything but thresholds and weights is off where it is not
// given; Rule says in which order the parts work.
type SignalsConfig struct {
	Thresholds       signals.Cuts            `yaml:"thresholds" doc:"boundaries of the five levels, each to be exceeded strictly"`
	Weights          signals.Weights         `yaml:"weights" doc:"target weight of each level"`
	Hysteresis       *HysteresisConfig       `yaml:"hysteresis" doc:"scores at which a level is left again, nearer to neutral than its threshold; one that is left out is the threshold"`
	MinHolding       factors.Window          `yaml:"min_holding" doc:"bars or time for which a level's weight is kept once it is taken"`
	RegimeScaling    *RegimeScalingConfig    `yaml:"regime_scaling" doc:"multiplies targets by the volatility regime"`
	VolatilityTarget *VolatilityTargetConfig `yaml:"volatility_target" doc:"multiplies targets by annual over the volatility of the instrument"`
	Cap              float64                 `yaml:"cap" range:"[0,1]" doc:"largest absolute target of an instrument; 0: none (execution.gross_cap limits their sum)"`
	RebalanceEvery   factors.Window          `yaml:"rebalance_every" doc:"targets change only at the first bar of each stretch of so many bars or so much time, from 00:00 UTC on"`
	LLM              *LLMConfig              `yaml:"llm" doc:"opinions of language models, combined with the composite into the score that is cut into levels; left out: none"`
}

// Exits are the scores at which levels are left.
type HysteresisConfig signals.Cuts

// RegimeScaling names a factor of the study of kind vol_regime and what targets are multiplied by in
// each of its regimes.
type RegimeScalingConfig struct {
	Factor string  `yaml:"factor" doc:"a factor of the study, of kind vol_regime"`
	Low    float64 `yaml:"low" range:"[0,100]" doc:"in low volatility; 1 where left out"`
	Normal float64 `yaml:"normal" range:"[0,100]" doc:"in normal volatility, and where the regime is not known; 1 where left out"`
	High   float64 `yaml:"high" range:"[0,100]" doc:"in high volatility; 1 where left out"`
}

// VolatilityTarget names a factor of the study that is an annualized volatility and the volatility
// that a full position is sized to.
type VolatilityTargetConfig struct {
	Factor string  `yaml:"factor" doc:"a factor of the study that is an annualized volatility, such as volatility, parkinson or garman_klass"`
	Annual float64 `yaml:"annual" range:"(0,100]" doc:"0.2 is 20 % a year"`
	Max    float64 `yaml:"max" range:"(0,100]" doc:"largest multiplier; 1 where left out"`
}

// Rule is how the study turns its score into targets on a grid: the thresholds, or with
// hysteresis their exits too; the minimum holding time of what they say; its size by regime and by
// volatility, within ±1, and its cap; and last how often any of that is acted upon. A size moves at
// every bar, and trades at every bar unless rebalance_every says otherwise.
func (s *Study) Rule(g *factors.Grid) (signals.Rule, error) {
	o := s.Signals
	rule := s.levels()
	if o.MinHolding != (factors.Window{}) {
		bars, err := o.MinHolding.In(g)
		if err != nil {
			return nil, fmt.Errorf("signals.min_holding: %w", err)
		}
		rule = signals.MinHold{Rule: rule, Bars: bars}
	}
	if r := o.RegimeScaling; r != nil {
		rule = signals.RegimeScale{Rule: rule, Factor: r.Factor, Low: r.Low, Normal: r.Normal, High: r.High}
	}
	if v := o.VolatilityTarget; v != nil {
		rule = signals.VolatilityTarget{Rule: rule, Factor: v.Factor, Target: v.Annual, Max: v.Max}
	}
	if o.Cap > 0 {
		rule = signals.Cap{Rule: rule, Each: o.Cap}
	}
	if o.RebalanceEvery != (factors.Window{}) {
		rule = signals.Cadence{Rule: rule, Every: o.RebalanceEvery}
	}
	return rule, nil
}

// levels is the first part of Rule.
func (s *Study) levels() signals.Rule {
	threshold := signals.Threshold{Cuts: s.Signals.Thresholds, Weights: s.Signals.Weights}
	if e := s.Signals.Hysteresis; e != nil {
		return signals.Hysteresis{Threshold: threshold, Exit: signals.Cuts(*e)}
	}
	return threshold
}

// checkSignals completes the exits and checks the parts of Rule against each other, the factors and the bars.
func (s *Study) checkSignals(p *yamlconf.Positions, g *factors.Grid) {
	o := &s.Signals
	if e, c := o.Hysteresis, o.Thresholds; e != nil {
		*e = HysteresisConfig{
			StrongLong: given(e.StrongLong, c.StrongLong), Long: given(e.Long, c.Long),
			Short: given(e.Short, c.Short), StrongShort: given(e.StrongShort, c.StrongShort),
		}
	}
	if err := s.levels().(interface{ Validate() error }).Validate(); err != nil {
		path, text := "signals", err.Error()
		if part, why, _ := strings.Cut(text, ": "); p.Has(path + "." + part) {
			path, text = path+"."+part, why
		}
		p.Errorf(path, "%s", text)
	}
	if w := o.MinHolding; w != (factors.Window{}) {
		if _, err := w.In(g); err != nil {
			p.Errorf("signals.min_holding", "%v", err)
		}
	}
	// Time is a cadence of any bars: their labels tell it.
	if w := o.RebalanceEvery; w != (factors.Window{}) && (w.Time == 0 || g.Every > 0) {
		if _, err := w.In(g); err != nil {
			p.Errorf("signals.rebalance_every", "%v", err)
		}
	}
	if r := o.RegimeScaling; r != nil {
		s.checkFactorOf(p, "signals.regime_scaling.factor", r.Factor, "a vol_regime", func(k factors.Kind) bool { return k.Name == "vol_regime" })
	}
	if v := o.VolatilityTarget; v != nil {
		s.checkFactorOf(p, "signals.volatility_target.factor", v.Factor, "an annualized volatility", func(k factors.Kind) bool { return k.AnnualVolatility() })
		if v.Annual == 0 {
			p.Errorf("signals.volatility_target.annual", "missing: want a volatility such as 0.2")
		}
	}
}

// given is v, or what it is by default where the study does not give it.
func given(v, otherwise float64) float64 {
	if math.IsNaN(v) {
		return otherwise
	}
	return v
}

// checkFactorOf reports a name that is not that of a factor of the wanted sort.
func (s *Study) checkFactorOf(p *yamlconf.Positions, path, name, what string, fits func(factors.Kind) bool) {
	if p.Failed("factors") {
		return
	}
	var names []string
	for _, f := range s.Factors {
		if k, err := factors.Find(f.Kind); err == nil && fits(k) {
			names = append(names, f.Name)
		}
	}
	switch {
	case slices.Contains(names, name):
	case len(names) == 0:
		p.Errorf(path, "no factor of the study is %s: add one under factors", what)
	default:
		p.Errorf(path, "%q, want a factor of the study that is %s: %s", name, what, strings.Join(names, ", "))
	}
}

// DecodeNode reads the exits; those that are left out are missing until the study is checked.
func (e *HysteresisConfig) DecodeNode(c *yamlconf.Cursor) {
	type form HysteresisConfig
	f := form{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	c.Decode(&f)
	*e = HysteresisConfig(f)
}

// DecodeNode reads the mapping; multipliers that are left out are 1.
func (r *RegimeScalingConfig) DecodeNode(c *yamlconf.Cursor) {
	type form RegimeScalingConfig
	f := form{Low: 1, Normal: 1, High: 1}
	c.Decode(&f)
	*r = RegimeScalingConfig(f)
}

// DecodeNode reads the mapping; max is 1 where it is left out.
func (v *VolatilityTargetConfig) DecodeNode(c *yamlconf.Cursor) {
	type form VolatilityTargetConfig
	f := form{Max: 1}
	c.Decode(&f)
	*v = VolatilityTargetConfig(f)
}
