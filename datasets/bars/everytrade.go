package bars

import "github.com/qf-dev/qf/datasets"

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
