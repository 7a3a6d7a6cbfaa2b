package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

// A bar without trades is defined, and counts for min_periods, but has no ratio; the mean is over
// the bars that traded, of which there must be one.
var amihud = Kind{
	Name:    "amihud",
	Formula: "mean of 1e6·abs(r)/V over the bars of the window that traded, V the turnover",
	Units:   "1e6/quote currency",
	Source:  "Amihud (2002), Illiquidity and stock returns, J. Financial Markets 5",
	Inputs:  []string{"close", "turnover"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20", Doc: "bars that are averaged over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"turnover"},
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start: func() Eval {
				mean, count := kernel.NewMean(w, 0), kernel.NewSum(w, m)
				var ratio, defined scratch
				return func(dst []float64, in [][]float64) {
					v, r := in[0], in[1]
					ratio, defined := ratio.of(len(dst)), defined.of(len(dst))
					for t := range ratio {
						ratio[t], defined[t] = math.NaN(), math.NaN()
						if math.IsNaN(r[t]) || !(v[t] >= 0) {
							continue
						}
						defined[t] = 0
						if v[t] > 0 {
							ratio[t] = 1e6 * math.Abs(r[t]) / v[t]
						}
					}
					mean.Next(dst, ratio)
					count.Next(ratio, defined)
					for t, d := range ratio {
						dst[t] += d // 0, or NaN where too few bars are defined
					}
				}
			},
		}, a.err
	},
}
