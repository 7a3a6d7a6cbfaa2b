package kernel

import (
	"math"
	"math/bits"
)

// wide is a whole number of 128 bits.
type wide struct{ hi, lo uint64 }

func (w wide) plus(v int64) wide {
	lo, carry := bits.Add64(w.lo, uint64(v), 0)
	hi, _ := bits.Add64(w.hi, uint64(v>>63), carry)
	return wide{hi, lo}
}

func (w wide) sum(v wide) wide {
	lo, carry := bits.Add64(w.lo, v.lo, 0)
	hi, _ := bits.Add64(w.hi, v.hi, carry)
	return wide{hi, lo}
}

// times is v·k, k not negative.
func times(v int64, k int) wide {
	hi, lo := bits.Mul64(uint64(v), uint64(k))
	return wide{hi - uint64(v>>63)&uint64(k), lo}
}

func (w wide) float() float64 {
	if int64(w.hi) < 0 {
		lo, carry := bits.Add64(^w.lo, 1, 0)
		return -wide{^w.hi + carry, lo}.float()
	}
	return float64(float64(w.hi)*(1<<64)) + float64(w.lo)
}

// cut is w/2^shift rounded down, which must have 63 bits, and the rest.
func (w wide) cut(shift uint) (whole, rest int64) {
	return int64(w.hi<<(64-shift) | w.lo>>shift), int64(w.lo & (1<<shift - 1))
}

// norm is what sums of n counts of so many bits are cut and multiplied by. It is made anew where n is another.
type norm struct {
	of      int     // n
	shift   uint    // bits that are cut off, so that 63 are left
	mean    float64 // 2^shift/n
	share   float64 // that in units of the largest count
	freedom float64 // 2^shift/(n−1) in these
}

func (s *norm) over(n, countBits int) *norm {
	if s.of != n {
		shift := max(bits.Len(uint(n))+countBits-63, 0)
		unit := math.Ldexp(1, shift)
		small := math.Ldexp(unit, -countBits)
		*s = norm{n, uint(shift), unit / float64(n), small / float64(n), small / float64(n-1)}
	}
	return s
}
