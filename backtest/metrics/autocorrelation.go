package metrics

import (
	"math"
	"math/bits"
	"slices"
)

// directLags is the number of lags that cost less summed one by one than by Fourier transforms.
const directLags = 16

// Autocorrelation gives ρ_0 … ρ_K of x,
//
//	ρ_k = Σ_t d_t d_{t−k} / Σ_t d_t²,  d = x − x̄,
//
// K being the first lag with ρ_K ≤ 0; nil for fewer than three values or a constant. It takes
// O(n log K) time.
func Autocorrelation(x []float64) []float64 {
	if len(x) < MinPairs || Constant(x) {
		return nil
	}
	m := Mean(x)
	d := make([]float64, len(x))
	for t, v := range x {
		d[t] = v - m
	}
	at := func(k int) float64 { return products(d[k:], d[:len(d)-k], 0, 0) }
	limit := 1 // a lag that is not positive, so that K ≤ limit
	for limit < len(d) && at(limit) > 0 {
		limit *= 2
	}
	limit = min(limit, len(d)-1) // the mean is taken out, so some lag is not positive
	var c []float64
	if limit <= directLags {
		for k := range limit + 1 {
			c = append(c, at(k))
		}
	} else {
		c = append(correlate(d, limit), at(limit))
	}
	if k := slices.IndexFunc(c, func(v float64) bool { return v <= 0 }); k >= 0 {
		c = c[:k+1]
	}
	for k := len(c) - 1; k >= 0; k-- {
		c[k] /= c[0]
	}
	return c
}

// correlate gives Σ_t d_t d_{t−k} for k < lags. d is cut into 2m segments of L ≥ lags values, of which segment s is
// the real part and segment m + s the imaginary part of block s; block m is segment m, then zeros. With F the
// transform of length 2L, in which a shift by L is a change of sign of every other coefficient, the products of
// the segments with themselves and their successors are the real part of the inverse of
//
//	conj(F(block)) · (F(block) + (−1)^j F(next)),
//
// whose sum over the blocks is inverted once.
func correlate(d []float64, lags int) []float64 {
	exponent := bits.Len(uint(lags - 1))
	length := 1 << exponent
	blocks := (len(d) + 2*length - 1) / (2 * length)
	segment := func(s int) []float64 { return d[min(s*length, len(d)):min((s+1)*length, len(d))] }
	f := newFFT(exponent + 1)
	defer f.free(exponent + 1)
	transform := func(dst []complex128, re, im []float64) {
		clear(dst)
		for t, v := range re {
			dst[t] = complex(v, 0)
		}
		for t, v := range im {
			dst[t] = complex(real(dst[t]), v)
		}
		f.forward(dst)
	}
	this, next, sum := make([]complex128, 2*length), make([]complex128, 2*length), make([]complex128, 2*length)
	transform(this, segment(0), segment(blocks))
	for s := range blocks {
		if s == blocks-1 {
			transform(next, segment(blocks), nil)
		} else {
			transform(next, segment(s+1), segment(blocks+s+1))
		}
		for j, a := range this {
			b := next[j]
			if j >= length { // an odd coefficient: the order is bit-reversed
				b = -b
			}
			sum[j] += times(complex(real(a), -imag(a)), a+b)
		}
		this, next = next, this
	}
	f.inverse(sum)
	c := make([]float64, lags)
	for k := range c {
		c[k] = real(sum[k]) / float64(2*length)
	}
	return c
}

// IntegratedTime is τ = 1 + 2 Σ_{0<k<K} ρ_k from Autocorrelation's result: after how many bars the series
// counts as a fresh observation. NaN where there is none.
func IntegratedTime(rho []float64) float64 {
	if rho == nil {
		return math.NaN()
	}
	s := 0.0
	for _, r := range rho[1 : len(rho)-1] {
		s += r
	}
	return 1 + 2*s
}
