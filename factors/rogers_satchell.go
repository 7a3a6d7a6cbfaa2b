package factors

import (
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// A bar's term is not negative, whatever the drift.
var rogersSatchell = Kind{
	Name:    "rogers_satchell",
	Formula: "√( Y · mean of [ln(H/C)·ln(H/O) + ln(L/C)·ln(L/O)] ) over the bars of the window that traded, Y bars in a 365-day year",
	Units:   annualVolatility,
	Source:  "Rogers and Satchell (1991), Estimating variance from high, low and closing prices, Annals of Applied Probability 1",
	Inputs:  []string{"open", "high", "low", "close", "trades"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20d", Doc: "bars that are averaged over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		inputs := []string{"open", "high", "low", "close", "trades"}
		return rangeVolatility(p, g, inputs, 1, func(in [][]float64, t int) float64 {
			o, h, l, c := in[0][t], in[1][t], in[2][t], in[3][t]
			return float64(portable.Log(h/c)*portable.Log(h/o)) + float64(portable.Log(l/c)*portable.Log(l/o))
		})
	},
}
