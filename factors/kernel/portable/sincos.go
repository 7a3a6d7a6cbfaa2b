package portable

import "math"

// half π as the sum of three, of which a multiple up to 2^20 times is exact for the first two.
const (
	halfPi1 = 0x1.921fb544p+00
	halfPi2 = 0x1.0b4611a6p-34
	halfPi3 = 0x1.3198a2e037073p-69
)

// Sincos is the sine and the cosine of x, for |x| up to 2^20; NaN beyond.
func Sincos(x float64) (sin, cos float64) {
	if !(math.Abs(x) <= 1<<20) {
		return math.NaN(), math.NaN()
	}
	n := math.RoundToEven(float64(x * (2 / math.Pi)))
	r := sum(x-float64(n*halfPi1), -float64(n*halfPi2))
	r = quickSum(r.hi, r.lo-float64(n*halfPi3))
	sin, cos = sinOf(r), cosOf(r)
	switch int64(n) & 3 {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}

// sinOf and cosOf are the series, for |r| ≤ π/4.
func sinOf(r double) float64 {
	x := float64(r.hi * r.hi)
	s := 1.0 / 362880
	s = s - float64(x*(1.0/39916800-float64(x*(1.0/6227020800-float64(x*(1.0/1307674368000))))))
	s = -1.0/6 + float64(x*(1.0/120-float64(x*(1.0/5040-float64(x*s)))))
	return r.hi + (float64(float64(x*r.hi)*s) + float64(r.lo*(1-float64(0.5*x))))
}

func cosOf(r double) float64 {
	square := product(r.hi, r.hi)
	x := square.hi
	s := 1.0 / 40320
	s = s - float64(x*(1.0/3628800-float64(x*(1.0/479001600-float64(x*(1.0/87178291200-float64(x*(1.0/20922789888000))))))))
	s = 1.0/24 - float64(x*(1.0/720-float64(x*s)))
	c := quickSum(1, float64(-0.5*x))
	return c.hi + (c.lo + (float64(float64(x*x)*s) - (float64(0.5*square.lo) + float64(r.hi*r.lo))))
}
