package evaluate

import (
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

const microsPerHour = datasets.MicrosPerDay / 24

// calendar cuts the rows of a window into UTC days, and into hours where they are wanted.
type calendar struct {
	first datasets.Day
	days  []int // rows of each day of the window
	hours bool

	stretches []stretch // of the whole window, so far
	rows      int
}

func newCalendar(w study.Span, hours bool) calendar {
	c := calendar{first: datasets.DayOf(w.From), hours: hours}
	c.days = make([]int, max(0, int(datasets.DayOf(w.To-1)-c.first)+1))
	return c
}

// cut takes the labels of the next rows and cuts them; rows count from the first of them. A bar belongs to the day and the
// hour that it covers: one labelled 10:00 to that from 9.
func (c *calendar) cut(labels []int64) []stretch {
	unit := int64(datasets.MicrosPerDay)
	if c.hours {
		unit = microsPerHour
	}
	var out []stretch
	for lo := 0; lo < len(labels); {
		at := (labels[lo] - 1) / unit
		n, _ := slices.BinarySearch(labels[lo:], (at+1)*unit+1)
		s := stretch{lo: lo, hi: lo + n}
		us := at * unit
		s.day = min(max(0, int(datasets.DayOf(us)-c.first)), len(c.days)-1)
		s.hour = int(us / microsPerHour % 24)
		c.days[s.day] += n
		out = append(out, s)
		lo += n
		if k := len(c.stretches) - 1; k >= 0 && c.stretches[k].day == s.day && c.stretches[k].hour == s.hour {
			c.stretches[k].hi += n
		} else {
			c.stretches = append(c.stretches, stretch{s.day, s.hour, c.rows + s.lo, c.rows + s.hi})
		}
	}
	c.rows += len(labels)
	return out
}

// between cuts rows [lo, hi) of the window, counted from lo.
func (c *calendar) between(dst []stretch, lo, hi int) []stretch {
	k, _ := slices.BinarySearchFunc(c.stretches, lo, func(s stretch, row int) int {
		if s.hi <= row {
			return -1
		}
		return 1
	})
	dst = dst[:0]
	for ; k < len(c.stretches) && c.stretches[k].lo < hi; k++ {
		s := c.stretches[k]
		dst = append(dst, stretch{s.day, s.hour, max(s.lo, lo) - lo, min(s.hi, hi) - lo})
	}
	return dst
}

// day is the k-th day of the window.
func (c *calendar) day(k int) datasets.Day { return c.first + datasets.Day(k) }

// barsOf is the number of bars that a day has when nothing is missing.
func (c *calendar) barsOf(k int, every time.Duration) int {
	if every > 0 {
		return int(24 * time.Hour / every)
	}
	return c.days[k]
}

// realized sums the squared returns of one instrument's closes by day; a day without any has none.
type realized struct {
	last    float64
	squares []float64
	any     []bool
}

func newRealized(days int) *realized {
	return &realized{last: math.NaN(), squares: make([]float64, days), any: make([]bool, days)}
}

func (r *realized) add(closes []float64, cut []stretch) {
	for _, c := range cut {
		for _, x := range closes[c.lo:c.hi] {
			if v := factors.LogReturn(r.last, x); metrics.Defined(v) {
				r.squares[c.day] += float64(v * v)
				r.any[c.day] = true
			}
			r.last = x
		}
	}
}
