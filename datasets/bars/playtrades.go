package bars

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// singleTrades makes a bar of each trade, straight from the lake's pages. It reads the columns alone that the wanted
// fields are made of.
type singleTrades struct {
	q       Request
	store   Store
	parts   []part
	place   [oWindows]int // by output column: that of the field wanted, or -1
	windows []int         // those of which the imbalance is wanted, ascending
	ofi     []int         // by them: the places
	columns []string      // of the lake

	before tail  // of the days before, as far as the widest window
	last   int64 // label

	day      int
	contract datasets.Contract // on that day
	file     array.RecordReader
	cut      cutter
	slides   []*tickWindow
	lead     [][2]float64 // by window: bought and sold in the day's rows that a window of the day before reaches
	seen     int          // rows of the day that were read
	batch    tradeBatch
	row      int // the next of the batch

	turnover, buy, sell []float64 // scratch
}

// newSingleTrades takes the fields wanted by their names; those of other feeds are not among its own.
func newSingleTrades(in *instrument, fields []string) *singleTrades {
	s := &singleTrades{q: in.q, store: in.store, parts: in.feeds[0].parts, last: math.MinInt64, day: -1}
	for c := range s.place {
		s.place[c] = -1
	}
	all := in.q.Spec.tickWindows()
	for c, name := range tradeNames(all) {
		switch to := slices.Index(fields, name); {
		case to < 0:
		case c < oWindows:
			s.place[c] = to
		default:
			s.windows, s.ofi = append(s.windows, all[c-oWindows]), append(s.ofi, to)
		}
	}
	if s.sided() {
		s.columns = append(s.columns, tradeColumns[0])
	}
	if s.priced() {
		s.columns = append(s.columns, tradeColumns[1])
	}
	if s.sized() {
		s.columns = append(s.columns, tradeColumns[2])
	}
	return s
}

// any reports whether one of the output columns is wanted.
func (s *singleTrades) any(columns ...int) bool {
	return slices.ContainsFunc(columns, func(c int) bool { return s.place[c] >= 0 })
}

// sided, priced and sized report whether what is wanted is made of the trades' side, price and amount.
func (s *singleTrades) sided() bool {
	return len(s.windows) > 0 || s.any(oBuyTurnover, oSellTurnover, oBuyTrades)
}
func (s *singleTrades) priced() bool {
	return s.sized() || s.any(oClose)
}
func (s *singleTrades) sized() bool {
	return len(s.windows) > 0 || s.any(oVWAP, oVolume, oTurnover, oBuyTurnover, oSellTurnover)
}

// start goes on to a day, whose rows come next.
func (s *singleTrades) start(ctx context.Context, day int) (err error) {
	s.day, s.seen = day, 0
	switch s.parts[day].presence {
	case Missing:
		s.before = tail{}
	case Present:
		d := s.q.First + datasets.Day(day)
		if s.file, err = s.store.Scan(ctx, datasets.Trades, s.q.Instrument, datasets.DayRange(d, d), append([]string{s.q.Spec.Clock.column()}, s.columns...)...); err != nil {
			return s.wrap(err)
		}
		s.cut = newCutter(d)
		s.contract = s.q.terms().on(d)
		s.slides, s.lead = nil, make([][2]float64, len(s.windows))
		for _, n := range s.windows {
			s.slides = append(s.slides, newTickWindow(n))
		}
		s.batch, s.row = tradeBatch{}, 0
	}
	return nil
}

// end is called after the last of the day's rows.
func (s *singleTrades) end() error {
	if s.file == nil {
		return nil
	}
	if s.row < len(s.batch.t) || s.file.Next() {
		return s.wrap(fmt.Errorf("more rows than the %d of the footer", s.parts[s.day].info.Rows))
	}
	if err := s.file.Err(); err != nil {
		return s.wrap(err)
	}
	s.release()
	if w := len(s.windows); w > 0 {
		buy, sell := s.slides[w-1].tail()
		s.before.push([2][]float64{buy, sell}, s.windows[w-1])
	}
	return nil
}

func (s *singleTrades) wrap(err error) error {
	return fmt.Errorf("bars %s: %w", s.parts[s.day].info.Partition, err)
}

func (s *singleTrades) release() {
	if s.file != nil {
		s.file.Release()
		s.file = nil
	}
}

// fill writes the next rows of the day: their labels, and the fields wanted into rows from at on of out.
func (s *singleTrades) fill(ctx context.Context, labels []int64, out [][]float64, at int) error {
	for len(labels) > 0 {
		if s.row == len(s.batch.t) {
			if err := s.read(ctx); err != nil {
				return s.wrap(err)
			}
		}
		n := min(len(labels), len(s.batch.t)-s.row, 2048)
		s.write(labels[:n], out, at)
		labels, at = labels[n:], at+n
		s.row += n
		s.seen += n
	}
	return nil
}

