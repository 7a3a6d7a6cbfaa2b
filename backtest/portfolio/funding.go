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

// usualInterval is the time between settlements where the data shows no two of them, and shortestInterval the shortest
// that is believed.
const (
	usualInterval    = 8 * time.Hour
	shortestInterval = time.Hour
)

// dueIn lists the funding events of instrument i in the span. On a day whose derivative_ticker file is missing or empty
// no row names what settled: there the events that the shortest interval of the series leads one to expect, counted from
// midnight, are listed as not known. A series that shows rows and never a settlement, as that of a dated future, has
// none.
func dueIn(m *Market, i int, span study.Span) ([]bars.Settlement, error) {
	known := m.settlements(i)
	interval := usualInterval.Microseconds()
	for k := 1; k < len(known); k++ {
		interval = min(interval, known[k].Time-known[k-1].Time)
	}
	interval = max(interval, shortestInterval.Microseconds())
	var unknown []bars.Settlement
	fed, shown := false, len(known) > 0
	for _, d := range m.days(i) {
		fed = fed || d.Type == datasets.DerivativeTicker
		shown = shown || d.Type == datasets.DerivativeTicker && d.Presence == bars.Present
	}
	if m.Days != nil && !fed {
		return nil, fmt.Errorf("%v has no funding feed: fetch its %s, or set execution.funding to false", m.Grid.Instruments[i], datasets.DerivativeTicker)
	}
	for _, d := range m.days(i) {
		if d.Type != datasets.DerivativeTicker || d.Presence == bars.Present || len(known) == 0 && shown {
			continue
		}
		for t := d.Day.Start() + interval; t < (d.Day + 1).Start(); t += interval {
			if !slices.ContainsFunc(known, func(x bars.Settlement) bool { return x.Time == t }) {
				unknown = append(unknown, bars.Settlement{Time: t, Rate: math.NaN(), Mark: math.NaN()})
			}
		}
	}
	due := known
	if len(unknown) > 0 {
		due = append(unknown, known...)
		slices.SortFunc(due, func(a, b bars.Settlement) int { return cmp.Compare(a.Time, b.Time) })
	}
	first, _ := slices.BinarySearchFunc(due, span.From, func(x bars.Settlement, from int64) int { return cmp.Compare(x.Time, from) })
	return due[first:], nil
}

// fund books the funding of row t that comes before, or after, its fills.
func (s *position) fund(p *Portfolio, t int, beforeFills bool) {
	s.settle(p, t, beforeFills)
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
// in quote currency: longs pay when the rate is positive. An event that the data does not show is counted and books
// nothing.
func (s *position) settle(p *Portfolio, t int, beforeFills bool) {
	for len(s.settlements) > 0 {
		x := s.settlements[0]
		if x.Time >= p.end(t) || beforeFills && s.atOpen && x.Time > p.start(t) {
			return
		}
		s.settlements = s.settlements[1:]
		if s.quantity != 0 {
			s.pay(p, t, x.Time, s.contract.Notional(x.Mark, s.quantity)*x.Rate)
		}
	}
}

// fundingInterval is what a continuously accruing rate is quoted for.
const fundingInterval = 8 * time.Hour

// accrue books the funding of a venue whose rate runs continuously, over the time that row t covers, on the position
// held through it: at the rate, and for a linear contract the mark, that stood when the bar began.
//
//	linear   −quantity · multiplier · mark · rate · (length of the bar / 8 h)
//	inverse  −contracts · multiplier · rate · (length of the bar / 8 h)
//
// A bar over which the rate is not known is counted and books nothing.
func (s *position) accrue(p *Portfolio, t int) {
	if !s.accrues || s.quantity == 0 {
		return
	}
	rate := s.rated
	if k := t - p.first; k > 0 {
		rate = s.rate[k-1]
	}
	length := float64(p.end(t)-p.start(t)) / float64(fundingInterval.Microseconds())
	s.pay(p, t, p.start(t), s.value(s.quantity)*rate*length)
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
	s.pay(p, t, p.start(t), s.value(-s.quantity)*s.borrow*years)
}

// pay takes a funding payment of row t out of cash. One that is NaN is not known: from that instant on net PnL is not.
func (s *position) pay(p *Portfolio, t int, at int64, paid float64) {
	if math.IsNaN(paid) {
		u := p.account.Unknown
		if u == nil {
			u = &Unknown{From: at, Instrument: s.index}
			p.account.Unknown = u
		} else if at < u.From {
			u.From, u.Instrument = at, s.index
		}
		u.Count++
		return
	}
	p.cash -= paid
	s.trip.PnL -= paid
	p.charge(s.index, t-p.first, Attribution{Funding: -paid})
}
