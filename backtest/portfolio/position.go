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

	index       int
	contract    datasets.Contract           // as it is today
	multipliers []datasets.MultiplierChange // up to the last one that it has
	atOpen      bool                        // fills happen at the bar's first instant
	accrues     bool                        // funding runs continuously
	floors      bool                        // spot that cannot be short
	borrow      float64                     // spot: cost of a short position per year, as a share of its value

	accrued     float64 // what holding cost over time and was not yet paid
	accruesFrom int     // the first row whose time was not yet counted

	ends        []int64           // those at which it was not yet delisted
	settlements []bars.Settlement // those not yet due
	gaps        []bars.FundingGap // those not yet over, over which what settles is not known

	heading    float64   // what will be held once every order on its way is filled
	orders     []order   // on their way, by time of decision
	booked     float64   // price up to which the PnL of what is held was attributed
	raw        float64   // the target of the study
	changes    int       // the next row that has another
	want, last float64   // target weight now, and the last one that was followed
	trip       RoundTrip // in progress while quantity ≠ 0

	enrolled   bool // has a share of the capital, where there is a universe
	floored    int  // bars at which a short target was raised to 0
	shortSince int  // the row from which on one is; −1: none is
	unimpacted int  // fills before which no volatility or turnover was known

	// target is nil where it is 1 throughout; bid, ask, rate and turnover where there are none.
	trades, price, bid, ask, rate, turnover, target []float64
	member                                          []bool // nil where all are, always

	quoted      [2]float64 // bid and ask of the row before the block
	rated       float64    // rate of that row
	markedAt    int        // row of the mark
	markedLabel int64      // its label
}

func (s *position) init(m *Market, i int, span study.Span, e study.ExecutionConfig) (err error) {
	nan := math.NaN()
	*s = position{
		index: i, contract: m.Contracts[i], inverse: m.Contracts[i].Inverse, atOpen: e.Price == "open", mark: nan, from: nan, booked: nan,
		shortSince: -1, quoted: [2]float64{nan, nan}, rated: nan, changes: span.Lo, decides: span.Lo,
	}
	if m.Ends != nil {
		s.ends = m.Ends[i]
		for len(s.ends) > 0 && s.ends[0] <= span.From {
			s.ends = s.ends[1:]
		}
	}
	if m.Changes != nil && len(m.Changes[i]) > 0 {
		last := datasets.MultiplierChange{Day: math.MaxInt32, Before: s.contract.Multiplier}
		s.multipliers = append(slices.Clone(m.Changes[i]), last)
		s.contract = s.contract.On(s.multipliers, datasets.DayOf(span.From))
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
	s.close, s.trades, s.price, s.bid, s.ask, s.rate, s.turnover, s.target, s.member = nil, nil, nil, nil, nil, nil, nil, nil, nil
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
//	q · multiplier · (b − a)                (spot, linear)
//	q · multiplier · (b − a)/(a·b) · mark   (inverse: the coin PnL, swept at the bar's mark)
func (s *position) earned(q, a, b, mark float64) float64 {
	switch {
	case q == 0:
		return 0
	case s.contract.Inverse:
		return float64(q * s.contract.Multiplier * ((b - a) / a) * (mark / b))
	default:
		return float64(q * s.contract.Multiplier * (b - a))
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
