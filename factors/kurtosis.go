package factors

import "github.com/qf-dev/qf/factors/kernel"

var kurtosis = Kind{
	Name:    "kurtosis",
	Formula: "sample excess kurtosis of r over the window, corrected for bias",
	Units:   "1",
	Source:  "Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The Statistician 47",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "returns that are looked at"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(4, "window")
		m := a.periods("min_periods", w)
		return Factor{
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start:    rolled(func() kernel.Rolling { return kernel.NewKurt(w, m) }),
		}, a.err
	},
}
