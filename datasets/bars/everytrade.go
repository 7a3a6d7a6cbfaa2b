package bars

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// tradeRows are columns in which each trade is a bar. Those that nobody wants are nil.
type tradeRows struct {
	ts       []int64
	price    []float64
	volume   []float64
	turnover []float64
	buy      []float64
	sell     []float64
	buys     []float64
	ofi      [][]float64 // by window
}

// rows is a part of the columns.
func (r *tradeRows) rows(lo, hi int) tradeRows {
	part := func(x []float64) []float64 {
		if x == nil {
			return nil
		}
		return x[lo:hi]
	}
	out := tradeRows{
		ts: r.ts[lo:hi], price: r.price[lo:hi], volume: part(r.volume), turnover: part(r.turnover),
		buy: part(r.buy), sell: part(r.sell), buys: part(r.buys),
	}
	for _, x := range r.ofi {
		out.ofi = append(out.ofi, part(x))
	}
	return out
}

// tradeReader turns the record batches of one day-file into rows.
type tradeReader struct {
	contract datasets.Contract
	cut      cutter
	windows  []*tickWindow
	lead     [][2]float64 // by window: bought and sold in the day's rows that a window of the day before reaches
	batch    tradeBatch
}

func newTradeReader(d datasets.Day, c datasets.Contract, windows []int) *tradeReader {
	r := &tradeReader{contract: c, cut: newCutter(d), lead: make([][2]float64, len(windows))}
	for _, n := range windows {
		r.windows = append(r.windows, newTickWindow(n))
	}
	return r
}

// write fills the rows of the batch that was read last.
func (r *tradeReader) write(to tradeRows) {
	b := &r.batch
	copy(to.price, b.price)
	for i, t := range b.t {
		to.ts[i] = r.cut.time(t)
	}
	turnover, buy, sell := to.turnover[:len(b.t)], to.buy[:len(b.t)], to.sell[:len(b.t)]
	price, amount, side := b.price[:len(b.t)], b.amount[:len(b.t)], b.side[:len(b.t)]
	for i := range turnover {
		_, notional := baseAndNotional(r.contract, price[i], amount[i])
		turnover[i] = notional
		buy[i], sell[i] = float64(notional*b.sides.buy[uint8(side[i])]), float64(notional*b.sides.sell[uint8(side[i])])
	}
	for i := range to.volume {
		to.volume[i], _ = baseAndNotional(r.contract, price[i], amount[i])
	}
	for i := range to.buys {
		to.buys[i] = b.sides.buy[uint8(side[i])]
	}
	for w, window := range r.windows {
		window.slide(to.ofi[w], buy, sell)
	}
}

// everyTrade is the series in which each trade is a bar. A day has as many bars as its file has rows,
// so the columns are made once, whole, and each day is folded into its place. They are not cached:
// reading them would cost what folding does.
type everyTrade struct {
	tradeRows
	contract datasets.Contract
	windows  []int
}

func newEveryTrade(n int, s Spec, c datasets.Contract) *everyTrade {
	e := &everyTrade{contract: c, windows: s.tickWindows()}
	e.ts = make([]int64, n)
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
	*tradeReader
	at, end int
}

func (e *everyTrade) day(d datasets.Day, at, end int) *everyTradeDay {
	return &everyTradeDay{everyTrade: e, tradeReader: newTradeReader(d, e.contract, e.windows), at: at, end: end}
}

func (f *everyTradeDay) add(rec arrow.Record) error {
	if err := f.batch.read(rec); err != nil {
		return err
	}
	f.batch.hold()
	lo, hi := f.at, f.at+len(f.batch.t)
	if hi > f.end {
		return fmt.Errorf("more rows than the %d of the footer", f.end-lo)
	}
	f.at = hi
	f.write(f.rows(lo, hi))
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
