package tardis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

const (
	// maxBatchRows and maxBatchBytes bound a batch, whichever is reached first.
	maxBatchRows  = 32 << 10
	maxBatchBytes = 2 << 20
	// maxLine bounds a row, and with it the memory that input without line feeds can take. The
	// longest rows of the feeds, those of book_snapshot_25, have about 2 KiB.
	maxLine = 1 << 20
)

// exchangeColumn and datasets.SymbolColumn lead every CSV.
const exchangeColumn = "exchange"

// Decoder reads one day-file's CSV as record batches in the file's order, with the feed's full
// schema. It implements array.RecordReader.
//
// Columns are found by the header's names; an unknown, missing or repeated one is an error. Every
// row has to carry the partition's exchange and symbol and times that can be of its day's file; see
// datasets.TimeRange. Times are integers throughout; a number becomes the nearest double; an empty cell is null where
// the schema allows it and an error elsewhere. Rows end in LF or CRLF, the last one perhaps in nothing. The vendor quotes
// nothing; files that went through a spreadsheet or a data frame may: a cell in quotes is what stands between them, a
// byte order mark before the header and blank lines behind the last row count for nothing. NUL and other control
// characters are errors. An input of no bytes at all is a file without rows.
//
// For a grouped partition, field 0 is "symbol", a dictionary<int32, utf8> in which a code keeps its
// meaning through the whole file.
//
// A record and its buffers are valid until the next call of Next, or as long as they are retained,
// in any goroutine. Buffers are reused once released. The decoder itself serves one goroutine.
type Decoder struct {
	refs  atomic.Int64
	in    *blocks
	file  string
	part  datasets.Partition
	limit int64 // of bad rows
	mem   memory.Allocator

	schema  *arrow.Schema
	columns []column  // symbol, exchange, then the feed's in the schema's order
	cells   []*column // in the header's order, as the careful reader takes them
	steps   []step    // the same for the fast one
	rows    int       // of a full batch

	buf        []byte // buf[pos:end] holds whole rows yet to be parsed, buf[end:have] the head of another one
	pos, end   int
	have       int
	line       int64 // of the row at pos, from 1
	eof        bool
	blank      int64 // the first of the blank lines before the row at pos, 0 where there is none
	headerRead bool
	begun      bool // the columns have buffers
	bad        []datasets.BadRow
	split      [][]byte // the cells of a row, for slowRow
	record     arrow.Record
	err        error
}

// NewDecoder prepares to read the plain CSV of p from r. file is the name that errors show. Up to
// maxBad malformed rows are set aside instead of failing. The caller releases the decoder; r stays
// the caller's to close.
func NewDecoder(r io.Reader, p datasets.Partition, file string, maxBad int64) *Decoder {
	return newDecoder(&blocks{src: r}, p, file, maxBad)
}

func newDecoder(in *blocks, p datasets.Partition, file string, maxBad int64) *Decoder {
	d := &Decoder{in: in, file: file, part: p, limit: maxBad, mem: datasets.Buffers, line: 1}
	d.refs.Store(1)
	if p.Grouped() {
		d.schema = p.Type.GroupedSchema()
		d.columns = append(d.columns, column{name: datasets.SymbolColumn, kind: symbolCell, field: d.schema.Field(0), codes: map[string]int32{}})
	} else {
		d.schema, _ = p.Type.Schema() // all columns: no name that could be unknown
		d.columns = append(d.columns, column{name: datasets.SymbolColumn, want: p.Symbol})
	}
	d.columns = append(d.columns, column{name: exchangeColumn, want: p.Exchange})
	feed := p.Type.Columns()
	for _, f := range feed {
		c := column{name: f.Name, nullable: f.Nullable, field: f.Field()}
		switch f.Kind {
		case datasets.Time:
			from, end := datasets.TimeRange(f.Name, p.Day)
			c.kind, c.from, c.span = timeCell, from, uint64(end-from-1)
		case datasets.Number:
			c.kind = numberCell
		case datasets.Text:
			c.kind = textCell
		case datasets.Enum:
			c.kind, c.words, c.dict = enumCell, &words{values: f.Values}, stringArray(f.Values)
		case datasets.Bool:
			c.kind, c.words = boolCell, &words{values: []string{"false", "true"}}
		}
		d.columns = append(d.columns, c)
	}
	d.rows = min(maxBatchRows, maxBatchBytes/(8*len(feed))) &^ 1023
	return d
}

