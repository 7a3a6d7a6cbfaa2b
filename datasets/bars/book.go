package bars

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// quote is the best level of each side. An absent side is an infinitely bad price with no amount.
type quote struct{ bid, ask, bidAmount, askAmount float64 }

// empty reports whether neither side is there: the book was lost, and what follows begins anew.
func (q quote) empty() bool { return math.IsInf(q.bid, -1) && math.IsInf(q.ask, 1) }

func (q quote) twoSided() bool { return !math.IsInf(q.bid, -1) && !math.IsInf(q.ask, 1) }

// spread is (ask − bid)/mid; NaN where a side is absent or the quote is crossed.
func (q quote) spread() float64 {
	mid := (q.bid + q.ask) / 2
	if s := (q.ask - q.bid) / mid; s >= 0 && s < math.Inf(1) && mid > 0 {
		return s
	}
	return math.NaN()
}

// microprice is the mid weighted by the other side's amount, (bid·askAmount + ask·bidAmount) /
// (bidAmount + askAmount); NaN where a side is absent or both amounts are 0.
func (q quote) microprice() float64 {
	if !q.twoSided() {
		return math.NaN()
	}
	return (float64(q.bid*q.askAmount) + float64(q.ask*q.bidAmount)) / (q.bidAmount + q.askAmount)
}

// depth is the mean amount of the best levels, NaN where a side is absent.
func (q quote) depth() float64 {
	if !q.twoSided() {
		return math.NaN()
	}
	return (q.bidAmount + q.askAmount) / 2
}

// flow is the order-flow imbalance of the change from p to q (Cont, Kukanov and Stoikov 2014):
//
//	e = 1{bid' ≥ bid}·bidAmount' − 1{bid' ≤ bid}·bidAmount − 1{ask' ≤ ask}·askAmount' + 1{ask' ≥ ask}·askAmount
//
// with a prime on q's. It is 0 where either is empty.
func (q quote) flow(p quote) float64 {
	if p.empty() || q.empty() {
		return 0
	}
	var e float64
	if q.bid >= p.bid {
		e += q.bidAmount
	}
	if q.bid <= p.bid {
		e -= p.bidAmount
	}
	if q.ask <= p.ask {
		e -= q.askAmount
	}
	if q.ask >= p.ask {
		e += p.askAmount
	}
	return e
}

// noQuote is a book of which nothing is known.
var noQuote = quote{bid: math.Inf(-1), ask: math.Inf(1)}

// The columns of a table of best prices.
const (
	bFirst  = iota // time of the bar's first row
	bLast          // and of its last
	bSpread        // ∫ spread dt from first to last, over the time for which there is one
	bWeight        // that time, µs
	bFlow          // Σ flow into the bar's rows, but for the file's first
	bDepth         // Σ depth over the rows that have one
	bRows          // their number
	bBid           // the last row
	bAsk
	bBidAmount
	bAskAmount
	bFields
)

// bestBars folds the best prices of one day-file into bars. The time from a bar's beginning to its
// first row and from its last row to its end is weighed when bars are joined.
type bestBars struct {
	cut      cutter
	out      *table
	bar      [bFields]float64
	label    int64
	open     bool
	standing quote   // the last row
	spread   float64 // of it
	opened   bool    // the file's first row was seen: it is
	opening  quote
	scratch  [4][]float64
}

// bestColumns names the columns of the best level, in the order of quote's fields.
func bestColumns(feed datasets.DataType) []string {
	if levels(feed) > 0 {
		return []string{"bids[0].price", "asks[0].price", "bids[0].amount", "asks[0].amount"}
	}
	return []string{"bid_price", "ask_price", "bid_amount", "ask_amount"}
}

// levels is the number of book levels of a snapshot feed, 0 of others.
func levels(feed datasets.DataType) int {
	switch feed {
	case datasets.BookSnapshot5:
		return 5
	case datasets.BookSnapshot25:
		return 25
	}
	return 0
}

func bestFold(key string, feed datasets.DataType) feedFold {
	return feedFold{
		name: string(feed), feed: feed, columns: bestColumns(feed), definition: key,
		fields: []string{"first", "last", "spread", "weight", "flow", "depth", "rows", "bid", "ask", "bid_amount", "ask_amount"},
		start: func(c cutter) fold {
			return &bestBars{cut: c, out: newTable(bFields), standing: noQuote, spread: math.NaN()}
		},
	}
}

func (f *bestBars) add(rec arrow.Record) error {
	t, err := batchTimes(rec, 0)
	if err != nil {
		return err
	}
	var sides [4][]float64
	for c := range sides {
		if sides[c], err = batchFilled(rec, c+1, &f.scratch[c]); err != nil {
			return err
		}
	}
	for i := 0; i < len(t); {
		j, opened := f.cut.run(t, i)
		if opened {
			f.close()
			f.label, f.open = f.cut.label, true
		}
		f.rows(t[i:j], sides[0][i:j], sides[1][i:j], sides[2][i:j], sides[3][i:j])
		i = j
	}
	return nil
}

