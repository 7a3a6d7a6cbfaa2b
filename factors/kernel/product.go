package kernel

// NewProduct is a Rolling of the product of the trailing window,
//
//	dst[t] = Π x[s],  s = t-window+1 … t,
//
// NaN where there are fewer than max(minPeriods, 1) values or where it, or the product of its older or newer rows, is not
// finite. It takes O(len(x)) time.
func NewProduct(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	return &product{merged[productOf]{window: window, push: func(p productOf, x, _ float64) productOf {
		if !finite(x) {
			return p
		}
		if p.n == 0 {
			p.product = 1
		}
		return productOf{p.n + 1, float64(p.product * x)}
	}}, max(minPeriods, 1)}
}

type productOf struct {
	n       int
	product float64
}

type product struct {
	merged[productOf]
	minPeriods int
}

func (p *product) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	p.next(x, x, func(t int, head, tail productOf) {
		y := head.product
		if head.n == 0 {
			y = tail.product
		} else if tail.n > 0 {
			y *= tail.product
		}
		if dst[t] = y; head.n+tail.n < p.minPeriods || !finite(y) {
			dst[t] = nan
		}
	})
}
