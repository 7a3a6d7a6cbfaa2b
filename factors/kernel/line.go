package kernel

import "slices"

// NewIntercept is a RollingPair of the intercept a of the trailing least-squares line y = a + b·x: its Next takes x, then
// y; NaN where Slope is.
func NewIntercept(window, minPeriods int) RollingPair {
	return newLine(window, minPeriods, func(a points, _ point) float64 {
		return a.ry + a.my - float64(a.slope()*(a.rx+a.mx))
	})
}

// NewResidual is a RollingPair of y[t] − a − b·x[t], the newest point's distance from the trailing least-squares line:
// its Next takes x, then y; NaN where Slope is, and where x[t] or y[t] is missing.
func NewResidual(window, minPeriods int) RollingPair {
	return newLine(window, minPeriods, func(a points, p point) float64 {
		return p.y - a.ry - a.my - float64(a.slope()*(p.x-a.rx-a.mx))
	})
}

// point is a row of two columns.
type point struct{ x, y float64 }

// points are n points' means mx and my, less the reference point (rx, ry), which is one of them, and the sums of the
// squares of x and of the products of x and y about the means.
type points struct{ n, rx, ry, mx, my, sxx, sxy float64 }

func (a points) add(p point) points {
	if !finite(p.x) || !finite(p.y) {
		return a
	}
	return a.merge(points{n: 1, rx: p.x, ry: p.y})
}

// merge follows Pébay (2008).
func (a points) merge(b points) points {
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
	return points{
		n: n, rx: a.rx, ry: a.ry,
		mx:  a.mx + float64(dx*f),
		my:  a.my + float64(dy*f),
		sxx: a.sxx + b.sxx + float64(dx*dx*g),
		sxy: a.sxy + b.sxy + float64(dx*dy*g),
	}
}

func (a points) slope() float64 {
	if a.sxx == 0 {
		return nan
	}
	return a.sxy / a.sxx
}

// line is f of the windows that have at least so many points, and of the newest point.
type line struct {
	stretch[point, points]
	least float64
	f     func(a points, p point) float64
}

func newLine(window, minPeriods int, f func(a points, p point) float64) RollingPair {
	checkWindow(window, minPeriods)
	return &line{
		stretch[point, points]{window: window, after: points.add, before: points.add, join: points.merge},
		float64(max(minPeriods, 2)), f,
	}
}

func (l *line) Next(dst, x, y []float64) {
	checkLengths(len(dst), len(x))
	checkLengths(len(dst), len(y))
	for t := range dst {
		p := point{x[t], y[t]}
		a := l.push(p)
		if dst[t] = nan; a.n >= l.least {
			if v := l.f(a, p); finite(v) {
				dst[t] = v
			}
		}
	}
}

// NewTrendLevel is a Rolling of the value at t of the trailing least-squares line of y on time: the intercept where time
// is counted from t.
func NewTrendLevel(window, minPeriods int) Rolling {
	return &onTime{pair: newLine(window, minPeriods, func(a points, p point) float64 {
		return a.ry + a.my + float64(a.slope()*(p.x-a.rx-a.mx))
	})}
}

// NewTrendResidual is a Rolling of y[t] less that value.
func NewTrendResidual(window, minPeriods int) Rolling {
	return &onTime{pair: NewResidual(window, minPeriods)}
}

// onTime is a RollingPair whose x is the number of the row.
type onTime struct {
	pair RollingPair
	rows int
	time []float64
}

func (s *onTime) Next(dst, y []float64) {
	checkLengths(len(dst), len(y))
	s.time = slices.Grow(s.time[:0], len(y))[:len(y)]
	for t := range s.time {
		s.time[t] = float64(s.rows + t)
	}
	s.rows += len(y)
	s.pair.Next(dst, s.time, y)
}
