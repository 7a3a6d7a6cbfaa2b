package bars

import (
	"context"
	"fmt"
	"maps"
	"math"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

// memStore is a lake in memory. Files are rows of cells in the feed's column order: int64 times,
// float64 numbers, text of enums, nil for an empty cell.
type memStore struct {
	mu     sync.Mutex
	files  map[datasets.Partition][][]any
	digest map[datasets.Partition]string
	batch  int // rows a record batch; 0: all
	tables map[string]memTable
	reads  int // of tables that were there
	scans  int
}

type memTable struct {
	rec  arrow.Record
	meta map[string]string
}

func newMemStore() *memStore {
	return &memStore{files: map[datasets.Partition][][]any{}, digest: map[datasets.Partition]string{}, tables: map[string]memTable{}}
}

// put adds a day-file; one without rows is known empty.
func (s *memStore) put(t datasets.DataType, in datasets.Instrument, d datasets.Day, rows ...[]any) {
	p := datasets.Partition{Instrument: in, Type: t, Day: d}
	s.files[p] = rows
	s.digest[p] = fmt.Sprint(rows)
}

func (s *memStore) Stat(p datasets.Partition) (datasets.Info, error) {
	rows, ok := s.files[p]
	if !ok {
		return datasets.Info{}, fmt.Errorf("%s: %w", p, datasets.ErrNotFound)
	}
	return datasets.Info{Partition: p, Rows: int64(len(rows)), Digest: s.digest[p]}, nil
}

func (s *memStore) Scan(ctx context.Context, t datasets.DataType, in datasets.Instrument, r datasets.Range, columns ...string) (array.RecordReader, error) {
	s.mu.Lock()
	s.scans++
	s.mu.Unlock()
	schema, err := t.Schema(columns...)
	if err != nil {
		return nil, err
	}
	var recs []arrow.Record
	for _, d := range r.Days() {
		rows := s.files[datasets.Partition{Instrument: in, Type: t, Day: d}]
		for len(rows) > 0 {
			n := len(rows)
			if s.batch > 0 {
				n = min(n, s.batch)
			}
			recs = append(recs, batchOf(t, schema, rows[:n]))
			rows = rows[n:]
		}
	}
	return array.NewRecordReader(schema, recs)
}

// batchOf makes a record batch of the schema's columns from whole rows of the feed.
func batchOf(t datasets.DataType, schema *arrow.Schema, rows [][]any) arrow.Record {
	place := map[string]int{}
	values := map[string][]string{}
	for i, c := range t.Columns() {
		place[c.Name] = i
		values[c.Name] = c.Values
	}
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		cols[i] = columnOf(f, values[f.Name], rows, place[f.Name])
	}
	return array.NewRecord(schema, cols, int64(len(rows)))
}

func columnOf(f arrow.Field, values []string, rows [][]any, c int) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, f.Type)
	if d, ok := b.(*array.BinaryDictionaryBuilder); ok {
		names := array.NewStringBuilder(memory.DefaultAllocator)
		names.AppendValues(values, nil)
		if err := d.InsertStringDictValues(names.NewStringArray()); err != nil {
			panic(err)
		}
	}
	for _, row := range rows {
		switch v := row[c].(type) {
		case nil:
			b.AppendNull()
		case int64:
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
		case float64:
			b.(*array.Float64Builder).Append(v)
		case string:
			switch b := b.(type) {
			case *array.BinaryDictionaryBuilder:
				if err := b.AppendString(v); err != nil {
					panic(err)
				}
			case *array.StringBuilder:
				b.Append(v)
			}
		default:
			panic(fmt.Sprintf("cell %T", v))
		}
	}
	return b.NewArray()
}

func (s *memStore) ReadTable(path string) (arrow.Record, map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[path]
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", path, datasets.ErrNotFound)
	}
	s.reads++
	t.rec.Retain()
	return t.rec, maps.Clone(t.meta), nil
}

func (s *memStore) CheckTable(path string) (map[string]string, error) {
	rec, meta, err := s.ReadTable(path)
	if err == nil {
		rec.Release()
	}
	return meta, err
}

