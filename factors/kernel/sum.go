package kernel

// Sum writes the trailing sum of x into dst,
//
//	dst[t] = Σ x[s],  s = t-window+1 … t,
//
// which is exact but for one rounding at its end. With minPeriods 0 the sum of nothing is 0. It takes O(len(x)) time.
func Sum(dst, x []float64, window, minPeriods int) { NewSum(window, minPeriods).Next(dst, x) }

// Mean writes the trailing arithmetic mean of x into dst: Sum over the number of values. The mean
// of nothing is NaN. It takes O(len(x)) time.
func Mean(dst, x []float64, window, minPeriods int) { NewMean(window, minPeriods).Next(dst, x) }

// NewSum is a Rolling of Sum.
func NewSum(window, minPeriods int) Rolling { return newTotal(window, minPeriods, false) }

// NewMean is a Rolling of Mean.
func NewMean(window, minPeriods int) Rolling { return newTotal(window, max(minPeriods, 1), true) }

type total struct {
	trail
	sum   tally
	least int
	mean  bool
	n     int // values of the window
	since int // rows since the sum was begun anew
}

func newTotal(window, minPeriods int, mean bool) Rolling {
	checkWindow(window, minPeriods)
	return &total{trail: newTrail(window), least: minPeriods, mean: mean}
}

func (s *total) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for len(x) > 0 {
		piece, old := s.take(x)
		s.ready(len(piece))
		if s.n == s.window && s.holes == 0 && !s.sum.wide {
			s.full(dst[:len(piece)], piece, old)
		} else {
			s.each(dst[:len(piece)], piece, old)
		}
		s.done()
		dst, x = dst[len(piece):], x[len(piece):]
	}
}

// ready sees to it that the sum can take the piece.
func (s *total) ready(rows int) {
	s.since += rows
	if !s.sum.wide && s.sum.holds(s.piece, min(s.n+rows, s.window+1)) || s.sum.wide && s.since < min(s.window, pieceRows) {
		return
	}
	s.since = 0
	s.sum.restart(s.all(), min(s.window+1, 2*(s.rows+rows)))
	for _, v := range s.before() {
		if v == v {
			s.sum.add(v)
		}
	}
}

// full takes rows where all count, in the window too.
func (s *total) full(dst, x, old []float64) {
	magic, top, rest, share := s.sum.magic, s.sum.top, s.sum.rest, s.share()
	x, old = x[:len(dst)], old[:len(dst)]
	for t := range dst {
		v, u := x[t], old[t]
		a, b := (v+magic)-magic, (u+magic)-magic
		top += a - b
		rest += (v - a) - (u - b)
		dst[t] = (top + rest) * share
	}
	s.sum.top, s.sum.rest = top, rest
}

// share is what a sum is multiplied by.
func (s *total) share() float64 {
	if s.mean {
		return 1 / float64(s.n)
	}
	return 1
}

// each takes rows of which some are missing, or that come before the window is full.
func (s *total) each(dst, x, old []float64) {
	for t, v := range x {
		if v == v {
			s.sum.add(v)
			s.n++
		}
		if old != nil && old[t] == old[t] {
			s.sum.add(-old[t])
			s.n--
		}
		if dst[t] = nan; s.n >= s.least {
			dst[t] = s.sum.value() * s.share()
		}
	}
}
