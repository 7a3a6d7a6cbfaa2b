package portfolio

import (
	"math"

	"github.com/qf-dev/qf/backtest/study"
)

// decide sends orders at the close of row t. An order exists when the target weight differs from the last one, or when
// the held weight is off it by more than the rebalance band; what is on its way counts as held. Its size is
//
//	weight · E_t / (value of one unit at C_t) − held
//
// with E_t the equity, or the initial capital under fixed sizing. A missing target is 0. An instrument without a close
// decides nothing.
func (p *Portfolio) decide(t, hi int) {
	all := p.e.RebalanceBand > 0 || p.e.GrossCap > 0 // one instrument's target may move the others' weights
	if p.weighs() && t == p.allots {
		p.allocate(t)
		all = true
	}
	if t == p.enrols {
		p.enrol(t, hi)
		all = true
	}
	if p.e.GrossCap > 0 {
		p.cap(t, hi)
	}
	base := p.base(p.equity)
	for i := range p.positions {
		s := &p.positions[i]
		if !all && s.decides != t {
			continue
		}
		if p.e.GrossCap == 0 {
			s.want = s.weight(p, t, hi)
		}
		if c := s.close[t-p.first]; priced(c) && (s.want != s.last || p.e.RebalanceBand > 0 && s.off(c, base, p.e.RebalanceBand)) {
			s.last = s.want
			if to := s.want * base / s.value(1); to != s.heading {
				s.heading = to
				s.orders = append(s.orders, order{t, to})
				s.seekAct(p, t+1, hi)
			}
		}
		s.seekDecision(p, t+1, hi)
	}
}

// base is the equity that weights are shares of.
func (p *Portfolio) base(equity float64) float64 {
	if p.e.Sizing == study.Fixed {
		return p.account.Capital
	}
	return equity
}

// weight turns the target of row t into a weight of the one capital, of which each instrument has its share. A spot
// instrument is short only where the study says what borrowing costs.
func (s *position) weight(p *Portfolio, t, hi int) float64 {
	if t == s.changes {
		s.retarget(p, t, hi)
	}
	if math.IsNaN(s.raw) || s.raw < 0 && s.floors {
		return 0
	}
	return s.raw * p.shares[s.index]
}

// cap scales all weights of row t down together where Σ|weight| exceeds the gross cap.
func (p *Portfolio) cap(t, hi int) {
	gross := 0.0
	for i := range p.positions {
		s := &p.positions[i]
		s.want = s.weight(p, t, hi)
		gross += math.Abs(s.want)
	}
	if gross > p.e.GrossCap {
		for i := range p.positions {
			p.positions[i].want *= p.e.GrossCap / gross
		}
	}
}

// retarget takes the target of row t, and finds the next row that has another.
func (s *position) retarget(p *Portfolio, t, hi int) {
	s.raw = 1
	if s.target != nil {
		s.raw = s.target[t-p.first]
	}
	s.seekChange(p, t+1, hi)
	switch short := s.floors && s.raw < 0; {
	case short && s.shortSince < 0:
		s.shortSince = t
	case !short:
		s.unfloor(t)
	}
}

// unfloor counts the rows before t at which a short target was raised.
func (s *position) unfloor(t int) {
	if s.shortSince >= 0 {
		s.floored += t - s.shortSince
	}
	s.shortSince = -1
}

// seekChange finds the first row from t on whose target is another.
func (s *position) seekChange(p *Portfolio, t, hi int) {
	s.changes = hi
	if s.target == nil || t >= hi {
		return
	}
	missing := math.IsNaN(s.raw)
	for j, v := range s.target[t-p.first:] {
		if v != s.raw && !(missing && math.IsNaN(v)) {
			s.changes = t + j
			return
		}
	}
}

// seekDecision finds the first row from t on after whose mark a decision is due: one with another target, or, where
// the last could not be followed for want of a price, one with a price.
func (s *position) seekDecision(p *Portfolio, t, hi int) {
	s.decides = s.changes
	if s.want == s.last {
		return
	}
	for ; t < s.decides; t++ {
		if priced(s.close[t-p.first]) {
			s.decides = t
		}
	}
}

// seek finds what a block holds for a position.
func (s *position) seek(p *Portfolio, lo, hi int) {
	s.seekAct(p, lo, hi)
	if lo > p.span.Lo {
		s.seekChange(p, lo, hi)
	}
	s.seekDecision(p, lo, hi)
}
