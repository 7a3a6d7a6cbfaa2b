package backtest

import "github.com/qf-dev/qf/backtest/study"
import "math"

// glides reports whether glide can play this book: one instrument whose equity moves with its price alone as
// long as nothing is ordered.
func (b *book) glides() bool {
	if len(b.assets) != 1 || b.e.RebalanceBand > 0 || b.e.GrossCap > 0 || b.e.Allocation == study.InverseVolatility {
		return false
	}
	s := &b.assets[0]
	return !s.contract.Inverse && s.rate == nil && s.borrow == 0
}

// glide plays the bars from t on, before end, over which nothing is filled or settled, and gives the
// first that it leaves to bar. It does what bar does, in the same order, and stops after the first bar
// whose target is another.
func (b *book) glide(t, end int) int {
	s, r := &b.assets[0], b.run
	if len(s.orders) > 0 {
		return t
	}
	until := int64(math.MaxInt64) // the first settlement
	if len(s.settlements) > 0 {
		until = s.settlements[0].Time
	}
	share := b.shares[0]
	floor := s.contract.Spot && b.e.SpotShort == nil
	for ; t < end; t++ {
		mark := s.close[t]
		if !priced(mark) || until < b.end(t) {
			return t
		}
		k, from := t-b.w.Lo, s.mark
		s.mark = mark
		if s.quantity != 0 && !b.ride(k, from, mark) {
			b.ruin(t)
			return end
		}
		r.Equity[k] = b.equity
		want := s.target[t]
		if math.IsNaN(want) {
			want = 0
		}
		if want*share != s.last || want < 0 && floor {
			b.decide(t)
			if len(s.orders) > 0 {
				return t + 1
			}
		}
	}
	return t
}

// ride books a bar over which a position is held, the k-th of the window, and reports whether any equity is left.
func (b *book) ride(k int, from, mark float64) bool {
	s, r := &b.assets[0], b.run
	pnl := s.earned(s.quantity, from, mark, mark)
	s.trip.PnL += pnl
	r.Total.PricePnL += pnl
	r.ByAsset[0].PricePnL += pnl
	worth := s.value(s.quantity)
	b.equity = b.cash + worth
	b.measure(r.Capital + r.Total.Net() - b.equity)
	if r.Bar != nil {
		r.Bar[k].PricePnL += pnl
	}
	if r.Quantity != nil {
		r.Quantity[0][k] = s.quantity
	}
	if b.equity <= 0 {
		r.Equity[k] = b.equity
		return false
	}
	if r.Weight != nil {
		r.Weight[0][k] = worth / b.equity
	}
	return true
}
