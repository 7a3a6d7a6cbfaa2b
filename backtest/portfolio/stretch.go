package portfolio

import (
	"math"
	"slices"
	"sync"
)

// Stretches are at most this long: what is worked out over them stays in the first cache. Under a rebalance band every
// row may send orders, and they are shorter.
const (
	longest = 1024
	banded  = 64
)

// workspace is what the valuation of one stretch needs, by row.
type workspace struct {
	equity [longest]float64
	gross  [longest]float64 // Σ over positions of abs(value)
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// play plays rows [t, hi) of the block. Settlements and fills happen at the first row of a stretch, a decision after its
// last; in between prices alone move equity.
func (p *Portfolio) play(t, hi int) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	for t < hi && !p.account.Ruined {
		if t >= p.dayEnd {
			p.nextDay(t)
		}
		for i := range p.positions {
			if s := &p.positions[i]; s.acts == t {
				s.act(p, t)
				s.seekAct(p, t+1, hi)
			}
		}
		end, due := p.until(t, hi)
		t, due = p.mark(w, t, end, due)
		if due && !p.account.Ruined {
			p.decide(t-1, hi)
		}
	}
	if t < hi {
		p.rest(t, hi)
	}
}

// until is the end of the stretch that begins with row t, and whether a decision is due after its last row.
func (p *Portfolio) until(t, hi int) (end int, due bool) {
	end = min(hi, p.dayEnd, t+longest)
	if p.e.RebalanceBand > 0 {
		end = min(end, t+banded)
	}
	last := math.MaxInt
	if p.weighs() && p.allots >= t {
		last = p.allots
	}
	if p.enrols >= t {
		last = min(last, p.enrols)
	}
	for i := range p.positions {
		s := &p.positions[i]
		end, last = min(end, s.acts), min(last, s.decides)
	}
	if last < end {
		return last + 1, true
	}
	return end, false
}

// mark values rows [t, end) and gives the row after the last that it did: it stops after one that ruins, or in which a
// weight has left its band, after which a decision is due.
func (p *Portfolio) mark(w *workspace, t, end int, due bool) (int, bool) {
	k, n := t-p.first, end-t
	equity, gross := w.equity[:n], w.gross[:n]
	live := p.sum(equity, gross, k)
	if p.turned > 0 && equity[0] > 0 {
		p.account.Turnover += p.turned / equity[0]
	}
	p.turned = 0
	if !live && p.cash > 0 && p.e.RebalanceBand == 0 {
		p.equity = p.cash
		p.water.AddLevel(p.cash, n, p.closes[k], p.closes[k+n-1])
		p.rows.flat(k, n, p.cash)
		p.commit()
		return end, due
	}
	if p.e.RebalanceBand > 0 {
		if m := p.drifted(equity, k); m < n {
			n, due = m+1, true
		}
	}
	exposure := p.exposure
	for j, e := range equity[:n] {
		if e <= 0 {
			n = j + 1
			p.account.Ruined = true
			break
		}
		exposure += gross[j] / e
	}
	p.exposure = exposure
	if n < len(equity) {
		equity = equity[:n]
		p.sum(equity, gross[:n], k)
	}
	if p.equity = equity[n-1]; p.broken == 0 && (bad(p.equity) || bad(exposure)) {
		p.broken = p.closes[k+max(0, slices.IndexFunc(equity, bad))]
	}
	p.water.Extend(equity, p.closes[k:k+n])
	p.keep(equity, k)
	p.commit()
	if p.account.Ruined {
		p.ruin(t + n - 1)
	}
	return t + n, due
}

// sum values every position at the closes from row k of the block on, and reports whether anything is held. Where it
// ends, commit sets the positions' marks.
func (p *Portfolio) sum(equity, gross []float64, k int) (live bool) {
	for i := range p.positions {
		s := &p.positions[i]
		closes := s.close[k : k+len(equity)]
		if s.quantity == 0 {
			s.next, s.nextSwept, s.nextAccrued = lastPriced(closes, s.mark), s.swept, accrual{}
			continue
		}
		if !live {
			for j := range equity {
				equity[j] = p.cash
			}
			clear(gross)
			live = true
		}
		s.sum(equity, gross, closes)
		if s.owes() {
			s.nextAccrued = s.accrue(p, k, len(equity), equity, nil)
		}
	}
	if !live {
		for j := range equity {
			equity[j], gross[j] = p.cash, 0
		}
	}
	return live
}

