package kernel

import (
	"math"
	"math/bits"
)

// tally is the exact sum of values that enter and leave. It is kept as two floats as long as the values' sizes lie
// not too far apart, and else as many that do not overlap. Whatever way it is kept, it is the same number: what a window
// gives follows from its values alone.
type tally struct {
	lanes
	apart expansion
	wide  bool
}

// add takes a value in.
func (e *tally) add(v float64) {
	if e.wide {
		e.apart.add(v)
		return
	}
	top := (v + e.magic) - e.magic
	e.top += top
	e.rest += v - top
}

// value is the sum, rounded once.
func (e *tally) value() float64 {
	if e.wide {
		return e.apart.value()
	}
	return e.top + e.rest
}

// restart makes the sum 0, of values within a reach, of which there will be at most n.
func (e *tally) restart(r reach, n int) {
	e.wide = !e.fit(r, n)
	e.clear()
}

// clear makes the sum 0.
func (e *tally) clear() { e.top, e.rest, e.apart = 0, 0, e.apart[:0] }

// lanes split values into a multiple of a unit and the rest, of which each is a multiple of a smaller unit: adding 1.5·2⁵²
// units rounds a value to the nearest. There are so few values that their sums are multiples that floats have room for.
type lanes struct {
	reach             // of the values that can be split
	most      int     // so many of them
	magic     float64 // 1.5·2⁵² units
	top, rest float64 // the sums
}

// Sizes between 2⁻⁹⁰⁰ and 2⁹⁰⁰ have units that floats have room for.
const (
	lowestField  = 1023 - 900
	highestField = 1023 + 900
)

// fit makes the units those of up to n values within a reach, and reports whether there are such.
func (l *lanes) fit(r reach, n int) bool {
	if r.most == 0 {
		r = reach{sizeOf(1) - 1, sizeOf(1)}
	}
	least, most := int(r.least>>53), int(r.most>>53)
	// The larger unit is so many bits above the smaller one, of which a rest is at most half a larger one. Sums of n have
	// bits.Len(n) bits more.
	log := max(bits.Len(uint(n)), 3)
	above, top := 54-log, 53-log
	spare := above + top - 53 - (most - least)
	if spare < 0 || least < lowestField || most > highestField {
		return false
	}
	least -= spare / 2
	most += spare - spare/2
	l.reach = reach{uint64(least) << 53, uint64(most)<<53 | 1<<53 - 1}
	l.most = 1<<log - 1
	l.magic = math.Ldexp(3, 51+above+least-1075)
	return true
}

// holds reports whether n values of that reach can be split.
func (l *lanes) holds(r reach, n int) bool {
	return r.least >= l.least && r.most <= l.reach.most && n <= l.most
}

// expansion is a sum of floats of ascending size that do not overlap (Shewchuk 1997, Adaptive precision floating-point
// arithmetic, Discrete & Computational Geometry 18).
type expansion []float64

// add adds v, exactly.
func (e *expansion) add(v float64) {
	parts := (*e)[:0]
	for _, p := range *e {
		sum := p + v
		back := sum - p
		if rest := (p - (sum - back)) + (v - back); rest != 0 {
			parts = append(parts, rest)
		}
		v = sum
	}
	if v != 0 {
		parts = append(parts, v)
	}
	*e = parts
}

// value is the sum, rounded once to the nearest float, of two to the even one.
func (e expansion) value() float64 {
	sum := 0.0
	for k := len(e) - 1; k >= 0; k-- {
		p := e[k]
		next := sum + p
		rest := p - (next - sum)
		if sum = next; rest == 0 {
			continue
		}
		// The rest is what rounding left. It may have been a tie that what is smaller yet decides.
		if k > 0 && rest > 0 == (e[k-1] > 0) {
			if up := sum + 2*rest; up-sum == 2*rest {
				sum = up
			}
		}
		break
	}
	return sum
}
