package portfolio

import (
	"math"
	"slices"
)

// order changes the position to `to`, whatever it is then: the orders before it are filled by then.
type order struct {
	decided int
	to      float64
}

// execute fills the orders that are due at row t. Under execution.max_share the bar's fills take no more than that share
// of its turnover, and what is left waits; an order that is due replaces what waits of those before it.
func (s *position) execute(p *Portfolio, t int) {
	left := math.Inf(1)
	if p.e.MaxShare > 0 {
		left = p.e.MaxShare * max(0, orZero(s.turnover[t-p.first]))
	}
	n := 0
	for n < len(s.orders) && s.orders[n].decided+p.e.Delay <= t {
		o := s.orders[n]
		if q, most := o.to-s.quantity, left/s.contract.Notional(s.price[t-p.first], 1); math.Abs(q) > most {
			if later := n+1 < len(s.orders) && s.orders[n+1].decided+p.e.Delay <= t; !later {
				s.fill(p, t, o, s.quantity+math.Copysign(most, q))
				break
			}
			n++ // what waits of it is replaced at once
			continue
		}
		left -= s.fill(p, t, o, o.to)
		n++
	}
	s.orders = slices.Delete(s.orders, 0, n)
}

// orZero is x, or 0 where it is missing.
func orZero(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// fill executes an order at row t, or the part of it that changes the position to `to`, and gives its notional at the
// price before costs.
func (s *position) fill(p *Portfolio, t int, o order, to float64) (notional float64) {
	q := to - s.quantity
	if q == 0 {
		return 0
	}
	k := t - p.first
	f := Fill{Row: t, Decided: o.decided, Instrument: s.index, Quantity: q, Reference: s.price[k], Held: to}
	spread, impact, fee := s.costs(p, t, q)
	moved := spread + impact
	f.Price = f.Reference * (1 + math.Copysign(moved, q))
	f.Notional = float64(s.contract.Notional(f.Price, math.Abs(q)))
	f.Fee = float64(f.Notional * fee)
	s.accruesFrom = max(s.accruesFrom, t)
	if !s.atOpen {
		if s.owes() {
			var bar []Attribution
			if p.rows.Bar != nil {
				bar = p.rows.Bar[k:]
			}
			s.note(p, s.accrue(p, k, 1, nil, bar))
		}
		s.accruesFrom = t + 1 // what is held from its end on costs nothing over this row
	}
	s.exchange(p, k, f)
	p.cash -= f.Fee
	if moved > 0 {
		lost := s.earned(q, f.Reference, f.Price, s.close[k])
		f.Slippage, f.Impact = float64(lost*(spread/moved)), float64(lost*(impact/moved))
	}
	p.charge(s.index, k, Attribution{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
	s.turn(p, f)
	s.quantity, s.units = to, to*s.contract.Multiplier
	notional = float64(s.contract.Notional(f.Reference, math.Abs(q)))
	p.held = true
	p.turned += notional
	if p.o.Participate && s.turnover != nil && s.turnover[k] > 0 {
		p.taken.add(notional / s.turnover[k])
	}
	p.account.Notional += f.Notional
	p.account.Fills++
	p.rows.Fills = append(p.rows.Fills, f)
	return notional
}

// exchange books what was held up to the reference of a fill in row k of the block, and pays for the fill. From there on
// the row earns on what is held after it. An inverse position's coin PnL is turned into cash at the row's mark:
//
//	(held/from + q/price − after/reference) · multiplier · mark
func (s *position) exchange(p *Portfolio, k int, f Fill) {
	m, mark := s.contract.Multiplier, s.close[k]
	s.payAccrued(p)
	within := s.earned(s.quantity, s.from, f.Reference, mark)
	if p.rows.Bar != nil {
		p.rows.Bar[k].PricePnL += within
	}
	if !s.contract.Inverse {
		s.gain(p, s.earned(s.quantity, s.booked, f.Reference, mark))
		p.cash -= float64(f.Quantity * m * f.Price)
	} else {
		s.gain(p, s.swept+within)
		coin := f.Quantity*m/f.Price - f.Held*m/f.Reference
		if s.quantity != 0 {
			coin += s.quantity * m / s.from
		}
		p.cash += s.swept + float64(coin*mark)
		s.swept = 0
	}
	s.from, s.booked = f.Reference, f.Reference
}

// turn keeps the round trips: the costs of a fill that crosses zero are shared by what it closes and what it opens.
func (s *position) turn(p *Portfolio, f Fill) {
	cost := f.Fee + f.Slippage + f.Impact
	label := p.at(f.Row)
	if s.quantity == 0 {
		s.trip = RoundTrip{Instrument: s.index, Entry: f.Row, Opened: label, PnL: -cost}
		return
	}
	if f.Held != 0 && math.Signbit(f.Held) == math.Signbit(s.quantity) {
		s.trip.PnL -= cost
		return
	}
	closing := float64(cost * math.Abs(s.quantity/f.Quantity))
	s.trip.PnL -= closing
	s.trip.Exit, s.trip.Closed = f.Row, label
	p.account.Trips.add(s.trip)
	p.rows.Trips = append(p.rows.Trips, s.trip)
	s.trip = RoundTrip{Instrument: s.index, Entry: f.Row, Opened: label, PnL: closing - cost}
}

// charge books costs or funding of an instrument in row k of the block.
func (p *Portfolio) charge(instrument, k int, a Attribution) {
	p.account.Total.Add(a)
	p.account.ByInstrument[instrument].Add(a)
	if p.rows.Bar != nil {
		p.rows.Bar[k].Add(a)
	}
}
