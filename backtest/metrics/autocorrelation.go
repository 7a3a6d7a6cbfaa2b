package metrics

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// directLags is the number of lags that cost less summed one by one than by a Fourier transform.
const directLags = 16

// Autocorrelation gives ρ_0 … ρ_K of x,
//
//	ρ_k = Σ_t d_t d_{t−k} / Σ_t d_t²,  d = x − x̄,
//
// K being the first lag with ρ_K ≤ 0; nil for fewer than three values or a constant. It takes
// O(n) time for a memory of a few bars and O(n log n) for any other.
func Autocorrelation(x []float64) []float64 {
	if len(x) < MinPairs || Constant(x) {
		return nil
	}
	m := Mean(x)
	d := make([]float64, len(x))
	for t, v := range x {
		d[t] = v - m
	}
	c := make([]float64, 0, directLags)
	for k := range min(directLags, len(d)) {
		s := 0.0
		for t := k; t < len(d); t++ {
			s += float64(d[t] * d[t-k])
		}
		c = append(c, s)
		if s <= 0 {
			break
		}
	}
	if c[len(c)-1] > 0 {
		if c = crossing(correlate(d, len(d)/2)); c[len(c)-1] > 0 {
			c = crossing(correlate(d, len(d)-1)) // the mean is taken out, so one lag is not positive
		}
	}
	for k := len(c) - 1; k >= 0; k-- {
		c[k] /= c[0]
	}
	return c
}

// crossing cuts c after its first value that is not positive.
func crossing(c []float64) []float64 {
	if k := slices.IndexFunc(c, func(v float64) bool { return v <= 0 }); k >= 0 {
		return c[:k+1]
	}
	return c
}

// correlate gives Σ_t d_t d_{t−k} for k = 0 … lags by the theorem of Wiener and Khinchin, on d padded
// with zeros to a length whose transform does not wrap these lags.
func correlate(d []float64, lags int) []float64 {
	n := smooth(len(d) + lags)
	fft := fourier.NewFFT(n)
	padded := make([]float64, n)
	copy(padded, d)
	spectrum := fft.Coefficients(nil, padded)
	for i, z := range spectrum {
		a := cmplx.Abs(z)
		spectrum[i] = complex(float64(a*a), 0)
	}
	c := fft.Sequence(padded, spectrum)[:lags+1]
	for k := range c {
		c[k] /= float64(n)
	}
	return c
}

// smooth is the least number of the form 2^a·3^b·5^c, a ≥ 2, that is not below n: a length whose
// transform is fast.
func smooth(n int) int {
	best := math.MaxInt
	for five := 1; five < 2*n; five *= 5 {
		for three := five; three < 2*n; three *= 3 {
			two := 4 * three
			for two < n {
				two *= 2
			}
			best = min(best, two)
		}
	}
	return best
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
