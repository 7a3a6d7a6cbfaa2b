package datasets

import (
	"bufio"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// spillBytes is about how much of a grouped file is held in memory before it is sorted by symbol and
// spilled.
const spillBytes = 32 << 20

// splitter sorts the rows of a grouped file by symbol, keeping file order within each. Rows gather
// in memory up to spillBytes; then every symbol's share goes to a temporary file as one Arrow batch.
// Memory is bounded by that and by 24 bytes a batch, whatever the file holds.
type splitter struct {
	dataType DataType
	exchange string
	schema   *arrow.Schema // of what is spilled: the feed's, enums as their codes
	file     *spill
	out      *ipc.FileWriter
	in       *ipc.FileReader

	held    []arrow.Record
	bytes   int
	limit   int
	names   map[int32]int // the file's symbol code → its place in symbols
	symbols []splitSymbol
	batches int
}

// spill is the temporary file that a splitter writes, then reads.
type spill struct {
	*claim
	out *bufio.Writer
}

func (s *spill) Write(b []byte) (int, error) { return s.out.Write(b) }

// Seek flushes what was written, so that it can be read.
func (s *spill) Seek(offset int64, whence int) (int64, error) {
	if err := s.out.Flush(); err != nil {
		return 0, err
	}
	return s.claim.Seek(offset, whence)
}

// splitSymbol is one symbol of the file.
type splitSymbol struct {
	Instrument
	rows    int64
	batches []int      // of the spilled file, in order
	pending []rowPlace // its rows among the held batches
}

// rowPlace points at a row of a held batch.
type rowPlace struct{ batch, row int32 }

func newSplitter(p Partition, file *spill) (*splitter, error) {
	s := &splitter{dataType: p.Type, exchange: p.Exchange, file: file, limit: spillBytes, names: map[int32]int{}}
	var fields []arrow.Field
	for _, c := range p.Type.Columns() {
		f := c.Field()
		if d, ok := f.Type.(*arrow.DictionaryType); ok {
			f.Type = d.IndexType
		}
		fields = append(fields, f)
	}
	s.schema = arrow.NewSchema(fields, nil)
	var err error
	s.out, err = ipc.NewFileWriter(file, ipc.WithSchema(s.schema), ipc.WithLZ4(), ipc.WithCompressConcurrency(1))
	return s, err
}

// add takes a record of GroupedSchema.
func (s *splitter) add(rec arrow.Record) error {
	if err := checkSchema(rec.Schema(), s.dataType.GroupedSchema()); err != nil {
		return err
	}
	for i, c := range s.dataType.Columns() {
		if d, ok := rec.Column(i + 1).(*array.Dictionary); ok && !sameWords(d, c.Values) {
			return fmt.Errorf("%s: dictionary %v, want %q", c.Name, d.Dictionary(), c.Values)
		}
	}
	symbols := rec.Column(0).(*array.Dictionary)
	if symbols.NullN() > 0 {
		return errors.New("symbol is empty in some rows")
	}
	names := symbols.Dictionary().(*array.String)
	last, place := int32(-1), 0
	for i, code := range symbols.Indices().(*array.Int32).Int32Values() {
		if code != last {
			var err error
			if place, err = s.place(code, names); err != nil {
				return err
			}
			last = code
		}
		sym := &s.symbols[place]
		sym.pending = append(sym.pending, rowPlace{int32(len(s.held)), int32(i)})
	}
	rec.Retain()
	s.held = append(s.held, rec)
	s.bytes += recordBytes(rec)
	if s.bytes >= s.limit {
		return s.flush()
	}
	return nil
}

func sameWords(d *array.Dictionary, want []string) bool {
	names := d.Dictionary().(*array.String)
	for i := range names.Len() {
		if i == len(want) || names.Value(i) != want[i] {
			return false
		}
	}
	return names.Len() == len(want)
}

// place finds the symbol of a code, adding it when it is new.
func (s *splitter) place(code int32, names *array.String) (int, error) {
	if i, ok := s.names[code]; ok {
		return i, nil
	}
	if code < 0 || int(code) >= names.Len() {
		return 0, fmt.Errorf("symbol code %d, %d are known", code, names.Len())
	}
	in := Instrument{s.exchange, NormalizeSymbol(names.Value(int(code)))}
	if err := in.Validate(); err != nil {
		return 0, err
	}
	if in.Grouped() {
		return 0, fmt.Errorf("symbol %q inside a grouped file", in.Symbol)
	}
	i := slices.IndexFunc(s.symbols, func(x splitSymbol) bool { return x.Instrument == in })
	if i < 0 {
		i = len(s.symbols)
		s.symbols = append(s.symbols, splitSymbol{Instrument: in})
	}
	s.names[code] = i
	return i, nil
}

// recordBytes is about the memory of a record's rows.
func recordBytes(rec arrow.Record) int {
	n := 0
	for _, c := range rec.Columns() {
		switch c := c.(type) {
		case *array.String:
			n += len(c.ValueBytes()) + 4*c.Len()
		case *array.Boolean, *array.Dictionary:
			n += c.Len()
		default:
			n += 8 * c.Len()
		}
	}
	return n + 8*int(rec.NumRows()) // and their places
}

// flush spills what is held, symbol by symbol.
func (s *splitter) flush() error {
	for i := range s.symbols {
		sym := &s.symbols[i]
		if len(sym.pending) == 0 {
			continue
		}
		rec := s.gather(sym.pending)
		err := s.out.Write(rec)
		rec.Release()
		if err != nil {
			return err
		}
		sym.rows += int64(len(sym.pending))
		sym.batches = append(sym.batches, s.batches)
		sym.pending = sym.pending[:0]
		s.batches++
	}
	s.drop()
	return nil
}

func (s *splitter) drop() {
	for _, r := range s.held {
		r.Release()
	}
	s.held, s.bytes = s.held[:0], 0
}

// gather copies rows of the held batches into one record of the spilled schema.
func (s *splitter) gather(rows []rowPlace) arrow.Record {
	cols := make([]arrow.Array, s.schema.NumFields())
	for c := range cols {
		from := make([]arrow.Array, len(s.held))
		for i, rec := range s.held {
			if from[i] = rec.Column(c + 1); s.dataType.Columns()[c].Kind == Enum {
				from[i] = from[i].(*array.Dictionary).Indices()
			}
		}
		b := array.NewBuilder(memory.DefaultAllocator, s.schema.Field(c).Type)
		b.Reserve(len(rows))
		switch b := b.(type) {
		case *array.TimestampBuilder:
			take(b, from, rows, func(a *array.Timestamp, i int) { b.UnsafeAppend(a.Value(i)) })
		case *array.Float64Builder:
			take(b, from, rows, func(a *array.Float64, i int) { b.UnsafeAppend(a.Value(i)) })
		case *array.Int8Builder:
			take(b, from, rows, func(a *array.Int8, i int) { b.UnsafeAppend(a.Value(i)) })
		case *array.BooleanBuilder:
			take(b, from, rows, func(a *array.Boolean, i int) { b.UnsafeAppend(a.Value(i)) })
		case *array.StringBuilder:
			take(b, from, rows, func(a *array.String, i int) { b.Append(a.Value(i)) })
		default:
			panic("datasets: split of an unknown column kind")
		}
		cols[c] = b.NewArray()
		b.Release()
	}
	return newRecord(s.schema, cols, int64(len(rows)))
}

// take puts the cells at rows of from into b, nulls as nulls.
func take[A arrow.Array](b array.Builder, from []arrow.Array, rows []rowPlace, put func(a A, row int)) {
	var a A
	batch := int32(-1)
	for _, r := range rows {
		if r.batch != batch {
			batch = r.batch
			a = from[batch].(A)
		}
		if a.IsNull(int(r.row)) {
			b.AppendNull()
		} else {
			put(a, int(r.row))
		}
	}
}

// newRecord makes a record of columns that it takes over.
func newRecord(schema *arrow.Schema, cols []arrow.Array, rows int64) arrow.Record {
	rec := array.NewRecord(schema, cols, rows)
	for _, c := range cols {
		c.Release()
	}
	return rec
}

// finish ends the adding and gives the symbols, sorted, to be read back with rows.
func (s *splitter) finish() ([]splitSymbol, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	if err := s.out.Close(); err != nil {
		return nil, err
	}
	var err error
	if s.in, err = ipc.NewFileReader(s.file); err != nil {
		return nil, err
	}
	slices.SortFunc(s.symbols, func(a, b splitSymbol) int { return a.Compare(b.Instrument) })
	return s.symbols, nil
}

// rows gives the symbol's rows to write, batch after batch, in the feed's schema.
func (s *splitter) rows(sym splitSymbol, write func(arrow.Record) error) error {
	schema, err := s.dataType.Schema()
	if err != nil {
		return err
	}
	for _, i := range sym.batches {
		rec, err := s.in.RecordAt(i)
		if err != nil {
			return err
		}
		cols := make([]arrow.Array, rec.NumCols())
		for c, col := range s.dataType.Columns() {
			if cols[c] = rec.Column(c); col.Kind == Enum {
				names := words(col.Values)
				cols[c] = array.NewDictionaryArray(schema.Field(c).Type, rec.Column(c), names)
				names.Release()
			} else {
				cols[c].Retain()
			}
		}
		whole := newRecord(schema, cols, rec.NumRows())
		rec.Release()
		err = write(whole)
		whole.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// words is an enum's dictionary.
func words(values []string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	return b.NewArray()
}
