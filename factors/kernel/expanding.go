package kernel

import "math"

// ExpandingMean writes the mean of all values up to t into dst, NaN where there are fewer than
// max(minPeriods, 1). It takes O(len(x)) time and no scratch.
func ExpandingMean(dst, x []float64, minPeriods int) {
	expanding(dst, x, max(minPeriods, 1), func(m moments, first float64) float64 { return first + m.mean })
}

// ExpandingStd writes the sample standard deviation of all values up to t into dst, NaN where there
// are fewer than max(minPeriods, 2). Equal values give exactly 0. It takes O(len(x)) time and no
// scratch. Source: Youngs and Cramer (1971).
func ExpandingStd(dst, x []float64, minPeriods int) {
	expanding(dst, x, max(minPeriods, 2), func(m moments, _ float64) float64 { return math.Sqrt(m.m2 / (m.n - 1)) })
}

func expanding(dst, x []float64, minPeriods int, f func(m moments, first float64) float64) {
	if len(dst) != len(x) {
		panic("kernel: dst and input differ in length")
	}
	var m moments
	first := 0.0 // the reference of m
	for t, v := range x {
		if finite(v) {
			if m.n == 0 {
				first = v
			}
			m = m.push(v-first, 1/(m.n+1))
		}
		if m.n < float64(minPeriods) {
			dst[t] = nan
			continue
		}
		dst[t] = f(m, first)
	}
}

// MeanStd gives the mean and the sample standard deviation of all values in x. The mean is NaN where
// there are fewer than max(minPeriods, 1) values, and the deviation where there are fewer than
// max(minPeriods, 2). Equal values give exactly 0. It takes O(len(x)) time and no scratch. It is what
// a Sample that x was added to says.
func MeanStd(x []float64, minPeriods int) (mean, std float64) {
	var m blockMoments
	for lo := 0; lo < len(x); lo += sampleBlock {
		m = m.merge(momentsOf(x[lo:min(lo+sampleBlock, len(x))]))
	}
	return m.meanStd(minPeriods)
}
