package backtest

import (
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Market is what a run trades on: the bar columns of every instrument on one grid, what their
// amounts mean, and the funding events.
type Market struct {
	*factors.Frame
	Contracts   []datasets.Contract // one per instrument
	Settlements [][]bars.Settlement // per instrument, by time; nil where there is no funding feed
	Days        [][]bars.DayStatus  // per instrument: what the lake had
}
