package kernel

// Shift writes x of k bars earlier into dst, NaN for the first k. It panics if k < 0, which would
// look ahead.
func Shift(dst, x []float64, k int) {
	check(len(dst), len(x), 1, 0)
	if k < 0 {
		panic("kernel: Shift by k < 0 looks ahead")
	}
	k = min(k, len(x))
	for t := range k {
		dst[t] = nan
	}
	copy(dst[k:], x)
}

// Diff writes x[t] - x[t-k] into dst, NaN where either is missing. It panics if k < 0.
func Diff(dst, x []float64, k int) {
	Shift(dst, x, k)
	for t, past := range dst {
		if d := x[t] - past; finite(d) {
			dst[t] = d
		} else {
			dst[t] = nan
		}
	}
}
