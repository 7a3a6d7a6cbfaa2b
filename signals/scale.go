package signals

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/factors"
)

// RegimeScale multiplies the targets of Rule by a number for the volatility regime, and holds them
// within ±1.
type RegimeScale struct {
	Rule   Rule
	Factor string // a vol_regime: −1 low, 0 normal, +1 high; where it is missing Normal counts
	// Low, Normal and High are the multipliers, 0 or more.
	Low, Normal, High float64
}

// Start begins the scaled rule.
func (r RegimeScale) Start(g *factors.Grid, instrument int) (Stepper, error) {
	for _, k := range []float64{r.Low, r.Normal, r.High} {
		if !(k >= 0) || math.IsInf(k, 0) {
			return nil, fmt.Errorf("scales of low, normal and high volatility are %v, %v and %v, want 0 or more", r.Low, r.Normal, r.High)
		}
	}
	return wrap(r.Rule, g, instrument, func(target, _ []float64, rows Rows) {
		for t, regime := range rows.Factor(r.Factor) {
			k := r.Normal
			if regime < 0 {
				k = r.Low
			} else if regime > 0 {
				k = r.High
			}
			target[t] = within(k*target[t], 1)
		}
	})
}

// VolatilityTarget sizes the targets of Rule so that each instrument's position has the volatility
// Target: w·min(Target/volatility, Max), held within ±1. The target is 0 where volatility is missing
// or 0.
type VolatilityTarget struct {
	Rule   Rule
	Factor string  // an annualized volatility
	Target float64 // annualized, above 0
	Max    float64 // largest multiplier, above 0
}

// Start begins the sized rule.
func (r VolatilityTarget) Start(g *factors.Grid, instrument int) (Stepper, error) {
	if !(r.Target > 0) || !(r.Max > 0) || math.IsInf(r.Target, 0) {
		return nil, fmt.Errorf("volatility target is %v and its largest multiplier %v, want both above 0", r.Target, r.Max)
	}
	return wrap(r.Rule, g, instrument, func(target, _ []float64, rows Rows) {
		for t, v := range rows.Factor(r.Factor) {
			if !(v > 0) {
				target[t] = 0
				continue
			}
			target[t] = within(min(r.Target/v, r.Max)*target[t], 1)
		}
	})
}
