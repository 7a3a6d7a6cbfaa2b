package portable

import "math"

// Exp is e^x.
func Exp(x float64) float64 {
	if !(math.Abs(x) < 746) {
		switch {
		case x > 0:
			return math.Inf(1)
		case x < 0:
			return 0
		}
		return x
	}
	return expDouble(double{x, 0}).scaled()
}

// Expm1 is e^x − 1.
func Expm1(x float64) float64 {
	if !(math.Abs(x) < 746) || x == 0 {
		switch {
		case x > 0:
			return math.Inf(1)
		case x < 0:
			return -1
		}
		return x
	}
	e := expDouble(double{x, 0})
	if e.k > 60 || e.k < -60 { // 1 is at most a rounding
		return e.scaled() - 1
	}
	if e.k == 0 && e.table.hi == 1 {
		return e.p.value()
	}
	one := math.Ldexp(1, -e.k) // 2^k·(T·(1+p) − 2^−k)
	s := sum(e.table.hi, -one)
	s = s.add(double{e.table.hi, e.table.lo}.mul(e.p)).add(double{e.table.lo, 0})
	return math.Ldexp(s.value(), e.k)
}

// power is 2^k·table·(1 + p).
type power struct {
	k     int
	table *struct{ hi, lo float64 }
	p     double
}

// expDouble takes e^x apart, for |x| < 1100.
func expDouble(x double) power {
	n := math.RoundToEven(float64(x.hi * stepInverse))
	r := sum(x.hi-float64(n*stepHi), -float64(n*stepLo))
	r = quickSum(r.hi, r.lo+x.lo)
	// e^r − 1 = r + r²/2 + r³/6 + …, |r| ≤ ln 2/128
	y := r.hi
	y2 := float64(y * y)
	rest := float64(float64(y2*y) * (1.0/6 + float64(y*(1.0/24+float64(y*(1.0/120+float64(y*(1.0/720))))))))
	half := float64(0.5 * y2)
	p := quickSum(y, half+(rest+(r.lo+float64(y*r.lo))))
	return power{int(int64(n) >> 6), &expTable[int64(n)&63], p}
}

// double is the number without 2^k.
func (e power) double() double {
	t := double{e.table.hi, e.table.lo}
	return t.add(t.mul(e.p))
}

func (e power) scaled() float64 {
	m := e.table.hi + (float64(e.table.hi*e.p.hi) + (e.table.lo + float64(e.table.hi*e.p.lo)))
	if e.k > -1022 && e.k < 1023 {
		return m * math.Float64frombits(uint64(e.k+1023)<<52)
	}
	return math.Ldexp(m, e.k)
}

// Pow is x^y, with the special cases of math.Pow.
func Pow(x, y float64) float64 {
	ax, ay := math.Abs(x), math.Abs(y)
	switch {
	case !(ax > 0 && ax <= math.MaxFloat64 && ay > 0 && ay < 1<<63), x < 0 && y != math.Trunc(y):
		return math.Pow(x, y) // exact: 0, 1, Inf, NaN
	case x == 1:
		return 1
	case y == 1:
		return x
	case y == 0.5:
		return math.Sqrt(x)
	case y == -0.5:
		return 1 / math.Sqrt(x)
	}
	l := logDouble(ax)
	p := product(l.hi, y)
	p.lo += float64(l.lo * y)
	var z float64
	switch {
	case p.hi > 710:
		z = math.Inf(1)
	case p.hi < -746:
		z = 0
	default:
		z = expDouble(quickSum(p.hi, p.lo)).scaled()
	}
	if x < 0 && math.Mod(ay, 2) == 1 {
		return -z
	}
	return z
}

// Cbrt is the cube root of x.
func Cbrt(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	l := logDouble(math.Abs(x))
	third := l.mul(double{thirdHi, thirdLo})
	return math.Copysign(expDouble(third).scaled(), x)
}