// rows adds rows to the bar in progress.
func (f *bestBars) rows(t []arrow.Timestamp, bid, ask, bidAmount, askAmount []float64) {
	b := &f.bar
	for i := range t {
		q := quote{bid[i], ask[i], bidAmount[i], askAmount[i]}
		if !(q.bid > 0) || math.IsNaN(q.bidAmount) {
			q.bid, q.bidAmount = noQuote.bid, 0
		}
		if !(q.ask > 0) || math.IsNaN(q.askAmount) {
			q.ask, q.askAmount = noQuote.ask, 0
		}
		at := f.cut.time(t[i])
		if b[bFirst] == 0 {
			b[bFirst] = float64(at)
		} else if dt := float64(at) - b[bLast]; !math.IsNaN(f.spread) {
			b[bSpread] += float64(f.spread * dt)
			b[bWeight] += dt
		}
		b[bLast] = float64(at)
		if !f.opened {
			f.opened, f.opening = true, q
		} else {
			b[bFlow] += q.flow(f.standing)
		}
		if d := q.depth(); !math.IsNaN(d) {
			b[bDepth] += d
			b[bRows]++
		}
		f.standing, f.spread = q, q.spread()
	}
}

func (f *bestBars) close() {
	if !f.open {
		return
	}
	f.bar[bBid], f.bar[bAsk], f.bar[bBidAmount], f.bar[bAskAmount] = f.standing.bid, f.standing.ask, f.standing.bidAmount, f.standing.askAmount
	f.out.add(f.label, f.bar[:]...)
	f.bar, f.open = [bFields]float64{}, false
}

func (f *bestBars) cutting() *cutter { return &f.cut }

func (f *bestBars) table() *table {
	f.close()
	return f.done()
}

func (f *bestBars) done() *table {
	q := f.opening
	f.out.tail = [2][]float64{{q.bid, q.bidAmount}, {q.ask, q.askAmount}}
	return f.out
}

// bestNames are the output columns of best prices.
var bestNames = []string{"bid", "ask", "bid_amount", "ask_amount", "spread", "microprice", "book_ofi", "book_depth"}

// ofBest lists the columns of a table of best prices that an output column is made of.
func ofBest(column int) []int {
	quote := []int{bBid, bAsk, bBidAmount, bAskAmount}
	switch bestNames[column] {
	case "bid", "ask", "bid_amount", "ask_amount", "microprice":
		return quote
	case "spread":
		return append(quote, bFirst, bLast, bSpread, bWeight)
	case "book_ofi":
		return append(quote, bFlow)
	default:
		return append(quote, bDepth, bRows)
	}
}

// bestJoin joins bars of best prices.
type bestJoin struct {
	standing    quote   // the last row
	pieces      []piece // of the bar in progress
	flow        float64
	depth, rows float64
}

// piece is the spread over what one file holds of a bar.
type piece struct {
	before              float64 // the spread that stood before its first row
	first, last         float64 // times
	integral, timeKnown float64 // from first to last
}

func newBestJoin() *bestJoin { return &bestJoin{standing: noQuote} }

func (j *bestJoin) add(t *table, k int) {
	in := func(c int) float64 { return t.cols[c][k] }
	if k == 0 && !t.rest { // the file's first row
		bid, ask := t.tail[0], t.tail[1]
		j.flow += quote{bid[0], ask[0], bid[1], ask[1]}.flow(j.standing)
	}
	j.pieces = append(j.pieces, piece{j.standing.spread(), in(bFirst), in(bLast), in(bSpread), in(bWeight)})
	j.flow += in(bFlow)
	j.depth += in(bDepth)
	j.rows += in(bRows)
	j.standing = quote{in(bBid), in(bAsk), in(bBidAmount), in(bAskAmount)}
}

func (j *bestJoin) close(from, to int64, row []float64) {
	q := j.standing
	depth, flow := q.depth(), j.flow
	if j.rows > 0 {
		depth = j.depth / j.rows
	}
	if len(j.pieces) == 0 && q.empty() {
		flow = math.NaN()
	}
	row = row[:len(bestNames)]
	row[0], row[1], row[2], row[3] = q.bid, q.ask, q.bidAmount, q.askAmount
	row[4], row[5], row[6], row[7] = j.spread(float64(from), float64(to)), q.microprice(), flow, depth
	if math.IsInf(q.bid, -1) {
		row[0], row[2] = math.NaN(), math.NaN()
	}
	if math.IsInf(q.ask, 1) {
		row[1], row[3] = math.NaN(), math.NaN()
	}
	j.pieces, j.flow, j.depth, j.rows = j.pieces[:0], 0, 0, 0
}

// spread is the mean spread over the bar [from, to), by the time that each quote stood in it.
func (j *bestJoin) spread(from, to float64) float64 {
	last := j.standing.spread()
	if len(j.pieces) == 0 {
		return last
	}
	var integral, known float64
	stand := func(spread, from, to float64) {
		if to > from && !math.IsNaN(spread) {
			integral += float64(spread * (to - from))
			known += to - from
		}
	}
	at := from
	for _, p := range j.pieces {
		stand(p.before, at, p.first)
		integral += p.integral
		known += p.timeKnown
		at = max(at, p.last)
	}
	if stand(last, at, to); known == 0 {
		return last
	}
	return integral / known
}

func (j *bestJoin) forget() { *j = *newBestJoin() }
