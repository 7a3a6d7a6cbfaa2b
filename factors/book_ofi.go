package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

var bookOFI = Kind{
	Name:    "book_ofi",
	Formula: "Σ best-level order-flow imbalance over the window / mean best-level depth over it",
	Units:   "1",
	Source:  "Cont, Kukanov and Stoikov (2014), The price impact of order book events, J. Financial Econometrics 12",
	Inputs:  []string{"book_ofi", "book_depth"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1h", Doc: "bars that are summed over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		return Factor{
			Inputs:   []string{"book_ofi", "book_depth"},
			Lookback: w,
			Start: func() Eval {
				flow, mean := kernel.NewSum(w, m), kernel.NewMean(w, m)
				var depth scratch
				return func(dst []float64, in [][]float64) {
					depth := depth.of(len(dst))
					flow.Next(dst, in[0])
					mean.Next(depth, in[1])
					for t, d := range depth {
						if !(d > 0) {
							dst[t] = math.NaN()
						}
						dst[t] /= d
					}
				}
			},
		}, a.err
	},
}
