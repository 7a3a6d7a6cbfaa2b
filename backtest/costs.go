package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

const (
	minImpactBars = 20 // the shortest window of impact's volatility and turnover
)

// costs are what a fill of q units at bar t pays, as shares of its price (half spread and impact) and of its
// notional (fee).
func (s *asset) costs(b *book, t int, q float64) (spread, impact, fee float64) {
	if b.frictionless {
		return 0, 0, 0
	}
	return s.halfSpread(t, b.e), s.impact(b, t, q), b.e.TakerBps / 1e4
}

// halfSpread is half the relative spread that a fill at bar t pays, (ask − bid)/(ask + bid), from the quote
// that stood when it happened: for a fill at the open the one at the close before. Without a quote, or
// where it is crossed, it is half_spread_bps.
func (s *asset) halfSpread(t int, e study.ExecutionConfig) float64 {
	if s.atOpen {
		t--
	}
	if s.bid != nil && t >= 0 {
		if bid, ask := s.bid[t], s.ask[t]; priced(bid) && priced(ask) && ask >= bid {
			return (ask - bid) / (ask + bid)
		}
	}
	return e.HalfSpreadBps / 1e4
}

// impact is what the order itself moves the price by,
//
//	k · σ · sqrt( notional / median turnover of a bar ),
//
// σ being the std of the log return of a bar, both over the day of bars before t, or 20 bars where a day has
// fewer. Where neither is known, or the median is 0, the fill has none and is counted. It takes
// O(w log w) time for a window of w bars.
func (s *asset) impact(b *book, t int, q float64) float64 {
	if b.e.Impact.Model != study.SquareRoot || b.e.Impact.K == 0 {
		return 0
	}
	lo := max(1, t-max(minImpactBars, int(math.Round(b.m.BarsPerYear/daysPerYear))))
	var returns []float64
	for k := lo; k < t; k++ {
		if r := math.Log(s.close[k] / s.close[k-1]); metrics.Defined(r) {
			returns = append(returns, r)
		}
	}
	sigma := metrics.Std(returns)
	turnover := metrics.Quantile(closeUp(s.turnover[min(lo, t):t]), 0.5)
	if math.IsNaN(sigma) || !(turnover > 0) {
		s.unimpacted++
		return 0
	}
	return b.e.Impact.K * sigma * math.Sqrt(s.contract.Notional(s.price[t], math.Abs(q))/turnover)
}
