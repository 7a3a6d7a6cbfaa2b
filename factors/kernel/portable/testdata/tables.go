// Command tables prints tables.go of package portable: go run testdata/tables.go > tables.go
package main

import (
	"fmt"
	"go/format"
	"math"
	"math/big"
	"os"
	"strings"
)

const bits = 300

func num(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }

func op(f func(z, x, y *big.Float) *big.Float, x, y *big.Float) *big.Float {
	return f(new(big.Float).SetPrec(bits), x, y)
}

func add(x, y *big.Float) *big.Float { return op((*big.Float).Add, x, y) }
func sub(x, y *big.Float) *big.Float { return op((*big.Float).Sub, x, y) }
func mul(x, y *big.Float) *big.Float { return op((*big.Float).Mul, x, y) }
func quo(x, y *big.Float) *big.Float { return op((*big.Float).Quo, x, y) }

// log is 2·artanh((x−1)/(x+1)) by its series; x is near 1.
func log(x *big.Float) *big.Float {
	u := quo(sub(x, num(1)), add(x, num(1)))
	square, power, sum := mul(u, u), u, num(0)
	for n := 1.0; n < 300; n += 2 {
		sum = add(sum, quo(power, num(n)))
		power = mul(power, square)
	}
	return mul(num(2), sum)
}

// exp is by its series; |x| is at most 1.
func exp(x *big.Float) *big.Float {
	term, sum := num(1), num(1)
	for n := 1.0; n < 80; n++ {
		term = quo(mul(term, x), num(n))
		sum = add(sum, term)
	}
	return sum
}

// split gives hi with at most so many bits behind the point (all that fit, below 0), and the rest.
func split(x *big.Float, places int) (hi, lo float64) {
	if places < 0 {
		hi, _ = x.Float64()
	} else {
		scaled, _ := x.Float64()
		hi = math.Round(math.Ldexp(scaled, places))
		hi = math.Ldexp(hi, -places)
	}
	lo, _ = sub(x, num(hi)).Float64()
	return hi, lo
}

func main() {
	var b strings.Builder
	ln2 := num(0) // 7 ln(16/15) + 5 ln(25/24) + 3 ln(81/80)
	for _, t := range [][3]float64{{7, 16, 15}, {5, 25, 24}, {3, 81, 80}} {
		ln2 = add(ln2, mul(num(t[0]), log(quo(num(t[1]), num(t[2])))))
	}
	pair := func(name string, x *big.Float, places int) {
		hi, lo := split(x, places)
		fmt.Fprintf(&b, "%sHi = %x\n%sLo = %x\n", name, hi, name, lo)
	}
	fmt.Fprintln(&b, "package portable\n\n// Made by: go run testdata/tables.go > tables.go\n\nconst (")
	pair("ln2", ln2, 42) // a multiple of it up to 2^11 times is exact
	pair("step", quo(ln2, num(64)), 38)
	inverse, _ := quo(num(64), ln2).Float64()
	fmt.Fprintf(&b, "stepInverse = %x\n", inverse)
	pair("third", quo(num(1), num(3)), -1)
	fmt.Fprintln(&b, ")\n\n// logTable has for each of 128 parts of [0.6875, 1.375) a number near the inverse of what lies in it, with few bits,\n// and the logarithm of that inverse, as hi of at most 42 places and the rest.\nvar logTable = [128]struct{ inverse, hi, lo float64 }{")
	const off = 0x3fe6000000000000
	for i := range uint64(128) {
		low := math.Float64frombits(off + i<<45)
		high := math.Float64frombits(off + (i+1)<<45)
		inverse := math.Round(1024*2/(low+high)) / 1024
		hi, lo := split(sub(num(0), log(num(inverse))), 42)
		fmt.Fprintf(&b, "{%x, %x, %x},\n", inverse, hi, lo)
	}
	fmt.Fprintln(&b, "}\n\n// expTable has 2^(j/64), as the nearest float64 and the rest.\nvar expTable = [64]struct{ hi, lo float64 }{")
	for j := range 64 {
		hi, lo := split(exp(mul(ln2, num(float64(j)/64))), -1)
		fmt.Fprintf(&b, "{%x, %x},\n", hi, lo)
	}
	fmt.Fprintln(&b, "}")
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(text)
}
