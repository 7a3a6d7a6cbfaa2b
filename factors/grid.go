package factors

import (
	"slices"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// Grid is what a frame's rows and columns stand for: T bar closes by N instruments. A value at row
// t was knowable at Close[t] and not before.
type Grid struct {
	Close       []int64 // bar labels, Unix µs, strictly ascending for time bars, ascending for others
	Kind        bars.Kind
	Every       time.Duration // bar length; 0 for bars that are not time bars
	BarsPerYear float64       // for annualization: 365 days over Every, or what the study says
	Instruments []datasets.Instrument
	References  []datasets.Instrument // further columns of blocks, after the instruments': Factor.Pick looks at them, and no factor has a value of them
}

// Columns are those of blocks: the instruments, then the references.
func (g *Grid) Columns() []datasets.Instrument { return slices.Concat(g.Instruments, g.References) }

// Len is T, the number of bars.
func (g *Grid) Len() int { return len(g.Close) }

// Day is the UTC day that bar t covers: a bar labelled 00:00 is the last of the day before.
func (g *Grid) Day(t int) datasets.Day { return datasets.DayOf(g.Close[t] - 1) }
