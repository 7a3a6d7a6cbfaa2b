package kernel

import (
	"math"
	"slices"
)

// Cov writes the trailing sample covariance of x and y into dst,
//
//	dst[t] = Σ (x[s]-mx)·(y[s]-my) / (n-1),  s = t-window+1 … t,
//
// over the rows where neither is missing, with mx and my their means over those rows; NaN where
// n < 2. x and y have dst's length. It takes O(len(x)) time. Merging follows Pébay (2008).
func Cov(dst, x, y []float64, window, minPeriods int) { NewCov(window, minPeriods).Next(dst, x, y) }

// Corr writes the trailing Pearson correlation of x and y into dst, Cov over the product of their
// deviations, in [−1, 1]; NaN where one of them does not vary.
func Corr(dst, x, y []float64, window, minPeriods int) { NewCorr(window, minPeriods).Next(dst, x, y) }

// Slope writes the slope of the trailing least-squares line, with intercept, of y on x into dst: Cov
// over the variance of x; NaN where x does not vary.
func Slope(dst, y, x []float64, window, minPeriods int) { NewSlope(window, minPeriods).Next(dst, x, y) }

// Trend is Slope on time, in units of y per bar.
func Trend(dst, y []float64, window, minPeriods int) { NewTrend(window, minPeriods).Next(dst, y) }

// NewCov is a RollingPair of Cov.
func NewCov(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments) float64 { return a.sxy / (a.n - 1) })
}

// NewCorr is a RollingPair of Corr.
func NewCorr(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments) float64 {
		if a.sxx == 0 || a.syy == 0 {
			return nan
		}
		return max(-1, min(1, a.sxy/(math.Sqrt(a.sxx)*math.Sqrt(a.syy))))
	})
}

// NewSlope is a RollingPair of Slope: its Next takes x, then y.
func NewSlope(window, minPeriods int) RollingPair { return newPair(window, minPeriods, slope) }

// NewTrend is a Rolling of Trend.
func NewTrend(window, minPeriods int) Rolling { return &trend{slope: NewSlope(window, minPeriods)} }

// trend counts the rows.
type trend struct {
	slope RollingPair
	rows  int
	time  []float64
}

func (s *trend) Next(dst, y []float64) {
	checkLengths(len(dst), len(y))
	s.time = slices.Grow(s.time[:0], len(y))[:len(y)]
	for t := range s.time {
		s.time[t] = float64(s.rows + t)
	}
	s.rows += len(y)
	s.slope.Next(dst, s.time, y)
}

func slope(a comoments) float64 {
	if a.sxx == 0 {
		return nan
	}
	return a.sxy / a.sxx
}

// pair is f of the windows that have at least so many pairs.
type pair struct {
	merged[comoments]
	least float64
	f     func(comoments) float64
}

func newPair(window, minPeriods int, f func(comoments) float64) RollingPair {
	checkWindow(window, minPeriods)
	return &pair{merged[comoments]{window: window, push: comoments.push}, float64(max(minPeriods, 2)), f}
}

func (p *pair) Next(dst, x, y []float64) {
	checkLengths(len(dst), len(x))
	checkLengths(len(dst), len(y))
	p.next(x, y, func(t int, head, tail comoments) {
		a := head.merge(tail)
		if dst[t] = nan; a.n >= p.least {
			dst[t] = p.f(a)
		}
	})
}

// comoments are n pairs' means mx and my, less the reference pair (rx, ry), which is one of them,
// and the sums of the squares and of the products of their distances from the means.
type comoments struct{ n, rx, ry, mx, my, sxx, syy, sxy float64 }

func (a comoments) push(x, y float64) comoments {
	if !finite(x) || !finite(y) {
		return a
	}
	return a.merge(comoments{n: 1, rx: x, ry: y})
}

func (a comoments) merge(b comoments) comoments {
	if a.n == 0 {
		return b
	}
	if b.n == 0 {
		return a
	}
	n := a.n + b.n
	dx := b.mx - a.mx + (b.rx - a.rx)
	dy := b.my - a.my + (b.ry - a.ry)
	f := b.n / n
	g := float64(a.n * f)
	return comoments{
		n: n, rx: a.rx, ry: a.ry,
		mx:  a.mx + float64(dx*f),
		my:  a.my + float64(dy*f),
		sxx: a.sxx + b.sxx + float64(dx*dx*g),
		syy: a.syy + b.syy + float64(dy*dy*g),
		sxy: a.sxy + b.sxy + float64(dx*dy*g),
	}
}
