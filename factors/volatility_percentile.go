package factors

import "github.com/qf-dev/qf/factors/kernel"

var volatilityPercentile = Kind{
	Name:    "volatility_percentile",
	Formula: "percentile rank (average ties) of volatility(window) within its own trailing lookback, or in the full sample, in (0, 1]",
	Units:   "1",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20d", Doc: "window of volatility"},
		minPeriods,
		{Name: "lookback", Type: WindowParam, Default: "60d", Doc: "trailing volatilities that it is ranked among"},
		minLookback,
		sampleParam,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		v, err := volatility.make("volatility", Params{"window": p["window"], "min_periods": p["min_periods"]}, g)
		if err != nil {
			return Factor{}, err
		}
		if p["sample"] == fullSample {
			return Factor{Uses: []Factor{v}, Lookback: v.Lookback, Sample: kernel.PercentRank}, nil
		}
		a := args{p: p, g: g}
		lookback := a.bars("lookback")
		least := a.periods("min_lookback", lookback)
		return Factor{
			Uses:     []Factor{v},
			Lookback: v.Lookback + lookback - 1,
			Start:    rolled(func() kernel.Rolling { return kernel.NewRank(lookback, least) }),
		}, a.err
	},
}

// minLookback is the parameter of the kinds that place volatility within its own past.
var minLookback = Param{Name: "min_lookback", Type: PeriodsParam, Default: "10d", Doc: "least number of volatilities in the lookback"}

const fullSample = "full"

// sampleParam lets the kinds that place volatility within its own past look ahead, as published studies do.
var sampleParam = Param{
	Name: "sample", Type: ChoiceParam, Default: "trailing", Choices: []string{"trailing", fullSample},
	Doc: "trailing: the lookback; full: the whole evaluated span, which looks ahead",
}

// FullSample reports whether a factor of these parameters knows the full sample, and so looks ahead.
func (p Params) FullSample() bool { return p[sampleParam.Name] == fullSample }
