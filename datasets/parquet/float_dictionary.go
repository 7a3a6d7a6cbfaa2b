package parquet

import (
	"math"
	"math/bits"
	"slices"
)

// floatDictionary numbers distinct bit patterns in order of appearance. Prices and amounts lie on a
// grid of decimals, so a value is first looked for at its place on that grid, relative to the others;
// what lies off it or too far out is in a hash table of linear probing that is never more than half
// full. Which of the two finds a value has no influence on its number.
type floatDictionary struct {
	values []float64

	// A value v has the slot v × scale − base, rounded; two values that share one are told apart by
	// their bits. slots holds number + 1 of the first value that came to a slot, 0 while there is none.
	// Every value whose slot exists is there or, where another was first, in the table.
	slots     []uint16
	scale     float64 // a power of ten; 0 where the values lie on no grid: then there are no slots
	base      int64
	low, high int64 // the lowest and the highest place that slots are made for

	// table has in a slot the number + 1 of a value in the low 17 bits and above them bits of its
	// hash, so that it is small and other values are seldom looked at. An empty slot is 0.
	table  []uint32
	hashed int  // values in table
	shift  uint // from a hash to a slot
}

const (
	minSlots = 1 << 10
	maxSlots = 1 << 16

	tableBits  = 10 // of the first table
	numberBits = 17 // for maxDictionary
)

func (d *floatDictionary) reset() {
	d.values = d.values[:0]
	d.slots = d.slots[:0]
	if d.hashed > 0 {
		clear(d.table)
		d.hashed = 0
	}
}

// add appends the numbers of v to numbers and reports how many it took: fewer than all if the
// dictionary is full.
func (d *floatDictionary) add(numbers []uint16, v []float64) ([]uint16, int) {
	if len(d.values) == 0 {
		d.aim(v)
	}
	from := len(numbers)
	numbers = slices.Grow(numbers, len(v))[:from+len(v)]
	out := numbers[from:]
	slots, values, scale, base := d.slots, d.values, d.scale, d.base
	for i, f := range v {
		if at := uint64(place(f, scale) - base); at < uint64(len(slots)) {
			if k := int(slots[at]) - 1; k >= 0 && math.Float64bits(values[k]) == math.Float64bits(f) {
				out[i] = uint16(k)
				continue
			}
		}
		k := d.find(f)
		if k < 0 {
			return numbers[:from+i], i
		}
		out[i] = uint16(k)
		slots, values, base = d.slots, d.values, d.base
	}
	return numbers, len(v)
}

// place is f's place on the grid of a scale. The product is rounded by itself, or a machine that
// fuses it with the sum would find different places in different parts of the code.
func place(f, scale float64) int64 { return int64(float64(f*scale) + 0.5) }

// find gives the number of a value, a new one if it is new; -1 if there is no room for it.
func (d *floatDictionary) find(f float64) int {
	at := uint64(place(f, d.scale) - d.base)
	if at >= uint64(len(d.slots)) && d.reach(f) {
		at = uint64(place(f, d.scale) - d.base)
	}
	if at < uint64(len(d.slots)) && d.slots[at] == 0 && len(d.values) < math.MaxUint16 {
		d.values = append(d.values, f)
		d.take(at, len(d.values))
		return len(d.values) - 1
	}
	return d.look(f)
}

// take gives a slot to the value of number k − 1.
func (d *floatDictionary) take(at uint64, k int) {
	d.slots[at] = uint16(k)
	d.low, d.high = min(d.low, d.base+int64(at)), max(d.high, d.base+int64(at))
}

// aim chooses the grid by the first of the values to come.
func (d *floatDictionary) aim(v []float64) {
	v = v[:min(len(v), 64)]
	d.scale, d.slots = 0, d.slots[:0]
	for _, scale := range []float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8} {
		on := 0
		for _, f := range v {
			if math.Round(f*scale)/scale == f {
				on++
			}
		}
		if 8*on >= 7*len(v) {
			d.scale = scale
			return
		}
	}
}

// reach makes slots for values as far as f, if there are not too many, and reports whether it did.
func (d *floatDictionary) reach(f float64) bool {
	if d.scale == 0 || !(math.Abs(f*d.scale) < 1<<52) {
		return false
	}
	to := place(f, d.scale)
	low, high := to, to
	if len(d.slots) > 0 {
		low, high = min(d.low, low), max(d.high, high)
	}
	span := high - low + 1
	if span > maxSlots {
		return false
	}
	n := int64(minSlots)
	for n < maxSlots && n < 2*span {
		n *= 2
	}
	d.low, d.high, d.base = low, high, low-(n-span)/2
	d.slots = slices.Grow(d.slots[:0], int(n))[:n]
	clear(d.slots)
	for k, f := range d.values[:min(len(d.values), math.MaxUint16)] {
		if at := uint64(place(f, d.scale) - d.base); at < uint64(n) && d.slots[at] == 0 {
			d.take(at, k+1)
		}
	}
	return true
}

// look is find in the table.
func (d *floatDictionary) look(f float64) int {
	if 2*d.hashed >= len(d.table) {
		d.rehash()
	}
	b := math.Float64bits(f)
	h := hash64(b)
	tag := uint32(h) >> numberBits << numberBits
	mask := uint64(len(d.table) - 1)
	for at := h >> (d.shift & 63); ; at++ {
		slot := d.table[at&mask]
		k := slot & (1<<numberBits - 1)
		switch {
		case k == 0:
			if len(d.values) == maxDictionary {
				return -1
			}
			d.values = append(d.values, f)
			d.hashed++
			d.table[at&mask] = tag | uint32(len(d.values))
			return len(d.values) - 1
		case slot^tag == k && math.Float64bits(d.values[k-1]) == b:
			return int(k - 1)
		}
	}
}

// rehash doubles the table.
func (d *floatDictionary) rehash() {
	old := d.table
	d.table = make([]uint32, max(1<<tableBits, 2*len(old)))
	d.shift = 64 - uint(bits.TrailingZeros(uint(len(d.table))))
	mask := uint64(len(d.table) - 1)
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		h := hash64(math.Float64bits(d.values[slot&(1<<numberBits-1)-1]))
		at := h >> d.shift
		for d.table[at&mask] != 0 {
			at++
		}
		d.table[at&mask] = slot
	}
}

// hash64 spreads bit patterns, whose low bits are mostly zero, over the high bits.
func hash64(b uint64) uint64 {
	b ^= b >> 32
	return b * 0x9e3779b97f4a7c15
}
