package factors

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// logReturn is r = ln(P_t / P_{t−1}) of the close, the intermediate that many factors share: missing
// at the first bar and where either price is missing or not positive.
var logReturn = Factor{
	Name:     "log_return",
	Key:      "log_return",
	Inputs:   []string{"close"},
	Lookback: 2,
	Start: func() Eval {
		last := math.NaN()
		return func(dst []float64, in [][]float64) {
			for t, p := range in[0] {
				dst[t] = orNaN(LogReturn(last, p))
				if !(p > 0) {
					dst[t] = math.NaN()
				}
				last = p
			}
		}
	},
}

// Returns is the log return of close from bar to bar.
func Returns() Factor { return logReturn }

// smallReturn is the size of (b−a)/(b+a) below which LogReturn sums a series.
const smallReturn = 1.0 / 512

// LogReturn is ln(b/a). The ratio of two near prices keeps few digits of their difference; where it is
// small, about 0.4 %, the return is therefore taken from the difference,
//
//	ln(b/a) = 2·artanh(s) = 2·(s + s³/3 + s⁵/5 + …),  s = (b − a)/(b + a)
//
// which is exact to the last digits and takes a third of the time. NaN where a price is missing or the ratio
// negative, and ±Inf where one price is 0.
func LogReturn(a, b float64) float64 {
	sum := a + b
	s := (b - a) / sum
	if math.Abs(s) < smallReturn && sum <= math.MaxFloat64 {
		q := float64(s * s)
		return 2 * (s + float64(s*float64(q*(1.0/3+float64(q*(1.0/5+float64(q*(1.0/7))))))))
	}
	return portable.Log(b / a)
}

// orNaN is v, or NaN where v is infinite.
func orNaN(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}
