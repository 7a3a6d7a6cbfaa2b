package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

var volatility = Kind{
	Name:    "volatility",
	Formula: "std(r) over the window (ddof 1) × √(bars in a 365-day year)",
	Units:   annualVolatility,
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20d", Doc: "returns whose deviation is taken"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(2, "window")
		m := a.periods("min_periods", w)
		annual := math.Sqrt(a.perYear())
		return Factor{
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start: func() Eval {
				std := kernel.NewReturnStd(w, m)
				return func(dst []float64, in [][]float64) {
					std.Next(dst, in[0])
					for t := range dst {
						dst[t] *= annual
					}
				}
			},
		}, a.err
	},
}
