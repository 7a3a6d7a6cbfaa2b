package bars

import (
	"math"
	"time"
)

// SettledFunding is the field that a source makes of settlements: the sum of the funding rates that settled in the bar.
const SettledFunding = "settled_funding"

// continuousPer is the time that the rate of a venue with continuous funding is for.
const continuousPer = 8 * time.Hour

// settling sums the funding rates that settled in each bar of an instrument: at the label before or later and before its
// own; the first bar has all that came before it. The sum is 0 where none did, and missing in bars that reach into a
// funding gap or in which a rate is not known. Continuous funding accrues its rate, which is per 8 hours, over the
// length of the bar.
type settling struct {
	to         int // the place among the wanted fields
	events     []Settlement
	gaps       []FundingGap
	continuous bool
	rate       int           // the place of funding_rate
	every      time.Duration // 0 for bars whose length is the time since the bar before
	next       int           // the first event that has not settled yet
	nextGap    int           // the first gap that does not end before the bar
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
			for ; s.next < len(s.events) && s.events[s.next].Time < label; s.next++ {
				sum += s.events[s.next].Rate
			}
			if s.unknown(label) {
				sum = math.NaN()
			}
		}
		if s.last = label; out != nil {
			out[s.to][at+t] = sum
		}
	}
}

// unknown reports whether the bar with that label has an instant in a gap.
func (s *settling) unknown(label int64) bool {
	begin := s.last
	if s.every > 0 {
		begin = label - s.every.Microseconds()
	}
	for s.nextGap < len(s.gaps) && s.gaps[s.nextGap].To < begin {
		s.nextGap++
	}
	return s.nextGap < len(s.gaps) && max(s.gaps[s.nextGap].From+1, begin) < label
}

// Settled gives for each bar of a series the sum that settling writes. rate is the column funding_rate.
func (x *Series) Settled(labels []int64, rate []float64) []float64 {
	out := [][]float64{rate, make([]float64, len(labels))}
	s := &settling{to: 1, events: x.Settlements, gaps: x.FundingGaps, continuous: x.ContinuousFunding, every: x.Spec.Every, last: math.MinInt64}
	s.lay(labels, out, 0)
	return out[1]
}
