package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxText bounds the text of one batch: a short run of a long dictionary value, or shared
	// prefixes, may stand for far more than a page holds.
	maxText = 1 << 28
	// maxWords is how many words a dictionary<int8, utf8> can tell apart.
	maxWords = 128
)

var (
	errText   = fmt.Errorf("more than %d MiB of text in a batch", maxText>>20)
	errUTF8   = errors.New("text that is not UTF-8")
	errLength = errors.New("a text's length does not fit its page")
)

// textDecoder decodes the values of one BYTE_ARRAY page into lengths and bytes.
type textDecoder struct {
	encoding format.Encoding
	data     []byte
	numbers  hybrid
	dict     []byte
	ends     []int   // of the dictionary's values
	identity []int32 // 0, 1, … as long as the dictionary
	prefix   delta
	lengths  delta
	last     []byte // DELTA_BYTE_ARRAY: the value before

	indexes []int32 // scratch
	sizes   []int64
	shared  []int64
}

func (d *textDecoder) chunk(*chunk) {
	d.dict, d.ends, d.identity = d.dict[:0], d.ends[:0], d.identity[:0]
}

func (d *textDecoder) dictionary(p *page) error {
	if err := checkDictionary(p, 4); err != nil {
		return err
	}
	d.chunk(nil)
	data := p.data
	for i := range p.values {
		v, rest, err := sized(data)
		if err != nil {
			return fmt.Errorf("dictionary page: %w", errShort)
		}
		data = rest
		d.dict = append(d.dict, v...)
		d.ends = append(d.ends, len(d.dict))
		d.identity = append(d.identity, int32(i))
	}
	return nil
}

// word is value i of the dictionary.
func (d *textDecoder) word(i int) []byte {
	from := 0
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.dict[from:d.ends[i]]
}

func (d *textDecoder) isNumbers() bool {
	return d.encoding == format.RLEDictionary || d.encoding == plainDictionary
}

func (d *textDecoder) start(p *page) (err error) {
	d.encoding, d.data = p.encoding, p.data
	switch p.encoding {
	case format.Plain:
		return nil
	case plainDictionary, format.RLEDictionary:
		return startNumbers(&d.numbers, p.data)
	case format.DeltaLengthByteArray:
		if err := d.lengths.reset(p.data); err != nil {
			return err
		}
		d.data, err = d.lengths.rest()
		return err
	case format.DeltaByteArray:
		if err := d.prefix.reset(p.data); err != nil {
			return err
		}
		rest, err := d.prefix.rest()
		if err != nil {
			return err
		}
		if err := d.lengths.reset(rest); err != nil {
			return err
		}
		d.data, err = d.lengths.rest()
		d.last = d.last[:0]
		return err
	}
	return unsupported(p.encoding, format.ByteArray)
}

// decode writes the lengths of the next len(lengths) values and appends their bytes to text.
func (d *textDecoder) decode(lengths []int32, text []byte) ([]byte, error) {
	switch d.encoding {
	case format.Plain:
		return d.plain(lengths, text)
	case format.DeltaLengthByteArray:
		return d.deltaLength(lengths, text)
	case format.DeltaByteArray:
		return d.deltaText(lengths, text)
	}
	d.indexes = grow(d.indexes, len(lengths))
	if err := lookup(&d.numbers, d.indexes, d.identity); err != nil {
		return text, err
	}
	for i, k := range d.indexes {
		v := d.word(int(k))
		if len(v) > maxText-len(text) {
			return text, errText
		}
		lengths[i] = int32(len(v))
		text = append(text, v...)
	}
	return text, nil
}

func (d *textDecoder) plain(lengths []int32, text []byte) ([]byte, error) {
	for i := range lengths {
		v, rest, err := sized(d.data)
		if err != nil {
			return text, errShort
		}
		if len(v) > maxText-len(text) {
			return text, errText
		}
		d.data = rest
		lengths[i] = int32(len(v))
		text = append(text, v...)
	}
	return text, nil
}

