package bars

import (
	"math"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// cutter cuts one day-file into time bars. A bar is open until a row's time reaches its label; a
// row exactly at the label opens the next bar, and a row that comes late joins the bar in progress.
//
// The exchange's clock may place rows of a day-file in the day before or after. A time farther away
// than that is not believed: such a row joins the bar in progress, or the day's first.
type cutter struct {
	every     int64 // µs
	low, high int64 // believed times [low, high)
	start     int64 // of the day
	label     int64 // of the bar in progress: its end, and the first instant at which it is known
}

func newCutter(every time.Duration, d datasets.Day) cutter {
	return cutter{every.Microseconds(), (d - 1).Start(), (d + 2).Start(), d.Start(), math.MinInt64}
}

// run finds the rows t[i:j] that fall in one bar, and whether they open it.
func (c *cutter) run(t []arrow.Timestamp, i int) (j int, opened bool) {
	first := int64(t[i])
	if c.label == math.MinInt64 { // the file's first row opens a bar wherever it stands
		if first >= c.high {
			first = c.start
		}
		first = max(first, c.low)
	}
	if first >= c.label && first < c.high {
		c.label = c.low + (first-c.low)/c.every*c.every + c.every
		opened = true
	}
	next := arrow.Timestamp(c.label)
	for j = i + 1; j < len(t) && t[j] < next; j++ {
	}
	return j, opened
}
