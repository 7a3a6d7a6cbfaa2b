package kernel

// A kernel of a day takes the number of each row's day, ascending, then x. It is of the values of that day up to the row,
// and NaN while the day has none.

// NewDaySum is a RollingPair of the sum of the day so far.
func NewDaySum() RollingPair { return newDay(func(a, v, _ float64) float64 { return a + v }) }

// NewDayMean is a RollingPair of the mean of the day so far.
func NewDayMean() RollingPair { return newDay(func(a, v, n float64) float64 { return a + (v-a)/n }) }

// NewDayFirst is a RollingPair of the first value of the day.
func NewDayFirst() RollingPair { return newDay(func(a, _, _ float64) float64 { return a }) }

// NewDayMin is a RollingPair of the smallest value of the day so far.
func NewDayMin() RollingPair { return newDay(func(a, v, _ float64) float64 { return min(a, v) }) }

// NewDayMax is a RollingPair of the largest value of the day so far.
func NewDayMax() RollingPair { return newDay(func(a, v, _ float64) float64 { return max(a, v) }) }

// dayState is f over the values of a day from its second on.
type dayState struct {
	f     func(a, v, n float64) float64
	day   float64
	n     float64
	value float64
}

func newDay(f func(a, v, n float64) float64) RollingPair {
	return &dayState{f: f, day: nan, value: nan}
}

func (s *dayState) Next(dst, day, x []float64) {
	checkLengths(len(dst), len(x))
	checkLengths(len(dst), len(day))
	for t, v := range x {
		if day[t] != s.day {
			s.day, s.n, s.value = day[t], 0, nan
		}
		if finite(v) {
			if s.n++; s.n == 1 {
				s.value = v
			} else {
				s.value = s.f(s.value, v, s.n)
			}
		}
		if dst[t] = s.value; !finite(s.value) {
			dst[t] = nan
		}
	}
}