// read takes the next record batch.
func (s *singleTrades) read(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !s.file.Next() {
		if err := s.file.Err(); err != nil {
			return err
		}
		return fmt.Errorf("%d rows fewer than the footer says", int(s.parts[s.day].info.Rows)-s.seen)
	}
	s.row = 0
	if err := s.batch.readSome(s.file.Record(), s.sided(), s.priced(), s.sized()); err != nil {
		return err
	}
	s.batch.hold()
	return nil
}

// readSome is read for a batch that may lack columns.
func (b *tradeBatch) readSome(rec arrow.Record, sided, priced, sized bool) (err error) {
	if b.t, err = batchTimes(rec, 0); err != nil {
		return err
	}
	c := 1
	if sided {
		if b.side, err = batchSides(rec, c, &b.sides); err != nil {
			return err
		}
		c++
	}
	if priced {
		if b.price, err = batchNumbers(rec, c); err != nil {
			return err
		}
		c++
	}
	if sized {
		b.amount, err = batchNumbers(rec, c)
	}
	return err
}

// write fills rows from the batch.
func (s *singleTrades) write(labels []int64, out [][]float64, at int) {
	b, n := &s.batch, len(labels)
	s.label(labels, b.t[s.row:s.row+n])
	column := func(c int) []float64 {
		if s.place[c] < 0 {
			return nil
		}
		return out[s.place[c]][at : at+n]
	}
	if s.priced() {
		copy(column(oClose), b.price[s.row:])
	}
	ones := column(oTrades)
	for i := range ones {
		ones[i] = 1
	}
	var turnover []float64
	if s.sized() {
		turnover = s.measure(column, b.price[s.row:s.row+n], b.amount[s.row:s.row+n])
	}
	if !s.sided() {
		return
	}
	side := b.side[s.row : s.row+n]
	buys := column(oBuyTrades)
	for i := range buys {
		buys[i] = b.sides.buy[uint8(side[i])]
	}
	if len(s.windows) == 0 && !s.any(oBuyTurnover, oSellTurnover) {
		return
	}
	buy, sell := column(oBuyTurnover), column(oSellTurnover)
	if buy == nil {
		buy = slices.Grow(s.buy[:0], n)[:n]
		s.buy = buy
	}
	if sell == nil {
		sell = slices.Grow(s.sell[:0], n)[:n]
		s.sell = sell
	}
	buy, sell = buy[:n], sell[:n]
	for i, v := range turnover[:n] {
		c := uint8(side[i])
		buy[i], sell[i] = float64(v*b.sides.buy[c]), float64(v*b.sides.sell[c])
	}
	for w, slide := range s.slides {
		ofi := out[s.ofi[w]][at : at+n]
		slide.slide(ofi, buy, sell)
		s.stitch(w, ofi, buy, sell)
	}
}

// label writes the rows' labels, which do not go back.
func (s *singleTrades) label(labels []int64, t []arrow.Timestamp) {
	now, high := s.cut.now, s.cut.high
	labels = labels[:len(t)]
	ascending, before := true, max(now, s.last)
	for i, v := range t {
		at := int64(v)
		if at < before {
			ascending = false
		}
		labels[i], before = at, at
	}
	if ascending && before < high {
		s.cut.now, s.last = before, before
		return
	}
	for i, v := range t { // as cutter.time
		if at := int64(v); at > now && at < high {
			now = at
		}
		s.last = max(s.last, now)
		labels[i] = s.last
	}
	s.cut.now = now
}

// measure fills the columns that are made of prices and amounts, and gives the turnover where anything is made of it.
func (s *singleTrades) measure(column func(int) []float64, price, amount []float64) (turnover []float64) {
	volume := column(oVolume)
	for i := range volume {
		volume[i], _ = baseAndNotional(s.contract, price[i], amount[i])
	}
	mean := column(oVWAP)
	for i := range mean {
		mean[i] = price[i]
		if base, _ := baseAndNotional(s.contract, price[i], amount[i]); base == 0 {
			mean[i] = math.NaN()
		}
	}
	if turnover = column(oTurnover); turnover == nil && (len(s.windows) > 0 || s.any(oBuyTurnover, oSellTurnover)) {
		s.turnover = slices.Grow(s.turnover[:0], len(price))
		turnover = s.turnover[:len(price)]
	}
	for i := range turnover {
		_, turnover[i] = baseAndNotional(s.contract, price[i], amount[i])
	}
	return turnover
}

// stitch completes a tick window that begins before the day.
func (s *singleTrades) stitch(w int, ofi, buy, sell []float64) {
	n := s.windows[w]
	if s.seen >= n-1 {
		return
	}
	b, a := s.lead[w][0], s.lead[w][1]
	for i := range min(len(ofi), n-1-s.seen) {
		b += buy[i]
		a += sell[i]
		ofi[i] = s.before.ofi(n, float64(s.seen+i+1), b, a)
	}
	s.lead[w] = [2]float64{b, a}
}
