package kernel

import "math"

// Min writes the smallest value of the trailing window into dst; the minimum of nothing is NaN.
// It takes O(len(x)) time.
func Min(dst, x []float64, window, minPeriods int) { extreme(dst, x, window, minPeriods, -1) }

// Max writes the largest value of the trailing window into dst; the maximum of nothing is NaN.
// It takes O(len(x)) time.
func Max(dst, x []float64, window, minPeriods int) { extreme(dst, x, window, minPeriods, 0) }

// extreme is the maximum where flip is 0 and the minimum where all its bits are set. Integers of
// the floats' order stand for them, since their maximum takes no branch that could be mispredicted.
func extreme(dst, x []float64, window, minPeriods int, flip int64) {
	check(len(dst), len(x), window, minPeriods)
	minPeriods = max(minPeriods, 1)
	const none = math.MinInt64                   // below every value
	tail := make([]int64, min(window, len(x))+1) // tail[j]: the last block from offset j on
	for j := range tail {
		tail[j] = none
	}
	missing := 0 // in the window
	for lo := 0; lo < len(x); lo += window {
		block := x[lo:min(lo+window, len(x))]
		past := x[max(lo-window, 0):] // past[j] leaves the window as block[j] enters, after the first block
		out := dst[lo:][:len(block)]
		rest := tail[1:][:len(block)]
		head := int64(none)
		for j, v := range block {
			if finite(v) {
				head = max(head, ordered(v)^flip)
			} else {
				missing++
			}
			n := window
			if lo == 0 {
				n = j + 1
			} else if missing > 0 && !finite(past[j]) {
				missing--
			}
			m := unordered(max(head, rest[j]) ^ flip)
			if n-missing < minPeriods {
				m = nan
			}
			out[j] = m
		}
		if len(block) < window {
			return
		}
		m := int64(none)
		for j := len(block) - 1; j >= 0; j-- {
			if v := block[j]; finite(v) {
				m = max(m, ordered(v)^flip)
			}
			tail[j] = m
		}
	}
}

// ordered maps floats to integers of the same order, with −0 just below 0; unordered is its inverse.
func ordered(v float64) int64 {
	b := int64(math.Float64bits(v))
	return b ^ int64(uint64(b>>63)>>1)
}

func unordered(k int64) float64 {
	return math.Float64frombits(uint64(k ^ int64(uint64(k>>63)>>1)))
}
