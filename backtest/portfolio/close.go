package portfolio

import (
	"fmt"
	"math"
	"time"

	"github.com/qf-dev/qf/datasets"
)

const (
	// maxResidual is the largest error of the accounting identity that a replay may have, of equity.
	maxResidual = 1e-9
	// muchOfABar is the share of a bar's turnover above which a fill is warned of.
	muchOfABar = 0.1
)

// Close ends the replay, which must have been played to the end of its span. The identity of Attribution is checked at
// the end of days and over instruments; a residual above 1e-9 of equity is an error.
func (p *Portfolio) Close() (*Account, error) {
	if p.next != p.span.Hi {
		return nil, fmt.Errorf("portfolio: closed after row %d of a span that ends with row %d", p.next, p.span.Hi)
	}
	a := &p.account
	for last := datasets.DayOf(p.span.To - 1); p.today <= last && !a.Ruined; {
		p.closeDay()
	}
	if p.holes > 0 && !a.Ruined {
		p.observe(p.today - 1)
	}
	byInstrument := Attribution{}
	for i := range p.positions {
		s := &p.positions[i]
		s.attribute(p)
		s.unfloor(p.next)
		byInstrument.Add(a.ByInstrument[i])
	}
	p.checkEquity()
	p.check(byInstrument.Net() - a.Total.Net())
	a.Final, a.Drawdown = p.equity, p.water.Drawdown()
	if n := p.span.Hi - p.span.Lo; n > 0 {
		a.Exposure = p.exposure / float64(n)
	}
	if bad(a.Residual) {
		return nil, p.blame()
	}
	if !(a.Residual <= maxResidual) {
		return nil, fmt.Errorf("portfolio: the accounting does not add up: equity and its causes differ by %.3g of equity, want at most %g", a.Residual, maxResidual)
	}
	if p.o.Participate {
		a.Participation = p.taken.participation()
	}
	p.warn()
	return a, nil
}

// warn says what there is to say about a replay.
func (p *Portfolio) warn() {
	a := &p.account
	for i := range p.positions {
		s, name := &p.positions[i], p.market.Grid.Instruments[i]
		if n := s.floored; n > 0 {
			p.warnf("%v is spot and cannot be short: its target was raised to 0 at %d bars (execution.spot_short lets it be)", name, n)
		}
		if s.quantity != 0 && !a.Ruined && s.markedAt < p.span.Hi-1 {
			p.warnf("%v has no price after %s: the position held then could not be closed and stands at that price", name, stamp(s.markedLabel))
		}
		if n := s.unimpacted; n > 0 {
			p.warnf("%v: %d fills have no impact, since no volatility or turnover was known before them", name, n)
		}
	}
	if x := a.Participation; p.o.Participate && x.Largest > muchOfABar {
		p.warnf("fills took up to %.3g times their bar's turnover (half of them at most %.3g times), which may not have been there to trade: execution.max_share caps them",
			x.Largest, x.Median)
	}
	for i, u := range a.UnknownOf {
		if u != nil {
			more := ""
			if u.Count > 1 {
				more = fmt.Sprintf(", and %d times more", u.Count-1)
			}
			p.warnf("%v was held at %s, when the data does not say what funding settled (%s%s): from then on net PnL is not known, only PnL without funding",
				p.market.Grid.Instruments[i], stamp(u.From), u.Reason, more)
		}
	}
}

// bad reports whether x is no number.
func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// blame says which value made equity one that is no number.
func (p *Portfolio) blame() error {
	since := "the end"
	if p.broken != 0 {
		since = stamp(p.broken)
	}
	for i, a := range p.account.ByInstrument {
		for _, v := range []struct {
			name  string
			value float64
		}{
			{"the price PnL", a.PricePnL}, {"the fees", a.Fees}, {"the slippage", a.Slippage}, {"the impact", a.Impact},
			{"the funding", a.Funding}, {"the quantity held", p.positions[i].quantity}, {"the value held", p.positions[i].worth()},
		} {
			if bad(v.value) {
				return fmt.Errorf("portfolio: the accounting does not add up at %s: %s of %v is %v; qf verify looks for prices and amounts that are out of range",
					since, v.name, p.market.Grid.Instruments[i], v.value)
			}
		}
	}
	return fmt.Errorf("portfolio: the accounting does not add up at %s: equity is %v, of a capital of %v", since, p.equity, p.account.Capital)
}

func (p *Portfolio) warnf(format string, args ...any) {
	p.account.Warnings = append(p.account.Warnings, fmt.Errorf(format, args...))
}

// stamp writes a time of the grid for people.
func stamp(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04") }

// checkEquity checks that equity is the capital and the sum of its causes.
func (p *Portfolio) checkEquity() {
	pending := 0.0
	for i := range p.positions {
		pending += p.positions[i].pending() - p.positions[i].accrued
	}
	p.check(p.account.Capital + p.account.Total.Net() + pending - p.equity)
}

// check keeps the largest residual, and NaN, once there, for good.
func (p *Portfolio) check(residual float64) {
	a := &p.account
	if math.IsNaN(a.Residual) {
		return
	}
	scale := max(math.Abs(p.equity), a.Capital)
	if !(math.Abs(residual) <= a.Residual*scale) {
		a.Residual = math.Abs(residual) / scale
	}
}
