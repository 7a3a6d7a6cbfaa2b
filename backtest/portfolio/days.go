package portfolio

import "github.com/qf-dev/qf/datasets"

// nextDay closes days until the one of row t.
func (p *Portfolio) nextDay(t int) {
	for p.at(t) > (p.today + 1).Start() {
		p.closeDay()
	}
	p.dayEnd = p.first + p.labelsUpTo((p.today + 1).Start())
	p.allots = t
	p.convert()
}

// convert counts what is held, and what is on its way, in the units of today, where a multiplier changed.
func (p *Portfolio) convert() {
	for i := range p.positions {
		s := &p.positions[i]
		m := s.contract.MultiplierOn(s.multipliers, p.today)
		if m == s.contract.Multiplier {
			continue
		}
		ratio := s.contract.Multiplier / m
		s.quantity *= ratio
		s.heading *= ratio
		for k := range s.orders {
			s.orders[k].to *= ratio
		}
		s.contract.Multiplier = m
	}
}

// closeDay ends the day in progress at the last mark. What a day that the lake does not hold did shows in the next.
func (p *Portfolio) closeDay() {
	p.today++
	if p.hole(p.today-1) && !p.account.Ruined {
		p.holes++
		return
	}
	p.observe(p.today - 1)
}

// observe ends an observation with day d.
func (p *Portfolio) observe(d datasets.Day) {
	holding := false
	for i := range p.positions {
		holding = holding || p.positions[i].quantity != 0
	}
	p.account.Days = append(p.account.Days, Day{Day: d, Hole: p.holes, Return: p.equity/p.before - 1, PnL: p.equity - p.before, Held: p.held || holding})
	p.before, p.held, p.holes = p.equity, holding, 0
	p.checkEquity()
}

// hole reports whether the lake does not hold what day d did to the portfolio: it has trades of no instrument, or lacks
// them of one that is held and has some later.
func (p *Portfolio) hole(d datasets.Day) bool {
	days := p.market.knownDays()
	if len(days) == 0 {
		return false
	}
	none := true
	for i, s := range days {
		if p.positions[i].quantity != 0 && s.lacks(d) {
			return true
		}
		none = none && !s.has(d)
	}
	return none
}
