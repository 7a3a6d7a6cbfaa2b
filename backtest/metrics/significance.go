package metrics

import "math"

// The headline t's methods.
const (
	ByHansenHodrick = "hansen_hodrick"
	ByNeweyWest     = "newey_west"
	ByCosines       = "cosines"
	Insufficient    = "insufficient"
)

// Spans of the horizon in the sample that each kind of headline t needs.
const (
	overlappingSpans = 100 // at least: Hansen–Hodrick
	smallSampleSpans = 10  // at least: SmallSampleT; below, insufficient
	// FewSpans is the number of integrated autocorrelation times of a factor below which its figures
	// carry a warning.
	FewSpans = 10
)

// Significance is what a tested series u says about its mean.
type Significance struct {
	NEffective      float64 // n·γ0/S, at most n, with the S of T
	HansenHodrick   float64 // ū/sqrt(S/n), S with lag h − 1, or Newey–West's with lag 2h where that is not positive
	NonOverlapping  float64 // shown beside it, never the headline
	T               float64 // the headline, by Method, with the sign of ū; NaN where Method is Insufficient
	Method          string
	P               float64 // two-sided, of T: against the normal, ByCosines against Student's t
	FallbackApplied bool    // HansenHodrick is Newey–West's
}

// Test judges the mean of u, whose values overlap over h bars. nonOverlapping is the t of every h-th
// observation, which is only handed on. The headline is Hansen–Hodrick's when n/h ≥ 100, else SmallSampleT's, and none
// when n/h < 10, where n_effective is Hansen–Hodrick's too.
func Test(u []float64, h int, nonOverlapping float64) Significance {
	n := float64(len(u))
	nan := math.NaN()
	s := Significance{NEffective: nan, HansenHodrick: nan, NonOverlapping: nonOverlapping, T: nan, Method: Insufficient, P: nan}
	if len(u) >= MinPairs && !Constant(u) {
		m := Mean(u)
		ss := squares(u, m)
		var v float64
		v, s.FallbackApplied = longRunVariance(u, h, m, ss)
		s.HansenHodrick = m / math.Sqrt(v/n)
		s.NEffective = min(n, n*(ss/n)/v)
	}
	switch spans := n / float64(h); {
	case spans >= overlappingSpans:
		s.T, s.Method = s.HansenHodrick, ByHansenHodrick
		if s.FallbackApplied {
			s.Method = ByNeweyWest
		}
	case spans >= smallSampleSpans:
		few := SmallSampleT(u, h)
		s.T, s.P, s.NEffective, s.Method = few.T, few.P, few.NEffective, ByCosines
		return s
	}
	s.P = TwoSided(s.T)
	return s
}
