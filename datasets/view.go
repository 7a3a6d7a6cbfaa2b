package datasets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// View reads a lake as if its future had been another one, to find out what depends on it. The
// future of a day-file are the rows from the first on whose Clock is Cut or later. They are poison
// in the files of days before Gone, and are left out of the others; a file of which nothing is left
// is known empty.
//
// Poison is valid and finite: prices up by 2 to 6 %, amounts between a half and one and a half times
// what they were, sides flipped, funding rates negated and moved, settlements that are more than an hour away 97 minutes
// later, and whichever of the two times is not the clock ten minutes earlier. What is done to a row
// depends on its clock alone, and its prices rise together, so that books do not cross. Empty cells
// stay empty.
//
// A view has no derived tables and takes none.
type View struct {
	Lake  *Lake
	Clock string // Timestamp or LocalTimestamp
	Cut   int64  // Unix µs
	Gone  Day
}

// Stat is the lake's, with the rows that the view has. Digest and Bytes are the file's own.
func (v View) Stat(p Partition) (Info, error) {
	info, err := v.Lake.Stat(p)
	if err != nil || p.Day < v.Gone || p.Day < v.firstDay() || info.Rows == 0 {
		return info, err
	}
	if v.Clock == LocalTimestamp && p.Day.Start() >= v.Cut {
		info.Rows = 0
		return info, nil
	}
	rows, err := v.Scan(context.Background(), p.Type, p.Instrument, DayRange(p.Day, p.Day), v.Clock)
	if err != nil {
		return info, err
	}
	defer rows.Release()
	info.Rows = 0
	for rows.Next() {
		info.Rows += rows.Record().NumRows()
	}
	return info, rows.Err()
}

// firstDay is the first whose file may hold rows of the future: one may arrive on the day before that
// of its exchange time, where the two clocks differ.
func (v View) firstDay() Day {
	if v.Clock == LocalTimestamp {
		return DayOf(v.Cut)
	}
	return DayOf(v.Cut) - 1
}

// Scan is the lake's for one day-file.
func (v View) Scan(ctx context.Context, t DataType, in Instrument, r Range, columns ...string) (array.RecordReader, error) {
	days := r.Days()
	if len(days) > 1 {
		return nil, fmt.Errorf("scan %s/%s/%s: a view is read day by day", in.Exchange, t, in.Symbol)
	}
	if len(days) == 0 || days[0] < v.firstDay() {
		return v.Lake.Scan(ctx, t, in, r, columns...)
	}
	schema, err := t.Schema(columns...)
	if err != nil {
		return nil, fmt.Errorf("scan %s/%s: %w", in.Exchange, in.Symbol, err)
	}
	asked := make([]string, schema.NumFields())
	for i, f := range schema.Fields() {
		asked[i] = f.Name
	}
	clock := slices.Index(asked, v.Clock)
	if clock < 0 {
		clock = len(asked)
		asked = append(asked, v.Clock)
	}
	rows, err := v.Lake.Scan(ctx, t, in, r, asked...)
	if err != nil {
		return nil, err
	}
	return &viewReader{refs: newRefs(), view: v, rows: rows, schema: schema, clock: clock, gone: days[0] >= v.Gone}, nil
}

// ReadTable finds nothing.
func (v View) ReadTable(path string) (arrow.Record, map[string]string, error) {
	return nil, nil, fmt.Errorf("lake table %s: %w in a view", path, ErrNotFound)
}

// OpenTable finds nothing.
func (v View) OpenTable(path string, _ ...string) (array.RecordReader, map[string]string, error) {
	return nil, nil, fmt.Errorf("lake table %s: %w in a view", path, ErrNotFound)
}

// CheckTable finds nothing.
func (v View) CheckTable(path string) (map[string]string, error) {
	return nil, fmt.Errorf("lake table %s: %w in a view", path, ErrNotFound)
}

// WriteTable refuses: what is derived from a view is not true of the lake.
func (v View) WriteTable(context.Context, string, arrow.Record, map[string]string) error {
	return errors.New("a view of a lake takes no tables")
}

// viewReader is Scan's reader.
type viewReader struct {
	*refs
	view   View
	rows   array.RecordReader
	schema *arrow.Schema
	clock  int // place of the clock in rows' schema
	gone   bool

	future  bool         // the cut has been passed
	pending arrow.Record // of the future, after the past rows of the same batch
	record  arrow.Record
	err     error
}

func (r *viewReader) Schema() *arrow.Schema { return r.schema }
func (r *viewReader) Record() arrow.Record  { return r.record }
func (r *viewReader) Err() error            { return r.err }

// Release frees the reader with its last reference.
func (r *viewReader) Release() {
	if r.drop() {
		r.set(nil)
		if r.pending != nil {
			r.pending.Release()
		}
		r.rows.Release()
	}
}

func (r *viewReader) set(rec arrow.Record) {
	if r.record != nil {
		r.record.Release()
	}
	r.record = rec
}

