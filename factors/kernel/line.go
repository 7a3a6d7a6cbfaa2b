package kernel

import "slices"

// NewIntercept is a RollingPair of the intercept a of the trailing least-squares line y = a + b·x: its Next takes x, then
// y; NaN where Slope is.
func NewIntercept(window, minPeriods int) RollingPair {
	return newLine(window, minPeriods, func(a comoments, _, _ float64) float64 {
		return a.ry + a.my - float64(slope(a)*(a.rx+a.mx))
	})
}

// NewResidual is a RollingPair of y[t] − a − b·x[t], the newest point's distance from the trailing least-squares line:
// its Next takes x, then y; NaN where Slope is, and where x[t] or y[t] is missing.
func NewResidual(window, minPeriods int) RollingPair {
	return newLine(window, minPeriods, func(a comoments, x, y float64) float64 {
		return y - a.ry - a.my - float64(slope(a)*(x-a.rx-a.mx))
	})
}

// line is f of the windows that have at least so many pairs, and of the newest pair.
type line struct {
	merged[comoments]
	least float64
	f     func(a comoments, x, y float64) float64
}

func newLine(window, minPeriods int, f func(a comoments, x, y float64) float64) RollingPair {
	checkWindow(window, minPeriods)
	return &line{merged[comoments]{window: window, push: comoments.push}, float64(max(minPeriods, 2)), f}
}

func (p *line) Next(dst, x, y []float64) {
	checkLengths(len(dst), len(x))
	checkLengths(len(dst), len(y))
	p.next(x, y, func(t int, head, tail comoments) {
		a := head.merge(tail)
		if dst[t] = nan; a.n >= p.least {
			if v := p.f(a, x[t], y[t]); finite(v) {
				dst[t] = v
			}
		}
	})
}

// NewTrendLevel is a Rolling of the value at t of the trailing least-squares line of y on time: the intercept where time
// is counted from t.
func NewTrendLevel(window, minPeriods int) Rolling {
	return &onTime{pair: newLine(window, minPeriods, func(a comoments, x, _ float64) float64 {
		return a.ry + a.my + float64(slope(a)*(x-a.rx-a.mx))
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
