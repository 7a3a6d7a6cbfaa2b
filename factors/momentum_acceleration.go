package factors

import "github.com/qf-dev/qf/factors/kernel"

var momentumAcceleration = Kind{
	Name:    "momentum_acceleration",
	Formula: "momentum(window)_t − momentum(window)_{t−lag}",
	Units:   "log return",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "14d", Doc: "window of momentum"},
		minPeriods,
		{Name: "lag", Type: WindowParam, Default: "7d", Doc: "how much earlier the other momentum is"},
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		lag := a.bars("lag")
		m, err := momentum.make("momentum", Params{"window": p["window"], "min_periods": p["min_periods"]}, g)
		if err != nil {
			return Factor{}, err
		}
		return Factor{
			Uses:     []Factor{m},
			Lookback: m.Lookback + lag,
			Start:    rolled(func() kernel.Rolling { return kernel.NewDiff(lag) }),
		}, a.err
	},
}
