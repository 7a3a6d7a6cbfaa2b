package metrics

// compensated is a running sum whose rounding errors are kept apart (Neumaier 1974), so that adding
// a value and taking it away later leaves no residue.
type compensated struct{ sum, lost float64 }

func (c *compensated) add(x float64) {
	s := c.sum + x
	b := s - c.sum
	c.lost += (c.sum - (s - b)) + (x - b)
	c.sum = s
}

func (c *compensated) value() float64 { return c.sum + c.lost }

// HansenHodrick is the long-run variance with unit weights up to lag h − 1, the overlap of h-bar
// returns:
//
//	S = γ0 + 2 Σ_{l<h} γ_l,  γ_l = (1/n) Σ_t d_t d_{t−l},  d = u − ū
//
// It may be negative. With W_t the sum of the last h values of d up to t, Σ_{l<h} γ_l = (1/n) Σ d_t W_t,
// which takes O(n) time whatever h is. W is a plain running sum: d enters and leaves it as the same float64, so
// that what rounding leaves behind is small beside the values that were in it, and they are all in S.
// Hansen and Hodrick (1980).
func HansenHodrick(u []float64, h int) float64 {
	m := Mean(u)
	return hansenHodrick(u, h, m, squares(u, m))
}

// hansenHodrick is HansenHodrick, given the mean and the sum of squares around it.
func hansenHodrick(u []float64, h int, m, squares float64) float64 {
	head := min(h, len(u))
	var w, cross float64
	for _, v := range u[:head] {
		d := v - m
		w += d
		cross += float64(d * w)
	}
	for t, old := range u[:len(u)-head] {
		d := u[t+head] - m
		w += d - (old - m)
		cross += float64(d * w)
	}
	return (2*cross - squares) / float64(len(u))
}

// NeweyWest is the long-run variance with Bartlett weights 1 − l/(L + 1) up to lag L:
//
//	S = γ0 + 2 Σ_{l=1..L} (1 − l/(L + 1)) γ_l
//
// It is the mean square of the moving sums of L + 1 values over the series padded with zeros, so it
// is never negative and takes O(n + L) time. Newey and West (1987); no small-sample factor.
func NeweyWest(u []float64, lag int) float64 {
	m, n := Mean(u), len(u)
	lag = min(lag, 1<<30)
	var w compensated
	var s float64
	for t := range n + lag {
		if t < n {
			w.add(u[t] - m)
		}
		if t > lag {
			w.add(-(u[t-lag-1] - m))
		}
		v := w.value()
		s += float64(v * v)
	}
	return s / (float64(lag+1) * float64(n))
}

// longRunVariance is HansenHodrick's S for h-bar returns, or, where that is not positive,
// NeweyWest's with lag 2h, given the mean and the sum of squares around it.
func longRunVariance(u []float64, h int, m, squares float64) (s float64, fallback bool) {
	if s = hansenHodrick(u, h, m, squares); s > 0 {
		return s, false
	}
	return NeweyWest(u, 2*h), true
}
