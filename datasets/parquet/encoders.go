package parquet

import (
	"encoding/binary"
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
