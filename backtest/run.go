package backtest

import (
	"errors"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"

	"github.com/qf-dev/qf/factors"
)

// Run is one replay of a target over a window: flat start, initial capital, no closing trade.
type Run struct {
	Window  study.Span
	Target  *factors.Panel // what was traded, all rows of the grid
	Capital float64        // initial equity, quote currency

	// By bar of the window, after everything that happened in it, marked at its close. Over a bar
	// that has no price the last mark stands.
	Equity []float64
	Bar    []Ledger

	Quantity [][]float64 // per instrument and bar, in units of amount, after the bar's fills
	Weight   [][]float64 // the same as signed fractions of equity at the bar's close
	Total    Ledger
	ByAsset  []Ledger // per instrument, summing to Total
	Fills    []Fill   // by time, then instrument
	Trips    []Trip   // round trips that ended, by the time of their end

	Ruined   bool    // equity reached zero; the run ends there and stays flat
	Residual float64 // the largest error of Ledger's identity, as a share of equity
	// UnknownSettlements counts events over which a position was held and whose rate or mark the
	// data does not show; net PnL over them is not known.
	UnknownSettlements int
	Warnings           []error
}

// Ledger splits a change of equity into its causes, in quote currency:
//
//	Δequity = PricePnL − Fees − Slippage − Impact + Funding
//
// Funding is what holding a position cost or paid: funding of perpetuals, and the borrowing of short spot.
type Ledger struct{ PricePnL, Fees, Slippage, Impact, Funding float64 }

// Net is the change of equity.
func (l Ledger) Net() float64 { return l.PricePnL - l.Fees - l.Slippage - l.Impact + l.Funding }

func (l *Ledger) add(o Ledger) {
	l.PricePnL += o.PricePnL
	l.Fees += o.Fees
	l.Slippage += o.Slippage
	l.Impact += o.Impact
	l.Funding += o.Funding
}

// Fill is one execution.
type Fill struct {
	Row                   int     // grid row of the bar that filled
	Decided               int     // grid row of the bar whose close decided
	Instrument            int     // index into the grid's
	Quantity              float64 // signed, in units of amount
	Reference             float64 // the bar's execution price before costs
	Price                 float64 // the fill price: Reference moved against the trader by half the spread and impact
	Notional              float64 // of abs(Quantity) at Price, quote currency
	Held                  float64 // quantity after the fill
	Fee, Slippage, Impact float64
}

// Trip is one round trip: from a flat position, or one of the other sign, to the next.
type Trip struct {
	Instrument  int
	Entry, Exit int     // grid rows of the bars that filled
	PnL         float64 // price PnL and funding less all costs, quote currency
}

// maxResidual is the largest error of the accounting identity that a run may have, of equity.
const maxResidual = 1e-9

// Simulate trades target over the window. A target decided at the close of row t is filled at row
// t+Delay or at the first later one that trades; nothing is filled outside the window. The identity
// of Ledger is checked over bars, fills and instruments; a residual above 1e-9 of equity is an error.
//
// Within a bar the order is: settlements due before the fills, fills, settlements after them, the mark at the
// close, the decision. A bar without a price freezes the position: nothing is marked or decided. It takes
// O(bars · instruments) time and allocates only the result.
func Simulate(m *Market, target *factors.Panel, w study.Span, e study.ExecutionConfig) (*Run, error) {
	b, err := newBook(m, target, w, e)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	n, bars := len(m.Instruments), w.Hi-w.Lo
	b.run.Bar, b.run.Quantity, b.run.Weight = make([]Ledger, bars), make([][]float64, n), make([][]float64, n)
	for i := range n {
		b.run.Quantity[i], b.run.Weight[i] = make([]float64, bars), make([]float64, bars)
	}
	return b.replay()
}

// simulateEquity is Simulate of which Bar, Quantity and Weight are not kept, for runs that only their equity
// is wanted of; a frictionless one pays no fee, spread or impact, measured or not.
func simulateEquity(m *Market, target *factors.Panel, w study.Span, e study.ExecutionConfig, frictionless bool) (*Run, error) {
	b, err := newBook(m, target, w, e)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	b.frictionless = frictionless
	return b.replay()
}

// replay plays the window.
func (b *book) replay() (*Run, error) {
	b.play(b.w.Lo, b.w.Hi)
	if err := b.close(); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	return b.run, nil
}

// play plays bars [t, end).
func (b *book) play(t, end int) {
	for glides := b.glides(); t < end && !b.run.Ruined; {
		if glides {
			if next := b.glide(t, end); next > t {
				t = next
				continue
			}
		}
		b.bar(t)
		t++
	}
}

// book is the state of a replay.
type book struct {
	m            *Market
	w            study.Span
	e            study.ExecutionConfig
	run          *Run
	assets       []asset
	frictionless bool
	shares       []float64 // of the capital, per instrument
	cash         float64   // linear and spot positions are paid from it, inverse ones swept into it
	equity       float64   // at the last mark
	forgotten    Ledger    // costs of the fills that the run does not keep
}

