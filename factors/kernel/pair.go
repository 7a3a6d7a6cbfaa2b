package kernel

import "math"

// Cov writes the trailing sample covariance of x and y into dst,
//
//	dst[t] = Σ (x[s]-mx)·(y[s]-my) / (n-1),  s = t-window+1 … t,
//
// over the rows where neither is missing, with mx and my their means over those rows; NaN where
// n < 2. x and y have dst's length. It takes O(len(x)) time. Merging follows Pébay (2008).
func Cov(dst, x, y []float64, window, minPeriods int) {
	pair(dst, x, y, window, minPeriods, func(a comoments) float64 { return a.sxy / (a.n - 1) })
}

// Corr writes the trailing Pearson correlation of x and y into dst, Cov over the product of their
// deviations, in [−1, 1]; NaN where one of them does not vary.
func Corr(dst, x, y []float64, window, minPeriods int) {
	pair(dst, x, y, window, minPeriods, func(a comoments) float64 {
		if a.sxx == 0 || a.syy == 0 {
			return nan
		}
		return max(-1, min(1, a.sxy/(math.Sqrt(a.sxx)*math.Sqrt(a.syy))))
	})
}

// Slope writes the slope of the trailing least-squares line, with intercept, of y on x into dst: Cov
// over the variance of x; NaN where x does not vary.
func Slope(dst, y, x []float64, window, minPeriods int) {
	pair(dst, x, y, window, minPeriods, slope)
}

// Trend is Slope on time, in units of y per bar.
func Trend(dst, y []float64, window, minPeriods int) {
	x := make([]float64, len(y))
	for t := range x {
		x[t] = float64(t)
	}
	pair(dst, x, y, window, minPeriods, slope)
}

func slope(a comoments) float64 {
	if a.sxx == 0 {
		return nan
	}
	return a.sxy / a.sxx
}

func pair(dst, x, y []float64, window, minPeriods int, f func(comoments) float64) {
	check(len(dst), len(x), window, minPeriods)
	check(len(dst), len(y), window, minPeriods)
	push := func(a comoments, t int) comoments { return a.push(x[t], y[t]) }
	blocks(len(x), window, push, func(t int, head, tail comoments) {
		a := head.merge(tail)
		if dst[t] = nan; a.n >= float64(max(minPeriods, 2)) {
			dst[t] = f(a)
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
