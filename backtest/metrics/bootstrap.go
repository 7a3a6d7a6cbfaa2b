package metrics

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// BlockLength is the mean block length of the stationary bootstrap that Politis and White (2004), as corrected by
// Patton, Politis and White (2009), find best for the mean of x:
//
//	b = (2G²/D)^(1/3)·n^(1/3),  G = Σ_{|k|≤M} λ(k/M)·|k|·γ_k,  D = 2·(Σ_{|k|≤M} λ(k/M)·γ_k)²,
//
// λ the flat-top window (1 up to 1/2, then falling to 0 at 1), and M twice the last lag before max(5, log10 n)
// autocorrelations in a row that are below 2·sqrt(log10(n)/n). At most min(3·sqrt(n), n/3), at least 1; NaN for
// fewer than three values or a constant. It takes O(n^1.5) time.
func BlockLength(x []float64) float64 {
	n := len(x)
	if n < MinPairs || Constant(x) {
		return math.NaN()
	}
	size := float64(n)
	m := Mean(x)
	d := make([]float64, n)
	for t, v := range x {
		d[t] = v - m
	}
	decades := portable.Log(size) / math.Ln10
	quiet := max(5, int(decades))
	longest := min(int(math.Ceil(math.Sqrt(size)))+quiet, n-2)
	threshold := 2 * math.Sqrt(decades/size)
	gamma := make([]float64, longest+1)
	last, below := -1, 0 // the last lag before the first quiet stretch; −1 while there is none
	for k := range gamma {
		cross := products(d[k:], d[:n-k], 0, 0)
		gamma[k] = cross / size
		rho := math.Abs(cross) / math.Sqrt(float64(squares(d[k+1:], 0)*squares(d[:n-k-1], 0)))
		if below == quiet && last < 0 {
			last = k - quiet
		}
		if rho < threshold {
			below++
			below = min(below, quiet)
		} else {
			below = 0
		}
	}
	width := longest
	if last >= 0 {
		width = min(2*max(last, 1), longest)
	}
	var g float64
	variance := gamma[0]
	for k := 1; k <= width; k++ {
		lambda := min(1, 2*(1-float64(k)/float64(width)))
		g += float64(2 * lambda * float64(k) * gamma[k])
		variance += float64(2 * lambda * gamma[k])
	}
	b := portable.Cbrt(float64(g*g)/float64(variance*variance)) * portable.Cbrt(size)
	return max(1, min(b, math.Ceil(min(3*math.Sqrt(size), size/3))))
}

// Stationary draws the indices of a stationary bootstrap resample of n values into dst: blocks of random
// length, geometric with the given mean, wrapping at the end. Politis and Romano (1994).
func Stationary(dst []int32, n int, block float64, r *rand.PCG) {
	begin := uint32(math.MaxUint32) // a draw at or below it begins a block
	if block > 1 {
		begin = uint32(math.MaxUint32 / block)
	}
	at, first := uint32(0), uint32(math.MaxUint32)
	for i := range dst {
		draw := r.Uint64()
		next, drawn := at+1, uint32((draw>>32)*uint64(n)>>32)
		if next == uint32(n) {
			next = 0
		}
		if uint32(draw) <= max(begin, first) { // no branch, which nobody could predict
			next = drawn
		}
		at, first = next, 0
		dst[i] = int32(at)
	}
}

// Interval is the central part of what resamples of a figure gave; values that cannot be computed do not count.
// NaN where fewer than nine tenths of them could.
func Interval(resamples []float64, confidence float64) (low, high float64) {
	kept := make([]float64, 0, len(resamples))
	for _, v := range resamples {
		if Defined(v) {
			kept = append(kept, v)
		}
	}
	if 10*len(kept) < 9*len(resamples) || len(kept) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(kept)
	tail := float64((1 - confidence) / 2)
	return quantile(kept, tail), quantile(kept, 1-tail)
}
