package portable

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// Numbers of 700 bits: the definitions that the functions are held against.
const precision = 700

func num(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

func op(f func(z, x, y *big.Float) *big.Float, x, y *big.Float) *big.Float {
	return f(new(big.Float).SetPrec(precision), x, y)
}

func add(x, y *big.Float) *big.Float { return op((*big.Float).Add, x, y) }
func sub(x, y *big.Float) *big.Float { return op((*big.Float).Sub, x, y) }
func mul(x, y *big.Float) *big.Float { return op((*big.Float).Mul, x, y) }
func quo(x, y *big.Float) *big.Float { return op((*big.Float).Quo, x, y) }

func small(x *big.Float) bool { return x.Sign() == 0 || x.MantExp(nil) < -precision }

// bigExp halves x until its series is short, and squares the result as often.
func bigExp(x *big.Float) *big.Float {
	halvings := max(0, x.MantExp(nil)+8)
	x = new(big.Float).SetPrec(precision).SetMantExp(x, -halvings)
	term, s := num(1), num(1)
	for n := 1.0; !small(term); n++ {
		term = quo(mul(term, x), num(n))
		s = add(s, term)
	}
	for range halvings {
		s = mul(s, s)
	}
	return s
}

// bigLog is Newton's iteration on bigExp, from math.Log.
func bigLog(x *big.Float) *big.Float {
	f, e := new(big.Float), 0
	e = x.MantExp(f)
	m, _ := f.Float64()
	y := num(math.Log(m) + float64(e)*math.Ln2)
	for range 5 { // 50 bits, doubled each time
		ratio := quo(x, bigExp(y))
		y = add(y, mul(num(2), quo(sub(ratio, num(1)), add(ratio, num(1)))))
	}
	return y
}

func bigSin(x *big.Float) *big.Float { // |x| of some tens
	square := mul(x, x)
	term, s := x, x
	for n := 2.0; !small(term); n += 2 {
		term = quo(mul(term, square), num(-n*(n+1)))
		s = add(s, term)
	}
	return s
}

var bigPi = func() *big.Float { // Machin: 16 artan(1/5) − 4 artan(1/239)
	artan := func(n float64) *big.Float {
		power, s := quo(num(1), num(n)), num(0)
		for k := 1.0; !small(power); k += 2 {
			s = add(s, quo(power, num(k)))
			power = quo(power, num(-n*n))
		}
		return s
	}
	return sub(mul(num(16), artan(5)), mul(num(4), artan(239)))
}()

// bigErfc is 1 − 2/√π Σ (−1)^n x^(2n+1)/(n!(2n+1)); 700 bits allow for |x| to 8 or so.
func bigErfc(x *big.Float) *big.Float {
	square := mul(x, x)
	term, s := x, x
	for n := 1.0; !small(term); n++ {
		term = quo(mul(term, square), num(-n))
		s = add(s, quo(term, num(2*n+1)))
	}
	root := new(big.Float).SetPrec(precision).Sqrt(bigPi)
	return sub(num(1), quo(mul(num(2), s), root))
}

// ulps is how far got is from want in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if got == w {
		return 0 // to less than half of one; also where both are 0 or Inf
	}
	unit := math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w)
	off, _ := quo(sub(num(got), want), num(unit)).Float64()
	return math.Abs(off)
}

