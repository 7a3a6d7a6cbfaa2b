package portfolio

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// fundedBy finds what funding the data shows of a position in the span: the settlements that are due, and the stretches
// over which it does not say what settled.
func (s *position) fundedBy(m *Market, span study.Span) error {
	fed := func(d bars.DayStatus) bool { return d.Type == datasets.DerivativeTicker }
	if m.Days != nil && !slices.ContainsFunc(m.Days[s.index], fed) {
		return fmt.Errorf("%v has no funding feed: fetch its %s, or set execution.funding to false", m.Grid.Instruments[s.index], datasets.DerivativeTicker)
	}
	if m.Settlements != nil {
		all := m.Settlements[s.index]
		first, _ := slices.BinarySearchFunc(all, span.From, func(x bars.Settlement, from int64) int { return cmp.Compare(x.Time, from) })
		s.settlements = all[first:]
	}
	if m.Gaps != nil {
		s.gaps = m.Gaps[s.index]
	}
	return nil
}

// fund books the funding events of row t that come before, or after, its fills.
func (s *position) fund(p *Portfolio, t int, beforeFills bool) {
	s.settle(p, t, beforeFills)
	s.settleUnknown(p, t, beforeFills)
}

// settle books the funding events of row t, which covers the time up to its label, on the position carried into each.
// Those at the bar's first instant, or anywhere in a bar that does not fill at its open, come before the fills.
//
//	linear   −quantity · multiplier · mark · rate
//	inverse  −contracts · multiplier · rate
//
// in quote currency: longs pay when the rate is positive.
func (s *position) settle(p *Portfolio, t int, beforeFills bool) {
	for len(s.settlements) > 0 {
		x := s.settlements[0]
		if x.Time >= p.end(t) || beforeFills && s.atOpen && x.Time > p.start(t) {
			return
		}
		s.settlements = s.settlements[1:]
		if s.quantity == 0 {
			continue
		}
		why := "no funding rate is shown"
		if !math.IsNaN(x.Rate) {
			why = "no mark price is shown"
		}
		s.pay(p, t, float64(s.contract.Notional(x.Mark, s.quantity)*x.Rate), x.Time, why)
	}
}

// settleUnknown makes net PnL unknown from the first instant of row t at which a position is held and the data does not say
// what settled: of those before its fills, or of those after them, as settle tells them apart.
func (s *position) settleUnknown(p *Portfolio, t int, beforeFills bool) {
	from, to := p.start(t), p.end(t)-1
	switch {
	case s.atOpen && beforeFills:
		to = from
	case s.atOpen:
		from++
	case !beforeFills:
		return
	}
	for len(s.gaps) > 0 && s.gaps[0].From < to {
		g := s.gaps[0]
		if g.To >= from {
			if s.quantity == 0 {
				return // the position may be opened before it ends
			}
			s.unknown(p, max(from, g.From+1), g.Reason)
		}
		s.gaps = s.gaps[1:]
	}
}

// fundingInterval is what a continuously accruing rate is quoted for.
const fundingInterval = 8 * time.Hour

// accrual is what a position pays for the time that some rows cover.
type accrual struct {
	paid    float64
	missing int // rows over which it is not known
	first   int // of those
}

// accrue works out what the position pays over rows of the block from row k on, takes it from their equity, and writes
// it to bar; either may be nil. It is paid on what is held through a row, at the mark that stood when the row began.
// Where funding runs continuously that is, at the rate shown then,
//
//	linear   quantity · multiplier · mark · rate · (length of the bar / 8 h)
//	inverse  contracts · multiplier · rate · (length of the bar / 8 h)
//
// and what the coins of a short spot position cost,
//
//	−quantity · multiplier · mark · borrow_bps/10⁴ · (length of the bar / 365 d),  quantity < 0,
//
// whether or not the study counts funding, which spot does not have.
func (s *position) accrue(p *Portfolio, k, n int, equity []float64, bar []Attribution) accrual {
	a, mark, rate := accrual{paid: s.accrued}, s.mark, s.rated
	per := 1 / float64(fundingInterval.Microseconds())
	if !s.accrues {
		rate, per = -s.borrow, 1.0/(daysPerYear*datasets.MicrosPerDay)
	} else if k > 0 {
		rate = s.rate[k-1]
	}
	for j := range n {
		t := p.first + k + j
		worth := s.units
		if !s.inverse {
			worth *= mark
		}
		if t >= s.accruesFrom {
			switch paid := float64(worth * rate * (float64(p.end(t)-p.start(t)) * per)); {
			case !math.IsNaN(paid):
				a.paid += paid
				if bar != nil {
					bar[j].Funding -= paid
				}
			case a.missing == 0:
				a.first = t
				a.missing++
			default:
				a.missing++
			}
		}
		if equity != nil {
			equity[j] -= a.paid
		}
		if c := s.close[k+j]; priced(c) {
			mark = c
		}
		if s.accrues {
			rate = s.rate[k+j]
		}
	}
	return a
}

// owes reports whether holding the position costs something over time.
func (s *position) owes() bool { return s.accrues && s.quantity != 0 || s.borrow > 0 && s.quantity < 0 }

// note takes note of what rows were found to cost.
func (s *position) note(p *Portfolio, a accrual) {
	s.accrued = a.paid
	if a.missing > 0 {
		s.unknown(p, p.start(a.first), "no funding rate is shown")
		p.account.UnknownOf[s.index].Count += a.missing - 1
	}
}

// payAccrued takes what accrued out of cash.
func (s *position) payAccrued(p *Portfolio) {
	paid := s.accrued
	s.accrued = 0
	p.cash -= paid
	s.trip.PnL -= paid
	p.account.Total.Funding -= paid
	p.account.ByInstrument[s.index].Funding -= paid
}

// pay takes a funding payment of row t out of cash. One that is NaN is not known, for the reason given: then net PnL is
// unknown from its instant on.
func (s *position) pay(p *Portfolio, t int, paid float64, at int64, why string) {
	if math.IsNaN(paid) {
		s.unknown(p, at, why)
		return
	}
	p.cash -= paid
	s.trip.PnL -= paid
	p.charge(s.index, t-p.first, Attribution{Funding: -paid})
}

// unknown notes that the data does not show what a position paid or earned at an instant.
func (s *position) unknown(p *Portfolio, at int64, why string) {
	u := &p.account.UnknownOf[s.index]
	if *u == nil {
		*u = &Unknown{Instrument: s.index, From: at, Reason: why}
	}
	(*u).Count++
	if first := p.account.Unknown; first == nil || at < first.From {
		p.account.Unknown = *u
	}
}
