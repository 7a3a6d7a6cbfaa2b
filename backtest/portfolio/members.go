package portfolio

import (
	"math"
	"slices"
)

// seekEnrolment finds the first row from t on in which others are members than those that share the capital.
func (p *Portfolio) seekEnrolment(t, hi int) {
	p.enrols = hi
	for i := range p.positions {
		s := &p.positions[i]
		in := s.enrolled
		if k := slices.Index(s.member[t-p.first:hi-p.first], !in); k >= 0 {
			p.enrols = min(p.enrols, t+k)
		}
	}
}

// enrol shares the capital among the members of row t, equally; who is none has no share, so that what is held of it is sold.
func (p *Portfolio) enrol(t, hi int) {
	n := 0
	for i := range p.positions {
		s := &p.positions[i]
		if s.enrolled = s.member[t-p.first]; s.enrolled {
			n++
		}
	}
	for i := range p.positions {
		if p.shares[i] = 0; p.positions[i].enrolled {
			p.shares[i] = 1 / float64(n)
		}
	}
	p.seekEnrolment(t+1, hi)
}

// delist settles what is held of an instrument whose last bar was the one before row t: at its last price, without a spread, for the
// fee. What is on its way is never filled.
func (s *position) delist(p *Portfolio, t int) {
	s.orders, s.heading, s.last = nil, 0, 0
	if s.quantity == 0 {
		return
	}
	s.attribute(p)
	k := t - p.first
	f := Fill{Row: t, Decided: t, Instrument: s.index, Quantity: -s.quantity, Reference: s.mark, Price: s.mark}
	f.Notional = float64(s.contract.Notional(s.mark, math.Abs(s.quantity)))
	if !p.o.Frictionless {
		f.Fee = float64(f.Notional * (p.e.TakerBps * basisPoint))
	}
	if !s.inverse {
		p.cash += s.value(s.quantity)
	}
	p.cash -= f.Fee
	p.charge(s.index, k, Attribution{Fees: f.Fee})
	s.turn(p, f)
	s.quantity, s.units = 0, 0
	p.held = true
	p.turned += f.Notional
	p.account.Notional += f.Notional
	p.account.Fills++
	p.rows.Fills = append(p.rows.Fills, f)
}
