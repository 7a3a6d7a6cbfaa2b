package bars

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// everyTrade is the series in which each trade is a bar. A day has as many bars as its file has rows,
// so the columns are made once, whole, and each day is folded into its place. They are not cached:
// reading them would cost what folding does.
type everyTrade struct {
	contract datasets.Contract
	windows  []int
	ts       []int64
	price    []float64
	volume   []float64
	turnover []float64
	buy      []float64
	sell     []float64
	buys     []float64
	ofi      [][]float64 // by window
}

func newEveryTrade(n int, s Spec, c datasets.Contract) *everyTrade {
	e := &everyTrade{contract: c, windows: s.tickWindows(), ts: make([]int64, n)}
	for _, col := range []*[]float64{&e.price, &e.volume, &e.turnover, &e.buy, &e.sell, &e.buys} {
		*col = make([]float64, n)
	}
	for range e.windows {
		e.ofi = append(e.ofi, make([]float64, n))
	}
	return e
}

// everyTradeDay folds a day-file into rows [at, end).
type everyTradeDay struct {
	*everyTrade
	cut     cutter
	at, end int
	windows []*tickWindow
	batch   tradeBatch
}

func (e *everyTrade) day(d datasets.Day, at, end int) *everyTradeDay {
	f := &everyTradeDay{everyTrade: e, cut: newCutter(d), at: at, end: end}
	for _, n := range e.windows {
		f.windows = append(f.windows, newTickWindow(n))
	}
	return f
}

func (f *everyTradeDay) add(rec arrow.Record) error {
	b := &f.batch
	if err := b.read(rec); err != nil {
		return err
	}
	lo, hi := f.at, f.at+len(b.t)
	if hi > f.end {
		return fmt.Errorf("more rows than the %d of the footer", f.end-lo)
	}
	f.at = hi
	copy(f.price[lo:hi], b.price)
	ts, volume, turnover := f.ts[lo:hi], f.volume[lo:hi], f.turnover[lo:hi]
	buy, sell, buys := f.buy[lo:hi], f.sell[lo:hi], f.buys[lo:hi]
	for i, t := range b.t {
		ts[i] = f.cut.time(t)
		base, notional := baseAndNotional(f.contract, b.price[i], b.amount[i])
		isBuy, isSell := b.sides.buy[uint8(b.side[i])], b.sides.sell[uint8(b.side[i])]
		volume[i], turnover[i] = base, notional
		buy[i], sell[i], buys[i] = float64(notional*isBuy), float64(notional*isSell), isBuy
	}
	for w, window := range f.windows {
		window.slide(f.ofi[w][lo:hi], buy, sell)
	}
	return nil
}

func (f *everyTradeDay) table() *table { return nil }

// finish completes the tick windows that begin before their day, and makes labels ascend over days.
func (e *everyTrade) finish(days []part) {
	var before tail
	widest := e.windows[len(e.windows)-1]
	lo, last := 0, int64(math.MinInt64)
	for _, d := range days {
		if d.presence == Missing {
			before = tail{}
		}
		hi := lo + int(d.info.Rows)
		for i := lo; i < hi && e.ts[i] < last; i++ {
			e.ts[i] = last
		}
		for w, n := range e.windows {
			var buy, sell float64
			for i := lo; i < min(hi, lo+n-1); i++ {
				buy += e.buy[i]
				sell += e.sell[i]
				e.ofi[w][i] = before.ofi(n, float64(i-lo+1), buy, sell)
			}
		}
		if from := max(lo, hi-widest); from < hi {
			before.push([2][]float64{e.buy[from:hi], e.sell[from:hi]}, widest)
			last = e.ts[hi-1]
		}
		lo = hi
	}
}

// columns lists the output columns; open, high, low and close are one, and vwap too where every
// trade has an amount.
func (e *everyTrade) columns() []column {
	ones := make([]float64, len(e.ts))
	vwap := e.price
	for i, v := range e.volume {
		ones[i] = 1
		if v == 0 {
			if &vwap[0] == &e.price[0] {
				vwap = append([]float64(nil), e.price...)
			}
			vwap[i] = math.NaN()
		}
	}
	values := append([][]float64{e.price, e.price, e.price, e.price, vwap, e.volume, e.turnover, e.buy, e.sell, ones, e.buys}, e.ofi...)
	return named(tradeNames(e.windows), values)
}
