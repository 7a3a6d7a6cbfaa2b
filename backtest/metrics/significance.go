package metrics

import "math"

// The headline t's methods.
const (
	ByHansenHodrick  = "hansen_hodrick"
	ByNeweyWest      = "newey_west"
	ByNonOverlapping = "non_overlapping"
	Insufficient     = "insufficient"
)

// Spans of the horizon in the sample that each kind of headline t needs.
const (
	overlappingSpans    = 100 // at least: Hansen–Hodrick
	nonOverlappingSpans = 10  // at least: every h-th pair; below, insufficient
	// FewSpans is the number of integrated autocorrelation times of a factor below which its figures
	// carry a warning.
	FewSpans = 10
)

// Significance is what a tested series u says about its mean.
type Significance struct {
	NEffective      float64 // n·γ0/S, at most n
	HansenHodrick   float64 // ū/sqrt(S/n), S with lag h − 1, or Newey–West's with lag 2h where that is not positive
	NonOverlapping  float64
	T               float64 // the headline, by Method; NaN where that is Insufficient
	Method          string
	P               float64 // two-sided, of T, against the normal
	FallbackApplied bool    // HansenHodrick is Newey–West's
}

// Test judges the mean of u, whose values overlap over h bars. nonOverlapping is the t of every h-th
// observation. The headline is Hansen–Hodrick's when n/h ≥ 100, else the non-overlapping one, and
// none when n/h < 10.
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
	case spans >= nonOverlappingSpans:
		s.T, s.Method = nonOverlapping, ByNonOverlapping
	}
	s.P = TwoSided(s.T)
	return s
}

// NonOverlapping is the t of the correlation of every h-th pair from the first:
//
//	r·sqrt((m − 2)/(1 − r²)),  m pairs with correlation r
//
// NaN where Pearson is NaN or the correlation perfect.
func NonOverlapping[T int32 | float64](x, y []T, h int) float64 {
	fx, fy := every(x, h), every(y, h)
	r := Pearson(fx, fy)
	if 1-r*r <= 0 {
		return math.NaN()
	}
	return r * math.Sqrt(float64(len(fx)-2)/(1-r*r))
}

// NonOverlappingMean is the t of the mean of every h-th value from the first, mean/(std/√m), ddof 1.
func NonOverlappingMean(u []float64, h int) float64 {
	v := every(u, h)
	s := Std(v)
	if len(v) < MinPairs || s == 0 {
		return math.NaN()
	}
	return Mean(v) / (s / math.Sqrt(float64(len(v))))
}

func every[T int32 | float64](x []T, h int) []float64 {
	out := make([]float64, 0, len(x)/h+1)
	for t := 0; t < len(x); t += h {
		out = append(out, float64(x[t]))
	}
	return out
}
