package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

// The weights end where all older ones together are below 2⁻⁵³ of their sum, so that the lookback has an end too.
var ewmVolatility = Kind{
	Name:    "ewm_volatility",
	Formula: "exponentially weighted std of r, weights (1 − 2/(span + 1))^age, corrected for bias, × √(bars in a 365-day year)",
	Units:   annualVolatility,
	Source:  "pandas ewm(span, adjust=True).std()",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "span", Type: WindowParam, Default: "1d", Doc: "the weights have the centre of mass of a mean over so much"},
		{Name: "min_periods", Type: PeriodsParam, Default: "0.9", Doc: "least number of returns: a share of the span, bars or time"},
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		span := a.barsFrom(2, "span")
		m := a.periods("min_periods", span)
		annual := math.Sqrt(a.perYear())
		alpha := 2 / (float64(span) + 1)
		w := kernel.FadingWindow(alpha)
		return Factor{
			Uses:     []Factor{logReturn},
			Lookback: w + 1,
			Start: func() Eval {
				std := kernel.NewFadingStd(alpha, w, m)
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
