package kernel

import "math"

// ExpandingMean writes the mean of all values up to t into dst, NaN where there are fewer than
// max(minPeriods, 1). It takes O(len(x)) time and no scratch.
func ExpandingMean(dst, x []float64, minPeriods int) { NewExpandingMean(minPeriods).Next(dst, x) }

// ExpandingStd writes the sample standard deviation of all values up to t into dst, NaN where there
// are fewer than max(minPeriods, 2). Equal values give exactly 0. It takes O(len(x)) time and no
// scratch. Source: Youngs and Cramer (1971).
func ExpandingStd(dst, x []float64, minPeriods int) { NewExpandingStd(minPeriods).Next(dst, x) }

// NewExpandingMean is a Rolling of ExpandingMean.
func NewExpandingMean(minPeriods int) Rolling {
	return &expanding{least: float64(max(minPeriods, 1)), f: func(m moments, first float64) float64 { return first + m.mean }}
}

// NewExpandingStd is a Rolling of ExpandingStd.
func NewExpandingStd(minPeriods int) Rolling {
	return &expanding{least: float64(max(minPeriods, 2)), f: func(m moments, _ float64) float64 { return math.Sqrt(m.m2 / (m.n - 1)) }}
}

type expanding struct {
	least float64
	f     func(m moments, first float64) float64
	moments
	first float64 // their reference
}

func (e *expanding) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		if finite(v) {
			if e.n == 0 {
				e.first = v
			}
			e.moments = e.push(v-e.first, 1/(e.n+1))
		}
		if dst[t] = nan; e.n >= e.least {
			dst[t] = e.f(e.moments, e.first)
		}
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

// moments are the number of values, their sum and mean less a reference, and m2 = Σ (x-m)². The
// reference is one of the values, so that an offset common to all of them costs no digits.
type moments struct{ n, sum, mean, m2 float64 }

// push adds one value, less the reference; inv is 1/(n+1).
func (a moments) push(v, inv float64) moments {
	sum := a.sum + v
	mean := float64(sum * inv)
	return moments{a.n + 1, sum, mean, a.m2 + float64((v-a.mean)*(v-mean))}
}
