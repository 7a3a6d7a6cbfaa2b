package parquet

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/parquet-go/parquet-go/format"
)

// textDictionary numbers distinct texts in order of appearance.
type textDictionary struct {
	number map[string]int32
	plain  []byte // the values in PLAIN form
	words  []string
}

func (d *textDictionary) add(s string) int32 {
	k, ok := d.number[s]
	if !ok {
		if d.number == nil {
			d.number = map[string]int32{}
		}
		k = int32(len(d.words))
		from := len(d.plain) + 4
		d.plain = binary.LittleEndian.AppendUint32(d.plain, uint32(len(s)))
		d.plain = append(d.plain, s...)
		word := string(d.plain[from:])
		d.words = append(d.words, word)
		d.number[word] = k
	}
	return k
}

func (d *textDictionary) reset() {
	clear(d.number)
	d.plain, d.words = d.plain[:0], d.words[:0]
}

// enumEncoder encodes words of a short list as numbers of a dictionary.
type enumEncoder struct {
	unbounded
	dict    textDictionary
	numbers []int32
}

func (e *enumEncoder) append(a arrow.Array, from, to int) {
	d := a.(*array.Dictionary)
	codes := d.Indices().(*array.Int8).Int8Values()
	words := d.Dictionary().(*array.String)
	var number [maxWords]int32 // of each code, plus one
	eachValid(a, from, to, func(from, to int) {
		for _, code := range codes[from:to] {
			k := number[code]
			if k == 0 {
				k = e.dict.add(words.Value(int(code))) + 1
				number[code] = k
			}
			e.numbers = append(e.numbers, k-1)
		}
	})
}

func (e *enumEncoder) page(dst []byte) ([]byte, format.Encoding) {
	if len(e.dict.words) == 0 { // only nulls
		return dst, format.Plain
	}
	dst = appendNumbers(dst, e.numbers, len(e.dict.words))
	e.numbers = e.numbers[:0]
	return dst, format.RLEDictionary
}

func (e *enumEncoder) dictionary(dst []byte) ([]byte, int) {
	dst = append(dst, e.dict.plain...)
	n := len(e.dict.words)
	e.dict.reset()
	return dst, n
}

// textEncoder encodes text by a dictionary while that pays, or else in its own encoding.
type textEncoder struct {
	unbounded
	own     Encoding // Plain, DeltaLength or Delta
	direct  bool     // no dictionary, by request
	given   bool     // dictionary given up in this row group
	used    bool
	count   int
	dict    textDictionary
	numbers []int32

	// Of the page's values once there is no dictionary; of Delta only what a value does not share
	// with the one before.
	text    []byte
	lengths []int64
	shared  []int64
	last    []byte // the value before
}

func newTextEncoder(e Encoding) *textEncoder {
	switch e {
	case Default, Dictionary:
		return &textEncoder{own: Delta}
	default:
		return &textEncoder{own: e, direct: true}
	}
}

func (e *textEncoder) append(a arrow.Array, from, to int) {
	s := a.(*array.String)
	eachValid(a, from, to, func(from, to int) {
		for from < to && !e.direct && !e.given {
			e.numbers = append(e.numbers, e.dict.add(s.Value(from)))
			e.count++
			from++
			if n := len(e.dict.words); n > maxDictionary || len(e.dict.plain) > maxDictionaryText || e.count == textProbation && hopeless(n, e.count) || e.count == firstTexts && n == firstTexts && countUp(e.dict.words) {
				e.giveUp()
			}
		}
		text, base := s.ValueBytes(), s.ValueOffset(0)
		last := e.last
		for i := from; i < to; i++ {
			last = e.add(text[s.ValueOffset(i)-base:s.ValueOffset(i+1)-base], last)
		}
		e.last = append(e.last[:0], last...)
	})
}

// countUp reports whether each of the words is longer than the one before it or, of the same length,
// greater.
func countUp(words []string) bool {
	return slices.IsSortedFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
}

// maxDictionaryText bounds a dictionary's text.
const maxDictionaryText = 1 << 20

func (e *textEncoder) giveUp() {
	e.given = true
	for _, k := range e.numbers {
		e.last = append(e.last[:0], e.add([]byte(e.dict.words[k]), e.last)...)
	}
	e.numbers = e.numbers[:0]
}

// add takes a value that comes after last and returns it.
func (e *textEncoder) add(v, last []byte) []byte {
	n := 0
	if e.own == Delta {
		n = sharedPrefix(last, v)
		e.shared = append(e.shared, int64(n))
	}
	e.text = append(e.text, v[n:]...)
	e.lengths = append(e.lengths, int64(len(v)-n))
	return v
}

func (e *textEncoder) page(dst []byte) ([]byte, format.Encoding) {
	if !e.used && hopeless(len(e.dict.words), e.count) {
		e.giveUp()
	}
	if !e.direct && !e.given {
		if len(e.dict.words) == 0 { // only nulls
			return dst, format.Plain
		}
		e.used = true
		dst = appendNumbers(dst, e.numbers, len(e.dict.words))
		e.numbers = e.numbers[:0]
		return dst, format.RLEDictionary
	}
	defer func() { e.text, e.lengths, e.shared, e.last = e.text[:0], e.lengths[:0], e.shared[:0], e.last[:0] }()
	switch e.own {
	case Plain:
		from := int64(0)
		for _, n := range e.lengths {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
			dst = append(dst, e.text[from:from+n]...)
			from += n
		}
		return dst, format.Plain
	case DeltaLength:
		dst = appendDelta(dst, e.lengths)
		return append(dst, e.text...), format.DeltaLengthByteArray
	}
	dst = appendDelta(dst, e.shared)
	dst = appendDelta(dst, e.lengths)
	return append(dst, e.text...), format.DeltaByteArray
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func (e *textEncoder) dictionary(dst []byte) ([]byte, int) {
	n := 0
	if e.used {
		dst = append(dst, e.dict.plain...)
		n = len(e.dict.words)
	}
	e.dict.reset()
	e.given, e.used, e.count = false, false, 0
	return dst, n
}
