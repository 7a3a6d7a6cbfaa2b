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

func checkLengths(dst, x int) {
	if dst != x {
		panic("kernel: dst and input differ in length")
	}
}

func checkWindow(window, minPeriods int) {
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
func Sum(dst, x []float64, window, minPeriods int) { NewSum(window, minPeriods).Next(dst, x) }

// Mean writes the trailing arithmetic mean of x into dst: Sum over the number of values. The mean
// of nothing is NaN. It takes O(len(x)) time.
func Mean(dst, x []float64, window, minPeriods int) { NewMean(window, minPeriods).Next(dst, x) }

// NewSum is a Rolling of Sum.
func NewSum(window, minPeriods int) Rolling { return newTotal(window, minPeriods, false) }

// NewMean is a Rolling of Mean.
func NewMean(window, minPeriods int) Rolling { return newTotal(window, max(minPeriods, 1), true) }

type total struct {
	merged[sumOf]
	minPeriods float64
	mean       bool
}

type sumOf struct{ n, sum float64 }

func newTotal(window, minPeriods int, mean bool) Rolling {
	checkWindow(window, min(minPeriods, window))
	return &total{merged[sumOf]{window: window, push: func(s sumOf, x, _ float64) sumOf {
		if finite(x) {
			s.n++
			s.sum += x
		}
		return s
	}}, float64(minPeriods), mean}
}

func (s *total) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	s.next(x, x, func(t int, head, tail sumOf) {
		n, sum := head.n+tail.n, head.sum+tail.sum
		if s.mean {
			sum /= n
		}
		if dst[t] = sum; n < s.minPeriods {
			dst[t] = nan
		}
	})
}