// lastPriced is the last price of a column, or another where there is none.
func lastPriced(closes []float64, otherwise float64) float64 {
	for j := len(closes) - 1; j >= 0; j-- {
		if priced(closes[j]) {
			return closes[j]
		}
	}
	return otherwise
}

// sum adds to equity what the position is worth at each close, and to gross the size of its value.
func (s *position) sum(equity, gross, closes []float64) {
	units, size := s.units, math.Abs(s.units)
	gross, closes = gross[:len(equity)], closes[:len(equity)]
	if s.inverse {
		mark, swept := s.from, s.swept
		for j, c := range closes {
			if !priced(c) {
				c = mark
			}
			swept += float64(units * ((c - mark) / mark))
			mark = c
			equity[j] += swept
			gross[j] += size
		}
		s.next, s.nextSwept = mark, swept
		return
	}
	mark := s.mark
	for j, c := range closes {
		if !priced(c) {
			c = mark
		}
		mark = c
		equity[j] += float64(units * c)
		gross[j] += float64(size * c)
	}
	s.next = mark
}

// commit moves the marks to where sum ended.
func (p *Portfolio) commit() {
	for i := range p.positions {
		s := &p.positions[i]
		if s.owes() {
			s.note(p, s.nextAccrued)
		}
		s.mark, s.from, s.swept = s.next, s.next, s.nextSwept
	}
}

// drifted is the first row in which what is held, with the orders on their way, is off the target weight by more than
// the rebalance band, counted from row k of the block; as many as there are rows where none is.
func (p *Portfolio) drifted(equity []float64, k int) int {
	for j, e := range equity {
		if e <= 0 {
			break
		}
		for i := range p.positions {
			s := &p.positions[i]
			if c := s.close[k+j]; priced(c) && s.off(c, p.base(e), p.e.RebalanceBand) {
				return j
			}
		}
	}
	return len(equity)
}

// off reports whether the weight of what will be held is off the target by more than band.
func (s *position) off(close, base, band float64) bool {
	return math.Abs(s.contract.Notional(close, s.heading)/base-s.want) > band
}

// keep writes the rows that are wanted, from row k of the block on.
func (p *Portfolio) keep(equity []float64, k int) {
	if p.rows.Equity != nil {
		copy(p.rows.Equity[k:], equity)
	}
	if p.rows.Bar == nil {
		return
	}
	for i := range p.positions {
		if s := &p.positions[i]; s.quantity != 0 {
			n := k + len(equity)
			s.keep(p.rows.Quantity[i][k:n], p.rows.Weight[i][k:n], p.rows.Bar[k:n], equity, s.close[k:n])
			if s.owes() {
				s.accrue(p, k, len(equity), nil, p.rows.Bar[k:n])
			}
		}
	}
}

// keep writes what is held over some rows, and what it earned.
func (s *position) keep(quantity, weight []float64, bar []Attribution, equity, closes []float64) {
	from, worth := s.from, s.units
	for j, c := range closes {
		if !priced(c) {
			c = from
		}
		earned := float64(s.units * (c - from))
		if s.inverse {
			earned /= from
		} else {
			worth = s.units * c
		}
		from = c
		bar[j].PricePnL += earned
		quantity[j] = s.quantity
		if equity[j] > 0 {
			weight[j] = worth / equity[j]
		}
	}
}

// ruin ends the replay at row t: what is left stays as it is.
func (p *Portfolio) ruin(t int) {
	p.closeDay()
	for i := range p.positions {
		p.positions[i].unfloor(t)
	}
	p.warnf("equity fell to %.2f at %s: the run ends there", p.equity, stamp(p.at(t)))
}

// rest passes over rows [t, hi) after a ruin.
func (p *Portfolio) rest(t, hi int) {
	k := t - p.first
	p.water.AddLevel(p.equity, hi-t, p.closes[k], p.closes[len(p.closes)-1])
	p.rows.flat(k, hi-t, p.equity)
}
