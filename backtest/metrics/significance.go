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
	l := LongRun{N: len(u), H: h, Mean: math.NaN(), Variance: math.NaN(), S: math.NaN()}
	if len(u) >= MinPairs && !Constant(u) {
		l.Mean = Mean(u)
		ss := squares(u, l.Mean)
		l.Variance = ss / float64(len(u))
		l.S, l.Fallback = longRunVariance(u, h, l.Mean, ss)
	}
	return l.Judge(nonOverlapping, func() SmallSample { return SmallSampleT(u, h) })
}

// LongRun is what Test finds of a tested series: of N values that overlap over H bars the mean, the variance γ0 and the
// long-run variance S, or Newey–West's in its place. They are NaN where there is nothing to test.
type LongRun struct {
	N, H              int
	Mean, Variance, S float64
	Fallback          bool
}

// Judge chooses the headline as Test does; few is asked where the horizons are few.
func (l LongRun) Judge(nonOverlapping float64, few func() SmallSample) Significance {
	nan, n := math.NaN(), float64(l.N)
	s := Significance{
		NEffective: min(n, n*l.Variance/l.S), HansenHodrick: l.Mean / math.Sqrt(l.S/n), NonOverlapping: nonOverlapping,
		T: nan, Method: Insufficient, P: nan, FallbackApplied: l.Fallback,
	}
	switch spans := n / float64(l.H); {
	case spans >= overlappingSpans:
		s.T, s.Method = s.HansenHodrick, ByHansenHodrick
		if s.FallbackApplied {
			s.Method = ByNeweyWest
		}
	case spans >= smallSampleSpans:
		f := few()
		s.T, s.P, s.NEffective, s.Method = f.T, f.P, f.NEffective, ByCosines
		return s
	}
	s.P = TwoSided(s.T)
	return s
}
