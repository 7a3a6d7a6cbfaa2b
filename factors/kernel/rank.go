package kernel

// Quantile writes the q-quantile of the trailing window into dst, interpolated linearly (type 7 of
// Hyndman and Fan 1996, the default of numpy and pandas): with the n values in ascending order and
// h = (n-1)·q,
//
//	dst[t] = v[⌊h⌋] + (h-⌊h⌋)·(v[⌊h⌋+1]-v[⌊h⌋]).
//
// The quantile of nothing is NaN. It takes O(len(x)·log window) time and panics if q is outside [0, 1].
func Quantile(dst, x []float64, window, minPeriods int, q float64) {
	NewQuantile(window, minPeriods, q).Next(dst, x)
}

// Median writes the middle value of the trailing window into dst, halfway between the two middle
// ones where their number is even: Quantile at one half.
func Median(dst, x []float64, window, minPeriods int) { NewMedian(window, minPeriods).Next(dst, x) }

// Rank writes the percentile rank of the newest value within its trailing window into dst, in (0, 1],
//
//	dst[t] = ( #{x[s] < x[t]} + (#{x[s] = x[t]}+1)/2 ) / n,  s = t-window+1 … t,
//
// so that ties share their average rank; NaN where x[t] is missing. It is pandas' rolling
// rank(pct=True) and takes O(len(x)·log window) time.
func Rank(dst, x []float64, window, minPeriods int) { NewRank(window, minPeriods).Next(dst, x) }

// NewQuantile is a Rolling of Quantile. It panics if q is outside [0, 1].
func NewQuantile(window, minPeriods int, q float64) Rolling {
	checkWindow(window, minPeriods)
	if !(q >= 0 && q <= 1) {
		panic("kernel: q outside [0, 1]")
	}
	return &percentile{order: order{window: window}, least: max(minPeriods, 1), q: q}
}

// NewMedian is a Rolling of Median.
func NewMedian(window, minPeriods int) Rolling { return NewQuantile(window, minPeriods, 0.5) }

type percentile struct {
	order
	least int
	q     float64
}

func (s *percentile) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		s.next(v)
		if dst[t] = nan; s.n < s.least {
			continue
		}
		h := float64(float64(s.n-1) * s.q)
		k := int(h)
		p, i := s.place(k)
		y := valueOf(s.leaves[p][i])
		if f := h - float64(k); f > 0 {
			if i++; i == len(s.leaves[p]) {
				p, i = p+1, 0
			}
			y += float64(f * (valueOf(s.leaves[p][i]) - y))
		}
		dst[t] = y
	}
}

// NewRank is a Rolling of Rank.
func NewRank(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	return &rank{order: order{window: window}, least: minPeriods}
}

type rank struct {
	order
	least int
}

func (s *rank) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		p, i := s.next(v)
		if dst[t] = nan; !finite(v) || s.n < s.least {
			continue
		}
		// Of equal values the newest stands last.
		upTo := s.before(p) + i + 1
		less := upTo - 1
		if k := key(v); i > 0 && s.leaves[p][i-1] == k || i == 0 && p > 0 {
			p, i = s.find(k - 1)
			less = s.before(p) + i
		}
		dst[t] = (float64(less) + float64(float64(upTo-less+1)/2)) / float64(s.n)
	}
}
