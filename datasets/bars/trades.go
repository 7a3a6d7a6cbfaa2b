package bars

import (
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

// tradeBars folds the trades of one day-file into time bars.
type tradeBars struct {
	cut      cutter
	contract datasets.Contract
	windows  []*tickWindow
	out      *table
	bar      [cWindows]float64
	label    int64 // of the bar in progress
	open     bool  // there is one
	side     sides
	buy      []float64 // scratch, one batch: what each trade bought
	sell     []float64
}

func newTradeBars(s Spec, c datasets.Contract, d datasets.Day) *tradeBars {
	f := &tradeBars{cut: newCutter(s.Every, d), contract: c}
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

// tradeColumns are the lake columns that tradeBars.add reads, after the clock's.
var tradeColumns = []string{"side", "price", "amount"}

func (f *tradeBars) add(rec arrow.Record) error {
	t, err := batchTimes(rec, 0)
	if err != nil {
		return err
	}
	codes, err := batchSides(rec, 1, &f.side)
	if err != nil {
		return err
	}
	price, err := batchNumbers(rec, 2)
	if err != nil {
		return err
	}
	amount, err := batchNumbers(rec, 3)
	if err != nil {
		return err
	}
	if len(f.buy) < len(t) {
		f.buy, f.sell = make([]float64, len(t)), make([]float64, len(t))
	}
	for i := 0; i < len(t); {
		j, opened := f.cut.run(t, i)
		if opened {
			f.close()
			f.bar = [cWindows]float64{cOpen: price[i], cHigh: price[i], cLow: price[i]}
			f.label, f.open = f.cut.label, true
		}
		f.trade(codes[i:j], price[i:j], amount[i:j])
		i = j
	}
	return nil
}

// trade adds trades to the bar in progress.
func (f *tradeBars) trade(codes []int8, price, amount []float64) {
	n := len(codes)
	price, amount = price[:n], amount[:n]
	buys, sells := f.buy[:n], f.sell[:n]
	high, low := f.bar[cHigh], f.bar[cLow]
	volume, turnover := f.bar[cVolume], f.bar[cTurnover]
	buy, sell, buyTrades := f.bar[cBuyTurnover], f.bar[cSellTurnover], f.bar[cBuyTrades]
	inverse, multiplier := f.contract.Inverse, f.contract.Multiplier
	for i, c := range codes {
		p := price[i]
		if p > high {
			high = p
		}
		if p < low {
			low = p
		}
		base := float64(amount[i] * multiplier)
		notional := float64(float64(p*amount[i]) * multiplier)
		if inverse {
			base, notional = base/p, base
		}
		volume += base
		turnover += notional
		isBuy, isSell := f.side.buy[uint8(c)], f.side.sell[uint8(c)]
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
	return f.out
}