// Schema is the feed's schema, led by "symbol" for a grouped partition.
func (d *Decoder) Schema() *arrow.Schema { return d.schema }

// Record is the batch that the last Next has read.
func (d *Decoder) Record() arrow.Record { return d.record }

// Err is the error that ended the stream, nil at a proper end. Where it is about the content it is
// a *SyntaxError.
func (d *Decoder) Err() error { return d.err }

// BadRows lists the malformed rows that were set aside so far.
func (d *Decoder) BadRows() []datasets.BadRow { return d.bad }

// Retain adds a reference.
func (d *Decoder) Retain() { d.refs.Add(1) }

// Release drops a reference; the last one lets the current record go.
func (d *Decoder) Release() {
	if d.refs.Add(-1) == 0 {
		d.releaseRecord()
	}
}

func (d *Decoder) releaseRecord() {
	if d.record != nil {
		d.record.Release()
		d.record = nil
	}
}

// Next reads the next batch, of at least one row.
func (d *Decoder) Next() bool {
	d.releaseRecord()
	if d.err != nil {
		return false
	}
	if !d.headerRead {
		if d.err = d.readHeader(); d.err != nil || !d.headerRead {
			return false
		}
	}
	n := 0
	for full := false; n < d.rows && !full && d.err == nil; {
		switch {
		case d.pos < d.end:
			d.begin()
			n, full = d.parse(n)
		case d.eof:
			full = true
		default:
			d.err = d.fill()
		}
	}
	if n == 0 || d.err != nil {
		d.drop()
		return false
	}
	d.record = d.finish(n)
	return true
}

// fill reads on until at least one more whole row is there, or the input has ended.
func (d *Decoder) fill() error {
	d.pos = d.end
	for {
		rest := d.have - d.pos
		if rest >= maxLine {
			return &SyntaxError{File: d.file, Line: d.line, Msg: fmt.Sprintf("a line of more than %d bytes", maxLine)}
		}
		buf, from, have, err := d.in.next(d.buf[d.pos:d.have])
		if err != nil && err != io.EOF {
			return err
		}
		d.buf, d.pos, d.end, d.have = buf, from, from, have
		if i := bytes.LastIndexByte(buf[from+rest:have], '\n'); i >= 0 {
			d.end = from + rest + i + 1
		}
		if err == io.EOF {
			d.eof = true
			if d.end < d.have { // the last row has no line feed
				d.buf[d.have] = '\n'
				d.have++
				d.end = d.have
			}
			return nil
		}
		if d.end > d.pos {
			return nil
		}
	}
}

// row gives the next row without its line feed; there has to be one.
func (d *Decoder) row() []byte {
	return d.buf[d.pos : d.pos+bytes.IndexByte(d.buf[d.pos:d.end], '\n')]
}

