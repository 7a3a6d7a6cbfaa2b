package factors

import "github.com/qf-dev/qf/factors/kernel"

var kyleLambda = Kind{
	Name:    "kyle_lambda",
	Formula: "slope of r on signed turnover B − S over the window (least squares with intercept)",
	Units:   "log return per quote currency",
	Source:  "Kyle (1985), Continuous auctions and insider trading, Econometrica 53",
	Inputs:  []string{"close", "buy_turnover", "sell_turnover"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "bars of the regression"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(2, "window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"buy_turnover", "sell_turnover"},
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start: func() Eval {
				slope := kernel.NewSlope(w, m)
				var signed scratch
				return func(dst []float64, in [][]float64) {
					signed := signed.of(len(dst))
					for t := range signed {
						signed[t] = in[0][t] - in[1][t]
					}
					slope.Next(dst, signed, in[2])
				}
			},
		}, a.err
	},
}
