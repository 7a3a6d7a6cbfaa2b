package portable

import "math"

// Constants in doubled precision.
var (
	twoOverRootPi = double{0x1.20dd750429b6dp+00, 0x1.1ae3a914fed80p-56} // 2/√π
	rootPi        = double{0x1.c5bf891b4ef6bp+00, -0x1.618f13eb7ca89p-54}
	rootHalf      = double{0x1.6a09e667f3bcdp-01, -0x1.bdd3413b26456p-55}
)

// Erfc is the complementary error function, 2/√π ∫ₓ^∞ e^(−t²) dt.
func Erfc(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 27.3:
		return 0
	case x < -6:
		return 2
	}
	return erfc(double{x, 0})
}

// NormalCDF is Φ, the distribution function of the standard normal.
func NormalCDF(z float64) float64 { return 0.5 * erfcOverRootTwo(-z) }

// TwoSided is the probability of a standard normal at least as far from 0 as t.
func TwoSided(t float64) float64 { return erfcOverRootTwo(math.Abs(t)) }

// erfcOverRootTwo is Erfc(z/√2).
func erfcOverRootTwo(z float64) float64 {
	switch {
	case math.IsNaN(z):
		return z
	case z > 38.6:
		return 0
	case z < -8.5:
		return 2
	}
	return erfc(rootHalf.mul(double{z, 0}))
}

// erfc is Erfc of a number in doubled precision of [−6.1, 27.3].
func erfc(x double) float64 {
	m, k := erfcDouble(x)
	return math.Ldexp(m.value(), k)
}

// erfcDouble gives Erfc as m·2^k.
func erfcDouble(x double) (m double, k int) {
	if x.hi < 2 && x.hi > -2 {
		return double{1, 0}.add(erfSeries(x).neg()), 0
	}
	if x.hi < 0 {
		m, k = erfcFraction(x.neg())
		return double{2, 0}.add(double{-math.Ldexp(m.hi, k), -math.Ldexp(m.lo, k)}), 0
	}
	return erfcFraction(x)
}

// erfSeries is 2/√π Σ (−1)^n x^(2n+1)/(n!(2n+1)), for |x| ≤ 2.
func erfSeries(x double) double {
	square := x.mul(x).neg()
	term, s := x, x
	for n := 1.0; math.Abs(term.hi) > 1e-34; n++ {
		term = term.mul(square).div(double{n, 0})
		s = s.add(term.div(double{float64(2*n) + 1, 0}))
	}
	return s.mul(twoOverRootPi)
}

// erfcFraction is e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), for x ≥ 2.
func erfcFraction(x double) (m double, k int) {
	d := x
	for n := 60.0; n >= 1; n-- {
		d = x.add(double{n / 2, 0}.div(d))
	}
	square := x.mul(x).neg()
	e := expDouble(square)
	return e.double().div(d.mul(rootPi)), e.k
}

// NormalQuantile is Φ⁻¹ on [0, 1]: −Inf at 0, Inf at 1, NaN outside.
func NormalQuantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case p == 0.5:
		return 0
	}
	q := min(p, 1-p)
	// Hastings (1955), equation 26.2.23 of Abramowitz and Stegun, within 4.5e-4; then Halley's method
	t := math.Sqrt(-2 * Log(q))
	z := t - (2.515517+float64(t*(0.802853+float64(t*0.010328))))/(1+float64(t*(1.432788+float64(t*(0.189269+float64(t*0.001308))))))
	for range 3 {
		m, k := erfcDouble(rootHalf.mul(double{z, 0}))
		square := product(z, z)
		e := expDouble(double{float64(-0.5 * square.hi), float64(-0.5 * square.lo)}) // √(2π)·φ(z) = e.double()·2^e.k
		density := e.double()
		if k < e.k-200 || k > e.k+200 {
			break
		}
		// (Q(z) − q)/φ(z), scaled by 2^−e.k
		miss := double{math.Ldexp(m.hi, k-e.k-1), math.Ldexp(m.lo, k-e.k-1)}.add(double{-math.Ldexp(q, -e.k), 0})
		u := miss.hi / density.hi * rootTwoPi
		z += u / (1 - float64(0.5*float64(z*u)))
	}
	if p < 0.5 {
		return -z
	}
	return z
}

const rootTwoPi = 2.50662827463100050242
