package parquet

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/parquet-go/parquet-go/format"
)

// eachValid calls f for every run of rows from to to-1 without nulls.
func eachValid(a arrow.Array, from, to int, f func(from, to int)) {
	if a.NullN() == 0 {
		f(from, to)
		return
	}
	for from < to {
		if a.IsNull(from) {
			from++
			continue
		}
		end := from + 1
		for end < to && a.IsValid(end) {
			end++
		}
		f(from, end)
		from = end
	}
}

// minRun is how many equal values in a row are worth a run of their own: below it, bits that go on
// are as short and quicker to read.
const minRun = 32

// appendNumbers encodes numbers of a dictionary of n values: their width, then runs of bit-packed
// values, eight at a time, and of one value repeated.
func appendNumbers(dst []byte, numbers []int32, n int) []byte {
	width := bitWidth(n)
	dst = append(dst, byte(width))
	from := 0 // of the values not yet written
	for at := 0; at < len(numbers); {
		end := at + 1
		for end < len(numbers) && numbers[end] == numbers[at] {
			end++
		}
		if end < len(numbers) {
			end -= (end - at) % 8
		}
		if end-at < minRun {
			at += 8
			continue
		}
		dst = appendPacked(dst, numbers[from:at], width)
		dst = binary.AppendUvarint(dst, uint64(end-at)<<1)
		for shift := uint(0); shift < width; shift += 8 {
			dst = append(dst, byte(numbers[at]>>shift))
		}
		at, from = end, end
	}
	return appendPacked(dst, numbers[from:], width)
}

// appendPacked appends a bit-packed run, filled up to a multiple of eight values with zeros.
func appendPacked(dst []byte, numbers []int32, width uint) []byte {
	if len(numbers) == 0 {
		return dst
	}
	groups := (len(numbers) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*int(width)
	var bits uint64
	var n uint
	for _, v := range numbers {
		bits |= uint64(v) << (n & 63)
		n += width
		if n >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(bits))
			bits >>= 32
			n -= 32
		}
	}
	for ; len(dst) < end; bits >>= 8 {
		dst = append(dst, byte(bits))
	}
	return dst
}

const (
	deltaBlock = 128 // differences in a block
	deltaMini  = 32  // and in each of its miniblocks
)

// appendDelta encodes integers as DELTA_BINARY_PACKED.
func appendDelta(dst []byte, v []int64) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	if len(v) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	last := v[0]
	dst = binary.AppendVarint(dst, last)
	var d [deltaBlock]int64
	for v = v[1:]; len(v) > 0; {
		block := v[:min(len(v), deltaBlock)]
		v = v[len(block):]
		low := block[0] - last
		for i, x := range block {
			d[i] = x - last
			last = x
			low = min(low, d[i])
		}
		clear(d[len(block):])
		dst = binary.AppendVarint(dst, low)
		widths := len(dst)
		dst = append(dst, make([]byte, deltaBlock/deltaMini)...)
		for k := 0; k*deltaMini < len(block); k++ {
			mini := d[k*deltaMini : (k+1)*deltaMini]
			var all uint64
			for i := range mini[:min(deltaMini, len(block)-k*deltaMini)] {
				mini[i] -= low
				all |= uint64(mini[i])
			}
			width := uint(bits.Len64(all))
			dst[widths+k] = byte(width)
			dst = appendBits(dst, mini, width)
		}
	}
	return dst
}

// appendBits appends the low width bits of each of v, whose number is a multiple of eight.
func appendBits(dst []byte, v []int64, width uint) []byte {
	var acc uint64
	var n uint // bits in acc, below 32 between values
	if width <= 32 {
		for _, x := range v {
			acc |= uint64(x) << (n & 63)
			if n += width; n >= 32 {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
				acc >>= 32
				n -= 32
			}
		}
	} else {
		for _, x := range v {
			acc |= uint64(uint32(x)) << (n & 63)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc = acc>>32 | uint64(x)>>32<<(n&63)
			if n += width - 32; n >= 32 {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
				acc >>= 32
				n -= 32
			}
		}
	}
	for ; n > 0; n -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}

