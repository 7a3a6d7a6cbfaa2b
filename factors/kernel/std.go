package kernel

import "math"

// Std writes the trailing sample standard deviation of x into dst,
//
//	dst[t]² = Σ (x[s]-m)² / (n-1),  s = t-window+1 … t,  m the mean and n the number of those x[s],
//
// and NaN where n < 2. Equal values give exactly 0. It takes O(len(x)) time.
func Std(dst, x []float64, window, minPeriods int) { NewStd(window, minPeriods).Next(dst, x) }

// ZScore writes how many trailing standard deviations x lies from its trailing mean into dst,
//
//	dst[t] = (x[t]-m) / s,  m and s the mean and Std of the window that ends at t,
//
// and NaN where x[t] is missing, where the window has fewer than two values or where s is 0.
// It takes O(len(x)) time.
func ZScore(dst, x []float64, window, minPeriods int) {
	NewZScore(window, minPeriods).Next(dst, x)
}

// NewStd is a Rolling of Std.
func NewStd(window, minPeriods int) Rolling { return newSpread(window, minPeriods, false) }

// NewZScore is a Rolling of ZScore.
func NewZScore(window, minPeriods int) Rolling { return newSpread(window, minPeriods, true) }

type spread struct {
	sums
	least int
	score bool // (x−m)/std in place of std
}

func newSpread(window, minPeriods int, score bool) *spread {
	checkWindow(window, minPeriods)
	return &spread{newSums(window), max(minPeriods, 2), score}
}

func (s *spread) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	s.ready = 0
	for len(x) > 0 {
		n := s.missing(dst, x, s.least)
		if s.score {
			n += s.run(dst[n:], x[n:], nan, s.scores)
		} else {
			n += s.run(dst[n:], x[n:], 0, s.deviations)
		}
		if dst, x = dst[n:], x[n:]; len(x) == 0 {
			return
		}
		s.step(x[0])
		if dst[0] = nan; s.n >= s.least {
			n := s.over(s.n, countBits)
			a, _ := s.first.cut(n.shift)
			b, _ := s.second.cut(n.shift)
			m2 := spreadOf(a, b, n.share) * n.freedom
			if s.score {
				dst[0] = scoreOf((x[0]-s.c)*s.scale*(1<<countBits), float64(float64(a)*n.mean), m2)
			} else {
				dst[0] = math.Sqrt(m2) * s.size
			}
		}
		dst, x = dst[1:], x[1:]
	}
}

// spreadOf is Σ (x−m)² from the sums of x and of x², and share by which the first's square is less.
func spreadOf(a, b int64, share float64) float64 {
	return float64(b) - float64(float64(float64(a)*float64(a))*share)
}

// scoreOf is (y−mean)/√m2 of counts.
func scoreOf(y, mean, m2 float64) float64 {
	if z := (float64(y) - mean) / math.Sqrt(m2) * (1.0 / (1 << countBits)); finite(z) {
		return z
	}
	return nan
}

// deviations takes rows as run wants it.
func (s *spread) deviations(dst, x, old []float64) int {
	by := s.over(s.n, countBits)
	c, magic, magic2, share, freedom, size := s.c, s.magic, s.magic2, by.share, by.freedom, s.size
	lowest, span := s.span()
	base, first := s.first.cut(by.shift)
	base2, second := s.second.cut(by.shift)
	start, start2 := first, second
	x, old = x[:len(dst)], old[:len(dst)]
	done := len(dst)
	if shift := by.shift & 63; shift > 0 {
		for t := range dst {
			d, e := x[t]-c, old[t]-c
			if uint64(counted(d, magic)-lowest) > span {
				done = t
				break
			}
			first += counted(d, magic) - counted(e, magic)
			second += counted(float64(d*d), magic2) - counted(float64(e*e), magic2)
			dst[t] = math.Sqrt(spreadOf(base+first>>shift, base2+second>>shift, share)*freedom) * size
		}
	} else {
		first, second, start, start2 = base, base2, base, base2
		for t := range dst {
			d, e := x[t]-c, old[t]-c
			if uint64(counted(d, magic)-lowest) > span {
				done = t
				break
			}
			first += counted(d, magic) - counted(e, magic)
			second += counted(float64(d*d), magic2) - counted(float64(e*e), magic2)
			dst[t] = math.Sqrt(spreadOf(first, second, share)*freedom) * size
		}
	}
	s.first, s.second = s.first.plus(first-start), s.second.plus(second-start2)
	return done
}

// scores takes rows as run wants it.
func (s *spread) scores(dst, x, old []float64) int {
	by := s.over(s.n, countBits)
	c, magic, magic2, share, freedom, mean := s.c, s.magic, s.magic2, by.share, by.freedom, by.mean
	scale := s.scale * (1 << countBits)
	lowest, span := s.span()
	base, first := s.first.cut(by.shift)
	base2, second := s.second.cut(by.shift)
	start, start2 := first, second
	x, old = x[:len(dst)], old[:len(dst)]
	done := len(dst)
	if shift := by.shift & 63; shift > 0 {
		for t := range dst {
			d, e := x[t]-c, old[t]-c
			if uint64(counted(d, magic)-lowest) > span {
				done = t
				break
			}
			first += counted(d, magic) - counted(e, magic)
			second += counted(float64(d*d), magic2) - counted(float64(e*e), magic2)
			a := base + first>>shift
			dst[t] = scoreOf(d*scale, float64(float64(a)*mean), spreadOf(a, base2+second>>shift, share)*freedom)
		}
	} else {
		first, second, start, start2 = base, base2, base, base2
		for t := range dst {
			d, e := x[t]-c, old[t]-c
			if uint64(counted(d, magic)-lowest) > span {
				done = t
				break
			}
			first += counted(d, magic) - counted(e, magic)
			second += counted(float64(d*d), magic2) - counted(float64(e*e), magic2)
			dst[t] = scoreOf(d*scale, float64(float64(first)*mean), spreadOf(first, second, share)*freedom)
		}
	}
	s.first, s.second = s.first.plus(first-start), s.second.plus(second-start2)
	return done
}
