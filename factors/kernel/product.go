package kernel

// NewProduct is a Rolling of the product of the trailing window,
//
//	dst[t] = Π x[s],  s = t-window+1 … t,
//
// NaN where there are fewer than max(minPeriods, 1) values or where it, or the product of its older or newer rows, is not
// finite. It takes O(len(x)) time.
func NewProduct(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	add := func(p productOf, x float64) productOf {
		if !finite(x) {
			return p
		}
		return p.times(productOf{1, x})
	}
	return &product{stretch[float64, productOf]{window: window, after: add, before: add, join: productOf.times}, max(minPeriods, 1)}
}

type productOf struct {
	n       int
	product float64
}

func (p productOf) times(q productOf) productOf {
	switch {
	case p.n == 0:
		return q
	case q.n == 0:
		return p
	}
	return productOf{p.n + q.n, float64(p.product * q.product)}
}

type product struct {
	stretch[float64, productOf]
	minPeriods int
}

func (p *product) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		y := p.push(v)
		if dst[t] = y.product; y.n < p.minPeriods || !finite(y.product) {
			dst[t] = nan
		}
	}
}