func newBook(m *Market, target *factors.Panel, w study.Span, e study.ExecutionConfig) (*book, error) {
	if e.Delay < 1 {
		return nil, fmt.Errorf("delay is %d bars, want at least 1: 0 would trade on the bar that made the signal", e.Delay)
	}
	if !(e.InitialCapital > 0) {
		return nil, fmt.Errorf("initial capital is %v, want more than 0", e.InitialCapital)
	}
	n, bars := len(m.Instruments), w.Hi-w.Lo
	b := &book{m: m, w: w, e: e, assets: make([]asset, n), cash: e.InitialCapital, equity: e.InitialCapital}
	b.run = &Run{Window: w, Target: target, Capital: e.InitialCapital, Equity: make([]float64, bars), ByAsset: make([]Ledger, n)}
	b.shares = make([]float64, n)
	for i := range b.assets {
		b.shares[i] = 1 / float64(n)
		if err := b.assets[i].init(m, target, i, w, e); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bar plays bar t.
func (b *book) bar(t int) {
	k, r := t-b.w.Lo, b.run
	for i := range b.assets {
		s := &b.assets[i]
		s.play(b, t)
		if r.Quantity != nil {
			r.Quantity[i][k] = s.quantity
		}
		if s.bar != (Ledger{}) {
			if r.Bar != nil {
				r.Bar[k].add(s.bar)
			}
			b.run.ByAsset[i].add(s.bar)
			b.run.Total.add(s.bar)
			s.bar = Ledger{}
		}
	}
	b.equity = b.cash
	for i := range b.assets {
		b.equity += b.assets[i].worth()
	}
	b.run.Equity[k] = b.equity
	b.measure(b.run.Capital + b.run.Total.Net() - b.equity)
	if b.equity <= 0 {
		b.ruin(t)
		return
	}
	for i := range b.assets {
		if s := &b.assets[i]; r.Weight != nil && s.quantity != 0 {
			b.run.Weight[i][k] = s.value(s.quantity) / b.equity
		}
	}
	b.decide(t)
}

// measure keeps the largest residual of the identity, and NaN, once there, for good.
func (b *book) measure(residual float64) {
	if math.IsNaN(b.run.Residual) {
		return
	}
	scale := max(math.Abs(b.equity), b.run.Capital)
	if !(math.Abs(residual) <= b.run.Residual*scale) {
		b.run.Residual = math.Abs(residual) / scale
	}
}

// ruin ends the run at bar t: what is left stays as it is.
func (b *book) ruin(t int) {
	b.run.Ruined = true
	for k := t - b.w.Lo + 1; k < len(b.run.Equity); k++ {
		b.run.Equity[k] = b.equity
	}
	b.run.Warnings = append(b.run.Warnings, fmt.Errorf("equity fell to %.2f at %s: the run ends there", b.equity, stamp(b.m.Close[t])))
}

// close checks the identity over fills and instruments and collects what there is to say.
func (b *book) close() error {
	r := b.run
	assets, fills := Ledger{}, b.forgotten
	for _, l := range r.ByAsset {
		assets.add(l)
	}
	for _, f := range r.Fills {
		fills.add(Ledger{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
	}
	b.measure(assets.Net() - r.Total.Net())
	b.measure(fills.Fees - r.Total.Fees)
	b.measure(fills.Slippage - r.Total.Slippage)
	b.measure(fills.Impact - r.Total.Impact)
	if math.IsNaN(r.Residual) || math.IsInf(r.Residual, 0) {
		return b.blame()
	}
	if !(r.Residual <= maxResidual) {
		return fmt.Errorf("the accounting does not add up: equity and its causes differ by %.3g of equity, want at most %g", r.Residual, maxResidual)
	}
	for i := range b.assets {
		if n := b.assets[i].floored; n > 0 {
			r.Warnings = append(r.Warnings, fmt.Errorf("%v is spot and cannot be short: its target was raised to 0 at %d bars (execution.spot_short lets it be)", b.m.Instruments[i], n))
		}
		if s := &b.assets[i]; s.quantity != 0 && !r.Ruined && !priced(s.close[b.w.Hi-1]) {
			t := b.w.Hi - 1
			for !priced(s.close[t]) {
				t--
			}
			r.Warnings = append(r.Warnings, fmt.Errorf("%v has no price after %s: the position held then could not be closed and stands at that price", b.m.Instruments[i], stamp(b.m.Close[t])))
		}
		if n := b.assets[i].unimpacted; n > 0 {
			r.Warnings = append(r.Warnings, fmt.Errorf("%v: %d fills have no impact, since no volatility or turnover was known before them", b.m.Instruments[i], n))
		}
	}
	if r.UnknownSettlements > 0 {
		r.Warnings = append(r.Warnings, fmt.Errorf("%d funding settlements over which a position was held are not in the data: net PnL is not known, only PnL without funding", r.UnknownSettlements))
	}
	return nil
}

// blame says which value made equity one that is no number.
func (b *book) blame() error {
	bad := func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
	since := "the end"
	if k := slices.IndexFunc(b.run.Equity, bad); k >= 0 {
		since = stamp(b.m.Close[b.w.Lo+k])
	}
	for i, l := range b.run.ByAsset {
		for _, v := range []struct {
			name  string
			value float64
		}{
			{"the price PnL", l.PricePnL}, {"the fees", l.Fees}, {"the slippage", l.Slippage}, {"the impact", l.Impact},
			{"the funding", l.Funding}, {"the quantity held", b.assets[i].quantity}, {"the value held", b.assets[i].worth()},
		} {
			if bad(v.value) {
				return fmt.Errorf("the accounting does not add up at %s: %s of %v is %v; qf verify looks for prices and amounts that are out of range",
					since, v.name, b.m.Instruments[i], v.value)
			}
		}
	}
	return fmt.Errorf("the accounting does not add up at %s: equity is %v, of a capital of %v", since, b.equity, b.run.Capital)
}

var (
	errNoTrades   = errors.New("the market has no trades column: without it no bar is known to have traded")
	errNoTurnover = errors.New("the market has no turnover column, which square_root impact needs")
	errNoRate     = errors.New("funding accrues continuously on this venue, and the market has no funding_rate column")
)
