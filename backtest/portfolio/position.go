package portfolio

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// position is one instrument's side of a replay: what is held, the orders on their way, and its columns of the block.
type position struct {
	// What every stretch looks at comes first.
	quantity float64   // held
	units    float64   // quantity times the contract's multiplier
	mark     float64   // last known close; NaN before the first
	from     float64   // price from which the next row earns: the mark, or the reference of a fill in it
	swept    float64   // inverse: PnL not yet attributed, in cash at each mark
	inverse  bool      // the contract is
	acts     int       // the next row in which something happens before the mark
	decides  int       // the next row after whose mark a decision is due
	close    []float64 // of the block, from its first row on, as all columns below

	// mark, swept and what accrued at the end of the stretch
	next, nextSwept float64
	nextAccrued     accrual

	index    int
	contract datasets.Contract
	atOpen   bool    // fills happen at the bar's first instant
	accrues  bool    // funding runs continuously
	floors   bool    // spot that cannot be short
	borrow   float64 // spot: cost of a short position per year, as a share of its value

	accrued     float64 // what holding cost over time and was not yet paid
	accruesFrom int     // the first row whose time was not yet counted

	settlements []bars.Settlement // those not yet due
	gaps        []bars.FundingGap // those not yet over, over which what settles is not known

	heading    float64   // what will be held once every order on its way is filled
	orders     []order   // on their way, by time of decision
	booked     float64   // price up to which the PnL of what is held was attributed
	raw        float64   // the target of the study
	changes    int       // the next row that has another
	want, last float64   // target weight now, and the last one that was followed
	trip       RoundTrip // in progress while quantity ≠ 0

	floored    int // bars at which a short target was raised to 0
	shortSince int // the row from which on one is; −1: none is
	unimpacted int // fills before which no volatility or turnover was known

	// target is nil where it is 1 throughout; bid, ask, rate and turnover where there are none.
	trades, price, bid, ask, rate, turnover, target []float64

	quoted      [2]float64 // bid and ask of the row before the block
	rated       float64    // rate of that row
	markedAt    int        // row of the mark
	markedLabel int64      // its label
}

// order changes the position to `to`, whatever it is then: the orders before it are filled by then.
type order struct {
	decided int
	to      float64
}

func (s *position) init(m *Market, i int, span study.Span, e study.ExecutionConfig) (err error) {
	nan := math.NaN()
	*s = position{
		index: i, contract: m.Contracts[i], inverse: m.Contracts[i].Inverse, atOpen: e.Price == "open", mark: nan, from: nan, booked: nan,
		shortSince: -1, quoted: [2]float64{nan, nan}, rated: nan, changes: span.Lo, decides: span.Lo,
	}
	switch {
	case s.contract.Spot:
		s.floors = e.SpotShort == nil
		if e.SpotShort != nil {
			s.borrow = e.SpotShort.BorrowBps * basisPoint
		}
	case !e.Funding:
	case s.contract.ContinuousFunding:
		s.accrues = true
	default:
		err = s.fundedBy(m, span)
	}
	return err
}

// leave carries what the next block's first row looks back on.
func (s *position) leave(p *Portfolio) {
	n := len(s.close) - 1
	if s.bid != nil {
		s.quoted = [2]float64{s.bid[n], s.ask[n]}
	}
	if s.rate != nil {
		s.rated = s.rate[n]
	}
	for n >= 0 && !priced(s.close[n]) {
		n--
	}
	if n >= 0 {
		s.markedAt, s.markedLabel = p.first+n, p.closes[n]
	}
	s.close, s.trades, s.price, s.bid, s.ask, s.rate, s.turnover, s.target = nil, nil, nil, nil, nil, nil, nil, nil
}

// priced reports whether v is a price.
func priced(v float64) bool { return v > 0 && v <= math.MaxFloat64 }

// value is what q units are worth at the last mark, in quote currency; its share of equity is a weight.
func (s *position) value(q float64) float64 {
	if q == 0 {
		return 0
	}
	return s.contract.Notional(s.mark, q)
}

// worth is the position's part of equity beside cash: the units of a linear instrument at the last mark, the gains of
// an inverse one that were not yet attributed.
func (s *position) worth() float64 {
	if s.contract.Inverse {
		return s.swept
	}
	return s.value(s.quantity)
}

// earned is the price PnL of holding q units from one price to another, in quote currency,
//
//	q · multiplier · (b − a)            (spot, linear)
//	q · multiplier · (b − a)/(a·b) · mark   (inverse: the coin PnL, swept at the bar's mark)
func (s *position) earned(q, a, b, mark float64) float64 {
	switch {
	case q == 0:
		return 0
	case s.contract.Inverse:
		return q * s.contract.Multiplier * ((b - a) / a) * (mark / b)
	default:
		return q * s.contract.Multiplier * (b - a)
	}
}

// pending is the price PnL of what is held that was not yet attributed.
func (s *position) pending() float64 {
	if s.contract.Inverse {
		return s.swept
	}
	return s.earned(s.quantity, s.booked, s.mark, s.mark)
}

// attribute books the price PnL that is pending.
func (s *position) attribute(p *Portfolio) {
	s.payAccrued(p)
	pnl := s.pending()
	if s.contract.Inverse {
		p.cash += s.swept
		s.swept = 0
	}
	s.booked = s.mark
	s.gain(p, pnl)
}