// Next goes to the next batch.
func (r *viewReader) Next() bool {
	if r.pending != nil {
		r.set(r.pending)
		r.pending = nil
		return true
	}
	for r.err == nil && !(r.future && r.gone) && r.rows.Next() {
		batch := r.rows.Record()
		past, err := r.past(batch)
		if err != nil {
			r.err = err
			break
		}
		if past < batch.NumRows() && !r.gone {
			r.pending = r.poison(batch, past)
		}
		switch {
		case past > 0:
			whole := array.NewRecord(r.schema, batch.Columns()[:r.schema.NumFields()], batch.NumRows())
			r.set(whole.NewSlice(0, past))
			whole.Release()
			return true
		case r.pending != nil:
			r.set(r.pending)
			r.pending = nil
			return true
		}
	}
	if r.err == nil {
		r.err = r.rows.Err()
	}
	r.set(nil)
	return false
}

// past counts the rows of a batch that come before the future.
func (r *viewReader) past(batch arrow.Record) (int64, error) {
	if r.future {
		return 0, nil
	}
	times := batch.Column(r.clock).(*array.Timestamp)
	if times.NullN() > 0 {
		return 0, fmt.Errorf("%s is empty in some rows", r.view.Clock)
	}
	k := slices.IndexFunc(times.TimestampValues(), func(t arrow.Timestamp) bool { return int64(t) >= r.view.Cut })
	if k < 0 {
		return batch.NumRows(), nil
	}
	r.future = true
	return int64(k), nil
}

const (
	earlier      = 10 * 60 * 1_000_000 // µs
	fundingNear  = 60 * 60 * 1_000_000
	fundingLater = 97 * 60 * 1_000_000
)

// poison makes another future of the rows of a batch from one on.
func (r *viewReader) poison(batch arrow.Record, from int64) arrow.Record {
	future := batch.NewSlice(from, batch.NumRows())
	defer future.Release()
	mem := r.view.Lake.mem
	times := future.Column(r.clock).(*array.Timestamp).TimestampValues()
	cols := make([]arrow.Array, r.schema.NumFields())
	for i, f := range r.schema.Fields() {
		switch col := future.Column(i).(type) {
		case *array.Timestamp:
			switch {
			case f.Name == "funding_timestamp":
				cols[i] = shifted(mem, col, func(k int, t arrow.Timestamp) arrow.Timestamp {
					if t-times[k] > fundingNear {
						return t + fundingLater
					}
					return t
				})
			case f.Name != r.view.Clock && (f.Name == Timestamp || f.Name == LocalTimestamp):
				cols[i] = shifted(mem, col, func(_ int, t arrow.Timestamp) arrow.Timestamp { return t - earlier })
			default:
				col.Retain()
				cols[i] = col
			}
		case *array.Float64:
			cols[i] = poisoned(mem, col, times, poisonOf(f.Name))
		case *array.Dictionary:
			cols[i] = flipped(mem, col)
		default:
			col.Retain()
			cols[i] = col
		}
	}
	out := array.NewRecord(r.schema, cols, future.NumRows())
	for _, c := range cols {
		c.Release()
	}
	return out
}

// poisonOf says what becomes of a column of numbers, given u in [0, 1) of the row.
func poisonOf(column string) func(x, u float64) float64 {
	switch {
	case strings.HasSuffix(column, "amount") || column == "open_interest":
		return func(x, u float64) float64 { return x * (0.5 + u) }
	case strings.HasSuffix(column, "funding_rate"):
		return func(x, u float64) float64 { return -x - float64(1e-4*(1+u)) }
	default:
		return func(x, u float64) float64 { return x * (1.02 + float64(0.04*u)) }
	}
}

// poisoned writes f(x, u) for each value, u from the row's time.
func poisoned(mem memory.Allocator, col *array.Float64, times []arrow.Timestamp, f func(x, u float64) float64) arrow.Array {
	b := array.NewFloat64Builder(mem)
	defer b.Release()
	b.Reserve(col.Len())
	for k, x := range col.Float64Values() {
		if col.IsNull(k) {
			b.AppendNull()
			continue
		}
		mixed := uint64(times[k]) * 0x9e3779b97f4a7c15
		b.Append(f(x, float64(mixed>>11)/(1<<53)))
	}
	return b.NewArray()
}

// shifted writes f(k, t) for the time t of each row k.
func shifted(mem memory.Allocator, col *array.Timestamp, f func(k int, t arrow.Timestamp) arrow.Timestamp) arrow.Array {
	b := array.NewTimestampBuilder(mem, col.DataType().(*arrow.TimestampType))
	defer b.Release()
	b.Reserve(col.Len())
	for k, t := range col.TimestampValues() {
		if col.IsNull(k) {
			b.AppendNull()
			continue
		}
		b.Append(f(k, t))
	}
	return b.NewArray()
}

// opposite pairs the values of enumerations.
var opposite = map[string]string{"buy": "sell", "sell": "buy", "bid": "ask", "ask": "bid", "put": "call", "call": "put"}

// flipped is an enumeration with each value's opposite, where it has one.
func flipped(mem memory.Allocator, col *array.Dictionary) arrow.Array {
	names := col.Dictionary().(*array.String)
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for k := range names.Len() {
		name := names.Value(k)
		if other, ok := opposite[name]; ok {
			name = other
		}
		b.Append(name)
	}
	dict := b.NewArray()
	defer dict.Release()
	return array.NewDictionaryArray(col.DataType(), col.Indices(), dict)
}
