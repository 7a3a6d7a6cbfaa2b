package kernel

// NewSince is a Rolling of the number of rows since x was last neither 0 nor missing: 0 where it is so now, NaN where it
// was not so within the trailing window.
func NewSince(window int) Rolling {
	checkWindow(window, 0)
	return &since{window: window, ago: window}
}

type since struct{ window, ago int }

func (s *since) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		s.ago = min(s.ago+1, s.window)
		if finite(v) && v != 0 {
			s.ago = 0
		}
		if dst[t] = nan; s.ago < s.window {
			dst[t] = float64(s.ago)
		}
	}
}

// NewFill is a Rolling of the last value that is not missing, at most limit rows old; NaN where there is none. It panics
// if limit < 0.
func NewFill(limit int) Rolling {
	if limit < 0 {
		panic("kernel: Fill with limit < 0")
	}
	return &fill{limit: limit, last: nan}
}

type fill struct {
	limit, ago int
	last       float64
}

func (s *fill) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		if s.ago++; finite(v) {
			s.ago, s.last = 0, v
		}
		if s.ago > s.limit {
			s.last = nan
		}
		dst[t] = s.last
	}
}
