package factors

import (
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// continuousPer is the time that the rate of a venue with continuous funding is for.
const continuousPer = 8 * time.Hour

// settledFunding gives, for each bar of a series, the sum of the funding rates that settled in it:
// at ts − Δ or later and before ts. It is 0 where none did, and missing where the data does not show
// a rate and on days of which the lake has no derivative_ticker. A venue that never names a
// settlement accrues its rate, which is per 8 hours, over the length of the bar. Without a funding
// feed the answer is nil.
func settledFunding(s *bars.Series, labels []int64) []float64 {
	rate := values(s, "funding_rate")
	if rate == nil {
		return nil
	}
	out := make([]float64, len(labels))
	if len(s.Settlements) == 0 && continuous(s, rate) {
		accrue(out, rate, s.Spec.Every, labels)
		return out
	}
	missing := map[datasets.Day]bool{}
	for _, d := range s.Days {
		if d.Type == datasets.DerivativeTicker && d.Presence == bars.Missing {
			missing[d.Day] = true
		}
	}
	for t, label := range labels {
		if missing[datasets.DayOf(label-1)] {
			out[t] = math.NaN()
		}
	}
	for _, e := range s.Settlements {
		if t, _ := slices.BinarySearch(labels, e.Time+1); t < len(labels) {
			out[t] += e.Rate
		}
	}
	return out
}

// continuous reports whether there is a funding rate but no time at which it settles.
func continuous(s *bars.Series, rate []float64) bool {
	known := func(v float64) bool { return !math.IsNaN(v) }
	return slices.ContainsFunc(rate, known) && !slices.ContainsFunc(values(s, "funding_timestamp"), known)
}

// accrue writes what a continuous rate comes to over each bar; every is 0 for bars whose length is
// the time since the bar before.
func accrue(out, rate []float64, every time.Duration, labels []int64) {
	for t := range out {
		length := every
		if every == 0 {
			if t == 0 {
				out[t] = math.NaN()
				continue
			}
			length = time.Duration(labels[t]-labels[t-1]) * time.Microsecond
		}
		out[t] = rate[t] * (float64(length) / float64(continuousPer))
	}
}
