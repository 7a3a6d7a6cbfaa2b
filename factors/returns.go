package factors

import "math"

// logReturn is r = ln(P_t / P_{t−1}) of the close, the intermediate that many factors share: missing
// at the first bar and where either price is missing or not positive.
var logReturn = Factor{
	Name:     "log_return",
	Key:      "log_return",
	Inputs:   []string{"close"},
	Lookback: 2,
	Eval: func(dst []float64, in [][]float64) {
		last := math.NaN()
		for t, p := range in[0] {
			dst[t] = orNaN(math.Log(p / last))
			if !(p > 0) {
				dst[t] = math.NaN()
			}
			last = p
		}
	},
}

// orNaN is v, or NaN where v is infinite.
func orNaN(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}