func TestWithinOneUnit(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 300
	}
	wide := func(r *rand.Rand, low, high float64) float64 { // of all magnitudes
		return math.Copysign(math.Exp2(low+r.Float64()*(high-low)), r.Float64()-0.5)
	}
	between := func(r *rand.Rand, low, high float64) float64 { return low + r.Float64()*(high-low) }
	for _, c := range []struct {
		name string
		f    func(x float64) float64
		want func(x *big.Float) *big.Float
		from func(r *rand.Rand) float64
	}{
		{"Log", Log, bigLog, func(r *rand.Rand) float64 { return math.Abs(wide(r, -1074, 1023)) }},
		{"Log near 1", Log, bigLog, func(r *rand.Rand) float64 { return 1 + wide(r, -52, -1.1) }},
		{"Log of prices", Log, bigLog, func(r *rand.Rand) float64 { return between(r, 0.5, 2) }},
		{"Log1p", Log1p, func(x *big.Float) *big.Float { return bigLog(add(num(1), x)) }, func(r *rand.Rand) float64 { return math.Abs(wide(r, -300, 100)) }},
		{"Log1p of returns", Log1p, func(x *big.Float) *big.Float { return bigLog(add(num(1), x)) }, func(r *rand.Rand) float64 { return wide(r, -60, -0.01) }},
		{"Exp", Exp, bigExp, func(r *rand.Rand) float64 { return between(r, -708, 709.7) }},
		{"Exp near 0", Exp, bigExp, func(r *rand.Rand) float64 { return wide(r, -60, 0) }},
		{"Exp below the normal", Exp, bigExp, func(r *rand.Rand) float64 { return between(r, -744, -708) }},
		{"Expm1", Expm1, func(x *big.Float) *big.Float { return sub(bigExp(x), num(1)) }, func(r *rand.Rand) float64 { return between(r, -50, 709) }},
		{"Expm1 near 0", Expm1, func(x *big.Float) *big.Float { return sub(bigExp(x), num(1)) }, func(r *rand.Rand) float64 { return wide(r, -300, 0) }},
		{"Cbrt", Cbrt, func(x *big.Float) *big.Float {
			s := x.Sign()
			return mul(num(float64(s)), bigExp(quo(bigLog(new(big.Float).SetPrec(precision).Abs(x)), num(3))))
		}, func(r *rand.Rand) float64 { return wide(r, -1000, 1000) }},
		{"sin", func(x float64) float64 { s, _ := Sincos(x); return s }, bigSin, func(r *rand.Rand) float64 { return wide(r, -300, 6) }},
		{"cos", func(x float64) float64 { _, c := Sincos(x); return c }, func(x *big.Float) *big.Float { return bigSin(add(x, quo(bigPi, num(2)))) }, func(r *rand.Rand) float64 { return wide(r, -30, 6) }},
		{"Erfc", Erfc, bigErfc, func(r *rand.Rand) float64 { return between(r, -6, 8) }},
		{"Erfc near 0", Erfc, bigErfc, func(r *rand.Rand) float64 { return wide(r, -60, 1) }},
		{"TwoSided", TwoSided, func(x *big.Float) *big.Float {
			return bigErfc(quo(x, new(big.Float).SetPrec(precision).Sqrt(num(2))))
		}, func(r *rand.Rand) float64 { return between(r, 0, 10) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(len(c.name))))
			worst, at := 0.0, 0.0
			for range n {
				x := c.from(rng)
				if u := ulps(c.f(x), c.want(num(x))); u > worst || math.IsNaN(u) {
					worst, at = u, x
				}
			}
			t.Logf("worst %.3f units, at %v", worst, at)
			if !(worst <= 1) {
				t.Errorf("%s(%v) = %v is %.3f units off", c.name, at, c.f(at), worst)
			}
		})
	}
}

func TestPowWithinOneUnit(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 300
	}
	rng := rand.New(rand.NewPCG(5, 6))
	worst := 0.0
	for i := range n {
		x := math.Exp2(rng.Float64()*2040 - 1020)
		y := math.Exp2(rng.Float64()*20-12) * float64(1-2*(i&1))
		if i%3 == 0 { // as of returns: near 1, to a large power
			x = 1 + rng.NormFloat64()*1e-3
			y = rng.Float64() * 1e5
		}
		p := float64(y) * math.Log(x)
		if p > 709 || p < -708 {
			continue
		}
		want := bigExp(mul(num(y), bigLog(num(x))))
		u := ulps(Pow(x, y), want)
		if worst = max(worst, u); !(u <= 1) {
			t.Fatalf("Pow(%v, %v) = %v is %.3f units off", x, y, Pow(x, y), u)
		}
	}
	t.Logf("worst %.3f units", worst)
}

