package bars

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// The columns of a trades table; two more follow for each tick window, the notional bought and sold
// in its last N trades or, before the day's N-th trade, in the day's trades so far.
const (
	cOpen = iota
	cHigh
	cLow
	cClose
	cVolume
	cTurnover
	cBuyTurnover
	cSellTurnover
	cTrades
	cBuyTrades
	cWindows
)

// tradeFold makes bars of trades.
func tradeFold(s Spec, x terms) feedFold {
	fields := []string{"open", "high", "low", "close", "volume", "turnover", "buy_turnover", "sell_turnover", "trades", "buy_trades"}
	for _, n := range s.tickWindows() {
		fields = append(fields, fmt.Sprintf("bought_%dt", n), fmt.Sprintf("sold_%dt", n))
	}
	return feedFold{
		name: "trades", feed: datasets.Trades, columns: tradeColumns, fields: fields,
		definition: fmt.Sprintf("%s %s windows=%v, prices above 0", s, x.key(), s.tickWindows()),
		start:      func(cut cutter) fold { return newTradeBars(s, x.on(cut.day), cut.day) },
	}
}

// tradeColumns are the lake columns that trades are folded from, after the clock's.
var tradeColumns = []string{"side", "price", "amount"}

// tradeBatch is a record batch of trades.
type tradeBatch struct {
	t             []arrow.Timestamp
	side          []int8
	sides         sides
	price, amount []float64
	last          float64 // price of the last row that had one, 0 before; see hold
}

func (b *tradeBatch) read(rec arrow.Record) (err error) {
	if b.t, err = batchTimes(rec, 0); err != nil {
		return err
	}
	if b.side, err = batchSides(rec, 1, &b.sides); err != nil {
		return err
	}
	if b.price, err = batchNumbers(rec, 2); err != nil {
		return err
	}
	b.amount, err = batchNumbers(rec, 3)
	return err
}

// priced reports whether every row has a price above 0.
func (b *tradeBatch) priced() bool {
	for _, p := range b.price {
		if !(p > 0) {
			return false
		}
	}
	return true
}

// drop leaves out the rows without a price above 0: no trade was done at them.
func (b *tradeBatch) drop() {
	if b.priced() {
		return
	}
	t, side, price, amount := b.t, b.side, b.price, b.amount
	b.t, b.side, b.price, b.amount = nil, nil, nil, nil
	for i, p := range price {
		if p > 0 {
			b.t, b.side, b.price, b.amount = append(b.t, t[i]), append(b.side, side[i]), append(b.price, p), append(b.amount, amount[i])
		}
	}
}

// hold gives the rows without a price above 0 that of the row before and no amount, where each row is a bar. NaN where
// the file begins with such rows.
func (b *tradeBatch) hold() {
	if len(b.price) == 0 {
		return
	}
	if !b.priced() {
		b.price, b.amount = slices.Clone(b.price), slices.Clone(b.amount)
		for i, p := range b.price {
			if p > 0 {
				b.last = p
				continue
			}
			if b.price[i] = b.last; b.last == 0 {
				b.price[i] = math.NaN()
			}
			if b.amount != nil {
				b.amount[i] = 0
			}
		}
	}
	b.last = b.price[len(b.price)-1]
	if math.IsNaN(b.last) {
		b.last = 0
	}
}

// tradeBars folds the trades of one day-file into bars.
type tradeBars struct {
	cut      cutter
	spec     Spec
	contract datasets.Contract
	windows  []*tickWindow
	out      *table
	bar      [cWindows]float64
	label    int64 // of the bar in progress
	open     bool  // there is one
	batch    tradeBatch
	*sideScratch
}

// sideScratch is what each trade of a batch bought and sold.
type sideScratch struct{ buy, sell []float64 }

// sideScratches lends it to the folds of all files.
var sideScratches = sync.Pool{New: func() any { return new(sideScratch) }}

func newTradeBars(s Spec, c datasets.Contract, d datasets.Day) *tradeBars {
	f := &tradeBars{cut: newCutter(d), spec: s, contract: c, sideScratch: sideScratches.Get().(*sideScratch)}
	f.cut.every = s.Every.Microseconds()
	for _, n := range s.tickWindows() {
		f.windows = append(f.windows, newTickWindow(n))
	}
	f.out = newTable(cWindows + 2*len(f.windows))
	return f
}

func (s Spec) tickWindows() []int {
	if len(s.TickWindows) == 0 {
		return []int{DefaultTickWindow}
	}
	return s.TickWindows
}

func (f *tradeBars) add(rec arrow.Record) error {
	b := &f.batch
	if err := b.read(rec); err != nil {
		return err
	}
	b.drop()
	if n := len(b.t); len(f.buy) < n {
		f.buy, f.sell = make([]float64, n), make([]float64, n)
	}
	for i := 0; i < len(b.t); {
		if f.spec.Kind != TimeBars {
			i = f.fill(i)
			continue
		}
		j, opened := f.cut.run(b.t, i)
		if opened {
			f.close()
			f.begin(b.price[i])
			f.label = f.cut.label
		}
		f.trade(i, j)
		i = j
	}
	return nil
}

