package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

// values decodes a column's values, the nulls left out, and builds Arrow arrays of them. A batch
// goes begin, read …, then finish, or drop if something failed.
type values interface {
	// chunk begins a chunk: it forgets the dictionary of the one before.
	chunk(ch *chunk)
	// dictionary takes a dictionary page.
	dictionary(p *page) error
	// start takes a data page; its slices stay valid until the last of its values is read.
	start(p *page) error
	// begin sets memory for n rows aside.
	begin(mem memory.Allocator, n int)
	// read decodes the k values of n rows from row off of the batch on; where k < n the bits of
	// valid say which rows they are for.
	read(off, n, k int, valid []byte) error
	// finish gives the batch. valid is nil where there are no nulls. The error is a *valueError.
	finish(valid *memory.Buffer, nulls int) (arrow.Array, error)
	drop()
}

// valueError is a value that the wanted type cannot hold.
type valueError struct {
	row int // of the batch
	err error
}

func (e *valueError) Error() string { return e.err.Error() }

// plainDictionary is what RLEDictionary, and Plain in a dictionary page, were called at first.
const plainDictionary format.Encoding = 2

func unsupported(e format.Encoding, t format.Type) error {
	return fmt.Errorf("encoding %v of %v is not supported", e, t)
}

// startNumbers reads the head of a dictionary-encoded page.
func startNumbers(h *hybrid, data []byte) error {
	if len(data) == 0 { // all null
		return h.reset(nil, 0)
	}
	return h.reset(data[1:], uint(data[0]))
}

// checkDictionary makes sure that a dictionary page has the bytes for its values.
func checkDictionary(p *page, width int) error {
	if p.encoding != format.Plain && p.encoding != plainDictionary {
		return fmt.Errorf("dictionary page: encoding %v is not supported", p.encoding)
	}
	if int(p.values)*width > len(p.data) {
		return fmt.Errorf("dictionary page: %w", errShort)
	}
	return nil
}

// spread moves the k values at the head of dst to the rows that valid, from bit off on, has ones
// for; the other rows become zero.
func spread[T any](dst []T, valid []byte, off, k int) {
	var zero T
	for i := len(dst) - 1; i >= 0; i-- {
		if bitutil.BitIsSet(valid, off+i) {
			k--
			dst[i] = dst[k]
		} else {
			dst[i] = zero
		}
	}
}

// batch is an array in the making over one buffer of values.
type batch struct {
	buf  *memory.Buffer
	rows int
}

func (b *batch) begin(mem memory.Allocator, rows, bytes int) {
	b.rows = rows
	b.buf = memory.NewResizableBuffer(mem)
	b.buf.Resize(bytes)
}

