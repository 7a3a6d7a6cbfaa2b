package kernel

import "math"

// NewReturnStd is a Rolling of Std for returns: values about 0, of which those that are not 0 lie within 10⁵ or so of one
// another. Its values are those of Std but for the last digits. It takes columns of any kind, but a few times as long
// where values lie farther apart, or are often near one another.
//
// Squares are summed up about 0, which costs few digits where the values of a window are not all near one another. Windows in
// which they are go to Std. Both sums are exact and rounded once.
func NewReturnStd(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	near := newSpread(window, minPeriods, false)
	if window < 2 || window > longestReturns {
		return near
	}
	return &returnStd{trail: newTrail(window), kinds: noKinds, least: max(minPeriods, 2), near: near}
}

// longestReturns is the longest window whose squares are summed up about 0.
const longestReturns = 1024

type returnStd struct {
	trail
	sum, squares tally
	kinds
	least   int
	n       int  // values of the window
	since   int  // rows since the sums were begun anew
	behind  bool // the window before the next row went to near: the sums were left behind
	near    *spread
	seen    int // rows that near has seen
	scratch [64]float64
}

func (s *returnStd) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for len(x) > 0 {
		piece, old := s.take(x)
		s.since += len(piece)
		for at := 0; at < len(piece); {
			end, near := s.stretch(piece, at)
			switch {
			case near:
				s.count(piece[at:end], old, at)
				s.centred(dst[at:end], at)
				s.behind = true
			case s.sums(at) && s.n == s.window && s.holes == 0:
				s.full(dst[at:end], piece[at:end], old[at:end])
			default:
				s.each(dst[at:end], piece[at:end], old, at)
			}
			at = end
		}
		s.done()
		dst, x = dst[len(piece):], x[len(piece):]
	}
}

// stretch gives the end of those rows of the piece, from at on, in whose windows values are near one another like in the
// first's, or not. Zeros alone are not: their sums are 0.
func (s *returnStd) stretch(x []float64, at int) (end int, near bool) {
	kind, last, left, right := s.kind, s.row, s.left, s.right
	from := s.rows - s.window + 1
	for end = at; end < len(x); end++ {
		v := x[end]
		if v == v {
			k := kindOf(v)
			left = changed(k>>1, kind>>1, last, left)
			right = changed((k+1)>>1, (kind+1)>>1, last, right)
			kind, last = k, s.rows+end
		}
		if now := min(left, right) < max(from+end, 0) && v != 0; now != near {
			if end > at {
				break // the row is seen again
			}
			near = now
		}
	}
	s.kinds = kinds{kind, last, left, right}
	return end, near
}

// sums sees to it that the sums are those of the window before a row of the piece, can take the piece, and reports whether
// they are kept short.
func (s *returnStd) sums(at int) bool {
	holding := s.sum.holds(s.piece, s.window+1) && s.squares.holds(s.piece.squared(), s.window+1)
	if s.sum.wide {
		holding = s.since < min(s.window, pieceRows)
	}
	if !holding || s.behind {
		if !holding {
			s.since = 0
			all := s.all()
			s.sum.restart(all, s.window+1)
			s.squares.restart(all.squared(), s.window+1)
			s.sum.wide = s.sum.wide || s.squares.wide
			s.squares.wide = s.sum.wide
		}
		s.sum.clear()
		s.squares.clear()
		for _, v := range s.trail.last(at) {
			if v == v {
				s.sum.add(v)
				s.squares.add(float64(v * v))
			}
		}
		s.behind = false
	}
	return !s.sum.wide
}

// squared is the reach of the squares.
func (r reach) squared() reach {
	if r.most == 0 {
		return r
	}
	least, most := max(2*(r.least>>53), 1024)-1023, max(2*(r.most>>53), 1024)-1021
	return reach{least << 53, most<<53 | (1<<53 - 1)}
}

// full takes rows where all count, in the window too.
func (s *returnStd) full(dst, x, old []float64) {
	magic, top, rest := s.sum.magic, s.sum.top, s.sum.rest
	magic2, top2, rest2 := s.squares.magic, s.squares.top, s.squares.rest
	share, freedom := 1/float64(s.n), 1/float64(s.n-1)
	x, old = x[:len(dst)], old[:len(dst)]
	for t := range dst {
		v, u := x[t], old[t]
		a, b := (v+magic)-magic, (u+magic)-magic
		top += a - b
		rest += (v - a) - (u - b)
		v, u = float64(v*v), float64(u*u)
		a, b = (v+magic2)-magic2, (u+magic2)-magic2
		top2 += a - b
		rest2 += (v - a) - (u - b)
		dst[t] = stdOf(top+rest, top2+rest2, share, freedom)
	}
	s.sum.top, s.sum.rest = top, rest
	s.squares.top, s.squares.rest = top2, rest2
}

// stdOf is the deviation of n values with these sums of values and of squares; share is 1/n and freedom 1/(n−1).
func stdOf(sum, squares, share, freedom float64) float64 {
	return math.Sqrt((squares - float64(float64(sum*sum)*share)) * freedom)
}

// each takes rows of which some are missing, or that come before the window is full.
func (s *returnStd) each(dst, x, old []float64, at int) {
	for t, v := range x {
		s.count(x[t:t+1], old, at+t)
		if v == v {
			s.sum.add(v)
			s.squares.add(float64(v * v))
		}
		if old != nil && old[at+t] == old[at+t] {
			s.sum.add(-old[at+t])
			s.squares.add(-float64(old[at+t] * old[at+t]))
		}
		if dst[t] = nan; s.n >= s.least {
			dst[t] = stdOf(s.sum.value(), s.squares.value(), 1/float64(s.n), 1/float64(s.n-1))
		}
	}
}

// count counts the values of rows of the piece from at on, and those that leave.
func (s *returnStd) count(x, old []float64, at int) {
	for t, v := range x {
		if v == v {
			s.n++
		}
		if old != nil && old[at+t] == old[at+t] {
			s.n--
		}
	}
}

// centred writes the values of rows of the piece from at on by sums about a centre.
func (s *returnStd) centred(dst []float64, at int) {
	row := s.rows + at
	if row-s.seen >= s.window {
		s.near.begin()
		s.seen = max(row-s.window+1, 0)
	}
	for s.seen < row { // what the window holds besides
		n := min(row-s.seen, len(s.scratch))
		s.near.Next(s.scratch[:n], s.from(s.seen)[:n])
		s.seen += n
	}
	s.near.Next(dst, s.from(row)[:len(dst)])
	s.seen += len(dst)
}
