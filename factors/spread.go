package factors

import "github.com/qf-dev/qf/factors/kernel"

var spread = Kind{
	Name:    "spread",
	Formula: "mean over the window of the bars' time-weighted relative quoted spread (ask − bid)/mid",
	Units:   "1",
	Inputs:  []string{"spread"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20", Doc: "bars that are averaged over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"spread"},
			Lookback: w,
			Start:    rolled(func() kernel.Rolling { return kernel.NewMean(w, m) }),
		}, a.err
	},
}
