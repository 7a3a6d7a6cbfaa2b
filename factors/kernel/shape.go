package kernel

import "math"

// Skew writes the trailing sample skewness of x into dst, corrected for bias,
//
//	dst[t] = n·√(n-1)/(n-2) · Σd³ / (Σd²)^(3/2),  d = x[s]-m,  s = t-window+1 … t,
//
// and NaN where n < 3 or where all values are equal (pandas says 0 there). It takes O(len(x)) time.
// Merging follows Pébay (2008).
func Skew(dst, x []float64, window, minPeriods int) {
	NewSkew(window, minPeriods).Next(dst, x)
}

// Kurt writes the trailing sample excess kurtosis of x into dst, corrected for bias,
//
//	dst[t] = (n-1)/((n-2)(n-3)) · ( n(n+1) · Σd⁴ / (Σd²)² - 3(n-1) ),  d = x[s]-m,
//
// and NaN where n < 4 or where all values are equal (pandas says −3 there). It takes O(len(x)) time.
func Kurt(dst, x []float64, window, minPeriods int) {
	NewKurt(window, minPeriods).Next(dst, x)
}

// NewSkew is a Rolling of Skew.
func NewSkew(window, minPeriods int) Rolling {
	return newShape(window, minPeriods, 3, func(n, m2, m3, _ float64) float64 {
		return math.Sqrt(float64(n*(n-1))) / (n - 2) * m3 / (m2 * math.Sqrt(m2))
	})
}

// NewKurt is a Rolling of Kurt.
func NewKurt(window, minPeriods int) Rolling {
	return newShape(window, minPeriods, 4, func(n, m2, _, m4 float64) float64 {
		return (n - 1) / ((n - 2) * (n - 3)) * (float64((n+1)*m4/(m2*m2)) - float64(3*(n-1)))
	})
}

// shape is f of the number of values and their mean powers about the mean, where there are so many values, not all of
// them equal.
type shape struct {
	powers
	least int
	f     func(n, m2, m3, m4 float64) float64
}

func newShape(window, minPeriods, least int, f func(n, m2, m3, m4 float64) float64) Rolling {
	checkWindow(window, minPeriods)
	return &shape{newPowers(window), max(least, minPeriods), f}
}

func (s *shape) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		s.step(v)
		if dst[t] = nan; s.n < s.least {
			continue
		}
		var a [4]float64 // mean powers about c
		for k := range a {
			a[k] = s.by[k].mean(s.over(s.n, wholeBits))
		}
		q := float64(a[0] * a[0])
		m2 := a[1] - q
		m3 := a[2] - float64(a[0]*(float64(3*a[1])-float64(2*q)))
		m4 := a[3] - float64(4*float64(a[0]*a[2])) + float64(q*(float64(6*a[1])-float64(3*q)))
		if m2 > 0 {
			dst[t] = s.f(float64(s.n), m2, m3, m4)
		}
	}
}
