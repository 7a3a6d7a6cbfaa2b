package factors

import "github.com/qf-dev/qf/factors/kernel"

var liquidationImbalance = Kind{
	Name:    "liquidation_imbalance",
	Formula: "(Σlong − Σshort)/(Σlong + Σshort) of liquidated notional over the window; missing where both are 0",
	Units:   "1, in [−1, 1]",
	Inputs:  []string{"liquidated_long", "liquidated_short"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "bars that are summed over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		return sumImbalance(p, g, "liquidated_long", "liquidated_short")
	},
}

// sumImbalance is (Σa − Σb)/(Σa + Σb) over a window; missing where the sums are 0.
func sumImbalance(p Params, g *Grid, a, b string) (Factor, error) {
	r := args{p: p, g: g}
	w := r.bars("window")
	m := r.periods("min_periods", w)
	return Factor{
		Inputs:   []string{a, b},
		Lookback: w,
		Start: func() Eval {
			plus, minus := kernel.NewSum(w, m), kernel.NewSum(w, m)
			var other scratch
			return func(dst []float64, in [][]float64) {
				other := other.of(len(dst))
				plus.Next(dst, in[0])
				minus.Next(other, in[1])
				for t, s := range other {
					dst[t] = imbalance(dst[t], s)
				}
			}
		},
	}, r.err
}