func (b *batch) finish(t arrow.DataType, valid *memory.Buffer, nulls int) arrow.Array {
	defer b.drop()
	data := array.NewData(t, b.rows, []*memory.Buffer{valid, b.buf}, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

func (b *batch) drop() {
	if b.buf != nil {
		b.buf.Release()
		b.buf = nil
	}
}

// words gives width bytes a value of PLAIN or BYTE_STREAM_SPLIT data.
type words struct {
	data  []byte
	next  int // of the values that data holds
	split bool
}

// take moves on by n values of width bytes and gives the first one's number.
func (w *words) take(n, width int) (int, error) {
	first := w.next
	if n > len(w.data)/width-first {
		return 0, errShort
	}
	w.next += n
	return first, nil
}

// word64 and word32 give value i.
func (w *words) word64(i int) (v uint64) {
	if !w.split {
		return binary.LittleEndian.Uint64(w.data[i*8:])
	}
	n := len(w.data) / 8
	for k := range 8 {
		v |= uint64(w.data[k*n+i]) << (8 * k)
	}
	return v
}

func (w *words) word32(i int) (v uint32) {
	if !w.split {
		return binary.LittleEndian.Uint32(w.data[i*4:])
	}
	n := len(w.data) / 4
	for k := range 4 {
		v |= uint32(w.data[k*n+i]) << (8 * k)
	}
	return v
}

// numbers is what columns of numbers have in common: pages of plain values, or of places in a dictionary of
// them.
type numbers[T int64 | float64] struct {
	physical format.Type
	convert  func(dst []T, w *words, first int) // plain values from number first on
	decode   func(dst []T) error                // the next values of the page

	dict   []T
	words  words
	places hybrid

	batch batch
	dst   []T
}

func (c *numbers[T]) chunk(*chunk) { c.dict = c.dict[:0] }

func (c *numbers[T]) width() int {
	if c.physical == format.Int32 || c.physical == format.Float {
		return 4
	}
	return 8
}

func (c *numbers[T]) dictionary(p *page) error {
	if err := checkDictionary(p, c.width()); err != nil {
		return err
	}
	c.dict = grow(c.dict, int(p.values))
	c.words = words{data: p.data}
	return c.plain(c.dict)
}

func (c *numbers[T]) start(p *page) error {
	switch p.encoding {
	case format.Plain, format.ByteStreamSplit:
		c.words = words{data: p.data, split: p.encoding == format.ByteStreamSplit}
		c.decode = c.plain
		return nil
	case plainDictionary, format.RLEDictionary:
		c.decode = c.lookup
		return startNumbers(&c.places, p.data)
	}
	return unsupported(p.encoding, c.physical)
}

func (c *numbers[T]) plain(dst []T) error {
	first, err := c.words.take(len(dst), c.width())
	if err == nil {
		c.convert(dst, &c.words, first)
	}
	return err
}

func (c *numbers[T]) lookup(dst []T) error { return lookup(&c.places, dst, c.dict) }

func (c *numbers[T]) begin(mem memory.Allocator, n int) {
	c.batch.begin(mem, n, n*8)
	c.dst = arrow.GetData[T](c.batch.buf.Bytes())
}

func (c *numbers[T]) read(off, n, k int, valid []byte) error {
	dst := c.dst[off : off+n]
	if err := c.decode(dst[:k]); err != nil {
		return err
	}
	if k < n {
		spread(dst, valid, off, k)
	}
	return nil
}

func (c *numbers[T]) drop() { c.batch.drop() }

// ints are INT64 and INT32 columns: integers and times.
type ints struct {
	numbers[int64]
	dtype    arrow.DataType
	unit     int64 // nanoseconds; an integer counts as microseconds, which stay as they are
	unsigned bool  // of 32 bits
	delta    delta
	lo, hi   int64 // of the chunk, as its statistics have it
}

func (c *ints) chunk(ch *chunk) {
	c.numbers.chunk(ch)
	var ok bool
	if c.lo, c.hi, ok = ch.bounds(); !ok {
		c.lo, c.hi = math.MinInt64, math.MaxInt64
	}
}

// read holds the values against the chunk's statistics, by which readers pass over what they do not want.
func (c *ints) read(off, n, k int, valid []byte) error {
	dst := c.dst[off : off+n]
	if err := c.decode(dst[:k]); err != nil {
		return err
	}
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range dst[:k] {
		lo, hi = min(lo, v), max(hi, v)
	}
	if k > 0 && (lo < c.lo || hi > c.hi) {
		return fmt.Errorf("values from %d to %d, its statistics say %d to %d", lo, hi, c.lo, c.hi)
	}
	if k < n {
		spread(dst, valid, off, k)
	}
	return nil
}

func newInts(l *leaf, dtype arrow.DataType, unit int64) *ints {
	c := &ints{dtype: dtype, unit: unit, unsigned: l.annotation.kind == annotationInteger && !l.annotation.sign}
	c.physical = l.physical
	c.convert = func(dst []int64, w *words, first int) {
		if c.width() == 8 {
			for k := range dst {
				dst[k] = int64(w.word64(first + k))
			}
			return
		}
		for k := range dst {
			dst[k] = int64(w.word32(first + k))
		}
		c.narrow(dst)
	}
	return c
}

// narrow takes the lower 32 bits of values for what they are.
func (c *ints) narrow(dst []int64) {
	for k, v := range dst {
		if dst[k] = int64(int32(v)); c.unsigned {
			dst[k] = int64(uint32(v))
		}
	}
}

func (c *ints) start(p *page) error {
	if p.encoding == format.DeltaBinaryPacked {
		c.decode = c.differences
		return c.delta.reset(p.data)
	}
	return c.numbers.start(p)
}

func (c *ints) differences(dst []int64) error {
	err := c.delta.decode(dst)
	if c.physical == format.Int32 { // the differences wrap at 32 bits
		c.narrow(dst)
	}
	return err
}

func (c *ints) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	switch c.unit {
	case nanosPerMilli:
		for i, v := range c.dst {
			if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
				return nil, &valueError{i, fmt.Errorf("time of %d ms does not fit microseconds", v)}
			}
			c.dst[i] = v * 1000
		}
	case 1:
		for i, v := range c.dst {
			if v%nanosPerMicro != 0 {
				return nil, &valueError{i, fmt.Errorf("time of %d ns is not a whole microsecond", v)}
			}
			c.dst[i] = v / nanosPerMicro
		}
	}
	return c.batch.finish(c.dtype, valid, nulls), nil
}

