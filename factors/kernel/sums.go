package kernel

import "math"

// sums are the sums over a window of its values, counted in units of size·2⁻⁵¹, and of their squares, in units of
// size²·2⁻⁵¹. Each count is rounded to a whole number, the sums are exact.
type sums struct {
	axis
	first, second wide
	magic, magic2 float64
	norm
}

const countBits = 51

func newSums(window int) sums { return sums{axis: newAxis(window)} }

// count is the nearest whole number to v in the units of which magic is 1.5·2⁵².
func count(v, magic float64) int64 { return counted(v, magic) - counted(0, magic) }

// counted is count more than what it is for 0: adding magic leaves the count in a float's last bits.
func counted(v, magic float64) int64 { return int64(math.Float64bits(v + magic)) }

// span are the values of counted for distances below the limit: from the lowest to so many more.
func (s *sums) span() (lowest int64, more uint64) {
	return counted(-s.limit, s.magic) + 1, uint64(2*count(s.limit, s.magic) - 2)
}

// step takes the next row.
func (s *sums) step(v float64) {
	old, moved := s.next(v)
	if moved {
		s.recount()
		return
	}
	if counts(old) {
		s.add(old, -1)
	}
	if counts(v) {
		s.add(v, 1)
	}
}

func (s *sums) add(v float64, sign int64) {
	d := v - s.c
	s.first = s.first.plus(sign * count(d, s.magic))
	s.second = s.second.plus(sign * count(float64(d*d), s.magic2))
}

// recount counts the window in a new frame.
func (s *sums) recount() {
	s.magic, s.magic2 = 3*s.size, 3*s.size*s.size
	s.first, s.second = wide{}, wide{}
	for _, part := range s.parts() {
		s.addAll(part)
	}
}

// addAll counts all of x that are not missing.
func (s *sums) addAll(x []float64) {
	c, magic, magic2 := s.c, s.magic, s.magic2
	for len(x) > 0 {
		part := x[:min(len(x), slack)]
		x = x[len(part):]
		first, second := int64(0), int64(0)
		for _, v := range part {
			if d := v - c; d == d {
				first += count(d, magic)
				second += count(float64(d*d), magic2)
			}
		}
		s.first, s.second = s.first.plus(first), s.second.plus(second)
	}
}

// missing takes the first rows of a column, for which the window has less than so many values, as long as they count and
// the frame stands. It writes NaN and says how many there were.
func (s *sums) missing(dst, x []float64, least int) (n int) {
	if s.rows < s.window && s.limit != quiet && (s.rows < s.until || s.look()) {
		n = max(min(len(x), slack, least-s.n-1, s.until-s.rows), 0)
		for t, v := range x[:n] {
			if !(math.Abs(v-s.c) < s.limit) {
				n = t
				break
			}
		}
		s.grow(n)
		copy(s.ring[s.at:], x[:n])
		s.addAll(x[:n])
		s.take(n)
		s.n += n
	}
	for t := range dst[:n] {
		dst[t] = nan
	}
	return n
}

// run takes rows by f while the window is full and the frame stands, and says how many. f does it for rows before which
// the frame stands; it stops at a distance beyond the limit and says where. of0 is the statistic of a window that is all c.
func (s *sums) run(dst, x []float64, of0 float64, f func(dst, x, old []float64) int) (n int) {
	for n < len(x) {
		old := s.free(x[n:])
		if len(old) == 0 {
			return n
		}
		if s.limit == quiet {
			done := 0
			for done < len(old) && x[n+done] == s.c {
				dst[n+done] = of0
				done++
			}
			s.take(done)
			if n += done; done < len(old) {
				return n
			}
			continue
		}
		for len(old) > 0 {
			rows := s.ahead(len(old))
			done := f(dst[n:][:rows], x[n:][:rows], old[:rows])
			s.take(done)
			n += done
			if done < rows {
				s.doubt()
			}
			if old = old[done:]; done < rows || rows == 0 {
				return n
			}
		}
	}
	return n
}
