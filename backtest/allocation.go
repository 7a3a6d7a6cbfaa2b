package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
)

const (
	// shareWindow is the trailing time over which inverse-volatility allocation looks, and minShareBars the number
	// of returns that it needs.
	shareWindow  = 30 * 24 * time.Hour
	minShareBars = 20
)

// allocate sets each instrument's share of the capital at the close of bar t. Equal allocation gives 1/N
// each, for good. Inverse-volatility allocation gives
//
//	(1/σ_i) / Σ_j 1/σ_j,
//
// σ_i the std of instrument i's bar returns over the trailing 30 days up to t; shares are set at the first bar
// of each UTC day and stand until the next, so that they do not trade at every bar. Until every instrument has
// 20 returns that vary, shares stay equal.
func (b *book) allocate(t int) {
	if b.e.Allocation != study.InverseVolatility || t > b.w.Lo && b.m.Day(t) == b.m.Day(t-1) {
		return
	}
	lo := t
	for lo > 0 && b.m.Close[t]-b.m.Close[lo-1] < shareWindow.Microseconds() {
		lo--
	}
	total := 0.0
	inverse := make([]float64, len(b.assets))
	for i := range b.assets {
		x := b.assets[i].close
		var returns []float64
		for k := max(1, lo); k <= t; k++ {
			if r := math.Log(x[k] / x[k-1]); metrics.Defined(r) {
				returns = append(returns, r)
			}
		}
		sigma := metrics.Std(returns)
		if len(returns) < minShareBars || !(sigma > 0) {
			return
		}
		inverse[i] = 1 / sigma
		total += inverse[i]
	}
	for i := range b.shares {
		b.shares[i] = inverse[i] / total
	}
}
