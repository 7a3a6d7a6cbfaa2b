package portfolio

import (
	"fmt"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

const (
	daysPerYear   = 365
	basisPoint    = 1e-4
	microsPerHour = datasets.MicrosPerDay / 24
)

// Options are of one replay among several of a study.
type Options struct {
	Frictionless bool // no fee, spread or impact, measured or not
	Hold         bool // buys every instrument's share at the first bar and holds it: targets are 1, the band is off
	Delay        int  // bars between decision and fill; 0: the study's
	Equity       bool // Rows show the equity
	Keep         bool // Rows show all: equity, quantities, weights, attribution
	Participate  bool // Account.Participation is wanted
}

// Portfolio is the state of one replay: flat start, initial capital, no closing trade.
type Portfolio struct {
	market    *Market
	span      study.Span
	e         study.ExecutionConfig
	o         Options
	positions []position
	fields    []string  // that blocks are asked for
	required  int       // those that they must have come first
	shares    []float64 // of the capital, per instrument
	cash      float64   // linear and spot positions are paid from it, inverse ones swept into it
	equity    float64   // at the last mark
	turned    float64   // notional at reference of the fills of the bar in progress
	next      int       // the first row that was not played yet
	label     int64     // of the row before, or the span's begin
	account   Account
	water     *metrics.Watermark
	exposure  float64 // Σ over bars of Σ abs(weight)

	today  datasets.Day
	before float64 // equity when the observation in progress began
	held   bool    // there was a position since then
	holes  int     // days of it that the lake does not hold

	taken  shares // of turnover, of each fill
	broken int64  // label of the first bar whose equity is no number; 0: none

	closes []int64 // labels of the block in progress
	first  int     // its first row
	dayEnd int     // the row of the block at which the next day begins
	allots int     // the row after whose mark the shares are set anew
	enrols int     // likewise, since others are members than in the row before
	rows   Rows
}

// New begins a replay over span. A target decided at the close of row t is filled at row t+Delay or at the first later
// one that trades; nothing is filled outside the span.
func New(m *Market, span study.Span, e study.ExecutionConfig, o Options) (*Portfolio, error) {
	if o.Delay > 0 {
		e.Delay = o.Delay
	}
	if o.Hold {
		e.RebalanceBand = 0
	}
	if e.Delay < 1 {
		return nil, fmt.Errorf("portfolio: delay is %d bars, want at least 1: 0 would trade on the bar that made the signal", e.Delay)
	}
	if !(e.InitialCapital > 0) {
		return nil, fmt.Errorf("portfolio: initial capital is %v, want more than 0", e.InitialCapital)
	}
	n := len(m.Grid.Instruments)
	p := &Portfolio{
		market: m, span: span, e: e, o: o, positions: make([]position, n), shares: make([]float64, n),
		cash: e.InitialCapital, equity: e.InitialCapital, before: e.InitialCapital, next: span.Lo, label: span.From,
		allots: span.Lo, enrols: -1,
		today: datasets.DayOf(span.From), water: metrics.NewWatermark(e.InitialCapital, span.From),
		account: Account{Span: span, Capital: e.InitialCapital, ByInstrument: make([]Attribution, n), UnknownOf: make([]*Unknown, n), Trips: RoundTrips{Best: math.NaN(), Worst: math.NaN()}},
	}
	p.account.Days = make([]Day, 0, max(0, datasets.DayOf(span.To-1)-p.today+1))
	for i := range p.positions {
		p.shares[i] = 1 / float64(n)
		if err := p.positions[i].init(m, i, span, e); err != nil {
			return nil, fmt.Errorf("portfolio: %w", err)
		}
	}
	p.ask()
	m.history.want(m, span.Lo, p.impacts(), p.weighs())
	return p, nil
}

// impacts and weighs report whether impact and allocation look back.
func (p *Portfolio) impacts() bool {
	return p.e.Impact.Model == study.SquareRoot && p.e.Impact.K > 0 && !p.o.Frictionless
}

func (p *Portfolio) weighs() bool {
	return p.e.Allocation == study.InverseVolatility && len(p.positions) > 1
}

// ask lists the market fields of a replay.
func (p *Portfolio) ask() {
	p.fields = []string{"close", "trades"}
	need := func(name string, needed bool) {
		if needed && !slices.Contains(p.fields, name) {
			p.fields = append(p.fields, name)
		}
	}
	need(p.e.Price, true)
	need("turnover", p.e.MaxShare > 0)
	need("funding_rate", slices.ContainsFunc(p.positions, func(s position) bool { return s.accrues }))
	p.required = len(p.fields)
	need("bid", !p.o.Frictionless)
	need("ask", !p.o.Frictionless)
	need("turnover", p.o.Participate)
}

// Fields are the market fields without which it cannot be played.
func (p *Portfolio) Fields() []string { return p.fields[:p.required:p.required] }

// Optional are the fields that it uses where there are any: quotes, whose spread fills pay, and turnover for
// Options.Participate.
func (p *Portfolio) Optional() []string { return p.fields[p.required:] }

// Step plays the rows of b, which follow those of the block before. fields places each of Fields, then of Optional, in
// b.Cols; −1 where b lacks it. target holds the rows' targets by instrument, missing ones as NaN; none under
// Options.Hold.
//
// Rows outside the span are left alone. Step takes O(rows · instruments) time and, once its buffers have grown, allocates
// nothing. It panics where the rows do not follow, a field of Fields is not there, or Market.Remember was not given rows
// that impact or allocation look back on.
func (p *Portfolio) Step(b *bars.Block, fields []int, target [][]float64) *Rows {
	c := p.columns(b, fields)
	lo, hi := min(max(b.Lo, p.span.Lo), b.Hi), max(min(b.Hi, p.span.Hi), b.Lo)
	if lo >= hi {
		p.rows.reset(p.next, nil)
		return &p.rows
	}
	if lo != p.next {
		panic("portfolio: Step of rows that do not follow those before")
	}
	if !p.market.history.holds(b) {
		panic("portfolio: Step of rows that Market.Remember was not given")
	}
	p.enter(b, c, target, lo, hi)
	p.play(lo, hi)
	p.leave(hi)
	return &p.rows
}

// columns are those of a block by use; nil where the block lacks them.
type columns struct{ close, trades, price, turnover, rate, bid, ask [][]float64 }

func (p *Portfolio) columns(b *bars.Block, fields []int) (c columns) {
	for k, name := range p.fields {
		if fields[k] < 0 {
			if k < p.required {
				panic("portfolio: Step of a block without " + name)
			}
			continue
		}
		x := b.Cols[fields[k]]
		switch name {
		case "close":
			c.close = x
		case "trades":
			c.trades = x
		case "turnover":
			c.turnover = x
		case "funding_rate":
			c.rate = x
		case "bid":
			c.bid = x
		case "ask":
			c.ask = x
		}
		if name == p.e.Price {
			c.price = x
		}
	}
	if c.ask == nil {
		c.bid = nil
	}
	return c
}

// enter lays the columns of rows [lo, hi) of a block before the positions.
func (p *Portfolio) enter(b *bars.Block, c columns, target [][]float64, lo, hi int) {
	from, to := lo-b.Lo, hi-b.Lo
	cut := func(x [][]float64, i int) []float64 {
		if x == nil {
			return nil
		}
		return x[i][from:to]
	}
	p.closes, p.first = b.Close[from:to], lo
	p.rows.reset(lo, p.closes)
	p.rows.grow(p.o, len(p.positions))
	for i := range p.positions {
		s := &p.positions[i]
		s.close, s.trades, s.price, s.rate = cut(c.close, i), cut(c.trades, i), cut(c.price, i), cut(c.rate, i)
		s.bid, s.ask, s.target = cut(c.bid, i), cut(c.ask, i), nil
		s.turnover = cut(c.turnover, i)
		if b.Members != nil {
			s.member = b.Members[i][from:to]
		}
		if !p.o.Hold {
			s.target = cut(target, i)
		}
		if !s.accrues {
			s.rate = nil
		}
		s.seek(p, lo, hi)
	}
	if b.Members != nil {
		p.seekEnrolment(lo, hi)
	}
	p.dayEnd = lo + p.labelsUpTo((p.today + 1).Start())
}

// leave carries what the next block's first row looks back on.
func (p *Portfolio) leave(hi int) {
	p.next, p.label = hi, p.closes[len(p.closes)-1]
	for i := range p.positions {
		p.positions[i].leave(p)
	}
}

// labelsUpTo is the number of rows of the block labelled at or before an instant.
func (p *Portfolio) labelsUpTo(at int64) int {
	n, _ := slices.BinarySearch(p.closes, at+1)
	return n
}

// at is the label of row t of the block in progress.
func (p *Portfolio) at(t int) int64 { return p.closes[t-p.first] }

// start is the first instant that row t of the block covers.
func (p *Portfolio) start(t int) int64 {
	switch {
	case p.market.Grid.Every > 0:
		return p.at(t) - p.market.Grid.Every.Microseconds()
	case t > p.first:
		return p.at(t - 1)
	default:
		return p.label
	}
}

// end is the instant at which row t ends: its label, but for the last row the span's end, which the label of a bar that
// is not a time bar may fall short of.
func (p *Portfolio) end(t int) int64 {
	if t == p.span.Hi-1 {
		return p.span.To
	}
	return p.at(t)
}
