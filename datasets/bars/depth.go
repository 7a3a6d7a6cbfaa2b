package bars

import (
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// nearMid is how far from mid, relative to it, the depth "within 10 bps" reaches; a level at just
// that distance is in, whatever the rounding.
const nearMid = 10e-4 * (1 + 1e-9)

// depthNames are the output columns of a snapshot feed's depth.
func depthNames(feed datasets.DataType) []string {
	names := []string{"bid_depth_5", "ask_depth_5"}
	if levels(feed) == 25 {
		names = append(names, "bid_depth_25", "ask_depth_25")
	}
	return append(names, "bid_depth_10bps", "ask_depth_10bps")
}

// depthColumns are the lake columns of every level: price and amount of asks and bids, from the best.
func depthColumns(feed datasets.DataType) []string {
	var names []string
	for i := range levels(feed) {
		for _, cell := range []string{"bids[%].price", "bids[%].amount", "asks[%].price", "asks[%].amount"} {
			names = append(names, cell[:5]+strconv.Itoa(i)+cell[6:])
		}
	}
	return names
}

// depthBars folds the book snapshots of one day-file into bars: the notional that stands on each
// side at the bar's close. A side without a level has 0, a book without any has no depth.
type depthBars struct {
	states
	contract datasets.Contract
	levels   int
}

func depthFold(key string, x terms, feed datasets.DataType) feedFold {
	names := depthNames(feed)
	return feedFold{
		name: string(feed) + "_depth", feed: feed, columns: depthColumns(feed), fields: names,
		definition: key + " " + x.key(),
		start: func(cut cutter) fold {
			return &depthBars{newStates(cut, len(names)), x.on(cut.day), levels(feed)}
		},
	}
}

func (f *depthBars) add(rec arrow.Record) error {
	t, err := batchTimes(rec, 0)
	if err != nil {
		return err
	}
	cells := make([]*array.Float64, 4*f.levels)
	for c := range cells {
		if cells[c], err = batchFloats(rec, c+1); err != nil {
			return err
		}
	}
	f.fold(t, func(_, j int) { f.snapshot(cells, j-1) })
	return nil
}

// snapshot measures the book of a row.
func (f *depthBars) snapshot(cells []*array.Float64, row int) {
	cell := func(level, c int) float64 {
		if a := cells[4*level+c]; a.IsValid(row) && (c%2 == 1 || a.Value(row) > 0) {
			return a.Value(row)
		}
		return math.NaN()
	}
	bid, ask := cell(0, 0), cell(0, 2)
	mid := float64((bid + ask) / 2)
	sum := func(side, levels int, within func(price float64) bool) float64 {
		total := 0.0
		for l := range levels {
			price, amount := cell(l, side), cell(l, side+1)
			if within(price) && !math.IsNaN(amount) {
				_, notional := baseAndNotional(f.contract, price, amount)
				total += notional
			}
		}
		return total
	}
	there := func(price float64) bool { return !math.IsNaN(price) }
	near := 2
	if f.levels == 25 {
		f.last[2], f.last[3] = sum(0, 25, there), sum(2, 25, there)
		near = 4
	}
	f.last[0], f.last[1] = sum(0, 5, there), sum(2, 5, there)
	f.last[near] = sum(0, f.levels, func(p float64) bool { return mid-p <= float64(mid*nearMid) })
	f.last[near+1] = sum(2, f.levels, func(p float64) bool { return p-mid <= float64(mid*nearMid) })
	if math.IsNaN(mid) {
		f.last[near], f.last[near+1] = math.NaN(), math.NaN()
	}
	if math.IsNaN(bid) && math.IsNaN(ask) {
		f.last = filled(len(f.last))
	}
}
