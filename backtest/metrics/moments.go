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
	return Sum(x) / float64(len(x))
}

// Sum is Σ x, 0 of nothing, and not finite where a value is not.
func Sum(x []float64) float64 {
	var a, b, c, d float64 // four chains of additions run side by side
	t := 0
	for ; t+4 <= len(x); t += 4 {
		a += x[t]
		b += x[t+1]
		c += x[t+2]
		d += x[t+3]
	}
	for ; t < len(x); t++ {
		a += x[t]
	}
	return (a + b) + (c + d)
}

// squares is Σ (x − m)².
func squares(x []float64, m float64) float64 {
	var a, b, c, d float64
	t := 0
	for ; t+4 <= len(x); t += 4 {
		p, q, r, s := x[t]-m, x[t+1]-m, x[t+2]-m, x[t+3]-m
		a += float64(p * p)
		b += float64(q * q)
		c += float64(r * r)
		d += float64(s * s)
	}
	for ; t < len(x); t++ {
		p := x[t] - m
		a += float64(p * p)
	}
	return (a + b) + (c + d)
}

// products is Σ (x − mx)(y − my).
func products(x, y []float64, mx, my float64) float64 {
	var a, b, c, d float64
	y = y[:len(x)]
	t := 0
	for ; t+4 <= len(x); t += 4 {
		a += float64((x[t] - mx) * (y[t] - my))
		b += float64((x[t+1] - mx) * (y[t+1] - my))
		c += float64((x[t+2] - mx) * (y[t+2] - my))
		d += float64((x[t+3] - mx) * (y[t+3] - my))
	}
	for ; t < len(x); t++ {
		a += float64((x[t] - mx) * (y[t] - my))
	}
	return (a + b) + (c + d)
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
	return math.Sqrt(squares(x, Mean(x)) / float64(len(x)-1))
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
	return quantile(s, q)
}

// quantile is Quantile of what is sorted and not empty.
func quantile(s []float64, q float64) float64 {
	at := float64(float64(len(s)-1) * q)
	i := int(at)
	if i >= len(s)-1 {
		return s[len(s)-1]
	}
	return s[i] + float64((at-float64(i))*(s[i+1]-s[i]))
}

// Defined reports whether v is a number: NaN and the infinities count as missing.
func Defined(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }
