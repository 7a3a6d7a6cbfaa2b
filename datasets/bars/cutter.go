package bars

import (
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// cutter cuts one day-file into the bars of a frame. A bar is open until a row's time reaches its
// label; a row exactly at the label belongs to the next bar, and a row that comes late joins the bar
// in progress.
//
// The exchange's clock may place rows of a day-file in the day before or after. A time farther away
// than that is not believed: such a row joins the bar in progress, or the day's first.
type cutter struct {
	every     int64   // µs, of time bars
	labels    []int64 // of the day's other bars; what comes after the last is labelled with the day's end
	low, high int64   // believed times [low, high)
	day       datasets.Day
	label     int64 // of the bar in progress; MinInt64 before the first row
	now       int64 // the latest believed time of any row so far
}

func newCutter(d datasets.Day) cutter {
	return cutter{low: (d - 1).Start(), high: (d + 2).Start(), day: d, label: math.MinInt64, now: (d - 1).Start()}
}

// run finds the rows t[i:j] that fall in one bar, and whether they open it.
func (c *cutter) run(t []arrow.Timestamp, i int) (j int, opened bool) {
	first := int64(t[i])
	if c.label == math.MinInt64 {
		first = c.opening(t[i])
	}
	if first >= c.label && first < c.high {
		c.label = c.after(first)
		opened = true
	}
	next := arrow.Timestamp(c.label)
	for j = i + 1; j < len(t) && t[j] < next; j++ {
	}
	return j, opened
}

// known counts the rows, from the first of t on, whose bar is one of labels, or the one in progress: those before the
// first that opens a bar after the last label. Without labels all belong to what comes after the day's last bar.
func (c *cutter) known(t []arrow.Timestamp) int {
	if len(c.labels) == 0 {
		return len(t)
	}
	i, last := 0, c.labels[len(c.labels)-1]
	if c.label == math.MinInt64 {
		if c.opening(t[0]) >= last {
			return 0
		}
		i = 1
	}
	for i < len(t) && (int64(t[i]) < last || int64(t[i]) >= c.high) {
		i++
	}
	return i
}

// opening is the time at which the file's first row opens a bar, wherever it stands.
func (c *cutter) opening(t arrow.Timestamp) int64 {
	if int64(t) >= c.high {
		return c.day.Start()
	}
	return max(int64(t), c.low)
}

// after is the first label after an instant.
func (c *cutter) after(at int64) int64 {
	if c.every > 0 {
		return c.low + (at-c.low)/c.every*c.every + c.every
	}
	k, _ := slices.BinarySearch(c.labels, at+1)
	if c.labels = c.labels[k:]; len(c.labels) == 0 {
		return max((c.day + 1).Start(), at+1)
	}
	return c.labels[0]
}

// time is the row's time for weighing: never before that of a row that came earlier.
func (c *cutter) time(t arrow.Timestamp) int64 {
	if at := int64(t); at > c.now && at < c.high {
		c.now = at
	}
	return c.now
}
