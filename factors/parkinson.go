package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

var parkinson = Kind{
	Name:    "parkinson",
	Formula: "√( Y/(4·ln 2) · mean of ln(H/L)² ) over the bars of the window that traded, Y bars in a 365-day year",
	Units:   annualVolatility,
	Source:  "Parkinson (1980), The extreme value method for estimating the variance of the rate of return, J. Business 53",
	Inputs:  []string{"high", "low", "trades"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "20d", Doc: "bars whose ranges are averaged"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		return rangeVolatility(p, g, []string{"high", "low", "trades"}, 1/(4*math.Ln2), func(in [][]float64, t int) float64 {
			return square(portable.Log(in[0][t] / in[1][t]))
		})
	},
}

// rangeVolatility is √(Y · scale · mean of term) over the bars of a window that traded; the others
// are missing. The last input is the number of trades.
func rangeVolatility(p Params, g *Grid, inputs []string, scale float64, term func(in [][]float64, t int) float64) (Factor, error) {
	a := args{p: p, g: g}
	w := a.bars("window")
	m := a.periods("min_periods", w)
	scale *= a.perYear()
	return Factor{
		Inputs:   inputs,
		Lookback: w,
		Start: func() Eval {
			mean := kernel.NewMean(w, m)
			var terms scratch
			return func(dst []float64, in [][]float64) {
				terms := terms.of(len(dst))
				trades := in[len(in)-1]
				for t := range terms {
					if terms[t] = math.NaN(); trades[t] > 0 {
						terms[t] = term(in, t)
					}
				}
				mean.Next(dst, terms)
				for t, v := range dst {
					if v < 0 {
						v = 0
					}
					dst[t] = math.Sqrt(scale * v)
				}
			}
		},
	}, a.err
}

func square(v float64) float64 { return v * v }
