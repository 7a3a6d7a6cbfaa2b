package backtest

import (
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// asset is one instrument's side of a replay: its columns, its position and the orders on their way.
type asset struct {
	index    int
	contract datasets.Contract
	target   []float64
	close    []float64
	trades   []float64
	price    []float64 // the execution price
	bid, ask []float64 // nil where the market has no quotes
	turnover []float64 // for impact
	rate     []float64 // where funding accrues continuously: the rate per 8 hours shown at each close
	borrow   float64   // spot: cost of a short position per year, as a share of its value

	settlements []bars.Settlement // those not yet due
	atOpen      bool              // fills happen at the bar's first instant

	quantity float64 // held
	heading  float64 // what will be held once every order on its way is filled
	orders   []order // on their way, by time of decision
	mark     float64 // last known close; NaN before the first
	coin     float64 // inverse: Σ contracts · multiplier / price at the last mark or fill
	last     float64 // last target weight
	want     float64 // target weight now
	floored  int     // bars at which a short target of a spot instrument was raised to 0

	unimpacted int // fills before which no volatility or turnover was known

	bar  Ledger // of the bar in progress
	trip Trip   // in progress while quantity ≠ 0
}

// order changes the position to `to`, whatever it is then: the orders before it are filled by then.
type order struct {
	decided int
	to      float64
}

func (s *asset) init(m *Market, target *factors.Panel, i int, w study.Span, e study.ExecutionConfig) error {
	column := func(name string) []float64 {
		if p := m.Panel(name); p != nil {
			return p.Col(i)
		}
		return nil
	}
	*s = asset{
		index: i, contract: m.Contracts[i], target: target.Col(i), atOpen: e.Price == "open",
		close: column("close"), trades: column("trades"), price: column(e.Price), bid: column("bid"), ask: column("ask"),
		turnover: column("turnover"), mark: math.NaN(),
	}
	if s.close == nil || s.price == nil {
		return fmt.Errorf("the market lacks the close or the %s column", e.Price)
	}
	if s.trades == nil {
		return errNoTrades
	}
	if s.ask == nil {
		s.bid = nil
	}
	if e.Impact.Model == study.SquareRoot && s.turnover == nil {
		return errNoTurnover
	}
	switch {
	case s.contract.Spot:
		if e.SpotShort != nil {
			s.borrow = e.SpotShort.BorrowBps * basisPoint
		}
	case !e.Funding:
	case s.contract.ContinuousFunding:
		if s.rate = column("funding_rate"); s.rate == nil {
			return errNoRate
		}
	default:
		var err error
		if s.settlements, err = dueIn(m, i, w); err != nil {
			return err
		}
	}
	return nil
}

// priced reports whether v is a price.
func priced(v float64) bool { return v > 0 && v <= math.MaxFloat64 }

// value is what q units are worth at the last mark, in quote currency; its share of equity is a weight.
func (s *asset) value(q float64) float64 {
	if q == 0 {
		return 0
	}
	return s.contract.Notional(s.mark, q)
}

// worth is the position's part of equity beside cash: the units of a linear instrument at the last mark.
// An inverse position's gain is swept into cash at each mark, so that it has none.
func (s *asset) worth() float64 {
	if s.contract.Inverse {
		return 0
	}
	return s.value(s.quantity)
}

// earned is the price PnL of holding q units from one price to another, in quote currency,
//
//	q · multiplier · (b − a)              (spot, linear)
//	q · multiplier · (1/a − 1/b) · mark   (inverse: the coin PnL, swept at the bar's mark)
func (s *asset) earned(q, a, b, mark float64) float64 {
	switch {
	case q == 0:
		return 0
	case s.contract.Inverse:
		return q * s.contract.Multiplier * (1/a - 1/b) * mark
	default:
		return q * s.contract.Multiplier * (b - a)
	}
}

// play takes the asset through bar t: settlements, fills, the mark.
func (s *asset) play(b *book, t int) {
	mark := s.close[t]
	frozen := !priced(mark)
	if frozen {
		mark = s.mark
	}
	funded := s.rate != nil || len(s.settlements) > 0 || s.borrow > 0
	if funded {
		s.fund(b, t, true)
	}
	from := s.mark
	if len(s.orders) > 0 && !frozen && s.trades[t] > 0 && priced(s.price[t]) {
		from = s.execute(b, t, from, mark)
	}
	if funded {
		s.fund(b, t, false)
	}
	if s.quantity != 0 {
		s.move(from, mark, mark)
	}
	s.mark = mark
	if s.contract.Inverse && (s.quantity != 0 || s.coin != 0) {
		s.sweep(b)
	}
}

// fund books the funding of bar t that comes before, or after, its fills.
func (s *asset) fund(b *book, t int, beforeFills bool) {
	s.settle(b, t, beforeFills)
	if beforeFills != s.atOpen {
		s.accrue(b, t)
		s.lend(b, t)
	}
}

// execute fills the orders that are due at bar t and gives the price up to which PnL has been booked.
func (s *asset) execute(b *book, t int, from, mark float64) float64 {
	n := 0
	for n < len(s.orders) && s.orders[n].decided+b.e.Delay <= t {
		s.move(from, s.price[t], mark)
		from = s.price[t]
		s.fill(b, t, s.orders[n], mark)
		n++
	}
	s.orders = slices.Delete(s.orders, 0, n)
	return from
}

// sweep turns an inverse position's coin PnL since the last mark into cash.
func (s *asset) sweep(b *book) {
	now := 0.0
	if s.quantity != 0 {
		now = s.quantity * s.contract.Multiplier / s.mark
	}
	b.cash += (s.coin - now) * s.mark
	s.coin = now
}

// move books the price PnL of the held quantity between two prices within a bar that ends at mark.
func (s *asset) move(from, to, mark float64) {
	pnl := s.earned(s.quantity, from, to, mark)
	s.bar.PricePnL += pnl
	s.trip.PnL += pnl
}

// fill executes an order at bar t, which is marked at mark when it ends.
func (s *asset) fill(b *book, t int, o order, mark float64) {
	q := o.to - s.quantity
	if q == 0 {
		return
	}
	f := Fill{Row: t, Decided: o.decided, Instrument: s.index, Quantity: q, Reference: s.price[t], Held: o.to}
	spread, impact, fee := s.costs(b, t, q)
	moved := spread + impact
	f.Price = f.Reference * (1 + math.Copysign(moved, q))
	f.Notional = s.contract.Notional(f.Price, math.Abs(q))
	f.Fee = f.Notional * fee
	if s.contract.Inverse {
		s.coin += q * s.contract.Multiplier / f.Price
	} else {
		b.cash -= q * s.contract.Multiplier * f.Price
	}
	b.cash -= f.Fee
	if moved > 0 {
		lost := s.earned(q, f.Reference, f.Price, mark)
		f.Slippage, f.Impact = lost*(spread/moved), lost*(impact/moved)
	}
	s.bar.Fees += f.Fee
	s.bar.Slippage += f.Slippage
	s.bar.Impact += f.Impact
	s.turn(b.run, f)
	s.quantity = o.to
	b.run.Fills = append(b.run.Fills, f)
}

// turn keeps the round trips: the costs of a fill that crosses zero are shared by what it closes and
// what it opens.
func (s *asset) turn(r *Run, f Fill) {
	cost := f.Fee + f.Slippage + f.Impact
	if s.quantity == 0 {
		s.trip = Trip{Instrument: s.index, Entry: f.Row, PnL: -cost}
		return
	}
	if f.Held != 0 && math.Signbit(f.Held) == math.Signbit(s.quantity) {
		s.trip.PnL -= cost
		return
	}
	closing := cost * math.Abs(s.quantity/f.Quantity)
	s.trip.PnL -= closing
	s.trip.Exit = f.Row
	r.Trips = append(r.Trips, s.trip)
	s.trip = Trip{Instrument: s.index, Entry: f.Row, PnL: closing - cost}
}
