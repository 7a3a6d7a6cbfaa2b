package kernel

// Lag is a Rolling of the values of k rows earlier, NaN for the first k.
type Lag struct {
	past []float64 // the last k rows, from place at on; fewer in the beginning
	k    int
	at   int
}

// NewShift panics if k < 0, which would look ahead.
func NewShift(k int) *Lag {
	if k < 0 {
		panic("kernel: Shift by k < 0 looks ahead")
	}
	return &Lag{k: k}
}

// Next writes x of k rows earlier.
func (s *Lag) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	if s.k == 0 {
		copy(dst, x)
		return
	}
	first := min(s.k-len(s.past), len(x)) // rows before which there are not yet k
	for t := range first {
		dst[t] = nan
	}
	s.past = append(s.past, x[:first]...)
	dst, x = dst[first:], x[first:]
	if len(x) >= s.k {
		n := copy(dst, s.past[s.at:])
		copy(dst[n:], s.past[:s.at])
		copy(dst[s.k:], x)
		copy(s.past, x[len(x)-s.k:])
		s.at = 0
		return
	}
	for len(x) > 0 {
		n := copy(dst, s.past[s.at:])
		n = copy(s.past[s.at:], x[:min(n, len(x))])
		s.at = (s.at + n) % s.k
		dst, x = dst[n:], x[n:]
	}
}

// Shift writes x of k rows earlier into dst, NaN for the first k. It panics if k < 0, which would
// look ahead.
func Shift(dst, x []float64, k int) { NewShift(k).Next(dst, x) }

// difference is x less a Lag of it.
type difference struct{ Lag }

// NewDiff is a Rolling of Diff. It panics if k < 0.
func NewDiff(k int) Rolling { return &difference{*NewShift(k)} }

func (d *difference) Next(dst, x []float64) {
	d.Lag.Next(dst, x)
	for t, past := range dst {
		if v := x[t] - past; finite(v) {
			dst[t] = v
		} else {
			dst[t] = nan
		}
	}
}

// Diff writes x[t] - x[t-k] into dst, NaN where either is missing. It panics if k < 0.
func Diff(dst, x []float64, k int) { NewDiff(k).Next(dst, x) }
