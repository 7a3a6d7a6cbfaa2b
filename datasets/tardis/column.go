package tardis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

// cellKind says how the cells of a column are read.
type cellKind uint8

const (
	constant   cellKind = iota // the same text in every row: exchange, and symbol unless grouped
	symbolCell                 // the symbol of a grouped file
	timeCell
	numberCell
	textCell
	enumCell
	boolCell
)

// column reads one column's cells straight into the Arrow buffers of the batch being filled. A cell
// has two readers that agree: fastRow reads the usual spelling from within a row, set reads any
// spelling of a cell that has been cut out and says what is wrong with it.
type column struct {
	kind     cellKind
	nullable bool
	delim    byte // ends its cells: a comma, or a line feed in the last column

	// The batch's buffers. Row n writes entry n (bit n of a bitmap); valid starts out all set and
	// flags all clear.
	floats []float64
	ints   []int64
	index  []int32 // of a symbolCell: codes; of a textCell: offsets into data, one more than rows
	enums  []int8
	flags  []byte
	data   []byte
	valid  []byte

	from  int64 // of a timeCell: the first allowed instant and how many follow it
	span  uint64
	head  uint64 // of a timeCell: the first eight digits of the cell before, as loaded, and
	since int64  // what they stand for
	words *words // of an enumCell or boolCell
	codes map[string]int32
	names []string      // of a symbolCell: by code
	dict  *array.String // of a symbolCell or enumCell: what its codes stand for

	name    string
	want    string // of a constant: the cell
	field   arrow.Field
	room    int               // of a textCell: how much text the batch before made room for
	buffers [3]*memory.Buffer // what the slices above look into, in Arrow's order: validity, values, text
	mem     memory.Allocator
}

// words recognises the values of an enum or a bool together with the delimiter behind them, by one
// comparison of a masked 8-byte word. The first letter chooses the candidate; a value that is
// longer than seven bytes or shares its first letter with another one is left to the slow reader.
type words struct {
	values []string
	first  [256]int8
	word   []uint64
	mask   []uint64
}

func newWords(values []string, delim byte) *words {
	w := &words{values: values, word: make([]uint64, len(values)), mask: make([]uint64, len(values))}
	for i := range w.first {
		w.first[i] = -1
	}
	for code, v := range values {
		if v == "" || len(v) > 7 || w.first[v[0]] >= 0 {
			continue
		}
		var b [8]byte
		b[copy(b[:], v)] = delim
		w.first[v[0]] = int8(code)
		w.word[code] = binary.LittleEndian.Uint64(b[:])
		w.mask[code] = math.MaxUint64 >> (56 - 8*len(v))
	}
	return w
}

// find gives the code of the value at b[i:] and its length with the delimiter; the code is negative
// where the slow reader has to look.
func (w *words) find(b []byte, i int) (code int8, n int) {
	x := binary.LittleEndian.Uint64(b[i : i+8])
	code = w.first[byte(x)]
	if code < 0 || x&w.mask[code] != w.word[code] {
		return -1, 0
	}
	return code, len(w.values[code]) + 1
}

// begin takes buffers for a batch of so many rows (a multiple of 8).
func (c *column) begin(rows int) {
	take := func(i, bytes int) []byte {
		c.buffers[i] = memory.NewResizableBuffer(c.mem)
		c.buffers[i].Resize(bytes)
		return c.buffers[i].Bytes()
	}
	if c.nullable {
		c.valid = take(0, rows/8)
		for i := range c.valid {
			c.valid[i] = 0xff
		}
	}
	switch c.kind {
	case numberCell:
		c.floats = arrow.Float64Traits.CastFromBytes(take(1, 8*rows))
	case timeCell:
		c.ints = arrow.Int64Traits.CastFromBytes(take(1, 8*rows))
	case enumCell:
		c.enums = arrow.Int8Traits.CastFromBytes(take(1, rows))
	case boolCell:
		c.flags = take(1, rows/8)
		clear(c.flags)
	case symbolCell:
		c.index = arrow.Int32Traits.CastFromBytes(take(1, 4*rows))
	case textCell:
		c.index = arrow.Int32Traits.CastFromBytes(take(1, 4*(rows+1)))
		c.index[0] = 0
		c.data = take(2, max(c.room, 16*rows))
	}
}

// finish hands the first n rows over as an array. The column needs begin before its next row.
func (c *column) finish(n int) arrow.Array {
	nulls := 0
	if c.nullable {
		nulls = n - bitutil.CountSetBits(c.valid, 0, n)
	}
	bitmap := (n + 7) / 8
	if nulls > 0 {
		c.buffers[0].ResizeNoShrink(bitmap)
	} else if c.nullable {
		c.buffers[0].Release()
		c.buffers[0] = nil
	}
	size, used := bitmap, 2
	var dict *array.Data
	switch c.kind {
	case numberCell, timeCell:
		size = 8 * n
	case enumCell:
		size = n
		dict = c.dict.Data().(*array.Data)
	case symbolCell:
		size = 4 * n
		dict = c.symbols().Data().(*array.Data)
	case textCell:
		size, used = 4*(n+1), 3
		c.room = len(c.data)
		c.buffers[2].ResizeNoShrink(int(c.index[n]))
	}
	c.buffers[1].ResizeNoShrink(size)
	data := array.NewDataWithDictionary(c.field.Type, n, slices.Clone(c.buffers[:used]), nulls, 0, dict)
	defer data.Release()
	c.drop()
	return array.MakeFromData(data)
}

