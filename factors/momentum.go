package factors

import "github.com/qf-dev/qf/factors/kernel"

var momentum = Kind{
	Name:    "momentum",
	Formula: "Σ r over the window, r = ln(P_t / P_{t−1})",
	Units:   "log return",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "14d", Doc: "returns that are summed"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		return Factor{
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start:    rolled(func() kernel.Rolling { return kernel.NewSum(w, m) }),
		}, a.err
	},
}

// minPeriods is the parameter of every kind that has a window.
var minPeriods = Param{Name: "min_periods", Type: PeriodsParam, Default: "0.9", Doc: "least number of defined values in the window: a share of it, bars or time"}