// readHeader puts the columns into the header's order. Input without any byte leaves headerRead
// false.
func (d *Decoder) readHeader() error {
	if err := d.fill(); err != nil {
		return err
	}
	if d.end == d.pos {
		return nil
	}
	header := d.row()
	d.pos += len(header) + 1
	header = bytes.TrimSuffix(bytes.TrimPrefix(header, byteOrderMark), []byte{'\r'})
	fail := func(name, format string, a ...any) error {
		return &SyntaxError{File: d.file, Line: 1, Column: name, Msg: fmt.Sprintf(format, a...)}
	}
	names, err := d.unquoted(header)
	if err != nil {
		return fail("", "%v", err)
	}
	for _, name := range names {
		name := string(name)
		i := slices.IndexFunc(d.columns, func(c column) bool { return c.name == name })
		switch {
		case i < 0:
			return fail(quote(name), "not a column of %s", d.part.Type)
		case slices.Contains(d.cells, &d.columns[i]):
			return fail(name, "stands in the header twice")
		}
		d.cells = append(d.cells, &d.columns[i])
	}
	for i := range d.columns {
		if !slices.Contains(d.cells, &d.columns[i]) {
			return fail(d.columns[i].name, "missing in the header of a %s file", d.part.Type)
		}
	}
	for i, c := range d.cells {
		c.mem, c.delim = d.mem, ','
		if i == len(d.cells)-1 {
			c.delim = '\n'
		}
		if c.kind == enumCell || c.kind == boolCell {
			c.words = newWords(c.words.values, c.delim)
		}
	}
	d.plan()
	d.line++
	d.headerRead = true
	return nil
}

// byteOrderMark is what some programs begin a text in UTF-8 with.
var byteOrderMark = []byte("\ufeff")

var errQuote = errors.New("a quote that is not around a whole cell")

// unquoted splits a row into its cells, in memory of its own where one of them is in quotes, in which two stand for one.
func (d *Decoder) unquoted(row []byte) ([][]byte, error) {
	d.split = d.split[:0]
	if bytes.IndexByte(row, '"') < 0 {
		for more := true; more; {
			var cell []byte
			cell, row, more = bytes.Cut(row, []byte{','})
			d.split = append(d.split, cell)
		}
		return d.split, nil
	}
	row = bytes.Clone(row)
	for {
		end := bytes.IndexByte(row, ',')
		cell := row
		if end >= 0 {
			cell = row[:end]
		}
		if len(row) > 0 && row[0] == '"' {
			n, i := 0, 1 // of the cell, which is written over the quotes
			for ; i < len(row) && (row[i] != '"' || i+1 < len(row) && row[i+1] == '"'); i++ {
				if row[i] == '"' {
					i++
				}
				row[n] = row[i]
				n++
			}
			if end = i + 1; i == len(row) || end < len(row) && row[end] != ',' {
				return nil, errQuote
			}
			if cell = row[:n]; end == len(row) {
				end = -1
			}
		} else if bytes.IndexByte(cell, '"') >= 0 {
			return nil, errQuote
		}
		d.split = append(d.split, cell)
		if end < 0 {
			return d.split, nil
		}
		row = row[end+1:]
	}
}

// plan makes the fast reader's steps, joining constants that stand side by side.
func (d *Decoder) plan() {
	d.steps = d.steps[:0]
	for i, c := range d.cells {
		switch {
		case c.kind != constant:
			d.steps = append(d.steps, step{cell: c})
		case i > 0 && d.cells[i-1].kind == constant:
			d.steps[len(d.steps)-1].text += c.want + string(c.delim)
		default:
			d.steps = append(d.steps, step{text: c.want + string(c.delim)})
		}
	}
}

// maxBatchText ends a batch early where its cells are very long.
const maxBatchText = 16 << 20

// parse reads rows from the input buffer into the batch, which holds n already, until the buffer or
// the batch has no more. It gives the new n and whether the batch has to end with it.
func (d *Decoder) parse(n int) (rows int, full bool) {
	if d.blank > 0 {
		if d.skipBlank(n); d.err != nil {
			return n, true
		}
	}
	for d.pos < d.end && n < d.rows && !full {
		if next := fastRow(d.steps, d.buf, d.pos, n); next >= 0 {
			d.pos = next
			d.line++
			n++
			continue
		}
		row := d.row()
		if blank(row) {
			d.blank = d.line
			if d.skipBlank(n); d.err != nil {
				return n, true
			}
			continue
		}
		if err := d.slowRow(row, n); err == nil {
			full = d.longText(n + 1)
			n++
		} else if d.err = d.setAside(row, n, err); d.err != nil {
			return n, true
		}
		d.pos += len(row) + 1
		d.line++
	}
	return n, full
}