// floats are DOUBLE and FLOAT columns.
type floats struct {
	numbers[float64]
	finite bool // NaN and infinities are errors, and so is what is below least
	least  float64
}

func newFloats(physical format.Type) *floats {
	c := &floats{}
	c.physical = physical
	c.convert = func(dst []float64, w *words, first int) {
		if c.width() == 8 {
			for k := range dst {
				dst[k] = math.Float64frombits(w.word64(first + k))
			}
			return
		}
		for k := range dst {
			dst[k] = float64(math.Float32frombits(w.word32(first + k)))
		}
	}
	return c
}

func (c *floats) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	if c.finite {
		for i, v := range c.dst {
			if v-v == 0 && v >= c.least {
				continue
			}
			if valid == nil || bitutil.BitIsSet(valid.Bytes(), i) {
				return nil, &valueError{i, fmt.Errorf("%v is not a number that a cell may hold", v)}
			}
		}
	}
	return c.batch.finish(arrow.PrimitiveTypes.Float64, valid, nulls), nil
}

// bools are BOOLEAN columns.
type bools struct {
	encoding format.Encoding
	data     []byte // PLAIN bits
	bit      int
	runs     hybrid

	batch batch
	dense []byte // bits without those of nulls
}

func (c *bools) chunk(*chunk) {}

func (c *bools) dictionary(*page) error { return errors.New("a dictionary of booleans") }

func (c *bools) start(p *page) error {
	c.encoding = p.encoding
	switch p.encoding {
	case format.Plain:
		c.data, c.bit = p.data, 0
		return nil
	case format.RLE:
		if len(p.data) == 0 { // all null
			return c.runs.reset(nil, 1)
		}
		runs, _, err := sized(p.data)
		if err != nil {
			return err
		}
		return c.runs.reset(runs, 1)
	}
	return unsupported(p.encoding, format.Boolean)
}

func (c *bools) begin(mem memory.Allocator, n int) {
	c.batch.begin(mem, n, (n+7)/8)
	clear(c.batch.buf.Bytes())
}

func (c *bools) decode(dst []byte, off, k int) error {
	if c.encoding == format.RLE {
		_, err := c.runs.validity(dst, off, k)
		return err
	}
	if k > len(c.data)*8-c.bit {
		return errShort
	}
	bitutil.CopyBitmap(c.data, c.bit, k, dst, off)
	c.bit += k
	return nil
}

func (c *bools) read(off, n, k int, valid []byte) error {
	dst := c.batch.buf.Bytes()
	if k == n {
		return c.decode(dst, off, k)
	}
	c.dense = grow(c.dense, (k+7)/8)
	clear(c.dense)
	if err := c.decode(c.dense, 0, k); err != nil {
		return err
	}
	k = 0
	for i := range n {
		if bitutil.BitIsSet(valid, off+i) {
			bitutil.SetBitTo(dst, off+i, bitutil.BitIsSet(c.dense, k))
			k++
		}
	}
	return nil
}

func (c *bools) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	return c.batch.finish(arrow.FixedWidthTypes.Boolean, valid, nulls), nil
}

func (c *bools) drop() { c.batch.drop() }
