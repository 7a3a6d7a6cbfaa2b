package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/format"
)

// batchRows is the usual length of a batch: that of the pages of our own files of ticks.
const batchRows = 1 << 15

// ReadOptions says what to read. Its zero reads all.
type ReadOptions struct {
	// Schema has the columns wanted, in the order wanted, and their types: those of File.Schema, or
	// timestamp[us] for a column of int64, or dictionary<int8, utf8> for one of utf8. A field that is
	// not nullable makes a null an error. nil: all columns of the file, every one of which must then
	// be readable.
	Schema *arrow.Schema
	// Enums has the words of each dictionary<int8, utf8> column of Schema: word i is read as code i,
	// and what is not among them is an error.
	Enums map[string][]string
	// Finite makes a NaN or an infinity an error, and so a number below that of its column in AtLeast.
	Finite  bool
	AtLeast map[string]float64
	// Filter passes over row groups that cannot hold what is wanted; nil: none.
	Filter *Between
	// BatchRows is the most rows of a batch; 0: 32,768.
	BatchRows int
	// Window is how many bytes of a column are read ahead; 0: 128 KiB.
	Window int
	// Allocator provides the batches' memory; nil: memory.DefaultAllocator.
	Allocator memory.Allocator
}

// Between asks for values of an integer or timestamp column in [Min, Max), in microseconds for a
// time. Row groups without statistics are read, and all of them where the footer carries no digest
// of itself: nothing but the rows can then be trusted.
type Between struct {
	Column   string
	Min, Max int64
}

// Read gives the file's rows in file order in batches of up to BatchRows, each from one row group.
// A batch is valid until the next call of Next unless it is retained; so are the strings that Arrow
// gives of it, which share its memory. An error names the row group and the column, and where a
// value is at fault its row, counted from 1. The file must stay open until the reader is released.
func (f *File) Read(ctx context.Context, o ReadOptions) (array.RecordReader, error) {
	if o.Allocator == nil {
		o.Allocator = memory.DefaultAllocator
	}
	if o.Schema == nil {
		for i := range f.footer.leaves {
			if _, err := f.footer.leaves[i].arrowType(); err != nil {
				return nil, fmt.Errorf("column %q: %w", f.footer.leaves[i].name, err)
			}
		}
		o.Schema = f.schema
	}
	if o.Schema.NumFields() == 0 {
		return nil, errors.New("no columns to read")
	}
	if o.BatchRows == 0 {
		o.BatchRows = batchRows
	}
	r := &reader{ctx: ctx, file: f, schema: o.Schema, batchRows: o.BatchRows, mem: &recycler{mem: o.Allocator, lent: map[*byte][]byte{}}, refs: 1}
	for _, field := range o.Schema.Fields() {
		c, err := f.column(field, o.Enums[field.Name], int64(o.Window))
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", field.Name, err)
		}
		if v, ok := c.values.(*floats); ok {
			v.least = math.Inf(-1)
			if least, ok := o.AtLeast[field.Name]; ok && o.Finite {
				v.least = least
			}
			v.finite = o.Finite
		}
		c.pages.borrow()
		r.columns = append(r.columns, c)
	}
	var err error
	r.groups, err = f.groups(o.Filter)
	return r, err
}

// leaf finds a column by name.
func (f *File) leaf(name string) (int, error) {
	found := -1
	for i := range f.footer.leaves {
		if f.footer.leaves[i].name == name {
			if found >= 0 {
				return 0, errors.New("two columns have that name")
			}
			found = i
		}
	}
	if found < 0 {
		return 0, errors.New("not in the file")
	}
	return found, nil
}

func (f *File) column(field arrow.Field, words []string, window int64) (*column, error) {
	i, err := f.leaf(field.Name)
	if err != nil {
		return nil, err
	}
	l := &f.footer.leaves[i]
	v, err := l.values(field, words)
	if err != nil {
		return nil, err
	}
	return &column{
		index: i, optional: l.repetition == format.Optional, nullable: field.Nullable,
		pages: pages{r: f.r, ahead: window, unchecked: f.unchecked}, values: v,
	}, nil
}