func blank(row []byte) bool { return len(row) == 0 || len(row) == 1 && row[0] == '\r' }

// skipBlank passes over blank lines. Behind the last row they count for nothing; before row n they are bad rows.
func (d *Decoder) skipBlank(n int) {
	for d.pos < d.end {
		row := d.row()
		if !blank(row) {
			line := d.line
			for d.line = d.blank; d.line < line && d.err == nil; d.line++ {
				d.err = d.setAside(nil, n, d.syntaxError(-1, "the line is blank"))
			}
			d.line, d.blank = line, 0
			return
		}
		d.pos += len(row) + 1
		d.line++
	}
}

// slowRow reads one row, without its line feed, as row n. It decides what is malformed and says why.
func (d *Decoder) slowRow(row []byte, n int) error {
	for i := range d.columns {
		d.columns[i].forget(n)
	}
	row = bytes.TrimSuffix(row, []byte{'\r'})
	if i := bytes.IndexByte(row, 0); i >= 0 {
		return d.syntaxError(bytes.Count(row[:i], []byte{','}), "a NUL byte")
	}
	cells, err := d.unquoted(row)
	if err != nil {
		return d.syntaxError(bytes.Count(row[:bytes.IndexByte(row, '"')], []byte{','}), err.Error())
	}
	if len(cells) != len(d.cells) {
		return d.syntaxError(-1, fmt.Sprintf("the row has %d cells, the header %d", len(cells), len(d.cells)))
	}
	for i, c := range d.cells {
		known := c.want
		if err := c.set(cells[i], n, d.part); err != nil {
			return d.syntaxError(i, err.Error())
		}
		if c.want != known {
			d.plan()
		}
	}
	return nil
}

// syntaxError is about a cell of the current row, or about all of it.
func (d *Decoder) syntaxError(cell int, msg string) error {
	e := &SyntaxError{File: d.file, Line: d.line, Msg: msg}
	if cell >= 0 && cell < len(d.cells) {
		e.Column = d.cells[cell].name
	}
	return e
}

// setAside keeps a malformed row for later where that is allowed, else gives the error back.
func (d *Decoder) setAside(row []byte, n int, err error) error {
	if int64(len(d.bad)) == d.limit {
		if d.limit > 0 {
			err = fmt.Errorf("%w (and %d bad rows before it)", err, d.limit)
		}
		return err
	}
	for i := range d.columns {
		d.columns[i].forget(n)
	}
	d.bad = append(d.bad, datasets.BadRow{Line: d.line, Text: string(row[:min(len(row), maxBadText)]), Err: err.Error()})
	return nil
}

// longText reports whether the first n rows hold so much text that the batch has to end.
func (d *Decoder) longText(n int) bool {
	for i := range d.columns {
		if c := &d.columns[i]; c.kind == textCell && c.index[n] > maxBatchText {
			return true
		}
	}
	return false
}

// begin takes the buffers of a new batch unless there is one already.
func (d *Decoder) begin() {
	if d.begun {
		return
	}
	d.begun = true
	for i := range d.columns {
		d.columns[i].begin(d.rows)
	}
}

// finish makes a record of the batch's n rows.
func (d *Decoder) finish(n int) arrow.Record {
	d.begun = false
	arrays := make([]arrow.Array, 0, d.schema.NumFields())
	for i := range d.columns {
		if c := &d.columns[i]; c.kind != constant {
			arrays = append(arrays, c.finish(n))
		}
	}
	rec := array.NewRecord(d.schema, arrays, int64(n))
	for _, a := range arrays {
		a.Release()
	}
	return rec
}

// drop gives the buffers of an unfinished batch back.
func (d *Decoder) drop() {
	d.begun = false
	for i := range d.columns {
		d.columns[i].drop()
	}
}
