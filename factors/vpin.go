package factors

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors/kernel"
)

// The bars are the buckets of equal volume. The feed names the aggressor, so that no bulk
// classification is needed.
var vpin = Kind{
	Name:    "vpin",
	Formula: "mean of abs(B − S)/V over the last window bars, of equal volume or notional; B and S by the true aggressor",
	Units:   "1, in [0, 1]",
	Source:  "Easley, López de Prado and O'Hara (2012), Flow toxicity and liquidity in a high-frequency world, Rev. Financial Studies 25",
	Inputs:  []string{"buy_turnover", "sell_turnover", "turnover"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "50", Doc: "bars that are averaged over"},
		minPeriods,
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		w := a.bars("window")
		m := a.periods("min_periods", w)
		if a.err == nil && (g.Every > 0 || g.Kind == bars.TickBars) {
			a.err = fmt.Errorf("needs volume or dollar bars, whose volumes are equal")
		}
		return Factor{
			Inputs:   []string{"buy_turnover", "sell_turnover", "turnover"},
			Lookback: w,
			Start: func() Eval {
				mean := kernel.NewMean(w, m)
				var share scratch
				return func(dst []float64, in [][]float64) {
					share := share.of(len(dst))
					for t, v := range in[2] {
						if share[t] = math.NaN(); v > 0 {
							share[t] = math.Abs(in[0][t]-in[1][t]) / v
						}
					}
					mean.Next(dst, share)
				}
			},
		}, a.err
	},
}