// gain books a price PnL of what is held.
func (s *position) gain(p *Portfolio, pnl float64) {
	s.trip.PnL += pnl
	p.account.Total.PricePnL += pnl
	p.account.ByInstrument[s.index].PricePnL += pnl
}

// execute fills the orders that are due at row t. Under execution.max_share the bar's fills take no more than that share
// of its turnover, and what is left waits; an order that is due replaces what waits of those before it.
func (s *position) execute(p *Portfolio, t int) {
	left := math.Inf(1)
	if p.e.MaxShare > 0 {
		left = p.e.MaxShare * max(0, orZero(s.turnover[t-p.first]))
	}
	n := 0
	for n < len(s.orders) && s.orders[n].decided+p.e.Delay <= t {
		o := s.orders[n]
		if q, most := o.to-s.quantity, left/s.contract.Notional(s.price[t-p.first], 1); math.Abs(q) > most {
			if later := n+1 < len(s.orders) && s.orders[n+1].decided+p.e.Delay <= t; !later {
				s.fill(p, t, o, s.quantity+math.Copysign(most, q))
				break
			}
			n++ // what waits of it is replaced at once
			continue
		}
		left -= s.fill(p, t, o, o.to)
		n++
	}
	s.orders = slices.Delete(s.orders, 0, n)
}

// orZero is x, or 0 where it is missing.
func orZero(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// fill executes an order at row t, or the part of it that changes the position to `to`, and gives its notional at the
// price before costs.
func (s *position) fill(p *Portfolio, t int, o order, to float64) (notional float64) {
	q := to - s.quantity
	if q == 0 {
		return 0
	}
	k := t - p.first
	f := Fill{Row: t, Decided: o.decided, Instrument: s.index, Quantity: q, Reference: s.price[k], Held: to}
	spread, impact, fee := s.costs(p, t, q)
	moved := spread + impact
	f.Price = f.Reference * (1 + math.Copysign(moved, q))
	f.Notional = s.contract.Notional(f.Price, math.Abs(q))
	f.Fee = f.Notional * fee
	s.accruesFrom = max(s.accruesFrom, t)
	if !s.atOpen {
		if s.owes() {
			var bar []Attribution
			if p.rows.Bar != nil {
				bar = p.rows.Bar[k:]
			}
			s.owe(p, s.accrue(p, k, 1, nil, bar))
		}
		s.accruesFrom = t + 1 // what is held from its end on costs nothing over this row
	}
	s.exchange(p, k, f)
	p.cash -= f.Fee
	if moved > 0 {
		lost := s.earned(q, f.Reference, f.Price, s.close[k])
		f.Slippage, f.Impact = lost*(spread/moved), lost*(impact/moved)
	}
	p.charge(s.index, k, Attribution{Fees: f.Fee, Slippage: f.Slippage, Impact: f.Impact})
	s.turn(p, f)
	s.quantity, s.units = to, to*s.contract.Multiplier
	notional = s.contract.Notional(f.Reference, math.Abs(q))
	p.held = true
	p.turned += notional
	if p.o.Participate && s.turnover != nil && s.turnover[k] > 0 {
		p.taken = append(p.taken, notional/s.turnover[k])
	}
	p.account.Notional += f.Notional
	p.account.Fills++
	p.rows.Fills = append(p.rows.Fills, f)
	return notional
}

// exchange books what was held up to the reference of a fill in row k of the block, and pays for the fill. From there on
// the row earns on what is held after it. An inverse position's coin PnL is turned into cash at the row's mark:
//
//	(held/from + q/price − after/reference) · multiplier · mark
func (s *position) exchange(p *Portfolio, k int, f Fill) {
	m, mark := s.contract.Multiplier, s.close[k]
	s.payAccrued(p)
	within := s.earned(s.quantity, s.from, f.Reference, mark)
	if p.rows.Bar != nil {
		p.rows.Bar[k].PricePnL += within
	}
	if !s.contract.Inverse {
		s.gain(p, s.earned(s.quantity, s.booked, f.Reference, mark))
		p.cash -= f.Quantity * m * f.Price
	} else {
		s.gain(p, s.swept+within)
		coin := f.Quantity*m/f.Price - f.Held*m/f.Reference
		if s.quantity != 0 {
			coin += s.quantity * m / s.from
		}
		p.cash += s.swept + coin*mark
		s.swept = 0
	}
	s.from, s.booked = f.Reference, f.Reference
}

// turn keeps the round trips: the costs of a fill that crosses zero are shared by what it closes and what it opens.
func (s *position) turn(p *Portfolio, f Fill) {
	cost := f.Fee + f.Slippage + f.Impact
	label := p.at(f.Row)
	if s.quantity == 0 {
		s.trip = RoundTrip{Instrument: s.index, Entry: f.Row, Opened: label, PnL: -cost}
		return
	}
	if f.Held != 0 && math.Signbit(f.Held) == math.Signbit(s.quantity) {
		s.trip.PnL -= cost
		return
	}
	closing := cost * math.Abs(s.quantity/f.Quantity)
	s.trip.PnL -= closing
	s.trip.Exit, s.trip.Closed = f.Row, label
	p.account.Trips.add(s.trip)
	p.rows.Trips = append(p.rows.Trips, s.trip)
	s.trip = RoundTrip{Instrument: s.index, Entry: f.Row, Opened: label, PnL: closing - cost}
}
