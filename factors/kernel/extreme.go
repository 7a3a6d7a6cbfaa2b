package kernel

import "math"

// Min writes the smallest value of the trailing window into dst; the minimum of nothing is NaN.
// It takes O(len(x)) time.
func Min(dst, x []float64, window, minPeriods int) { NewMin(window, minPeriods).Next(dst, x) }

// Max writes the largest value of the trailing window into dst; the maximum of nothing is NaN.
// It takes O(len(x)) time.
func Max(dst, x []float64, window, minPeriods int) { NewMax(window, minPeriods).Next(dst, x) }

// NewMin is a Rolling of Min.
func NewMin(window, minPeriods int) Rolling { return newExtreme(window, minPeriods, -1) }

// NewMax is a Rolling of Max.
func NewMax(window, minPeriods int) Rolling { return newExtreme(window, minPeriods, 0) }

// extreme is the maximum where flip is 0 and the minimum where all its bits are set. Integers of
// the floats' order stand for them, since their maximum takes no branch that could be mispredicted.
// Rows are cut into blocks of the window's length, and a window is the end of one and the beginning of the next (van
// Herk 1992; Gil and Werman 1993).
type extreme struct {
	window, minPeriods int
	flip               int64
	block              []int64 // rows of the block in progress, none where missing
	head               int64   // their maximum
	tail               []int64 // tail[j]: the maximum of the last block from row j on; empty in the first
	counts             []int32 // how many values those are, where some were missing; else empty
	present            int     // values among block
}

const none = math.MinInt64 // below every value

func newExtreme(window, minPeriods int, flip int64) *extreme {
	checkWindow(window, minPeriods)
	return &extreme{window: window, minPeriods: max(minPeriods, 1), flip: flip, head: none}
}

func (e *extreme) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for len(x) > 0 {
		if len(e.block) == e.window {
			e.turn()
		}
		j := len(e.block)
		n := min(len(x), e.window-j)
		for t, v := range x[:n] {
			k := int64(none)
			if finite(v) {
				k = ordered(v) ^ e.flip
				e.present++
			}
			e.block = append(e.block, k)
			e.head = max(e.head, k)
			m, values := e.head, e.present
			if at := j + t + 1; at < len(e.tail) {
				m = max(m, e.tail[at])
				if len(e.counts) > 0 {
					values += int(e.counts[at])
				} else {
					values += e.window - at
				}
			}
			if values < e.minPeriods {
				dst[t] = nan
			} else {
				dst[t] = unordered(m ^ e.flip)
			}
		}
		dst, x = dst[n:], x[n:]
	}
}

// turn makes the block in progress the last one.
func (e *extreme) turn() {
	e.counts = e.counts[:0]
	if e.present < e.window {
		if cap(e.counts) == 0 {
			e.counts = make([]int32, e.window)
		}
		e.counts = e.counts[:e.window]
	}
	m, n := int64(none), int32(0)
	for j := e.window - 1; j >= 0; j-- {
		if k := e.block[j]; k != none {
			m = max(m, k)
			n++
		}
		e.block[j] = m
		if len(e.counts) > 0 {
			e.counts[j] = n
		}
	}
	e.block, e.tail = e.tail[:0], e.block
	e.head, e.present = none, 0
}

// ordered maps floats to integers of the same order, with −0 just below 0; unordered is its inverse.
func ordered(v float64) int64 {
	b := int64(math.Float64bits(v))
	return b ^ int64(uint64(b>>63)>>1)
}

func unordered(k int64) float64 {
	return math.Float64frombits(uint64(k ^ int64(uint64(k>>63)>>1)))
}
