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
	ewm(dst, x, alpha, adjust, max(minPeriods, 1), func(a weighted) float64 { return a.mean })
}

// EWMStd writes the exponentially weighted sample standard deviation of x into dst,
//
//	dst[t]² = W²/(W²-Σ w[s]²) · Σ w[s]·(x[s]-m)² / W,  W = Σ w[s],
//
// with EWMMean's weights and m its mean; NaN below two values. It is pandas' ewm std with
// bias=False.
func EWMStd(dst, x []float64, alpha float64, adjust bool, minPeriods int) {
	ewm(dst, x, alpha, adjust, max(minPeriods, 2), func(a weighted) float64 {
		return a.total * math.Sqrt(a.variance/a.cross)
	})
}

// weighted are the mean and the variance of values under weights w, their sum, and cross =
// (Σw)² − Σw², which is summed up by itself since the two may nearly cancel.
type weighted struct{ mean, variance, total, cross float64 }

func ewm(dst, x []float64, alpha float64, adjust bool, minPeriods int, f func(weighted) float64) {
	if len(dst) != len(x) {
		panic("kernel: dst and input differ in length")
	}
	if !(alpha > 0 && alpha <= 1) {
		panic("kernel: alpha outside (0, 1]")
	}
	if minPeriods < 0 {
		panic("kernel: minPeriods < 0")
	}
	keep, weight := 1-alpha, 1.0 // of the past per row, and of a new value
	if !adjust {
		weight = alpha
	}
	var a weighted
	n, age := 0, 1.0 // values seen, and what is left of their weights since the last of them
	for t, v := range x {
		age *= keep
		if finite(v) {
			a = a.push(v, weight, age)
			if n++; n == 1 {
				a = weighted{mean: v, total: 1}
			} else if !adjust {
				a.cross /= float64(a.total * a.total)
				a.total = 1
			}
			age = 1
		}
		if dst[t] = nan; n >= minPeriods {
			dst[t] = f(a)
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