// groups lists the row groups that may hold what the filter asks for.
func (f *File) groups(want *Between) (out []int, err error) {
	column := -1
	var scale int64 = 1
	if want != nil {
		if column, err = f.leaf(want.Column); err != nil {
			return nil, fmt.Errorf("filter column %q: %w", want.Column, err)
		}
		scale = f.footer.leaves[column].annotation.unit
	}
	for g := range f.footer.groups {
		if column >= 0 && f.footer.sealed {
			lo, hi, ok := f.footer.groups[g].chunks[column].bounds()
			if ok && !want.meets(lo, hi, scale) {
				continue
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// meets reports whether [lo, hi], in units of that many nanoseconds, and [Min, Max) overlap. It is
// generous where the units do not divide.
func (b *Between) meets(lo, hi, unit int64) bool {
	switch unit {
	case nanosPerMilli:
		return hi >= b.Min/1000-1 && lo <= b.Max/1000+1
	case 1:
		return hi/1000 >= b.Min-1 && lo/1000 <= b.Max
	}
	return hi >= b.Min && lo < b.Max
}

// column is one column on its way through the file.
type column struct {
	index    int // of the leaf
	optional bool
	nullable bool // nulls are wanted
	pages    pages
	values   values

	left   int    // rows still to come in the page
	levels hybrid // of an optional column
}

func (c *column) chunk(ch *chunk) {
	c.pages.reset(ch)
	c.values.chunk(ch)
	c.left = 0
}

// page moves to the next data page, of at most rows rows.
func (c *column) page(rows int64) error {
	for {
		p, err := c.pages.next()
		if err == io.EOF {
			return fmt.Errorf("%d rows are missing", rows)
		}
		if err != nil {
			return err
		}
		if p.kind == format.DictionaryPage {
			if err := c.values.dictionary(&p); err != nil {
				return err
			}
			continue
		}
		if p.pageHeader.values > rows {
			return fmt.Errorf("a page of %d rows where %d are left", p.pageHeader.values, rows)
		}
		if p.pageHeader.values == 0 {
			continue
		}
		if err := c.startLevels(&p); err != nil {
			return fmt.Errorf("definition levels: %w", err)
		}
		c.left = int(p.pageHeader.values)
		return c.values.start(&p)
	}
}

func (c *column) startLevels(p *page) (err error) {
	if !c.optional {
		return nil
	}
	levels := p.levelData
	if p.kind == format.DataPage {
		if p.pageHeader.levels != format.RLE {
			return fmt.Errorf("encoding %v is not supported", p.pageHeader.levels)
		}
		if levels, p.data, err = sized(p.data); err != nil {
			return err
		}
	}
	return c.levels.reset(levels, 1)
}

// read gives the next n rows as an array; left is how many the chunk still has, these included.
func (c *column) read(mem memory.Allocator, n int, left int64) (_ arrow.Array, err error) {
	c.values.begin(mem, n)
	defer c.values.drop()
	var valid *memory.Buffer
	if c.optional {
		valid = memory.NewResizableBuffer(mem)
		defer valid.Release()
		valid.Resize((n + 7) / 8)
		clear(valid.Bytes())
	}
	nulls := 0
	for off := 0; off < n; {
		if c.left == 0 {
			if err := c.page(left - int64(off)); err != nil {
				return nil, err
			}
		}
		m := min(n-off, c.left)
		k := m
		var bits []byte
		if c.optional {
			bits = valid.Bytes()
			if k, err = c.levels.validity(bits, off, m); err != nil {
				return nil, fmt.Errorf("definition levels: %w", err)
			}
		}
		if err := c.values.read(off, m, k, bits); err != nil {
			return nil, err
		}
		nulls += m - k
		off += m
		c.left -= m
	}
	if nulls == 0 {
		return c.values.finish(nil, 0)
	}
	if !c.nullable {
		return nil, &valueError{firstNull(valid.Bytes()), errors.New("null in a column without nulls")}
	}
	return c.values.finish(valid, nulls)
}

func firstNull(bits []byte) int {
	i := 0
	for bits[i/8]>>(i%8)&1 == 1 {
		i++
	}
	return i
}

// reader is Read's array.RecordReader.
type reader struct {
	ctx    context.Context
	file   *File
	schema *arrow.Schema
	mem    *recycler

	batchRows int
	columns   []*column
	groups    []int // still to come; the current one leads once started
	started   bool
	done      int64 // rows of the current group
	record    arrow.Record
	err       error
	refs      int64
}

func (r *reader) Schema() *arrow.Schema { return r.schema }
func (r *reader) Record() arrow.Record  { return r.record }
func (r *reader) Err() error            { return r.err }
func (r *reader) Retain()               { atomic.AddInt64(&r.refs, 1) }

func (r *reader) Release() {
	if atomic.AddInt64(&r.refs, -1) == 0 {
		r.drop()
		r.mem.close()
		for _, c := range r.columns {
			c.pages.free()
		}
	}
}

func (r *reader) drop() {
	if r.record != nil {
		r.record.Release()
		r.record = nil
	}
}

func (r *reader) Next() bool {
	r.drop()
	for r.err == nil && len(r.groups) > 0 {
		if r.ctx.Err() != nil {
			r.err = context.Cause(r.ctx)
			return false
		}
		group := &r.file.footer.groups[r.groups[0]]
		if r.done == group.rows {
			r.groups, r.started, r.done = r.groups[1:], false, 0
			continue
		}
		r.record, r.err = r.batch(group)
		return r.err == nil
	}
	return false
}

func (r *reader) batch(group *group) (arrow.Record, error) {
	left := group.rows - r.done
	n := int(min(left, int64(r.batchRows)))
	arrays := make([]arrow.Array, 0, len(r.columns))
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for i, c := range r.columns {
		if !r.started {
			c.chunk(&group.chunks[c.index])
		}
		a, err := c.read(r.mem, n, left)
		if err != nil {
			return nil, r.wrap(i, err)
		}
		arrays = append(arrays, a)
	}
	r.started = true
	if r.done += int64(n); r.done == group.rows {
		for i, c := range r.columns {
			if err := c.pages.finish(&group.chunks[c.index]); err != nil {
				return nil, r.wrap(i, err)
			}
		}
	}
	return array.NewRecord(r.schema, arrays, int64(n)), nil
}

// wrap says where err happened. Rows are counted from 1 through the whole file.
func (r *reader) wrap(column int, err error) error {
	name := r.schema.Field(column).Name
	var v *valueError
	if errors.As(err, &v) {
		row := r.done + int64(v.row) + 1
		for _, g := range r.file.footer.groups[:r.groups[0]] {
			row += g.rows
		}
		return fmt.Errorf("row group %d: column %q: row %d: %w", r.groups[0], name, row, v.err)
	}
	return fmt.Errorf("row group %d: column %q: %w", r.groups[0], name, err)
}
