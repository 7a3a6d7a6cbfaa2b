package tardis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
)

// slack is how many bytes the fast cell readers may look at beyond a row's line feed.
const slack = 24

// pow10 holds the powers of ten that a run of at most eight digits is scaled by.
var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// exact10 holds powers of ten that are exact as float64.
var exact10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// load takes the eight bytes at b[i:] as one word, the first byte lowest, with ASCII digits turned
// into 0…9.
func load(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(b[i:i+8]) ^ 0x3030303030303030
}

// others marks the bytes of a load that are no digits by their highest bit. Adding 0x76 lifts
// everything but 0…9 to 0x80 or more; the carry out of a byte beyond ASCII can spoil only what is
// behind it.
func others(w uint64) uint64 { return ((w + 0x7676767676767676) | w) & 0x8080808080808080 }

// value is the number that the first bytes of a load spell in digits, width bits of it: 8 to 64. It
// adds up neighbours: digits to pairs, pairs to fours, fours to the eight.
func value(w uint64, width int) uint64 {
	w <<= (64 - width) & 63 // now preceded by zeros
	w = (w*10 + w>>8) & 0x00ff00ff00ff00ff
	w = (w*100 + w>>16) & 0x0000ffff0000ffff
	return (w*10000 + w>>32) & 0xffffffff
}

// digits reads the run of digits, eight at most, at b[i:] and gives its value and its length. Like
// everything here that reads words it needs slack bytes behind i.
func digits(b []byte, i int) (v uint64, n int) {
	w := load(b, i)
	if n = bits.TrailingZeros64(others(w)) / 8; n == 0 {
		return 0, 0
	}
	return value(w, 8*n), n
}

// fastNumber reads a plain decimal at b[i:] and gives its value and the index of the byte behind
// it, or -1 where the text is one that it leaves to parseNumber. With at most 19 digits, a digit
// string m ≤ 2⁵³ and a scale ≤ 10¹⁹, both operands of m / 10ˢ are exact, so the one rounding of the
// division gives the nearest double (Clinger 1990).
func fastNumber(b []byte, i int) (f float64, next int) {
	negative := b[i] == '-'
	if negative {
		i++
	}
	w := load(b, i)
	ends := others(w)
	last := ends & (ends - 1)
	point := bits.TrailingZeros64(ends) &^ 7 // in bits, as end is
	switch {
	case ends != 0 && b[i+point/8] != '.': // up to seven digits
		if point == 0 {
			return 0, -1
		}
		f, next = float64(int64(value(w, point))), i+point/8
	case last != 0: // up to six digits and a point, which is squeezed out
		end := bits.TrailingZeros64(last) &^ 7
		if end == 8 {
			return 0, -1
		}
		before := uint64(1)<<(point&63) - 1
		w = w&before | w>>8&^before
		f, next = float64(int64(value(w, end-8)))/exact10[(end-8-point)/8], i+end/8
	default:
		if f, next = longNumber(b, i); next < 0 {
			return 0, -1
		}
	}
	if negative {
		f = -f
	}
	return f, next
}

// longNumber is fastNumber for up to 16 digits on either side of the point, without the sign.
func longNumber(b []byte, i int) (f float64, next int) {
	m, n := digits(b, i)
	i += n
	if n == 8 {
		v, k := digits(b, i)
		m = m*pow10[k] + v
		n += k
		i += k
	}
	scale := 0
	if b[i] == '.' {
		i++
		v, k := digits(b, i)
		m = m*pow10[k] + v
		scale = k
		i += k
		if k == 8 {
			v, k = digits(b, i)
			m = m*pow10[k] + v
			scale += k
			i += k
		}
		n += scale
	}
	if n == 0 || n > 19 || m > 1<<53 {
		return 0, -1
	}
	return float64(int64(m)) / exact10[scale], i
}

// maxNumber bounds the text of a number. The longest that a double's shortest form needs is 24
// characters, and a venue's own decimals have far fewer than this.
const maxNumber = 128

var (
	errNumber = errors.New("not a decimal number")
	errRange  = errors.New("too large for a float64")
)

// parseNumber gives the double nearest to a decimal with an optional sign, fraction and exponent,
// as strconv.ParseFloat does. The other things that ParseFloat reads (hexadecimal, underscores,
// infinities, NaN) are refused.
func parseNumber(cell []byte) (float64, error) {
	if len(cell) > maxNumber {
		return 0, fmt.Errorf("a number of %d characters, want at most %d", len(cell), maxNumber)
	}
	for _, c := range cell {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, errNumber
		}
	}
	f, err := strconv.ParseFloat(string(cell), 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errRange
	case err != nil:
		return 0, errNumber
	}
	return f, nil
}

var errTime = errors.New("not a time in integer microseconds")

// parseTime reads an integer in Unix microseconds.
func parseTime(cell []byte) (int64, error) {
	us, err := strconv.ParseInt(string(cell), 10, 64)
	if err != nil {
		return 0, errTime
	}
	return us, nil
}
