package factors

import "github.com/qf-dev/qf/factors/kernel"

var autocorrelation = Kind{
	Name:    "autocorrelation",
	Formula: "correlation of r_t with r_{t−1} over the pairs of the window",
	Units:   "1, in [−1, 1]",
	Inputs:  []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "pairs of successive returns"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.barsFrom(2, "window")
		m := a.periods("min_periods", w)
		return Factor{
			Uses:     []Factor{logReturn},
			Lookback: w + 2,
			Start: func() Eval {
				shift, corr := kernel.NewShift(1), kernel.NewCorr(w, m)
				var before scratch
				return func(dst []float64, in [][]float64) {
					before := before.of(len(dst))
					shift.Next(before, in[0])
					corr.Next(dst, in[0], before)
				}
			},
		}, a.err
	},
}
