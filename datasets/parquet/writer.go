package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// WriterOptions says how a file is laid out. Its zero is a good default for tick data.
type WriterOptions struct {
	PageRows  int               // rows of a page; 0: 32,768
	GroupRows int               // rows of a row group; 0: 524,288
	Columns   map[string]Column // by name; what is not in it is stored as suits its type
	// Dense stores a dictionary's numbers in whole bytes under zstd wherever that is not longer; otherwise
	// only where it saves a quarter, and under Snappy where that comes within a quarter of zstd: quicker to
	// write and to read.
	Dense bool
}

const (
	defaultPageRows  = 1 << 15
	defaultGroupRows = 1 << 19
)

// Writer writes record batches to one Parquet file. It holds back the current page's values and the
// current row group's encoded pages. It is not safe for concurrent use.
type Writer struct {
	w       io.Writer
	schema  *arrow.Schema
	o       WriterOptions
	columns []*columnWriter
	shared  *scratch
	offset  int64 // bytes written
	page    int   // rows in the current page
	group   int   // rows in the current row group, those of the page included
	rows    int64
	groups  []format.RowGroup
	heads   []uint32 // CRC-32 of each chunk's page headers
	meta    map[string]string
	err     error // the first failure; nothing is written after it
	closed  bool
}

// NewWriter starts a file on w for batches of the schema, whose types are timestamp[us, UTC], int64,
// float64, utf8, dictionary<int8, utf8> and boolean.
func NewWriter(w io.Writer, schema *arrow.Schema, o WriterOptions) (*Writer, error) {
	if o.PageRows == 0 {
		o.PageRows = defaultPageRows
	}
	if o.GroupRows == 0 {
		o.GroupRows = defaultGroupRows
	}
	if o.PageRows < 1 || o.PageRows > maxPageRows || o.GroupRows < 1 {
		return nil, fmt.Errorf("parquet: pages of %d rows and row groups of %d: want at least 1, and pages of at most %d", o.PageRows, o.GroupRows, maxPageRows)
	}
	if schema.NumFields() == 0 {
		return nil, errors.New("parquet: a schema without columns")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Columns)) {
		if !schema.HasField(name) {
			return nil, fmt.Errorf("parquet: options for column %q, which the schema lacks", name)
		}
	}
	out := &Writer{w: w, schema: schema, o: o, meta: map[string]string{}, shared: new(scratch)}
	for i, f := range schema.Fields() {
		if len(schema.FieldIndices(f.Name)) > 1 {
			return nil, fmt.Errorf("parquet: two columns %q", f.Name)
		}
		c, err := newColumnWriter(f, o.Columns[f.Name], o.Dense, out.shared)
		if err != nil {
			return nil, fmt.Errorf("parquet: column %d %q: %w", i, f.Name, err)
		}
		out.columns = append(out.columns, c)
	}
	if err := out.begin(); err != nil {
		return nil, err
	}
	return out, nil
}

// Reset starts another file on out, of the same schema and layout, with the memory there is. What was
// not yet closed is abandoned.
func (w *Writer) Reset(out io.Writer) error {
	for _, c := range w.columns {
		c.reset()
	}
	w.shared.arena.reset()
	w.w, w.offset, w.page, w.group, w.rows, w.groups = out, 0, 0, 0, 0, w.groups[:0]
	w.heads = w.heads[:0]
	w.err, w.closed = nil, false
	clear(w.meta)
	return w.begin()
}

func (w *Writer) begin() error {
	if err := w.emit([]byte(magic)); err != nil {
		w.err = fmt.Errorf("parquet: %w", err)
	}
	return w.err
}

// SetMetadata sets a key of the footer.
func (w *Writer) SetMetadata(key, value string) { w.meta[key] = value }

// Write appends the rows of rec, which has the schema's columns. rec may be reused afterwards.
func (w *Writer) Write(rec arrow.Record) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return errors.New("parquet: write after Close")
	}
	if err := w.write(rec); err != nil {
		w.err = fmt.Errorf("parquet: row group %d: %w", len(w.groups), err)
	}
	return w.err
}

