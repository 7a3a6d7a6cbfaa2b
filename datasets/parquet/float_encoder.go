package parquet

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxDictionary is how many distinct values a row group's dictionary takes before the rest of
	// the row group is stored without it.
	maxDictionary = 1 << 16
	// A dictionary is given up if, after that many values or the first page, more than three in four
	// were new.
	probation = 1 << 13
	// Hashing words costs so much more that a column of identifiers has to be recognised earlier: at the
	// latest after textProbation, and after firstTexts where these count up.
	textProbation = 1 << 11
	firstTexts    = 1 << 8
)

// hopeless reports whether a dictionary of n distinct among count values is not worth going on with.
func hopeless(n, count int) bool { return 4*n > 3*count }

// floatEncoder encodes float64, bit for bit, by a dictionary while that pays.
type floatEncoder struct {
	unbounded
	plain   bool // by request
	given   bool // dictionary given up in this row group
	used    bool // a page of this row group refers to the dictionary
	wide    bool // its numbers take whole bytes
	count   int  // values in the row group while the dictionary lasts
	dict    floatDictionary
	numbers []uint16  // of the page's values
	last    []uint16  // of the page before; valid until a value is added
	values  []float64 // of the page once there is no dictionary
}

func (e *floatEncoder) append(a arrow.Array, from, to int) {
	all := a.(*array.Float64).Float64Values()
	eachValid(a, from, to, func(from, to int) { e.add(all[from:to]) })
}

func (e *floatEncoder) add(v []float64) {
	for !e.plain && !e.given && len(v) > 0 {
		some := len(v)
		if e.count < probation {
			some = min(some, probation-e.count)
		}
		var n int
		e.numbers, n = e.dict.add(e.numbers, v[:some])
		e.count += n
		v = v[n:]
		if n < some || e.count == probation && hopeless(len(e.dict.values), e.count) {
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
	if e.wide {
		dst = appendWide(dst, e.numbers, len(e.dict.values))
	} else {
		dst = appendNumbers(dst, e.numbers, len(e.dict.values))
	}
	e.last, e.numbers = e.numbers, e.numbers[:0]
	return dst, format.RLEDictionary
}

// widePage appends the last page once more, as it is where wide is set.
func (e *floatEncoder) widePage(dst []byte) []byte {
	return appendWide(dst, e.last, len(e.dict.values))
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