// drop lets the column's hold on the batch's buffers go.
func (c *column) drop() {
	for i, b := range c.buffers {
		if b != nil {
			b.Release()
			c.buffers[i] = nil
		}
	}
}

// symbols is the dictionary of a symbolCell: the names met so far, in the order of their codes.
func (c *column) symbols() *array.String {
	if c.dict == nil || c.dict.Len() < len(c.names) {
		if c.dict != nil {
			c.dict.Release()
		}
		c.dict = stringArray(c.names)
	}
	return c.dict
}

func stringArray(values []string) *array.String {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	return b.NewStringArray()
}

var (
	errEmpty   = errors.New("empty cell in a column that is never empty")
	errUTF8    = errors.New("not valid UTF-8")
	errControl = errors.New("control character")
)

// set reads a whole cell as row n, whatever its spelling.
func (c *column) set(cell []byte, n int, p datasets.Partition) error {
	if len(cell) == 0 && c.kind != constant && c.kind != symbolCell {
		if !c.nullable {
			return errEmpty
		}
		c.null(n)
		return nil
	}
	switch c.kind {
	case constant:
		return c.setConstant(cell, p)
	case symbolCell:
		return c.setSymbol(cell, n, p)
	case numberCell:
		f, err := parseNumber(cell)
		if err != nil {
			return fmt.Errorf("%s: %w", quote(cell), err)
		}
		c.floats[n] = f
	case timeCell:
		us, err := parseTime(cell)
		if err != nil {
			return fmt.Errorf("%s: %w", quote(cell), err)
		}
		if uint64(us-c.from) > c.span {
			return c.offTime(us, p.Day)
		}
		c.ints[n] = us
	case enumCell, boolCell:
		code := slices.Index(c.words.values, string(cell))
		if code < 0 {
			return fmt.Errorf("%s: want one of %q", quote(cell), c.words.values)
		}
		if c.kind == enumCell {
			c.enums[n] = int8(code)
		} else if code == 1 {
			c.flags[n/8] |= 1 << (n % 8)
		}
	case textCell:
		if err := checkText(cell); err != nil {
			return fmt.Errorf("%s: %w", quote(cell), err)
		}
		c.setText(cell, n)
	}
	return nil
}

// offTime says what is wrong with a time out of the column's range.
func (c *column) offTime(us int64, d datasets.Day) error {
	if unit := datasets.TimeUnit(us); unit != "" {
		return errors.New(unit)
	}
	return fmt.Errorf("%d is not on %s (UTC), the day of this file; one of several days has to be split by day first", us, d)
}

// null makes row n null, with a zero in the buffer so that equal files give equal buffers.
func (c *column) null(n int) {
	c.valid[n/8] &^= 1 << (n % 8)
	switch c.kind {
	case numberCell:
		c.floats[n] = 0
	case timeCell:
		c.ints[n] = 0
	case enumCell:
		c.enums[n] = 0
	case textCell:
		c.index[n+1] = c.index[n]
	}
}

// forget undoes what an abandoned reading of row n has left in the bitmaps.
func (c *column) forget(n int) {
	if c.nullable {
		c.valid[n/8] |= 1 << (n % 8)
	}
	if c.kind == boolCell {
		c.flags[n/8] &^= 1 << (n % 8)
	}
}

// setConstant checks the cell. The exchange may write BTC/USD where the file's name has BTC-USD: the
// spelling that is met becomes the one that fastRow compares with.
func (c *column) setConstant(cell []byte, p datasets.Partition) error {
	if string(cell) == c.want {
		return nil
	}
	if c.name == exchangeColumn {
		return fmt.Errorf("%s in a file of %s", quote(cell), quote(p.Exchange))
	}
	if datasets.NormalizeSymbol(string(cell)) != p.Symbol {
		return fmt.Errorf("%s in a file of %s", quote(cell), quote(p.Symbol))
	}
	c.want = string(cell)
	return nil
}

// maxSymbols bounds what a grouped file can make the decoder remember.
const maxSymbols = 1 << 17

func (c *column) setSymbol(cell []byte, n int, p datasets.Partition) error {
	if code, ok := c.codes[string(cell)]; ok {
		c.index[n] = code
		return nil
	}
	name := datasets.NormalizeSymbol(string(cell))
	if err := (datasets.Instrument{Exchange: p.Exchange, Symbol: name}).Validate(); err != nil {
		return err
	}
	if len(c.codes) == maxSymbols {
		return fmt.Errorf("more than %d symbols in one file", maxSymbols)
	}
	code, ok := c.codes[name]
	if !ok {
		code = int32(len(c.names))
		c.names = append(c.names, name)
		c.codes[name] = code
	}
	c.codes[string(cell)] = code
	c.index[n] = code
	return nil
}

func checkText(cell []byte) error {
	if !utf8.Valid(cell) {
		return errUTF8
	}
	for _, b := range cell {
		if b < ' ' || b == 0x7f {
			return errControl
		}
	}
	return nil
}

// setText appends the cell to the column's text, making room where there is too little.
func (c *column) setText(cell []byte, n int) {
	at := int(c.index[n])
	if need := at + len(cell); need > len(c.data) {
		c.buffers[2].Resize(max(need, 2*len(c.data)))
		c.data = c.buffers[2].Bytes()
	}
	copy(c.data[at:], cell)
	c.index[n+1] = int32(at + len(cell))
}
