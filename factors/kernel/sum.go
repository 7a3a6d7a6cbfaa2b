package kernel

import "math"

// Sum writes the trailing sum of x into dst,
//
//	dst[t] = Σ x[s],  s = t-window+1 … t,
//
// with an error of at most window·2⁻⁴⁹ of the largest |x[s]|, and most often of its root. With minPeriods 0 the sum of
// nothing is 0. It takes O(len(x)) time.
func Sum(dst, x []float64, window, minPeriods int) { NewSum(window, minPeriods).Next(dst, x) }

// Mean writes the trailing arithmetic mean of x into dst: Sum over the number of values. The mean
// of nothing is NaN. It takes O(len(x)) time.
func Mean(dst, x []float64, window, minPeriods int) { NewMean(window, minPeriods).Next(dst, x) }

// NewSum is a Rolling of Sum.
func NewSum(window, minPeriods int) Rolling { return newTotal(window, minPeriods, false) }

// NewMean is a Rolling of Mean.
func NewMean(window, minPeriods int) Rolling { return newTotal(window, max(minPeriods, 1), true) }

type total struct {
	sums
	least int
	mean  bool
}

func newTotal(window, minPeriods int, mean bool) Rolling {
	checkWindow(window, minPeriods)
	return &total{newSums(window, false), minPeriods, mean}
}

func (s *total) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	s.ready = 0
	for len(x) > 0 {
		n := s.missing(dst, x, s.least)
		n += s.run(dst[n:], x[n:], 0, s.totals)
		if dst, x = dst[n:], x[n:]; len(x) == 0 {
			return
		}
		s.step(x[0])
		if dst[0] = nan; s.n >= s.least {
			whole, _ := s.first.cut(s.over(s.n, countBits).shift)
			dst[0] = float64(whole) * s.per()
		}
		dst, x = dst[1:], x[1:]
	}
}

// per is what a cut sum is multiplied by.
func (s *total) per() float64 {
	per := s.unit
	if s.mean {
		per = s.norm.mean
	}
	return math.Ldexp(s.size*per, -countBits)
}

// totals takes rows as run wants it.
func (s *total) totals(dst, x, old []float64) int {
	shift := s.over(s.n, countBits).shift & 63
	magic, per := s.magic, s.per()
	lowest, span := s.span()
	base, sum := s.first.cut(shift)
	start := sum
	x, old = x[:len(dst)], old[:len(dst)]
	done := len(dst)
	if shift > 0 {
		for t := range dst {
			u := counted(x[t], magic)
			if uint64(u-lowest) > span {
				done = t
				break
			}
			sum += u - counted(old[t], magic)
			dst[t] = float64(base+sum>>shift) * per
		}
	} else {
		sum, start = base, base
		for t := range dst {
			u := counted(x[t], magic)
			if uint64(u-lowest) > span {
				done = t
				break
			}
			sum += u - counted(old[t], magic)
			dst[t] = float64(sum) * per
		}
	}
	s.first = s.first.plus(sum - start)
	return done
}
