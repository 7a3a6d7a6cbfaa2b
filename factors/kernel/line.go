package kernel

// NewIntercept is a RollingPair of the intercept a of the trailing least-squares line y = a + b·x: its Next takes x, then
// y; NaN where Slope is.
func NewIntercept(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments, _, _ float64) float64 { return a.y - float64(a.slope()*a.x) })
}

// NewResidual is a RollingPair of y[t] − a − b·x[t], the newest point's distance from the trailing least-squares line:
// its Next takes x, then y; NaN where Slope is, and where x[t] or y[t] is missing.
func NewResidual(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments, x, y float64) float64 {
		return y - a.y - float64(a.slope()*(x-a.x))
	})
}
