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
			Block:    w,
			Eval: func(dst []float64, in [][]float64) {
				price := in[0]
				change, before := make([]float64, len(dst)), make([]float64, len(dst))
				kernel.Diff(change, price, 1)
				kernel.Shift(before, change, 1)
				kernel.Cov(dst, change, before, w, m)
				for t, c := range dst {
					if dst[t] = math.NaN(); c < 0 {
						dst[t] = 2 * math.Sqrt(-c) / price[t]
					}
				}
			},
		}, a.err
	},
}