func (d *textDecoder) deltaLength(lengths []int32, text []byte) ([]byte, error) {
	d.sizes = grow(d.sizes, len(lengths))
	if err := d.lengths.decode(d.sizes); err != nil {
		return text, err
	}
	n := 0
	for i, size := range d.sizes {
		if size < 0 || size > int64(len(d.data)-n) {
			return text, errLength
		}
		lengths[i] = int32(size)
		n += int(size)
	}
	if n > maxText-len(text) {
		return text, errText
	}
	text = append(text, d.data[:n]...)
	d.data = d.data[n:]
	return text, nil
}

func (d *textDecoder) deltaText(lengths []int32, text []byte) ([]byte, error) {
	d.sizes, d.shared = grow(d.sizes, len(lengths)), grow(d.shared, len(lengths))
	if err := d.prefix.decode(d.shared); err != nil {
		return text, err
	}
	if err := d.lengths.decode(d.sizes); err != nil {
		return text, err
	}
	// The value before comes first in the batch, so that every prefix is in text.
	start, end := len(text), len(text)+len(d.last)
	total, before, suffixes := int64(end), int64(len(d.last)), int64(len(d.data))
	for i, size := range d.sizes {
		shared := d.shared[i]
		if shared < 0 || shared > before || size < 0 || size > suffixes {
			return text, errLength
		}
		before = shared + size
		suffixes -= size
		total += before
		if total > maxText {
			return text, errText
		}
		lengths[i] = int32(before)
	}
	text = append(slices.Grow(text, int(total)-start+short), d.last...)
	room := text[:int(total)+short]
	last, at := start, end
	for i, size := range d.sizes {
		shared := int(d.shared[i])
		copyShort(room, at, room, last, shared)
		copyShort(room, at+shared, d.data, 0, int(size))
		d.data = d.data[size:]
		last, at = at, at+shared+int(size)
	}
	d.last = append(d.last[:0], room[last:at]...)
	return append(text[:start], room[end:at]...), nil
}

// short is the length up to which copyShort moves whole words.
const short = 16

// copyShort copies n bytes from src[from:] to dst[at:]. It may overwrite up to short bytes after
// at, which is quicker than to copy the right number.
func copyShort(dst []byte, at int, src []byte, from, n int) {
	if n <= short && at+short <= len(dst) && from+short <= len(src) {
		a, b := binary.LittleEndian.Uint64(src[from:]), binary.LittleEndian.Uint64(src[from+8:])
		binary.LittleEndian.PutUint64(dst[at:], a)
		binary.LittleEndian.PutUint64(dst[at+8:], b)
		return
	}
	copy(dst[at:at+n], src[from:from+n])
}

// texts are BYTE_ARRAY columns of text.
type texts struct {
	textDecoder
	mem     memory.Allocator
	batch   batch // over the offsets
	offsets []int32
	text    []byte
}

func (c *texts) begin(mem memory.Allocator, n int) {
	c.mem = mem
	c.batch.begin(mem, n, (n+1)*4)
	c.offsets = arrow.Int32Traits.CastFromBytes(c.batch.buf.Bytes())
	c.offsets[0] = 0
	c.text = c.text[:0]
}

func (c *texts) read(off, n, k int, valid []byte) (err error) {
	lengths := c.offsets[1+off : 1+off+n]
	c.text, err = c.decode(lengths[:k], c.text)
	if err == nil && k < n {
		spread(lengths, valid, off, k)
	}
	return err
}

func (c *texts) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	end := int32(0)
	valid8 := utf8.Valid(c.text)
	for i, n := range c.offsets[1:] {
		if n > 0 && (!utf8.RuneStart(c.text[end]) || !valid8 && !utf8.Valid(c.text[end:end+n])) {
			return nil, &valueError{i, errUTF8}
		}
		end += n
		c.offsets[1+i] = end
	}
	text := memory.NewResizableBuffer(c.mem)
	defer text.Release()
	text.Resize(len(c.text))
	copy(text.Bytes(), c.text)
	defer c.drop()
	data := array.NewData(arrow.BinaryTypes.String, c.batch.rows, []*memory.Buffer{valid, c.batch.buf, text}, nil, nulls, 0)
	defer data.Release()
	return array.NewStringData(data), nil
}

