package portfolio

import "math"

// costs are what a fill of q units at row t pays, as shares of its price (half spread and impact) and of its notional
// (fee).
func (s *position) costs(p *Portfolio, t int, q float64) (spread, impact, fee float64) {
	if p.o.Frictionless {
		return 0, 0, 0
	}
	return s.halfSpread(p, t), s.impact(p, t, q), p.e.TakerBps * basisPoint
}

// halfSpread is half the relative spread that a fill at row t pays, (ask − bid)/(ask + bid), from the quote that stood
// when it happened: for a fill at the open the one at the close before. Without a quote, or where it is crossed, it is
// half_spread_bps.
func (s *position) halfSpread(p *Portfolio, t int) float64 {
	if s.bid != nil {
		bid, ask := s.quoted[0], s.quoted[1]
		k := t - p.first
		if s.atOpen {
			k--
		}
		if k >= 0 {
			bid, ask = s.bid[k], s.ask[k]
		}
		if priced(bid) && priced(ask) && ask >= bid {
			return (ask - bid) / (ask + bid)
		}
	}
	return p.e.HalfSpreadBps * basisPoint
}

// impact is what the order itself moves the price by,
//
//	k · σ · sqrt( notional / median turnover of a bar ),
//
// σ being the std of the log return of a bar, both over the day of bars before t, or 20 bars where a day has fewer.
// Where neither is known, or the median is 0, the fill has none and is counted.
func (s *position) impact(p *Portfolio, t int, q float64) float64 {
	if !p.impacts() {
		return 0
	}
	sigma, turnover := p.market.history.before(s.index, t)
	if math.IsNaN(sigma) || !(turnover > 0) {
		s.unimpacted++
		return 0
	}
	return p.e.Impact.K * sigma * math.Sqrt(s.contract.Notional(s.price[t-p.first], math.Abs(q))/turnover)
}
