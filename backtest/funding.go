package backtest

import (
	"math"
	"time"
)

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
		if x.Time >= b.end(t) || beforeFills && s.atOpen && x.Time > b.start(t) {
			return
		}
		s.settlements = s.settlements[1:]
		if s.quantity == 0 {
			continue
		}
		s.pay(b, s.contract.Notional(x.Mark, s.quantity)*x.Rate)
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

// end is the instant at which bar t ends: its label, but for the last bar the window's end, which the label
// of a bar that is not a time bar may fall short of.
func (b *book) end(t int) int64 {
	if t == b.w.Hi-1 {
		return b.w.To
	}
	return b.m.Close[t]
}

// fundingInterval is what a continuously accruing rate is quoted for.
const fundingInterval = 8 * time.Hour

// accrue books the funding of a venue whose rate runs continuously, over the time that bar t covers, on the
// position held through it: at the rate, and for a linear contract the mark, that stood when the bar began.
//
//	linear   −quantity · multiplier · mark · rate · (length of the bar / 8 h)
//	inverse  −contracts · multiplier · rate · (length of the bar / 8 h)
//
// A bar over which the rate is not known is counted and books nothing.
func (s *asset) accrue(b *book, t int) {
	if s.rate == nil || s.quantity == 0 {
		return
	}
	rate := math.NaN()
	if t > 0 {
		rate = s.rate[t-1]
	}
	length := float64(b.end(t)-b.start(t)) / float64(fundingInterval.Microseconds())
	s.pay(b, s.value(s.quantity)*rate*length)
}

// pay takes a funding payment out of cash; one that is NaN is not known.
func (s *asset) pay(b *book, paid float64) {
	if math.IsNaN(paid) {
		b.run.UnknownSettlements++
		return
	}
	b.cash -= paid
	s.bar.Funding -= paid
	s.trip.PnL -= paid
}
