package parquet

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	encdelta "github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
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

// appendNumbers encodes numbers of a dictionary of n values: their width, then runs.
func appendNumbers(dst []byte, numbers []int32, n int, scratch *[]byte) []byte {
	e := rle.Encoding{BitWidth: int(bitWidth(n))}
	out, err := e.EncodeInt32((*scratch)[:0], numbers)
	if err != nil {
		panic("parquet: run lengths: " + err.Error())
	}
	*scratch = out
	return append(append(dst, byte(e.BitWidth)), out...)
}

// appendDelta64 and appendDelta32 encode integers as differences.
func appendDelta64(dst []byte, v []int64, scratch *[]byte) []byte {
	var e encdelta.BinaryPackedEncoding
	out, err := e.EncodeInt64((*scratch)[:0], v)
	if err != nil {
		panic("parquet: delta: " + err.Error())
	}
	*scratch = out
	return append(dst, out...)
}

func appendDelta32(dst []byte, v []int32, scratch *[]byte) []byte {
	var e encdelta.BinaryPackedEncoding
	out, err := e.EncodeInt32((*scratch)[:0], v)
	if err != nil {
		panic("parquet: delta: " + err.Error())
	}
	*scratch = out
	return append(dst, out...)
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
	plain   bool
	values  []int64
	lo, hi  int64
	some    bool
	scratch []byte
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
	dst = appendDelta64(dst, e.values, &e.scratch)
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
	probation = 1024
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
	scratch []byte
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
		n = e.dict.add(&e.numbers, v[:n])
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
	dst = appendNumbers(dst, e.numbers, len(e.dict.values), &e.scratch)
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
	table  []int32 // number + 1, or 0
}

const minTable = 1 << 10

func (d *floatDictionary) reset() {
	d.values = d.values[:0]
	clear(d.table)
}

// add appends the numbers of v to numbers and reports how many it took: fewer than all if the
// dictionary has become too large.
func (d *floatDictionary) add(numbers *[]int32, v []float64) int {
	out := slices.Grow(*numbers, len(v))
	defer func() { *numbers = out }()
	for i, f := range v {
		if 2*len(d.values) >= len(d.table) {
			d.rehash()
		}
		b := math.Float64bits(f)
		mask := uint64(len(d.table) - 1)
		slot := hash64(b) & mask
		for {
			k := d.table[slot]
			if k == 0 {
				if len(d.values) == maxDictionary+1 {
					return i
				}
				d.values = append(d.values, f)
				k = int32(len(d.values))
				d.table[slot] = k
			} else if math.Float64bits(d.values[k-1]) != b {
				slot = (slot + 1) & mask
				continue
			}
			out = append(out, k-1)
			break
		}
	}
	return len(v)
}

func (d *floatDictionary) rehash() {
	d.table = make([]int32, max(minTable, 2*len(d.table)))
	mask := uint64(len(d.table) - 1)
	for i, f := range d.values {
		slot := hash64(math.Float64bits(f)) & mask
		for d.table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		d.table[slot] = int32(i + 1)
	}
}

// hash64 spreads bit patterns whose low bits are mostly zero.
func hash64(b uint64) uint64 {
	b *= 0x9e3779b97f4a7c15
	return b ^ b>>32
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
