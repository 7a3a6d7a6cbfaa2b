package kernel

import (
	"math"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// NewFadingMean is a Rolling of the exponentially weighted mean over a trailing window,
//
//	dst[t] = Σ w[k]·x[t-k] / Σ w[k],  w[k] = (1-alpha)^k,  k = 0 … window-1,
//
// over the rows that have a value; NaN where there are fewer than max(minPeriods, 1). It depends on the
// rows of the window alone, but for the last digits also on where it stands. It takes O(len(x)) time and panics if alpha is outside (0, 1].
func NewFadingMean(alpha float64, window, minPeriods int) Rolling {
	return newFading(alpha, window, max(minPeriods, 1), func(a faded) float64 { return a.ref + a.mean })
}

// NewFadingStd is a Rolling of the exponentially weighted sample standard deviation over a trailing window, with
// NewFadingMean's weights, corrected for bias,
//
//	dst[t]² = W²/(W²-Σ w[k]²) · Σ w[k]·(x[t-k]-m)² / W,  W = Σ w[k];
//
// NaN where there are fewer than max(minPeriods, 2) values. Equal values give exactly 0.
func NewFadingStd(alpha float64, window, minPeriods int) Rolling {
	return newFading(alpha, window, max(minPeriods, 2), func(a faded) float64 { return math.Sqrt(a.m2 / a.cross * a.total) })
}

// FadingWindow is the least window beyond which all weights of alpha together are below 2⁻⁵³ of their sum: what lies
// farther back does not change a float64.
func FadingWindow(alpha float64) int {
	if alpha >= 1 {
		return 1
	}
	return int(math.Ceil(53 * math.Ln2 / -portable.Log1p(-alpha)))
}

// faded are n values under weights that fall with the rows: the sum of weights, the mean less the reference ref, which
// is one of the values, m2 = Σ w·(x-mean)², and cross = (Σw)² − Σw². scale is the weight of a row before them.
type faded struct{ n, total, ref, mean, m2, cross, scale float64 }

// weigh scales the weights.
func (a faded) weigh(s float64) faded {
	a.total *= s
	a.m2 *= s
	a.cross *= float64(s * s)
	return a
}

func (a faded) plus(b faded) faded {
	switch {
	case b.n == 0:
		return a
	case a.n == 0:
		b.scale = a.scale
		return b
	}
	total := a.total + b.total
	d := b.mean - a.mean + (b.ref - a.ref)
	f := b.total / total
	return faded{
		n: a.n + b.n, total: total, ref: a.ref, scale: a.scale,
		mean:  a.mean + float64(d*f),
		m2:    a.m2 + b.m2 + float64(d*d*float64(a.total*f)),
		cross: a.cross + b.cross + float64(2*a.total*b.total),
	}
}

type fading struct {
	stretch[float64, faded]
	least float64
	f     func(faded) float64
}

func newFading(alpha float64, window, least int, f func(faded) float64) Rolling {
	if !(alpha > 0 && alpha <= 1) {
		panic("kernel: alpha outside (0, 1]")
	}
	checkWindow(window, min(least, window))
	keep := 1 - alpha
	grow := func(s, by float64) float64 { // of a scale, 0 being that of no rows
		if s == 0 {
			return by
		}
		return float64(s * by)
	}
	one := func(x, weight float64) faded {
		if !finite(x) {
			return faded{}
		}
		return faded{n: 1, total: weight, ref: x}
	}
	return &fading{stretch[float64, faded]{
		window: window,
		after: func(a faded, x float64) faded {
			scale := grow(a.scale, keep)
			a = a.weigh(keep).plus(one(x, 1))
			a.scale = scale
			return a
		},
		before: func(a faded, x float64) faded {
			weight := 1.0
			if a.scale != 0 {
				weight = a.scale
			}
			scale := grow(a.scale, keep)
			a = a.plus(one(x, weight))
			a.scale = scale
			return a
		},
		join: func(a, b faded) faded { return a.weigh(b.scale).plus(b) },
	}, float64(least), f}
}

func (d *fading) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		a := d.push(v)
		if dst[t] = nan; a.n >= d.least {
			dst[t] = d.f(a)
		}
	}
}
