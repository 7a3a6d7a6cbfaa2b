// Package kernel holds the loops over []float64 that factors are made of.
//
// Conventions, for every function: dst comes first, has the length of the input and does not
// overlap it. Windows trail and end at t, so that dst[t] depends on x[t-window+1 … t] alone, to the
// bit, whatever comes before or after. NaN and ±Inf are missing: they are skipped, and a window with
// fewer than minPeriods values gives NaN, as in pandas; minPeriods 0 asks for nothing beyond what
// the statistic itself needs.
// Statistics are those of a sample (ddof 1). A function panics if the lengths differ, if window < 1
// or if minPeriods is outside [0, window].
//
// Windows are merged, never un-added: the series is cut into blocks of the window's length at
// multiples of it, and every window is the end of one block joined to the beginning of the next
// (van Herk 1992; Gil and Werman 1993). Blocks are counted from row 0, so that leaving out rows in
// front may change the last bits of what follows. Each call allocates O(window) scratch once.
package kernel

import "math"

var nan = math.NaN()

// finite reports whether v is neither NaN nor ±Inf.
func finite(v float64) bool { return v-v == 0 }

func check(dst, x, window, minPeriods int) {
	if dst != x {
		panic("kernel: dst and input differ in length")
	}
	if window < 1 {
		panic("kernel: window < 1")
	}
	if minPeriods < 0 || minPeriods > window {
		panic("kernel: minPeriods outside [0, window]")
	}
}

// Sum writes the trailing sum of x into dst,
//
//	dst[t] = Σ x[s],  s = t-window+1 … t,
//
// with an error of at most about window·2⁻⁵³·Σ|x[s]|. With minPeriods 0 the sum of nothing is 0.
// It takes O(len(x)) time.
func Sum(dst, x []float64, window, minPeriods int) { sum(dst, x, window, minPeriods, false) }

// Mean writes the trailing arithmetic mean of x into dst: Sum over the number of values. The mean
// of nothing is NaN. It takes O(len(x)) time.
func Mean(dst, x []float64, window, minPeriods int) {
	sum(dst, x, window, max(minPeriods, 1), true)
}

func sum(dst, x []float64, window, minPeriods int, mean bool) {
	check(len(dst), len(x), window, minPeriods)
	if len(x) > 0 && finite(sumFrom(x, 0)) {
		sumWhole(dst, x, window, minPeriods, mean)
		return
	}
	tail := make([]float64, min(window, len(x))+1) // tail[j]: the last block from offset j on
	missing := 0                                   // in the window
	for lo := 0; lo < len(x); lo += window {
		block := x[lo:min(lo+window, len(x))]
		past := x[max(lo-window, 0):] // past[j] leaves the window as block[j] enters, after the first block
		out := dst[lo:][:len(block)]
		rest := tail[1:][:len(block)]
		head := 0.0
		for j, v := range block {
			if finite(v) {
				head += v
			} else {
				missing++
			}
			n := window
			if lo == 0 {
				n = j + 1
			} else if missing > 0 && !finite(past[j]) {
				missing--
			}
			n -= missing
			s := head + rest[j]
			if mean {
				s /= float64(n)
			}
			if n < minPeriods {
				s = nan
			}
			out[j] = s
		}
		if len(block) < window {
			return
		}
		s := 0.0
		for j := len(block) - 1; j >= 0; j-- {
			if v := block[j]; finite(v) {
				s += v
			}
			tail[j] = s
		}
	}
}

// sumWhole is sum of a column in which nothing is missing.
func sumWhole(dst, x []float64, window, minPeriods int, mean bool) {
	tail := make([]float64, min(window, len(x))+1)
	for lo := 0; lo < len(x); lo += window {
		block := x[lo:min(lo+window, len(x))]
		out, rest := dst[lo:][:len(block)], tail[1:][:len(block)]
		head := 0.0
		for j, v := range block {
			head += v
			out[j] = head + rest[j]
		}
		if len(block) < window {
			break
		}
		s := 0.0
		for j := len(block) - 1; j >= 0; j-- {
			s += block[j]
			tail[j] = s
		}
	}
	first := min(window-1, len(x)) // rows whose window is not full
	if mean {
		for t := range dst[:first] {
			dst[t] /= float64(t + 1)
		}
		n := float64(window)
		for t := range dst[first:] {
			dst[first+t] /= n
		}
	}
	for t := range dst[:min(first, max(minPeriods-1, 0))] {
		dst[t] = nan
	}
}