// begin opens a bar at its first price.
func (f *tradeBars) begin(price float64) {
	f.bar = [cWindows]float64{cOpen: price, cHigh: price, cLow: price}
	f.open = true
}

// fullness is how near to Spec.Size a volume or dollar bar must come to be full: ten amounts of 0.1
// fill 1, whatever their sum's rounding.
const fullness = 1 - 1e-9

// fill adds trades from i to a bar of a given size, until it is full or the batch ends. The trade
// that fills the bar closes it, and the bar is labelled with the time of its last trade.
func (f *tradeBars) fill(i int) (j int) {
	b := &f.batch
	if !f.open {
		f.begin(b.price[i])
	}
	full := false
	if f.spec.Kind == TickBars {
		left := f.spec.Size - f.bar[cTrades]
		j, full = len(b.t), left <= float64(len(b.t)-i)
		if full {
			j = i + int(left)
		}
	} else {
		size := f.spec.Size * fullness
		sum := f.bar[cVolume]
		if f.spec.Kind == DollarBars {
			sum = f.bar[cTurnover]
		}
		for j = i; j < len(b.t) && !full; j++ {
			base, notional := baseAndNotional(f.contract, b.price[j], b.amount[j])
			if f.spec.Kind == DollarBars {
				sum += notional
			} else {
				sum += base
			}
			full = sum >= size
		}
	}
	f.trade(i, j)
	for _, t := range b.t[i:j] {
		f.label = f.cut.time(t)
	}
	if full {
		f.close()
	}
	return j
}

// baseAndNotional is the worth of amount in base coins and in quote currency.
func baseAndNotional(c datasets.Contract, price, amount float64) (base, notional float64) {
	if c.Inverse {
		notional = float64(amount * c.Multiplier)
		return notional / price, notional
	}
	return float64(amount * c.Multiplier), float64(float64(price*amount) * c.Multiplier)
}

// trade adds trades [i, j) of the batch to the bar in progress.
func (f *tradeBars) trade(i, j int) {
	codes, price, amount := f.batch.side[i:j], f.batch.price[i:j], f.batch.amount[i:j]
	n := len(codes)
	price, amount = price[:n], amount[:n]
	buys, sells := f.buy[:n], f.sell[:n]
	high, low := f.bar[cHigh], f.bar[cLow]
	volume, turnover := f.bar[cVolume], f.bar[cTurnover]
	buy, sell, buyTrades := f.bar[cBuyTurnover], f.bar[cSellTurnover], f.bar[cBuyTrades]
	multiplier, inverse, sides := f.contract.Multiplier, f.contract.Inverse, &f.batch.sides
	for i, c := range codes {
		p := price[i]
		if p > high {
			high = p
		}
		if p < low {
			low = p
		}
		base, notional := float64(amount[i]*multiplier), float64(float64(p*amount[i])*multiplier)
		if inverse { // see baseAndNotional
			base, notional = base/p, base
		}
		volume += base
		turnover += notional
		isBuy, isSell := sides.buy[uint8(c)], sides.sell[uint8(c)]
		b, s := float64(notional*isBuy), float64(notional*isSell)
		buys[i], sells[i] = b, s
		buy += b
		sell += s
		buyTrades += isBuy
	}
	f.bar = [cWindows]float64{
		cOpen: f.bar[cOpen], cHigh: high, cLow: low, cClose: price[n-1],
		cVolume: volume, cTurnover: turnover, cBuyTurnover: buy, cSellTurnover: sell,
		cTrades: f.bar[cTrades] + float64(n), cBuyTrades: buyTrades,
	}
	for _, w := range f.windows {
		w.add(buys, sells)
	}
}

// close writes the bar in progress, if there is one.
func (f *tradeBars) close() {
	if !f.open {
		return
	}
	f.out.add(f.label, f.bar[:]...)
	for i, w := range f.windows {
		buy, sell := w.sums()
		f.out.cols[cWindows+2*i] = append(f.out.cols[cWindows+2*i], buy)
		f.out.cols[cWindows+2*i+1] = append(f.out.cols[cWindows+2*i+1], sell)
	}
	f.open = false
}

func (f *tradeBars) table() *table {
	f.close()
	f.out.tail[0], f.out.tail[1] = f.windows[len(f.windows)-1].tail()
	sideScratches.Put(f.sideScratch)
	f.sideScratch = nil
	return f.out
}

// vwap is turnover/volume, the mean price of a base coin, NaN where nothing was traded; rounding
// does not take it out of [low, high].
func vwap(turnover, volume, low, high float64) float64 {
	if volume == 0 {
		return math.NaN()
	}
	return min(max(turnover/volume, low), high)
}