// unbounded is the part of an encoder that records no smallest and largest value.
type unbounded struct{}

func (unbounded) bounds() (lo, hi int64, ok bool) { return 0, 0, false }

// undictionaried is the part of an encoder that has no dictionary.
type undictionaried struct{}

func (undictionaried) dictionary(dst []byte) ([]byte, int) { return dst, 0 }

// intEncoder encodes integers and times.
type intEncoder struct {
	undictionaried
	plain  bool
	values []int64
	lo, hi int64
	some   bool
}

func (e *intEncoder) append(a arrow.Array, from, to int) {
	var all []int64
	switch a := a.(type) {
	case *array.Int64:
		all = a.Int64Values()
	case *array.Timestamp:
		all = arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.TimestampValues()))
	}
	eachValid(a, from, to, func(from, to int) { e.values = append(e.values, all[from:to]...) })
}

func (e *intEncoder) page(dst []byte) ([]byte, format.Encoding) {
	e.some = len(e.values) > 0
	if e.some {
		e.lo, e.hi = e.values[0], e.values[0]
		for _, v := range e.values {
			e.lo, e.hi = min(e.lo, v), max(e.hi, v)
		}
	}
	if e.plain {
		dst = slices.Grow(dst, 8*len(e.values))
		for _, v := range e.values {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
		e.values = e.values[:0]
		return dst, format.Plain
	}
	dst = appendDelta(dst, e.values)
	e.values = e.values[:0]
	return dst, format.DeltaBinaryPacked
}

func (e *intEncoder) bounds() (lo, hi int64, ok bool) { return e.lo, e.hi, e.some }

const (
	// maxDictionary is how many distinct values a row group's dictionary takes before the rest of
	// the row group is stored without it.
	maxDictionary = 1 << 16
	// A dictionary is given up if, after that many values or the first page, more than three in four
	// were new.
	probation = 1 << 13
	// Hashing words costs so much more that a column of identifiers has to be recognised earlier.
	textProbation = 1 << 11
)

// hopeless reports whether a dictionary of n distinct among count values is not worth going on with.
func hopeless(n, count int) bool { return 4*n > 3*count }

// floatEncoder encodes float64, bit for bit, by a dictionary while that pays.
type floatEncoder struct {
	unbounded
	plain   bool // by request
	given   bool // dictionary given up in this row group
	used    bool // a page of this row group refers to the dictionary
	count   int  // values in the row group while the dictionary lasts
	dict    floatDictionary
	numbers []int32   // of the page's values
	values  []float64 // of the page once there is no dictionary
}

func (e *floatEncoder) append(a arrow.Array, from, to int) {
	all := a.(*array.Float64).Float64Values()
	eachValid(a, from, to, func(from, to int) { e.add(all[from:to]) })
}

func (e *floatEncoder) add(v []float64) {
	for !e.plain && !e.given && len(v) > 0 {
		n := len(v)
		if e.count < probation {
			n = min(n, probation-e.count)
		}
		e.numbers, n = e.dict.add(e.numbers, v[:n])
		e.count += n
		v = v[n:]
		if n := len(e.dict.values); n > maxDictionary || e.count == probation && hopeless(n, e.count) {
			e.giveUp()
		}
	}
	e.values = append(e.values, v...)
}

// giveUp goes on without the dictionary from the page's first value on.
func (e *floatEncoder) giveUp() {
	e.given = true
	for _, k := range e.numbers {
		e.values = append(e.values, e.dict.values[k])
	}
	e.numbers = e.numbers[:0]
}

func (e *floatEncoder) page(dst []byte) ([]byte, format.Encoding) {
	if !e.used && hopeless(len(e.dict.values), e.count) {
		e.giveUp()
	}
	if e.plain || e.given {
		dst = slices.Grow(dst, 8*len(e.values))
		for _, v := range e.values {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
		e.values = e.values[:0]
		return dst, format.Plain
	}
	if len(e.dict.values) == 0 { // only nulls
		return dst, format.Plain
	}
	e.used = true
	dst = appendNumbers(dst, e.numbers, len(e.dict.values))
	e.numbers = e.numbers[:0]
	return dst, format.RLEDictionary
}

func (e *floatEncoder) dictionary(dst []byte) ([]byte, int) {
	n := 0
	if e.used {
		n = len(e.dict.values)
		for _, v := range e.dict.values {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
	}
	e.dict.reset()
	e.given, e.used, e.count = false, false, 0
	return dst, n
}

// floatDictionary numbers distinct bit patterns in order of appearance: a hash table of linear
// probing that is never more than half full.
type floatDictionary struct {
	values []float64
	// table has in a slot the number + 1 of a value in the low 17 bits and above them bits of its
	// hash, so that it is small and other values are seldom looked at. An empty slot is 0.
	table []uint32
	shift uint // from a hash to a slot
}

const (
	tableBits  = 10 // of the first table
	numberBits = 17 // for maxDictionary + 1
)

func (d *floatDictionary) reset() {
	d.values = d.values[:0]
	clear(d.table)
}

// add appends the numbers of v to numbers and reports how many it took: fewer than all if the
// dictionary has become too large.
func (d *floatDictionary) add(numbers []int32, v []float64) ([]int32, int) {
	numbers = slices.Grow(numbers, len(v))
	var last uint64
	var number int32 // of last, + 1
	for i, f := range v {
		if b := math.Float64bits(f); b != last || number == 0 {
			if len(d.values) > maxDictionary {
				return numbers, i
			}
			last, number = b, d.find(b)
		}
		numbers = append(numbers, number-1)
	}
	return numbers, len(v)
}

// find gives the number + 1 of a value, a new one if it is new.
func (d *floatDictionary) find(b uint64) int32 {
	if 2*len(d.values) >= len(d.table) {
		d.rehash()
	}
	h := hash64(b)
	tag := uint32(h) >> numberBits << numberBits
	mask := uint64(len(d.table) - 1)
	for at := h >> (d.shift & 63); ; at++ {
		slot := d.table[at&mask]
		k := slot & (1<<numberBits - 1)
		switch {
		case k == 0:
			d.values = append(d.values, math.Float64frombits(b))
			k = uint32(len(d.values))
			d.table[at&mask] = tag | k
			return int32(k)
		case slot^tag == k && math.Float64bits(d.values[k-1]) == b:
			return int32(k)
		}
	}
}

// rehash doubles the table.
func (d *floatDictionary) rehash() {
	n := max(1<<tableBits, 2*len(d.table))
	d.table = make([]uint32, n)
	d.shift = 64 - uint(bits.TrailingZeros(uint(n)))
	mask := uint64(n - 1)
	for i, f := range d.values {
		h := hash64(math.Float64bits(f))
		at := h >> d.shift
		for d.table[at&mask] != 0 {
			at++
		}
		d.table[at&mask] = uint32(h)>>numberBits<<numberBits | uint32(i+1)
	}
}

// hash64 spreads bit patterns, whose low bits are mostly zero, over the high bits.
func hash64(b uint64) uint64 {
	b ^= b >> 32
	return b * 0x9e3779b97f4a7c15
}

// boolEncoder encodes booleans as bits.
type boolEncoder struct {
	unbounded
	undictionaried
	bits []byte
	n    int
}

func (e *boolEncoder) append(a arrow.Array, from, to int) {
	b := a.(*array.Boolean)
	for i := from; i < to; i++ {
		if b.IsNull(i) {
			continue
		}
		if e.n%8 == 0 {
			e.bits = append(e.bits, 0)
		}
		bitutil.SetBitTo(e.bits, e.n, b.Value(i))
		e.n++
	}
}

func (e *boolEncoder) page(dst []byte) ([]byte, format.Encoding) {
	dst = append(dst, e.bits...)
	e.bits, e.n = e.bits[:0], 0
	return dst, format.Plain
}
