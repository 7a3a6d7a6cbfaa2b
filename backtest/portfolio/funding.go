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

// owe finds what funding the data shows of a position in the span: the settlements that are due, and the stretches over
// which it does not say what settled.
func (s *position) owe(m *Market, span study.Span) error {
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

// fund books the funding of row t that comes before, or after, its fills.
func (s *position) fund(p *Portfolio, t int, beforeFills bool) {
	s.settle(p, t, beforeFills)
	s.doubt(p, t, beforeFills)
	if beforeFills != s.atOpen {
		s.accrue(p, t)
		s.lend(p, t)
	}
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
		s.pay(p, t, s.contract.Notional(x.Mark, s.quantity)*x.Rate, x.Time, why)
	}
}

// doubt makes net PnL unknown from the first instant of row t at which a position is held and the data does not say
// what settled: of those before its fills, or of those after them, as settle tells them apart.
func (s *position) doubt(p *Portfolio, t int, beforeFills bool) {
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

// accrue books the funding of a venue whose rate runs continuously, over the time that row t covers, on the position
// held through it: at the rate, and for a linear contract the mark, that stood when the bar began.
//
//	linear   −quantity · multiplier · mark · rate · (length of the bar / 8 h)
//	inverse  −contracts · multiplier · rate · (length of the bar / 8 h)
func (s *position) accrue(p *Portfolio, t int) {
	if !s.accrues || s.quantity == 0 {
		return
	}
	rate := s.rated
	if k := t - p.first; k > 0 {
		rate = s.rate[k-1]
	}
	length := float64(p.end(t)-p.start(t)) / float64(fundingInterval.Microseconds())
	s.pay(p, t, s.value(s.quantity)*rate*length, p.start(t), "no funding rate is shown")
}

// lend books what the coins of a short spot position cost over the time that row t covers, on the position held through
// it at the mark that stood when the bar began:
//
//	quantity · multiplier · mark · borrow_bps/10⁴ · (length of the bar / 365 d),  quantity < 0
//
// It is paid whether or not the study counts funding, which spot does not have, and stands in the same place of the
// attribution.
func (s *position) lend(p *Portfolio, t int) {
	if s.borrow == 0 || s.quantity >= 0 {
		return
	}
	years := float64(p.end(t)-p.start(t)) / (daysPerYear * datasets.MicrosPerDay)
	s.pay(p, t, s.value(-s.quantity)*s.borrow*years, p.start(t), "no price is known")
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
