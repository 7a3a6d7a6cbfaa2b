package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// A bar's term may be negative; only the mean is held at 0.
var garmanKlass = Kind{
	Name:    "garman_klass",
	Formula: "√( Y · mean of [½·ln(H/L)² − (2·ln 2 − 1)·ln(C/O)²] ) over the bars of the window that traded, Y bars in a 365-day year",
	Units:   annualVolatility,
	Source:  "Garman and Klass (1980), On the estimation of security price volatilities from historical data, J. Business 53",
	Inputs:  []string{"open", "high", "low", "close", "trades"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20d", Doc: "bars that are averaged over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		inputs := []string{"open", "high", "low", "close", "trades"}
		return rangeVolatility(p, g, inputs, 1, func(in [][]float64, t int) float64 {
			return float64(0.5*square(portable.Log(in[1][t]/in[2][t]))) - float64((2*math.Ln2-1)*square(portable.Log(in[3][t]/in[0][t])))
		})
	},
}
