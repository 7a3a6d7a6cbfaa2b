package backtest

import "math"

// settle books the funding events of bar t, which covers the time up to its label, on the position
// carried into each. Those at the bar's first instant, or anywhere in a bar that does not fill at its open,
// come before the fills.
//
//	linear   −quantity · multiplier · mark · rate
//	inverse  −contracts · multiplier · rate
//
// in quote currency: longs pay when the rate is positive. An event that the data does not show is
// counted and books nothing.
func (s *asset) settle(b *book, t int, beforeFills bool) {
	for len(s.settlements) > 0 {
		x := s.settlements[0]
		if x.Time >= b.m.Close[t] || beforeFills && s.atOpen && x.Time > b.start(t) {
			return
		}
		s.settlements = s.settlements[1:]
		if s.quantity == 0 {
			continue
		}
		paid := s.contract.Notional(x.Mark, s.quantity) * x.Rate
		if math.IsNaN(paid) {
			b.run.UnknownSettlements++
			continue
		}
		b.cash -= paid
		s.bar.Funding -= paid
		s.trip.PnL -= paid
	}
}

// start is the first instant that bar t covers.
func (b *book) start(t int) int64 {
	switch {
	case b.m.Every > 0:
		return b.m.Close[t] - b.m.Every.Microseconds()
	case t > b.w.Lo:
		return b.m.Close[t-1]
	default:
		return b.w.From
	}
}
