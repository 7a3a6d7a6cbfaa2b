package backtest

import "math"

// decide sends orders at the close of bar t. An order exists when the target weight differs from the last one,
// or when the held weight is off it by more than the rebalance band; what is on its way counts as
// held. Its size is
//
//	weight · E_t / (value of one unit at C_t) − held
//
// with E_t the equity, or the initial capital under fixed sizing. A missing target is 0. An
// instrument without a close decides nothing.
func (b *book) decide(t int) {
	b.weigh(t)
	base := b.equity
	if b.e.Sizing == "fixed" {
		base = b.run.Capital
	}
	for i := range b.assets {
		s := &b.assets[i]
		if !priced(s.close[t]) {
			continue
		}
		drifted := b.e.RebalanceBand > 0 && math.Abs(s.value(s.heading)/base-s.want) > b.e.RebalanceBand
		if s.want == s.last && !drifted {
			continue
		}
		s.last = s.want
		to := s.want * base / s.value(1)
		if to == s.heading {
			continue
		}
		s.heading = to
		s.orders = append(s.orders, order{t, to})
	}
}

// weigh turns the targets of bar t into weights of the one capital: each instrument has its share, and
// all are scaled down together where Σ|weight| exceeds the gross cap. A spot instrument is short only
// where the study says what borrowing costs.
func (b *book) weigh(t int) {
	b.allocate(t)
	gross := 0.0
	for i := range b.assets {
		s := &b.assets[i]
		w := s.target[t]
		if math.IsNaN(w) {
			w = 0
		}
		if w < 0 && s.contract.Spot && b.e.SpotShort == nil {
			w = 0
			s.floored++
		}
		s.want = w * b.shares[i]
		gross += math.Abs(s.want)
	}
	if b.e.GrossCap > 0 && gross > b.e.GrossCap {
		for i := range b.assets {
			b.assets[i].want *= b.e.GrossCap / gross
		}
	}
}
