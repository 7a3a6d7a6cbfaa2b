package metrics

import (
	"math"
	"slices"
)

// Mean is the arithmetic mean; NaN of nothing.
func Mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// Std is the sample standard deviation, ddof 1:
//
//	sqrt( Σ (x − mean)² / (n − 1) )
//
// NaN for fewer than two values, and exactly 0 where all are equal.
func Std(x []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	if Constant(x) {
		return 0
	}
	m, s := Mean(x), 0.0
	for _, v := range x {
		d := v - m
		s += float64(d * d)
	}
	return math.Sqrt(s / float64(len(x)-1))
}

// Shape gives the biased skewness m3/m2^1.5 and the biased raw kurtosis m4/m2² (3 for a normal
// distribution), m_k = Σ (x − mean)^k / n. NaN for fewer than two values or where all are equal.
func Shape(x []float64) (skew, kurtosis float64) {
	if len(x) < 2 || Constant(x) {
		return math.NaN(), math.NaN()
	}
	m := Mean(x)
	var m2, m3, m4 float64
	for _, v := range x {
		d := v - m
		d2 := float64(d * d)
		m2 += d2
		m3 += float64(d2 * d)
		m4 += float64(d2 * d2)
	}
	n := float64(len(x))
	m2, m3, m4 = m2/n, m3/n, m4/n
	return m3 / (m2 * math.Sqrt(m2)), m4 / (m2 * m2)
}

// Constant reports whether all values are equal. It compares values, since the rounding of a mean
// leaves a spurious variance.
func Constant(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// Quantile is the type 7 quantile of Hyndman and Fan (1996), the default of numpy and R: linear
// between the order statistics around (n − 1)·q. x is not changed. NaN of nothing.
func Quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Clone(x)
	slices.Sort(s)
	at := float64(len(s)-1) * q
	i := int(at)
	if i >= len(s)-1 {
		return s[len(s)-1]
	}
	return s[i] + float64((at-float64(i))*(s[i+1]-s[i]))
}
