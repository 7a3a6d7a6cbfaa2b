package backtest

import (
	"cmp"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// usualInterval is the time between settlements where the data shows no two of them, and shortestInterval
// the shortest that is believed.
const (
	usualInterval    = 8 * time.Hour
	shortestInterval = time.Hour
)

// dueIn lists the funding events of instrument i in the window. On a day whose derivative_ticker file is
// missing or empty no row names what settled: there the events that the shortest interval of the series leads
// one to expect, counted from midnight, are listed as not known. A series that shows rows and never a
// settlement, as that of a dated future, has none.
func dueIn(m *Market, i int, w study.Span) ([]bars.Settlement, error) {
	known := m.Settlements[i]
	interval := usualInterval.Microseconds()
	for k := 1; k < len(known); k++ {
		interval = min(interval, known[k].Time-known[k-1].Time)
	}
	interval = max(interval, shortestInterval.Microseconds())
	var due []bars.Settlement
	fed, shown := false, len(known) > 0
	for _, d := range m.daysOf(i) {
		fed = fed || d.Type == datasets.DerivativeTicker
		shown = shown || d.Type == datasets.DerivativeTicker && d.Presence == bars.Present
	}
	if m.Days != nil && !fed {
		return nil, fmt.Errorf("%v has no funding feed: fetch its %s, or set execution.funding to false", m.Instruments[i], datasets.DerivativeTicker)
	}
	for _, d := range m.daysOf(i) {
		if d.Type != datasets.DerivativeTicker || d.Presence == bars.Present || len(known) == 0 && shown {
			continue
		}
		for t := d.Day.Start() + interval; t < (d.Day + 1).Start(); t += interval {
			if !slices.ContainsFunc(known, func(x bars.Settlement) bool { return x.Time == t }) {
				due = append(due, bars.Settlement{Time: t, Rate: math.NaN(), Mark: math.NaN()})
			}
		}
	}
	due = append(due, known...)
	slices.SortFunc(due, func(a, b bars.Settlement) int { return cmp.Compare(a.Time, b.Time) })
	first, _ := slices.BinarySearchFunc(due, w.From, func(x bars.Settlement, from int64) int { return cmp.Compare(x.Time, from) })
	return due[first:], nil
}

// daysOf is what the lake had of instrument i.
func (m *Market) daysOf(i int) []bars.DayStatus {
	if m.Days == nil {
		return nil
	}
	return m.Days[i]
}

// settle books the funding events of bar t, which covers the time up to its label, on the position
// carried into each. Those at the bar's first instant, or anywhere in a bar that does not fill at its open,
// come before the fills.
//
//	linear   −quantity · multiplier · mark · rate
//	inverse  −contracts · multiplier · rate
//
// in quote currency: longs pay when the rate is positive. An event that the data does not show is
// counted and books nothing.
func (s *asset) settle(b *book, t int, beforeFills bool) {
	for len(s.settlements) > 0 {
		x := s.settlements[0]
		if x.Time >= b.end(t) || beforeFills && s.atOpen && x.Time > b.start(t) {
			return
		}
		s.settlements = s.settlements[1:]
		if s.quantity == 0 {
			continue
		}
		s.pay(b, s.contract.Notional(x.Mark, s.quantity)*x.Rate)
	}
}

// start is the first instant that bar t covers.
func (b *book) start(t int) int64 {
	switch {
	case b.m.Every > 0:
		return b.m.Close[t] - b.m.Every.Microseconds()
	case t > b.w.Lo:
		return b.m.Close[t-1]
	default:
		return b.w.From
	}
}

// end is the instant at which bar t ends: its label, but for the last bar the window's end, which the label
// of a bar that is not a time bar may fall short of.
func (b *book) end(t int) int64 {
	if t == b.w.Hi-1 {
		return b.w.To
	}
	return b.m.Close[t]
}

// fundingInterval is what a continuously accruing rate is quoted for.
const fundingInterval = 8 * time.Hour

// accrue books the funding of a venue whose rate runs continuously, over the time that bar t covers, on the
// position held through it: at the rate, and for a linear contract the mark, that stood when the bar began.
//
//	linear   −quantity · multiplier · mark · rate · (length of the bar / 8 h)
//	inverse  −contracts · multiplier · rate · (length of the bar / 8 h)
//
// A bar over which the rate is not known is counted and books nothing.
func (s *asset) accrue(b *book, t int) {
	if s.rate == nil || s.quantity == 0 {
		return
	}
	rate := math.NaN()
	if t > 0 {
		rate = s.rate[t-1]
	}
	length := float64(b.end(t)-b.start(t)) / float64(fundingInterval.Microseconds())
	s.pay(b, s.value(s.quantity)*rate*length)
}

// lend books what the coins of a short spot position cost over the time that bar t covers, on the position held
// through it at the mark that stood when the bar began:
//
//	quantity · multiplier · mark · borrow_bps/10⁴ · (length of the bar / 365 d),  quantity < 0
//
// It is paid whether or not the study counts funding, which spot does not have, and stands in the same place of
// the ledger.
func (s *asset) lend(b *book, t int) {
	if s.borrow == 0 || s.quantity >= 0 {
		return
	}
	years := float64(b.end(t)-b.start(t)) / (daysPerYear * datasets.MicrosPerDay)
	s.pay(b, s.value(-s.quantity)*s.borrow*years)
}

// pay takes a funding payment out of cash; one that is NaN is not known.
func (s *asset) pay(b *book, paid float64) {
	if math.IsNaN(paid) {
		b.run.UnknownSettlements++
		return
	}
	b.cash -= paid
	s.bar.Funding -= paid
	s.trip.PnL -= paid
}