func (c *texts) drop() { c.batch.drop() }

// enums are BYTE_ARRAY columns of a few known words, read as their codes.
type enums struct {
	textDecoder
	dtype *arrow.DictionaryType
	words []string
	code  map[string]int8
	list  arrow.Array // words

	codes   []int8 // of the chunk's dictionary; -1 for what is not a word
	batch   batch
	dst     []int8
	lengths []int32
	text    []byte
}

func newEnums(t *arrow.DictionaryType, words []string) *enums {
	c := &enums{dtype: t, words: slices.Clone(words), code: map[string]int8{}}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i, w := range words {
		c.code[w] = int8(i)
		b.Append(w)
	}
	c.list = b.NewStringArray()
	return c
}

func (c *enums) chunk(ch *chunk) {
	c.textDecoder.chunk(ch)
	c.codes = c.codes[:0]
}

func (c *enums) dictionary(p *page) error {
	if err := c.textDecoder.dictionary(p); err != nil {
		return err
	}
	c.codes = c.codes[:0]
	for i := range c.ends {
		code, ok := c.code[string(c.word(i))]
		if !ok {
			code = -1
		}
		c.codes = append(c.codes, code)
	}
	return nil
}

func (c *enums) begin(mem memory.Allocator, n int) {
	c.batch.begin(mem, n, n)
	c.dst = arrow.Int8Traits.CastFromBytes(c.batch.buf.Bytes())
}

func (c *enums) read(off, n, k int, valid []byte) error {
	dst := c.dst[off : off+n]
	unknown, word, err := c.decodeCodes(dst[:k])
	if err != nil {
		return err
	}
	if unknown >= 0 {
		row := off
		for i := -1; k < n; row++ { // row of the value with that number
			if bitutil.BitIsSet(valid, row) {
				i++
			}
			if i == unknown {
				break
			}
		}
		if k == n {
			row += unknown
		}
		return &valueError{row, fmt.Errorf("%.80q is not one of %q", word, c.words)}
	}
	if k < n {
		spread(dst, valid, off, k)
	}
	return nil
}

// decodeCodes writes the codes of the next values. Of the first value that is no word it gives
// number and text, or else -1.
func (c *enums) decodeCodes(dst []int8) (unknown int, word string, err error) {
	if c.isNumbers() {
		before := c.numbers
		if err := lookup(&c.numbers, dst, c.codes); err != nil {
			return -1, "", err
		}
		if !slices.Contains(c.codes, -1) {
			return -1, "", nil
		}
		if unknown = slices.Index(dst, -1); unknown >= 0 {
			c.indexes = grow(c.indexes, unknown+1)
			if err := lookup(&before, c.indexes, c.identity); err != nil {
				return -1, "", err
			}
			word = string(c.word(int(c.indexes[unknown])))
		}
		return unknown, word, nil
	}
	c.lengths = grow(c.lengths, len(dst))
	if c.text, err = c.decode(c.lengths, c.text[:0]); err != nil {
		return -1, "", err
	}
	from := 0
	for i, n := range c.lengths {
		word := c.text[from : from+int(n)]
		from += int(n)
		code, ok := c.code[string(word)]
		if !ok {
			return i, string(word), nil
		}
		dst[i] = code
	}
	return -1, "", nil
}

func (c *enums) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	defer c.drop()
	data := array.NewDataWithDictionary(c.dtype, c.batch.rows, []*memory.Buffer{valid, c.batch.buf}, nulls, 0, c.list.Data().(*array.Data))
	defer data.Release()
	return array.NewDictionaryData(data), nil
}

func (c *enums) drop() { c.batch.drop() }
