package metrics

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

// directLags is the number of lags that cost less summed one by one than by Fourier transforms.
const directLags = 16

// Autocorrelation gives ρ_0 … ρ_K of x,
//
//	ρ_k = Σ_t d_t d_{t−k} / Σ_t d_t²,  d = x − x̄,
//
// K being the first lag with ρ_K ≤ 0; nil for fewer than three values or a constant. It takes
// O(n log K) time and O(K) memory.
func Autocorrelation(x []float64) []float64 {
	if len(x) < MinPairs || Constant(x) {
		return nil
	}
	m := Mean(x)
	c := make([]float64, 0, directLags)
	for k := range min(len(x), directLags) { // the mean is taken out, so some lag is not positive
		c = append(c, products(x[k:], x[:len(x)-k], m, m))
		if c[k] <= 0 {
			break
		}
	}
	for lags := enough(x, m); c[len(c)-1] > 0 && len(c) < len(x); lags *= 2 {
		c = correlate(x, m, min(lags, len(x)))
		if k := slices.IndexFunc(c, func(v float64) bool { return v <= 0 }); k >= 0 {
			c = c[:k+1]
		}
	}
	for k := len(c) - 1; k >= 0; k-- {
		c[k] /= c[0]
	}
	return c
}

// enough guesses a power of two of lags among which one has no positive autocorrelation, by some of the products.
func enough(x []float64, mean float64) int {
	const some = 1 << 14
	stride := 1 + len(x)/some
	for lag := 2 * directLags; ; lag *= 2 {
		sum := 0.0
		for t := lag; t < len(x); t += stride {
			sum += float64((x[t] - mean) * (x[t-lag] - mean))
		}
		if sum <= 0 {
			return lag
		}
	}
}

// spectra is memory for the transforms of correlate.
type spectra struct{ this, next, sum []complex128 }

var spectraPool = sync.Pool{New: func() any { return new(spectra) }}

// correlate gives Σ_t d_t d_{t−k} for k < lags, d = x − mean. d is cut into 2m segments of L ≥ lags values, of which segment s
// is the real part and segment m + s the imaginary part of block s; block m is segment m, then zeros. With F the
// transform of length 2L of a block and L zeros, in which a shift by L is a change of sign of every other coefficient, the
// products of the segments with themselves and their successors are the real part of the inverse of
//
//	conj(F(block)) · (F(block) + (−1)^j F(next)),
//
// whose sum over the blocks is inverted once. The even coefficients are the transform of length L of a block, the odd
// ones that of the block turned by e^(−πi·t/L); they come one after the other, in the same memory.
func correlate(x []float64, mean float64, lags int) []float64 {
	exponent := bits.Len(uint(lags - 1))
	length := 1 << exponent
	blocks := (len(x) + 2*length - 1) / (2 * length)
	segment := func(s int) []float64 { return x[min(s*length, len(x)):min((s+1)*length, len(x))] }
	f := newFFT(exponent)
	defer f.free(exponent)
	m := spectraPool.Get().(*spectra)
	defer spectraPool.Put(m)
	of := func(buffer *[]complex128) []complex128 {
		*buffer = slices.Grow((*buffer)[:0], length)[:length]
		return *buffer
	}
	this, next, sum := of(&m.this), of(&m.next), of(&m.sum)
	c := make([]float64, lags)
	for _, odd := range []bool{false, true} {
		transform := func(dst []complex128, re, im []float64) {
			for t, v := range re {
				dst[t] = complex(v-mean, 0)
			}
			clear(dst[len(re):])
			for t, v := range im {
				dst[t] = complex(real(dst[t]), v-mean)
			}
			if odd {
				for t, w := range f.half {
					dst[t] = times(dst[t], w)
				}
			}
			f.forward(dst)
		}
		clear(sum)
		transform(this, segment(0), segment(blocks))
		for s := range blocks {
			if s == blocks-1 {
				transform(next, segment(blocks), nil)
			} else {
				transform(next, segment(s+1), segment(blocks+s+1))
			}
			for j, a := range this {
				if b := next[j]; odd {
					sum[j] += timesConjugate(a-b, a)
				} else {
					sum[j] += timesConjugate(a+b, a)
				}
			}
			this, next = next, this
		}
		f.inverse(sum)
		for k := range c {
			if odd {
				c[k] += real(timesConjugate(sum[k], f.half[k]))
			} else {
				c[k] = real(sum[k])
			}
		}
	}
	for k := range c {
		c[k] /= float64(2 * length)
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
