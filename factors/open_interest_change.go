package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

var openInterestChange = Kind{
	Name:    "open_interest_change",
	Formula: "ln(OI_t / OI_{t−window})",
	Units:   "log ratio",
	Inputs:  []string{"open_interest"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "1d", Doc: "how much earlier the other open interest is"},
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		return Factor{
			Inputs:   []string{"open_interest"},
			Lookback: w + 1,
			Start: func() Eval {
				shift := kernel.NewShift(w)
				return func(dst []float64, in [][]float64) {
					shift.Next(dst, in[0])
					for t, past := range dst {
						if dst[t] = math.NaN(); past > 0 && in[0][t] > 0 {
							dst[t] = portable.Log(in[0][t] / past)
						}
					}
				}
			},
		}, a.err
	},
}
