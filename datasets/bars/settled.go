package bars

import (
	"math"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// SettledFunding is the field that a source makes of settlements: the sum of the funding rates that settled in the bar.
const SettledFunding = "settled_funding"

// continuousPer is the time that the rate of a venue with continuous funding is for.
const continuousPer = 8 * time.Hour

// settling sums the funding rates that settled in each bar of an instrument: at the label before or later and before its
// own; the first bar has all that came before it. The sum is 0 where none did, and missing where the data does not show
// a rate and on days of which the lake has no derivative_ticker. A venue that never names a settlement accrues its rate,
// which is per 8 hours, over the length of the bar.
type settling struct {
	to         int // the place among the wanted fields
	events     []Settlement
	missing    func(datasets.Day) bool
	continuous bool
	rate       int           // the place of funding_rate
	every      time.Duration // 0 for bars whose length is the time since the bar before
	next       int           // the first event that has not settled yet
	last       int64         // label; MinInt64 before the first
}

// lay writes the sums of the bars with those labels into rows from at on of out; into none where out is nil.
func (s *settling) lay(labels []int64, out [][]float64, at int) {
	for t, label := range labels {
		sum := 0.0
		if s.continuous {
			length := s.every
			if length == 0 {
				length = time.Duration(label-s.last) * time.Microsecond
			}
			if sum = math.NaN(); out != nil && (s.every > 0 || s.last != math.MinInt64) {
				sum = out[s.rate][at+t] * (float64(length) / float64(continuousPer))
			}
		} else {
			if s.missing(datasets.DayOf(label - 1)) {
				sum = math.NaN()
			}
			for ; s.next < len(s.events) && s.events[s.next].Time < label; s.next++ {
				sum += s.events[s.next].Rate
			}
		}
		if s.last = label; out != nil {
			out[s.to][at+t] = sum
		}
	}
}
