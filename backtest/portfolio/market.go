package portfolio

import (
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Market is what portfolios trade on: instruments on one grid, what their amounts mean, and the funding events. The
// columns come with the blocks.
//
// What its portfolios look back on is worked out once for all of them, by Remember, which takes each block before they
// do. They are all made before the first block; within a block they may be stepped at once.
type Market struct {
	Grid      *factors.Grid       // labels are not asked for
	Contracts []datasets.Contract // one per instrument
	// Changes are the days from which on a contract's multiplier was another, per instrument; nil where there are none. What is
	// held is then so many times more or fewer units, and worth the same.
	Changes [][]datasets.MultiplierChange
	// Ends are the instants at which an instrument is delisted, per instrument and ascending; nil where there are none. What is held is
	// settled then at the last price, for the fee.
	Ends        [][]int64
	Settlements [][]bars.Settlement // per instrument, by time; nil where there is no funding feed
	Gaps        [][]bars.FundingGap // per instrument, by time and disjoint: over which Settlements are not all that settled
	Days        [][]bars.DayStatus  // per instrument: what the lake had; nil where that is not known

	history history
	known   knownDays
}
