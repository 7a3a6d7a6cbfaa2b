package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"math/rand/v2"

	"github.com/qf-dev/qf/backtest/metrics"
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
func (p *pairing) bootstrap(row *ICRow, sums []daySum) {
	means := make([]float64, len(sums))
	for i, d := range sums {
		means[i] = d.sum / d.n
	}
	var why string
	row.Low, row.High, why = resample(means, p.s.Evaluation, func(days []int32) float64 {
		var s, n float64
		for _, d := range days {
			s += sums[d].sum
			n += sums[d].n
		}
		return s / n
	})
	if why != "" {
		row.reason("pearson_low", why)
		row.reason("pearson_high", why)
	}
}

// bootstrap fills the intervals of a run's Sharpe ratio and total return from its daily returns.
func (row *PnLRow) bootstrap(returns []float64, riskFree float64, e study.EvaluationConfig) {
	m, n := metrics.Mean(returns), float64(len(returns))
	logs := make([]float64, len(returns))
	for i, r := range returns {
		logs[i] = math.Log1p(r)
	}
	var why string
	row.SharpeLow, row.SharpeHigh, why = resample(returns, e, func(days []int32) float64 {
		var s, ss float64
		for _, d := range days {
			x := returns[d] - m
			s += x
			ss += float64(x * x)
		}
		std := math.Sqrt((ss - float64(s*s)/n) / (n - 1))
		return (m + s/n - riskFree) / std * math.Sqrt(daysPerYear)
	})
	row.null("sharpe_low", row.SharpeLow, why)
	row.null("sharpe_high", row.SharpeHigh, why)
	row.TotalReturnLow, row.TotalReturnHigh, why = resample(returns, e, func(days []int32) float64 {
		s := 0.0
		for _, d := range days {
			s += logs[d]
		}
		return math.Expm1(s)
	})
	row.null("total_return_low", row.TotalReturnLow, why)
	row.null("total_return_high", row.TotalReturnHigh, why)
}
