package metrics

import (
	"math"
	"math/bits"
	"slices"
	"sync"

	"gonum.org/v1/gonum/dsp/fourier"
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
		c = correlate(d, limit)
	}
	if k := slices.IndexFunc(c, func(v float64) bool { return v <= 0 }); k >= 0 {
		c = c[:k+1]
	}
	for k := len(c) - 1; k >= 0; k-- {
		c[k] /= c[0]
	}
	return c
}

// correlate gives Σ_t d_t d_{t−k} for k = 0 … lags. d is cut into blocks of L > lags values. With F the
// transform of length 2L, in which a shift by L is a change of sign of every other coefficient, the products of a
// block with itself and its successor are the inverse of
//
//	conj(F(block)) · (F(block) + (−1)^j F(next)),
//
// whose sum over the blocks is inverted once.
func correlate(d []float64, lags int) []float64 {
	exponent := bits.Len(uint(lags))
	length := 1 << exponent
	fft, _ := plans[exponent].Get().(*fourier.FFT)
	if fft == nil {
		fft = fourier.NewFFT(2 * length)
	}
	defer plans[exponent].Put(fft)
	padded := make([]float64, 2*length)
	this, next, sum := make([]complex128, length+1), make([]complex128, length+1), make([]complex128, length+1)
	transform := func(dst []complex128, lo int) {
		clear(padded[copy(padded, d[min(lo, len(d)):min(lo+length, len(d))]):])
		fft.Coefficients(dst, padded)
	}
	transform(this, 0)
	for lo := 0; lo < len(d); lo += length {
		transform(next, lo+length)
		for j, a := range this {
			b := next[j]
			if j%2 == 1 {
				b = -b
			}
			re, im := real(a)+real(b), imag(a)+imag(b)
			sum[j] += complex(float64(real(a)*re)+float64(imag(a)*im), float64(real(a)*im)-float64(imag(a)*re))
		}
		this, next = next, this
	}
	c := fft.Sequence(padded, sum)[:lags+1]
	for k := range c {
		c[k] /= float64(2 * length)
	}
	return c
}

// plans keeps transforms of length 2·2^i at place i: their roots of unity cost as much as they do.
var plans [64]sync.Pool

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