// Quantiles are held against the distribution: Φ of the floats next to them lies on either side.
func TestNormalQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	phi := func(z float64) *big.Float {
		return quo(bigErfc(quo(num(-z), new(big.Float).SetPrec(precision).Sqrt(num(2)))), num(2))
	}
	ps := []float64{1e-15, 0.025, 0.5 - 1e-9, 0.5 + 1e-12, 0.975, 0.999999}
	for range 200 {
		ps = append(ps, rng.Float64())
	}
	for _, p := range ps {
		z := NormalQuantile(p)
		below, above := z-2*(math.Nextafter(math.Abs(z), math.Inf(1))-math.Abs(z)), z+2*(math.Nextafter(math.Abs(z), math.Inf(1))-math.Abs(z))
		if phi(below).Cmp(num(p)) >= 0 || phi(above).Cmp(num(p)) <= 0 {
			t.Errorf("NormalQuantile(%v) = %v, math has %v", p, z, -math.Sqrt2*math.Erfcinv(2*p))
		}
		if got := NormalCDF(z); math.Abs(got-p) > 4e-16*max(p, 0.5) {
			t.Errorf("NormalCDF(%v) = %v, want %v", z, got, p)
		}
	}
	for p, want := range map[float64]float64{0: math.Inf(-1), 1: math.Inf(1), 0.5: 0, -1: math.NaN(), 2: math.NaN()} {
		if got := NormalQuantile(p); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("NormalQuantile(%v) = %v, want %v", p, got, want)
		}
	}
	if got := NormalQuantile(1e-300); math.Abs(got+37.0471) > 1e-3 {
		t.Errorf("NormalQuantile(1e-300) = %v", got)
	}
}

// Special cases are those of package math, where a value is exact.
func TestSpecialCases(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	special := []float64{0, math.Copysign(0, -1), 1, -1, 2, 3, -3, 0.5, -0.5, inf, -inf, nan, math.MaxFloat64, -math.MaxFloat64, 5e-324, 1e300, -1e300, 1 << 53, 1<<53 + 2, -2, 1.5}
	same := func(name string, got, want float64, args ...float64) {
		t.Helper()
		exact := want == 0 || math.IsInf(want, 0) || math.IsNaN(want) || want == math.Trunc(want) && math.Abs(want) < 1<<52
		if exact && math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s(%v) = %v, want %v", name, args, got, want)
		}
	}
	for _, x := range special {
		same("Log", Log(x), math.Log(x), x)
		same("Log1p", Log1p(x), math.Log1p(x), x)
		same("Exp", Exp(x), math.Exp(x), x)
		same("Expm1", Expm1(x), math.Expm1(x), x)
		same("Cbrt", Cbrt(x), math.Cbrt(x), x)
		same("Erfc", Erfc(x), math.Erfc(x), x)
		for _, y := range special {
			same("Pow", Pow(x, y), math.Pow(x, y), x, y)
		}
	}
	if got := Erfc(27.4); got != 0 {
		t.Errorf("Erfc(27.4) = %v", got)
	}
}

// The bits on every machine: a digest of many values of each function, the same wherever the test runs.
func TestSameBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	h := sha256.New()
	put := func(v float64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	for range 20_000 {
		u, v := rng.Float64(), rng.Float64()
		put(Log(u * 1e5))
		put(Log1p(u - 0.5))
		put(Exp(float64(1400*u) - 700))
		put(Expm1(u - 0.5))
		put(Pow(u*4, float64(20*v)-10))
		put(Cbrt(u - 0.5))
		s, c := Sincos(100 * u)
		put(s)
		put(c)
	}
	for range 300 {
		put(Erfc(float64(30*rng.Float64()) - 5))
		put(NormalQuantile(rng.Float64()))
	}
	const want = "f41a10919a4aaed3"
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func BenchmarkElementary(b *testing.B) {
	x := make([]float64, 1024)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range x {
		x[i] = rng.Float64()*4 + 0.01
	}
	power := func(f func(x, y float64) float64) func(float64) float64 {
		return func(v float64) float64 { return f(v, 1.7) }
	}
	for _, c := range []struct {
		name string
		f    func(float64) float64
	}{
		{"Log", Log}, {"math.Log", math.Log}, {"Log1p", Log1p}, {"math.Log1p", math.Log1p}, {"Exp", Exp}, {"math.Exp", math.Exp},
		{"Pow", power(Pow)}, {"math.Pow", power(math.Pow)}, {"Erfc", Erfc}, {"math.Erfc", math.Erfc},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := 0.0
			for i := range b.N {
				s += c.f(x[i&1023])
			}
			if math.IsNaN(s) {
				b.Fatal(s)
			}
		})
	}
}
