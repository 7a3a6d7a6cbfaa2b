package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

var trend = Kind{
	Name:    "trend",
	Formula: "slope of ln P on time over the window (least squares with intercept)",
	Units:   "log return per bar",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "14d", Doc: "bars of the regression"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(2, "window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"close"},
			Lookback: w,
			Start: func() Eval {
				slope := kernel.NewTrend(w, m)
				var logs scratch
				return func(dst []float64, in [][]float64) {
					logs := logs.of(len(dst))
					for t, p := range in[0] {
						if logs[t] = math.NaN(); p > 0 {
							logs[t] = portable.Log(p)
						}
					}
					slope.Next(dst, logs)
				}
			},
		}, a.err
	},
}
