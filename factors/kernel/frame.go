package kernel

import (
	"math"
	"math/bits"
)

// Sums over windows are sums of whole numbers, so that a row that leaves takes away exactly what it brought, and equal
// windows have equal sums wherever they stand. A frame says in which units a window is counted. It follows from the
// window's smallest and largest value alone:
//
//   - Values are counted from the centre c, the roundest number from the smallest to the largest value, that is the
//     one divisible by the highest power of two: 0 where both signs occur. It is not farther from the mean than the
//     values lie apart, so that the squares about it keep the digits of the squares about the mean.
//   - Distances from c are below size, and one of them at least is a quarter of it or more. Size is a power of four, or of
//     16 with a sixteenth in windows of up to 1024 rows, where so much less precision does not matter.
//
// Only a value that stands out changes the frame, as it enters and, a window later, as it leaves. Counting the window
// anew then costs little a row.
type frame struct {
	c, size float64
	scale   float64 // 1/size
	limit   float64 // distances below it leave the frame as it is
	high    float64 // some distance reaches it
}

// Distances of 2⁻⁴⁰⁰ and less count as 0, so that their squares are no trouble.
const leastSize = -400

// frameOf is the frame of values from lo to hi.
func frameOf(lo, hi float64, window int) frame {
	f := frame{c: roundest(lo, hi)}
	step := 2
	if window <= 1024 {
		step = 4
	}
	e := exponent(max(hi-f.c, f.c-lo))
	e = max((e+1023+step)/step*step-1024, leastSize) // a multiple of step, at least e
	f.size, f.scale = power(e), power(-e)
	if e > leastSize {
		f.high = power(e - step)
	}
	f.limit = f.widest()
	return f
}

// widest is the limit of any frame of this centre and size.
func (f frame) widest() float64 { return min(f.size, roundness(f.c)) }

// same reports whether values have the same counts in both.
func (f frame) same(g frame) bool { return f.c == g.c && f.size == g.size }

// roundest is the number in [lo, hi] that is divisible by the highest power of two.
func roundest(lo, hi float64) float64 {
	switch {
	case lo <= 0 && hi >= 0:
		return 0
	case hi < 0:
		return -roundest(-hi, -lo)
	}
	a, b := math.Float64bits(lo)-1, math.Float64bits(hi)
	if a>>52 != b>>52 {
		return math.Float64frombits(b >> 52 << 52)
	}
	k := bits.Len64(a^b) - 1
	return math.Float64frombits(b >> k << k)
}

// roundness is the highest power of two that divides c. The nearest numbers that are rounder lie so far away.
func roundness(c float64) float64 {
	if c == 0 {
		return math.Inf(1)
	}
	b := math.Float64bits(c)
	return power(max(int(b>>52&0x7ff)-1075+bits.TrailingZeros64(b|1<<52), -1022))
}

// power is 2^e, which must be a float that is not subnormal.
func power(e int) float64 { return math.Float64frombits(uint64(e+1023) << 52) }

// exponent is the least e such that v < 2^e; −1022 for those that are subnormal.
func exponent(v float64) int { return int(math.Float64bits(v)>>52) - 1022 }
