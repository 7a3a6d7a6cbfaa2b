package kernel

// Trend writes the slope of the trailing least-squares line, with intercept, of x on time into dst, in units of x per
// row; NaN where there are fewer than two values. It takes O(len(x)) time.
func Trend(dst, x []float64, window, minPeriods int) { NewTrend(window, minPeriods).Next(dst, x) }

// NewTrend is a Rolling of Trend.
func NewTrend(window, minPeriods int) Rolling {
	return newOnTime(window, minPeriods, 2, func(s *aged, _ float64) float64 { return s.slope() * s.unit() })
}

// NewTrendLevel is a Rolling of the value at t of the trailing least-squares line of x on time: the intercept where time
// is counted from t.
func NewTrendLevel(window, minPeriods int) Rolling {
	return newOnTime(window, minPeriods, 2, func(s *aged, _ float64) float64 { return s.c + float64(s.level()*s.unit()) })
}

// NewTrendResidual is a Rolling of x[t] less that value.
func NewTrendResidual(window, minPeriods int) Rolling {
	return newOnTime(window, minPeriods, 2, func(s *aged, x float64) float64 { return x - s.c - float64(s.level()*s.unit()) })
}

// NewDecayLinear is a Rolling of the trailing mean whose weights fall linearly, from window for the newest row to 1 for
// the oldest,
//
//	dst[t] = Σ w[k]·x[t-k] / Σ w[k],  w[k] = window-k,  k = 0 … window-1,
//
// over the rows that have a value; NaN where there are fewer than max(minPeriods, 1). It takes O(len(x)) time. Source:
// Kakushadze (2016), decay_linear.
func NewDecayLinear(window, minPeriods int) Rolling {
	w := float64(window)
	return newOnTime(window, minPeriods, 1, func(s *aged, _ float64) float64 {
		sum := float64(w*s.total()) - s.weighted.float()
		return s.c + float64(sum/(float64(w*float64(s.n))-float64(s.ages))*s.unit())
	})
}

// onTime is f of the windows that have at least so many values, and of the newest row.
type onTime struct {
	aged
	least int
	f     func(s *aged, x float64) float64
}

func newOnTime(window, minPeriods, least int, f func(s *aged, x float64) float64) Rolling {
	checkWindow(window, minPeriods)
	return &onTime{aged{axis: newAxis(window)}, max(minPeriods, least), f}
}

func (s *onTime) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		s.step(v)
		if dst[t] = nan; s.n >= s.least {
			if y := s.f(&s.aged, v); finite(y) {
				dst[t] = y
			}
		}
	}
}

// aged sums up a window's values, counted as powers counts them, and their products with their ages, 0 for the newest row.
// The sums are exact.
type aged struct {
	axis
	sum, weighted wide
	ages, ages2   int // Σ age and Σ age² of the rows that count
}

// unit is that of the counts.
func (s *aged) unit() float64 { return s.size / (1 << wholeBits) }

// total is the sum of the counts.
func (s *aged) total() float64 { return s.sum.float() }

// slope is that on time, of the counts.
func (s *aged) slope() float64 {
	age := float64(s.ages) / float64(s.n)
	return (float64(s.total()*age) - s.weighted.float()) / (float64(s.ages2) - float64(float64(s.ages)*age))
}

// level is the value at age 0 of the line through the counts.
func (s *aged) level() float64 {
	n := float64(s.n)
	return s.total()/n + float64(s.slope()*(float64(s.ages)/n))
}

// step takes the next row.
func (s *aged) step(v float64) {
	old, moved := s.next(v)
	if moved {
		s.sum, s.weighted, s.ages, s.ages2 = wide{}, wide{}, 0, 0
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
	s.weighted = s.weighted.sum(s.sum)
	s.ages2 += 2*s.ages + n
	s.ages += n
	s.add(old, s.window, -1)
	s.add(v, 0, 1)
}

func (s *aged) add(v float64, age int, sign int64) {
	if !counts(v) {
		return
	}
	y := sign * whole((v-s.c)*s.scale)
	s.sum = s.sum.plus(y)
	s.weighted = s.weighted.sum(times(y, age))
	s.ages += int(sign) * age
	s.ages2 += int(sign) * age * age
}
