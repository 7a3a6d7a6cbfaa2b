package portable

import "math"

// Log is the natural logarithm of x.
func Log(x float64) float64 {
	if f := x - 1; math.Abs(f) < near {
		return log1p(f, 0)
	}
	if !(x > 0) || x > math.MaxFloat64 {
		return math.Log(x) // NaN, −Inf or +Inf
	}
	k, e, m := reduce(x)
	return logOf(k, e, m, 0)
}

// Log1p is the natural logarithm of 1 + x.
func Log1p(x float64) float64 {
	if x == 0 {
		return x // with its sign
	}
	if math.Abs(x) < near {
		return log1p(x, 0)
	}
	if !(x > -1) || x > math.MaxFloat64 {
		return math.Log1p(x) // NaN, −Inf or +Inf
	}
	u := sum(1, x)
	if f := u.hi - 1; math.Abs(f) < near {
		return log1p(f, u.lo)
	}
	k, e, m := reduce(u.hi)
	return logOf(k, e, m, math.Ldexp(u.lo, -k))
}

// near is how far from 1 a number may be whose logarithm is a series of its own.
const near = 1.0 / 64

// log1p is ln(1 + f + rest) for |f| < near by its series; |rest| is below a unit in the last place of 1.
func log1p(f, rest float64) float64 {
	return f + (rest - (float64(0.5*float64(f*f)) - float64(float64(float64(f*f)*f)*tail(f))))
}

// tail is (ln(1+f) − f + f²/2)/f³ = 1/3 − f/4 + f²/5 − …, to 2^-58 for |f| ≤ near.
func tail(f float64) float64 {
	f2 := float64(f * f)
	f4 := float64(f2 * f2)
	a := float64(f*-0.25) + 1.0/3
	b := float64(f*(-1.0/6)) + 0.2
	c := float64(f*-0.125) + 1.0/7
	d := float64(f*-0.1) + 1.0/9
	return a + float64(f2*(b+float64(f2*c)+float64(f4*d)))
}

// reduce gives x = 2^k·m for an m of [0.6875, 1.375), and its part of logTable.
func reduce(x float64) (k int, e *struct{ inverse, hi, lo float64 }, m float64) {
	ix := math.Float64bits(x)
	if ix < 1<<52 { // subnormal
		ix = math.Float64bits(x*(1<<54)) - 54<<52
	}
	const off = 0x3fe6000000000000
	t := ix - off
	k = int(int64(t) >> 52)
	return k, &logTable[t>>45&127], math.Float64frombits(ix - t&^(1<<52-1))
}

// logOf is ln(2^k·(m + rest)). What it adds up is sorted by size, the largest without error.
func logOf(k int, e *struct{ inverse, hi, lo float64 }, m, rest float64) float64 {
	mh, ml := halves(m)
	r := (float64(mh*e.inverse) - 1) + (float64(ml*e.inverse) + float64(rest*e.inverse))
	whole := float64(float64(k)*ln2Hi) + e.hi
	s := quickSum(whole, r)
	r2 := float64(r * r)
	small := float64(float64(k)*ln2Lo) + e.lo
	return s.hi + (s.lo + (small - (float64(0.5*r2) - float64(float64(r2*r)*tail(r)))))
}

// logDouble is ln x in doubled precision, to about 2^-68 of it, for a positive x that is finite.
func logDouble(x float64) double {
	k, e, m := 0, &one, x
	f := sum(x, -1)
	if math.Abs(f.hi) >= near {
		k, e, m = reduce(x)
		mh, ml := halves(m)
		f = sum(float64(mh*e.inverse)-1, float64(ml*e.inverse))
	}
	square := product(f.hi, f.hi)
	square.lo += float64(2 * float64(f.hi*f.lo))
	cube := square.mul(f)
	// f − f²/2 + f³/3 in doubled precision, the rest of the series −f⁴·(1/4 − f/5 + …) in one
	f4 := float64(square.hi * square.hi)
	r := f.hi
	rest := 0.25 - float64(r*(0.2-float64(r*(1.0/6-float64(r*(1.0/7-float64(r*(0.125-float64(r*(1.0/9-float64(r*0.1)))))))))))
	l := f.add(double{float64(-0.5 * square.hi), float64(-0.5 * square.lo)})
	l = l.add(cube.mul(double{thirdHi, thirdLo}))
	l = l.add(double{-float64(f4 * rest), 0})
	if k == 0 && e == &one {
		return l
	}
	whole := float64(float64(k)*ln2Hi) + e.hi
	l = sum(whole, 0).add(l)
	return l.add(sum(float64(float64(k)*ln2Lo), e.lo))
}

var one = struct{ inverse, hi, lo float64 }{1, 0, 0}
