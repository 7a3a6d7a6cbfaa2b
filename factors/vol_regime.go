package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel"
)

var volRegime = Kind{
	Name: "vol_regime",
	Formula: "−1 where volatility(window) ≤ its low quantile over the trailing lookback or the full sample, +1 where > its high quantile, " +
		"else 0 (type 7 quantiles)",
	Units:  "−1, 0, +1",
	Inputs: []string{"close"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "60d", Doc: "window of volatility"},
		{Name: "min_periods", Type: PeriodsParam, Default: "10d", Doc: "least number of returns in the window"},
		{Name: "lookback", Type: WindowParam, Default: "60d", Doc: "trailing volatilities that the quantiles are of"},
		minLookback,
		sampleParam,
		{Name: "low", Type: NumberParam, Default: "0.2", Doc: "quantile up to which volatility is low"},
		{Name: "high", Type: NumberParam, Default: "0.8", Doc: "quantile above which volatility is high"},
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		low, high := a.share("low"), a.share("high")
		v, err := volatility.make("volatility", Params{"window": p["window"], "min_periods": p["min_periods"]}, g)
		if err != nil {
			return Factor{}, err
		}
		if p["sample"] == fullSample {
			return fitted(Factor{Uses: []Factor{v}, Lookback: v.Lookback}, func(x []float64) func(dst, x []float64) {
				q := kernel.SampleQuantiles(x, low, high)
				return func(dst, x []float64) {
					for t, v := range x {
						dst[t] = regime(v, q[0], q[1])
					}
				}
			}), a.err
		}
		lookback := a.bars("lookback")
		least := a.periods("min_lookback", lookback)
		return Factor{
			Uses:     []Factor{v},
			Lookback: v.Lookback + lookback - 1,
			Start: func() Eval {
				lowest, highest := kernel.NewQuantile(lookback, least, low), kernel.NewQuantile(lookback, least, high)
				var upper scratch
				return func(dst []float64, in [][]float64) {
					vol, upper := in[0], upper.of(len(dst))
					lowest.Next(dst, vol)
					highest.Next(upper, vol)
					for t, v := range vol {
						dst[t] = regime(v, dst[t], upper[t])
					}
				}
			},
		}, a.err
	},
}

// regime places v among the low and the high quantile.
func regime(v, low, high float64) float64 {
	switch {
	case math.IsNaN(v) || math.IsNaN(low):
		return math.NaN()
	case v <= low:
		return -1
	case v > high:
		return 1
	}
	return 0
}
