package kernel

import "math"

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

// NewCov is a RollingPair of Cov.
func NewCov(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments, _, _ float64) float64 { return a.xy * a.sizeX * a.sizeY * (a.n / (a.n - 1)) })
}

// NewCorr is a RollingPair of Corr.
func NewCorr(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments, _, _ float64) float64 {
		if a.xx == 0 || a.yy == 0 {
			return nan
		}
		return max(-1, min(1, a.xy/(math.Sqrt(a.xx)*math.Sqrt(a.yy))))
	})
}

// NewSlope is a RollingPair of Slope: its Next takes x, then y.
func NewSlope(window, minPeriods int) RollingPair {
	return newPair(window, minPeriods, func(a comoments, _, _ float64) float64 { return a.slope() })
}

// comoments are n pairs' means and the mean squares and products of their distances from these, in units of the sizes of
// the frames.
type comoments struct{ n, x, y, xx, yy, xy, sizeX, sizeY float64 }

func (a comoments) slope() float64 {
	if a.xx == 0 {
		return nan
	}
	return a.xy / a.xx * (a.sizeY / a.sizeX)
}

// pair is f of the windows that have at least so many pairs, and of the newest. Its sums are of what powers sums up, of both columns, and
// of the products.
type pair struct {
	x, y          axis
	sx, sy        wide
	sxx, syy, sxy wide
	norm
	least int
	f     func(a comoments, x, y float64) float64
}

func newPair(window, minPeriods int, f func(a comoments, x, y float64) float64) RollingPair {
	checkWindow(window, minPeriods)
	return &pair{x: newAxis(window), y: newAxis(window), least: max(minPeriods, 2), f: f}
}

func (p *pair) Next(dst, x, y []float64) {
	checkLengths(len(dst), len(x))
	checkLengths(len(dst), len(y))
	for t, v := range x {
		p.step(v, y[t])
		n := p.x.n
		if dst[t] = nan; n < p.least {
			continue
		}
		by := p.over(n, wholeBits)
		mx, my := p.sx.mean(by), p.sy.mean(by)
		r := p.f(comoments{
			n:  float64(n),
			x:  p.x.c + float64(mx*p.x.size),
			y:  p.y.c + float64(my*p.y.size),
			xx: p.sxx.mean(by) - float64(mx*mx), yy: p.syy.mean(by) - float64(my*my), xy: p.sxy.mean(by) - float64(mx*my),
			sizeX: p.x.size, sizeY: p.y.size,
		}, v, y[t])
		if finite(r) {
			dst[t] = r
		}
	}
}

// step takes the next rows of both, which count where both do.
func (p *pair) step(x, y float64) {
	if !counts(x) || !counts(y) {
		x, y = nan, nan
	}
	oldX, movedX := p.x.next(x)
	oldY, movedY := p.y.next(y)
	if !movedX && !movedY {
		if counts(oldX) {
			p.add(oldX, oldY, -1)
		}
		if counts(x) {
			p.add(x, y, 1)
		}
		return
	}
	p.sx, p.sy, p.sxx, p.syy, p.sxy = wide{}, wide{}, wide{}, wide{}, wide{}
	ys := p.y.parts()
	for k, part := range p.x.parts() {
		for j, x := range part {
			if counts(x) {
				p.add(x, ys[k][j], 1)
			}
		}
	}
}

func (p *pair) add(x, y float64, sign int64) {
	x, y = (x-p.x.c)*p.x.scale, (y-p.y.c)*p.y.scale
	p.sx = p.sx.plus(sign * whole(x))
	p.sy = p.sy.plus(sign * whole(y))
	p.sxx = p.sxx.plus(sign * whole(x*x))
	p.syy = p.syy.plus(sign * whole(y*y))
	p.sxy = p.sxy.plus(sign * whole(x*y))
}
