package kernel

import "math"

// EWMMean writes the exponentially weighted mean of x into dst,
//
//	dst[t] = Σ w[s]·x[s] / Σ w[s],  s = 0 … t,
//
// with w[s] = (1-alpha)^(t-s) if adjust. Otherwise it is the recursion m ← (1-alpha)·m + alpha·x[t]
// from the first value on, in which a run of k missing rows makes the weight of the past
// (1-alpha)^(k+1) and both weights are scaled to sum to 1. Missing rows age the past but carry no
// weight, and repeat the last mean. NaN where fewer than max(minPeriods, 1) values were seen. That is
// pandas' ewm with ignore_na=False; a span s is alpha = 2/(s+1). Unlike the kernels with a window, dst[t]
// depends on all rows up to t. It takes O(len(x)) time and no scratch, and panics if the lengths
// differ or alpha is outside (0, 1].
func EWMMean(dst, x []float64, alpha float64, adjust bool, minPeriods int) {
	NewEWMMean(alpha, adjust, minPeriods).Next(dst, x)
}

// EWMStd writes the exponentially weighted sample standard deviation of x into dst,
//
//	dst[t]² = W²/(W²-Σ w[s]²) · Σ w[s]·(x[s]-m)² / W,  W = Σ w[s],
//
// with EWMMean's weights and m its mean; NaN below two values. It is pandas' ewm std with
// bias=False.
func EWMStd(dst, x []float64, alpha float64, adjust bool, minPeriods int) {
	NewEWMStd(alpha, adjust, minPeriods).Next(dst, x)
}

// NewEWMMean is a Rolling of EWMMean.
func NewEWMMean(alpha float64, adjust bool, minPeriods int) Rolling {
	return newEWM(alpha, adjust, minPeriods, 1, func(a weighted) float64 { return a.mean })
}

// NewEWMStd is a Rolling of EWMStd.
func NewEWMStd(alpha float64, adjust bool, minPeriods int) Rolling {
	return newEWM(alpha, adjust, minPeriods, 2, func(a weighted) float64 {
		return a.total * math.Sqrt(a.variance/a.cross)
	})
}

// weighted are the mean and the variance of values under weights w, their sum, and cross =
// (Σw)² − Σw², which is summed up by itself since the two may nearly cancel.
type weighted struct{ mean, variance, total, cross float64 }

type ewm struct {
	f      func(weighted) float64
	keep   float64 // of the past per row
	weight float64 // of a new value
	adjust bool
	least  int
	weighted
	n   int     // values seen
	age float64 // what is left of their weights since the last of them
}

func newEWM(alpha float64, adjust bool, minPeriods, least int, f func(weighted) float64) Rolling {
	if !(alpha > 0 && alpha <= 1) {
		panic("kernel: alpha outside (0, 1]")
	}
	if minPeriods < 0 {
		panic("kernel: minPeriods < 0")
	}
	weight := 1.0
	if !adjust {
		weight = alpha
	}
	return &ewm{f: f, keep: 1 - alpha, weight: weight, adjust: adjust, least: max(minPeriods, least), age: 1}
}

func (e *ewm) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		e.age *= e.keep
		if finite(v) {
			e.weighted = e.push(v, e.weight, e.age)
			if e.n++; e.n == 1 {
				e.weighted = weighted{mean: v, total: 1}
			} else if !e.adjust {
				e.cross /= float64(e.total * e.total)
				e.total = 1
			}
			e.age = 1
		}
		if dst[t] = nan; e.n >= e.least {
			dst[t] = e.f(e.weighted)
		}
	}
}

// push scales the weights of the past by age and adds a value.
func (a weighted) push(v, weight, age float64) weighted {
	past := float64(a.total * age)
	total := past + weight
	p, q := past/total, weight/total
	d := v - a.mean
	return weighted{
		mean:     a.mean + float64(d*q),
		variance: float64(p * (a.variance + float64(d*d*q))),
		total:    total,
		cross:    float64(a.cross*age*age) + float64(2*past*weight),
	}
}
