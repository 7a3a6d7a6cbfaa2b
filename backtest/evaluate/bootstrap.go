package evaluate

import (
	"math"
	"math/rand/v2"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
)

const (
	confidence       = 0.95
	minBootstrapDays = 10
)

// resample calls f with resamples of n days, drawn in blocks of the mean length that suits x: whole days, so
// that what overlaps within one stays together. Every figure sees the same draws. The reason is empty
// where there were any.
func resample(x []float64, e study.EvaluationConfig, f func(days []int32) float64) (low, high Figure, reason string) {
	block := metrics.BlockLength(x)
	switch {
	case e.Bootstrap == 0:
		return null, null, "bootstrap is off"
	case len(x) < minBootstrapDays:
		return null, null, "fewer than 10 days"
	case math.IsNaN(block):
		return null, null, "every day has the same value"
	}
	r := rand.NewPCG(e.Seed, 0)
	days, values := make([]int32, len(x)), make([]float64, e.Bootstrap)
	for k := range values {
		metrics.Stationary(days, len(x), block, r)
		values[k] = f(days)
	}
	a, b := metrics.Interval(values, confidence)
	if math.IsNaN(a) {
		reason = "it could not be computed in most resamples"
	}
	return Figure(a), Figure(b), reason
}

// bootstrap fills the interval of a pooled row from the sums of its tested series over days.
func (t *tested) bootstrap(e study.EvaluationConfig) {
	var sums []daySum
	var means []float64
	for _, d := range t.days {
		if d.n > 0 {
			sums, means = append(sums, d), append(means, d.sum/d.n)
		}
	}
	var why string
	t.Low, t.High, why = resample(means, e, func(days []int32) float64 {
		var s, n float64
		for _, d := range days {
			s += sums[d].sum
			n += sums[d].n
		}
		return s / n
	})
	if why != "" {
		t.reason("pearson_low", why)
		t.reason("pearson_high", why)
	}
}
