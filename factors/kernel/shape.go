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
	return newShape(window, minPeriods, 3, func(a powers) float64 {
		return a.n * math.Sqrt(a.n-1) / (a.n - 2) * a.m3 / (a.m2 * math.Sqrt(a.m2))
	})
}

// NewKurt is a Rolling of Kurt.
func NewKurt(window, minPeriods int) Rolling {
	return newShape(window, minPeriods, 4, func(a powers) float64 {
		return (a.n - 1) / ((a.n - 2) * (a.n - 3)) * (float64(a.n*(a.n+1)*a.m4/(a.m2*a.m2)) - 3*(a.n-1))
	})
}

// shape is f of the windows that have at least so many values, not all of them equal.
type shape struct {
	merged[powers]
	least float64
	f     func(powers) float64
}

func newShape(window, minPeriods, least int, f func(powers) float64) Rolling {
	checkWindow(window, minPeriods)
	return &shape{newPowers(window), float64(max(least, minPeriods)), f}
}

func (s *shape) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	s.next(x, x, func(t int, head, tail powers) {
		a := head.merge(tail)
		if dst[t] = nan; a.n >= s.least && a.m2 > 0 {
			dst[t] = s.f(a)
		}
	})
}

func newPowers(window int) merged[powers] {
	return merged[powers]{window: window, push: func(a powers, x, _ float64) powers { return a.push(x) }}
}

// powers are n values' mean, less the reference ref, which is one of them, and the sums of the
// second to fourth powers of their distances d from it.
type powers struct{ n, ref, mean, m2, m3, m4 float64 }

func (a powers) push(v float64) powers {
	if !finite(v) {
		return a
	}
	if a.n == 0 {
		return powers{n: 1, ref: v}
	}
	n := a.n + 1
	d := v - a.ref - a.mean
	q := d / n
	e := float64(d * q * a.n) // what v adds to m2
	q2 := float64(q * q)
	return powers{
		n:    n,
		ref:  a.ref,
		mean: a.mean + q,
		m2:   a.m2 + e,
		m3:   a.m3 + float64(e*q*(n-2)) - float64(3*q*a.m2),
		m4:   a.m4 + float64(e*q2*(float64(n*(n-3))+3)) + float64(6*q2*a.m2) - float64(4*q*a.m3),
	}
}

func (a powers) merge(b powers) powers {
	if a.n == 0 {
		return b
	}
	if b.n == 0 {
		return a
	}
	n := a.n + b.n
	d := (b.mean - a.mean + (b.ref - a.ref)) / n
	da, db := float64(d*b.n), float64(d*a.n) // distances of the means from the joint one
	return powers{
		n:    n,
		ref:  a.ref,
		mean: a.mean + da,
		m2:   a.m2 + b.m2 + float64(da*db*n),
		m3:   a.m3 + b.m3 + float64(da*db*(db-da)*n) + float64(3*(float64(db*b.m2)-float64(da*a.m2))),
		m4: a.m4 + b.m4 + float64(da*db*(float64(da*da)-float64(da*db)+float64(db*db))*n) +
			float64(6*(float64(db*db*b.m2)+float64(da*da*a.m2))) + float64(4*(float64(db*b.m3)-float64(da*a.m3))),
	}
}
