package kernel

import "math"

// Min writes the smallest value of the trailing window into dst; the minimum of nothing is NaN.
// It takes O(len(x)) time.
func Min(dst, x []float64, window, minPeriods int) { extreme(dst, x, window, minPeriods, -1) }

// Max writes the largest value of the trailing window into dst; the maximum of nothing is NaN.
// It takes O(len(x)) time.
func Max(dst, x []float64, window, minPeriods int) { extreme(dst, x, window, minPeriods, 1) }

// extreme is the maximum of sign·x, times sign.
func extreme(dst, x []float64, window, minPeriods int, sign float64) {
	check(len(dst), len(x), window, minPeriods)
	minPeriods = max(minPeriods, 1)
	none := math.Inf(-1)
	tail := make([]float64, min(window, len(x))+1) // tail[j]: the last block from offset j on
	for j := range tail {
		tail[j] = none
	}
	n := 0
	for lo := 0; lo < len(x); lo += window {
		block := x[lo:min(lo+window, len(x))]
		out := dst[lo:][:len(block)]
		rest := tail[1:][:len(block)]
		head := none
		for j, v := range block {
			if finite(v) {
				if v *= sign; v > head {
					head = v
				}
				n++
			}
			if lo > 0 && finite(x[lo+j-window]) {
				n--
			}
			m := head
			if r := rest[j]; r > m {
				m = r
			}
			m *= sign
			if n < minPeriods {
				m = nan
			}
			out[j] = m
		}
		if len(block) < window {
			return
		}
		m := none
		for j := len(block) - 1; j >= 0; j-- {
			if v := block[j] * sign; finite(v) && v > m {
				m = v
			}
			tail[j] = m
		}
	}
}