func (w *Writer) write(rec arrow.Record) error {
	if int(rec.NumCols()) != len(w.columns) {
		return fmt.Errorf("a batch of %d columns, the schema has %d", rec.NumCols(), len(w.columns))
	}
	for i, f := range w.schema.Fields() {
		if !arrow.TypeEqual(rec.Column(i).DataType(), f.Type) || rec.ColumnName(i) != f.Name {
			return fmt.Errorf("column %q: the batch has %q of %v, want %v", f.Name, rec.ColumnName(i), rec.Column(i).DataType(), f.Type)
		}
	}
	for from, n := 0, int(rec.NumRows()); from < n; {
		to := from + min(n-from, w.o.PageRows-w.page, w.o.GroupRows-w.group)
		for i, c := range w.columns {
			if err := c.append(rec.Column(i), from, to); err != nil {
				return fmt.Errorf("column %q: %w", c.name, err)
			}
		}
		w.page += to - from
		w.group += to - from
		if w.page == w.o.PageRows || w.group == w.o.GroupRows {
			w.flushPage()
		}
		if w.group == w.o.GroupRows {
			if err := w.flushGroup(); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

func (w *Writer) flushPage() {
	for _, c := range w.columns {
		c.flushPage(w.page)
	}
	w.page = 0
}

func (w *Writer) flushGroup() error {
	g := format.RowGroup{NumRows: int64(w.group), FileOffset: w.offset, Ordinal: int16(len(w.groups))}
	for _, c := range w.columns {
		meta, err := c.flushChunk(w.offset, w.emit)
		if err != nil {
			return err
		}
		meta.NumValues = int64(w.group)
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: meta})
		w.heads = append(w.heads, c.heads)
		g.TotalByteSize += meta.TotalUncompressedSize
		g.TotalCompressedSize += meta.TotalCompressedSize
	}
	w.shared.arena.reset()
	w.groups = append(w.groups, g)
	w.rows += int64(w.group)
	w.group = 0
	return nil
}

func (w *Writer) emit(b []byte) error {
	n, err := w.w.Write(b)
	w.offset += int64(n)
	return err
}

// Close writes the last row group and the footer. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil || w.closed {
		return w.err
	}
	w.closed = true
	if err := w.finish(); err != nil {
		w.err = fmt.Errorf("parquet: %w", err)
	}
	return w.err
}

func (w *Writer) finish() error {
	if w.page > 0 {
		w.flushPage()
	}
	if w.group > 0 {
		if err := w.flushGroup(); err != nil {
			return err
		}
	}
	footer, err := w.footer()
	if err != nil {
		return err
	}
	end := append(appendSeal(nil, w.heads, footer), footer...)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(footer)))
	return w.emit(append(end, magic...))
}

func (w *Writer) footer() ([]byte, error) {
	m := format.FileMetaData{
		Version:   2,
		NumRows:   w.rows,
		RowGroups: w.groups,
		CreatedBy: sealedBy,
		Schema:    []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(w.columns)))}},
	}
	for _, c := range w.columns {
		m.Schema = append(m.Schema, c.schemaElement())
		m.ColumnOrders = append(m.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	for _, k := range slices.Sorted(maps.Keys(w.meta)) {
		m.KeyValueMetadata = append(m.KeyValueMetadata, format.KeyValue{Key: k, Value: w.meta[k]})
	}
	return thrift.Marshal(new(thrift.CompactProtocol), &m)
}

func (c *columnWriter) schemaElement() format.SchemaElement {
	e := format.SchemaElement{Name: c.name, Type: thrift.New(c.physical), RepetitionType: thrift.New(format.Required)}
	if c.optional {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch {
	case c.physical == format.ByteArray: // some readers know only the one annotation, some the other
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case c.isTime:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	}
	return e
}