func (s *memStore) OpenTable(path string, columns ...string) (array.RecordReader, map[string]string, error) {
	rec, meta, err := s.ReadTable(path)
	if err != nil {
		return nil, nil, err
	}
	defer rec.Release()
	var fields []arrow.Field
	var cols []arrow.Array
	for _, name := range columns {
		i := rec.Schema().FieldIndices(name)[0]
		fields, cols = append(fields, rec.Schema().Field(i)), append(cols, rec.Column(i))
	}
	rec = array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
	defer rec.Release()
	var parts []arrow.Record
	for lo := int64(0); lo < rec.NumRows(); lo += 700 {
		parts = append(parts, rec.NewSlice(lo, min(lo+700, rec.NumRows())))
	}
	rows, err := array.NewRecordReader(rec.Schema(), parts)
	return rows, meta, err
}

func (s *memStore) WriteTable(_ context.Context, path string, rec arrow.Record, meta map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec.Retain()
	s.tables[path] = memTable{rec, maps.Clone(meta)}
	return nil
}

// cells gives a column of the series with NaN for null, and fails on a value of NaN that is not null.
func cells(t tb, s *Series, name string) []float64 {
	t.Helper()
	places := s.Record.Schema().FieldIndices(name)
	if len(places) != 1 {
		t.Fatalf("series has %d columns %q", len(places), name)
	}
	col := s.Record.Column(places[0]).(*array.Float64)
	out := make([]float64, col.Len())
	for i := range out {
		out[i] = col.Value(i)
		if col.IsNull(i) != math.IsNaN(out[i]) {
			t.Fatalf("%s[%d] = %v, null %t", name, i, out[i], col.IsNull(i))
		}
	}
	return out
}

func labels(s *Series) []int64 {
	var out []int64
	for _, v := range s.Record.Column(0).(*array.Timestamp).TimestampValues() {
		out = append(out, int64(v))
	}
	return out
}

// wantCells compares a column to the bit, all NaNs being one.
func wantCells(t tb, s *Series, name string, want []float64) {
	t.Helper()
	got := cells(t, s, name)
	if len(got) != len(want) {
		t.Fatalf("%s has %d bars, want %d", name, len(got), len(want))
	}
	for i := range got {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("%s[%d] = %v, want %v\n got %v\nwant %v", name, i, got[i], want[i], got, want)
			return
		}
	}
}

// wantSame compares two series to the bit.
func wantSame(t tb, got, want *Series, what string) {
	t.Helper()
	if !got.Record.Schema().Equal(want.Record.Schema()) {
		t.Fatalf("%s: schema %v, want %v", what, got.Record.Schema(), want.Record.Schema())
	}
	if g, w := labels(got), labels(want); fmt.Sprint(g) != fmt.Sprint(w) {
		t.Fatalf("%s: labels %v, want %v", what, g, w)
	}
	for _, f := range want.Record.Schema().Fields()[1:] {
		wantCells(t, got, f.Name, cells(t, want, f.Name))
	}
	if g, w := fmt.Sprint(got.Settlements), fmt.Sprint(want.Settlements); g != w {
		t.Fatalf("%s: settlements %s, want %s", what, g, w)
	}
}

var btc = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}

var linear = datasets.Contract{Multiplier: 1}

// day0 is 2024-03-10.
const day0 = datasets.Day(19792)

// hms is an instant of a day.
func hms(d datasets.Day, h, m, s int64) int64 { return d.Start() + ((h*60+m)*60+s)*1_000_000 }

// tradeAt is a row of trades at the same exchange and arrival time.
func tradeAt(at int64, side string, price, amount float64) []any {
	return []any{at, at, nil, side, price, amount}
}

func mustBuild(t testing.TB, s *memStore, q Request, o Options) *Series {
	t.Helper()
	got, err := Build(context.Background(), s, q, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.Record.Release)
	return got
}

// tb is what a *testing.T and a *rapid.T share.
type tb interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}
