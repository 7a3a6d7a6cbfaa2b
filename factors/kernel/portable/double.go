package portable

import "math"

// double is a number as the sum of two, the second at most half a unit in the last place of the first: 106 bits.
type double struct{ hi, lo float64 }

// quickSum is a + b where |a| ≥ |b|, exactly.
func quickSum(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

// sum is a + b, exactly.
func sum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

// halves cuts a into two of 26 bits, so that products of them are exact. |a| is below 2^995.
func halves(a float64) (hi, lo float64) {
	hi = math.Float64frombits(math.Float64bits(a) &^ (1<<27 - 1))
	return hi, a - hi
}

// product is a·b, exactly, where it does not overflow and is no tiny number.
func product(a, b float64) double {
	p := float64(a * b)
	ah, al := halves(a)
	bh, bl := halves(b)
	// each of the four is exact but the last, whose 27-bit halves may round: two of 27 bits make 54
	e := float64(ah*bh) - p
	e += float64(ah * bl)
	e += float64(al * bh)
	e += float64(al * bl)
	return double{p, e}
}

func (a double) add(b double) double {
	s := sum(a.hi, b.hi)
	t := sum(a.lo, b.lo)
	s = quickSum(s.hi, s.lo+t.hi)
	return quickSum(s.hi, s.lo+t.lo)
}

func (a double) mul(b double) double {
	p := product(a.hi, b.hi)
	p.lo += float64(a.hi*b.lo) + float64(a.lo*b.hi)
	return quickSum(p.hi, p.lo)
}

func (a double) div(b double) double {
	q := a.hi / b.hi
	r := a.add(b.mul(double{-q, 0}))
	p := r.hi / b.hi
	r = r.add(b.mul(double{-p, 0}))
	return quickSum(q, p).add(double{r.hi / b.hi, 0})
}

func (a double) neg() double { return double{-a.hi, -a.lo} }

func (a double) value() float64 { return a.hi + a.lo }
