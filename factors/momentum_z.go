package factors

import "github.com/qf-dev/qf/factors/kernel"

// The deviation is that of one return, though momentum is a sum of so many: published so, and kept so.
var momentumZ = Kind{
	Name:    "momentum_z",
	Formula: "(momentum(window) − mean(r))/std(r), mean and std (ddof 1) of single returns over the lookback, not scaled to the window",
	Units:   "1",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "14d", Doc: "returns that are summed"},
		minPeriods,
		{Name: "lookback", Type: WindowParam, Default: "56d", Doc: "returns that mean and std are of"},
		{Name: "min_lookback", Type: PeriodsParam, Default: "0.9", Doc: "least number of returns in the lookback"},
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		lookback := a.barsFrom(2, "lookback")
		least := a.periods("min_lookback", lookback)
		m, err := momentum.make("momentum", Params{"window": p["window"], "min_periods": p["min_periods"]}, g)
		if err != nil {
			return Factor{}, err
		}
		return Factor{
			Uses:     []Factor{m, logReturn},
			Lookback: max(m.Lookback, lookback+1),
			Start: func() Eval {
				meanOf, stdOf := kernel.NewMean(lookback, least), kernel.NewStd(lookback, least)
				var mean scratch
				return func(dst []float64, in [][]float64) {
					mean := mean.of(len(dst))
					meanOf.Next(mean, in[1])
					stdOf.Next(dst, in[1])
					for t, std := range dst {
						dst[t] = standardize(in[0][t], mean[t], std)
					}
				}
			},
		}, a.err
	},
}
