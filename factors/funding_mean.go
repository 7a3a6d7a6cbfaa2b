package factors

import "github.com/qf-dev/qf/factors/kernel"

var fundingMean = Kind{
	Name:    "funding_mean",
	Formula: "Σ rates settled over the window × 365 days/window",
	Units:   "1/year",
	Inputs:  []string{SettledFunding},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "3d", Doc: "settlements in [ts − window, ts)"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		annual := a.perYear() / float64(w)
		return Factor{
			Inputs:   []string{SettledFunding},
			Lookback: w,
			Start: func() Eval {
				sum := kernel.NewSum(w, m)
				return func(dst []float64, in [][]float64) {
					sum.Next(dst, in[0])
					for t := range dst {
						dst[t] *= annual
					}
				}
			},
		}, a.err
	},
}
