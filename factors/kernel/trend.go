package kernel

// Trend writes the slope of the trailing least-squares line, with intercept, of x on time into dst, in units of x per
// row; NaN where there are fewer than two values. It takes O(len(x)) time.
func Trend(dst, x []float64, window, minPeriods int) { NewTrend(window, minPeriods).Next(dst, x) }

// NewTrend is a Rolling of Trend.
func NewTrend(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	return &trend{axis: newAxis(window, false), least: max(minPeriods, 2)}
}

// trend sums up a window's values, as counted by powers, and their products with their ages, 0 for the newest row.
type trend struct {
	axis
	sum, aged   wide
	ages, ages2 int // Σ age and Σ age² of the rows that count
	least       int
	norm
}

func (s *trend) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		s.step(v)
		if dst[t] = nan; s.n < s.least {
			continue
		}
		by := s.over(s.n, wholeBits)
		n, age := float64(s.n), float64(s.ages)
		y, _ := s.sum.cut(by.shift)
		slope := (s.aged.float() - float64(y)*by.unit*(age/n)) / (float64(s.ages2) - float64(age*(age/n)))
		dst[t] = -slope * (s.size / (1 << wholeBits))
	}
}

// step takes the next row.
func (s *trend) step(v float64) {
	old, moved := s.next(v)
	if moved {
		s.sum, s.aged, s.ages, s.ages2 = wide{}, wide{}, 0, 0
		age := min(s.rows, s.window) - 1
		for _, part := range s.parts() {
			for _, u := range part {
				s.add(u, age, 1)
				age--
			}
		}
		return
	}
	// All rows are older by one.
	n := s.n
	if counts(v) {
		n--
	}
	if counts(old) {
		n++
	}
	s.aged = s.aged.sum(s.sum)
	s.ages2 += 2*s.ages + n
	s.ages += n
	s.add(old, s.window, -1)
	s.add(v, 0, 1)
}

func (s *trend) add(v float64, age int, sign int64) {
	if !counts(v) {
		return
	}
	y := sign * whole((v-s.c)*s.scale)
	s.sum = s.sum.plus(y)
	s.aged = s.aged.sum(times(y, age))
	s.ages += int(sign) * age
	s.ages2 += int(sign) * age * age
}
