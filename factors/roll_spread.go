package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

var rollSpread = Kind{
	Name:    "roll_spread",
	Formula: "2·√(−cov(ΔP_t, ΔP_{t−1}))/P_t, the covariance over the pairs of the window (ddof 1); missing where it is not negative",
	Units:   "1",
	Source:  "Roll (1984), A simple implicit measure of the effective bid-ask spread, J. Finance 39",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "pairs of successive price changes"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(2, "window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"close"},
			Lookback: w + 2,
			Start: func() Eval {
				diff, shift, cov := kernel.NewDiff(1), kernel.NewShift(1), kernel.NewCov(w, m)
				var change, before scratch
				return func(dst []float64, in [][]float64) {
					price, change, before := in[0], change.of(len(dst)), before.of(len(dst))
					diff.Next(change, price)
					shift.Next(before, change)
					cov.Next(dst, change, before)
					for t, c := range dst {
						if dst[t] = math.NaN(); c < 0 {
							dst[t] = 2 * math.Sqrt(-c) / price[t]
						}
					}
				}
			},
		}, a.err
	},
}
