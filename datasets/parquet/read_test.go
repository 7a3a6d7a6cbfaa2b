package parquet

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/parquet-go/parquet-go/compress/lz4"
	"github.com/parquet-go/parquet-go/format"
)

func field(name string, t arrow.DataType, nullable bool) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: nullable}
}

func oneColumn(t arrow.DataType, nullable bool) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{field("x", t, nullable)}, nil)
}

// counting is 0, 1, … as int64.
func counting(rows int) (*arrow.Schema, arrow.Record) {
	schema := oneColumn(arrow.PrimitiveTypes.Int64, false)
	return schema, build(memory.DefaultAllocator, schema, rows, func(_, row int) any { return int64(row) })
}

func TestOpen(t *testing.T) {
	schema, rec := counting(10)
	path := filepath.Join(t.TempDir(), "x.parquet")
	b := write(t, schema, WriterOptions{}, rec)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != 10 || f.Size() != int64(len(b)) || !f.Schema().Equal(schema) {
		t.Errorf("rows %d, size %d, schema %v; want 10, %d, %v", f.Rows(), f.Size(), f.Schema(), len(b), schema)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, b[:len(b)-1], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open of a cut file: %v; want ErrFormat with the path", err)
	}
	if _, err := Open(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
}

func TestMetadata(t *testing.T) {
	schema, rec := counting(1)
	var files [2]bytes.Buffer
	for i, keys := range [][]string{{"b", "a", "ü"}, {"ü", "b", "a"}} {
		w, err := NewWriter(&files[i], schema, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			w.SetMetadata(k, k+k)
		}
		if err := errors.Join(w.Write(rec), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the order of SetMetadata shows in the file")
	}
	m := open(t, files[0].Bytes()).Metadata()
	if len(m) != 3 || m["a"] != "aa" || m["ü"] != "üü" {
		t.Errorf("metadata %v", m)
	}
}

// rowsRead counts rows and batches.
func rowsRead(t *testing.T, f *File, o ReadOptions) (rows, batches int) {
	t.Helper()
	r, err := f.Read(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		rows += int(r.Record().NumRows())
		batches++
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return rows, batches
}

func TestFilter(t *testing.T) {
	schema, rec := counting(1000)
	f := open(t, write(t, schema, WriterOptions{PageRows: 50, GroupRows: 100}, rec))
	for _, c := range []struct{ min, max, rows int64 }{
		{0, 1000, 1000},
		{0, 100, 100},
		{0, 101, 200},
		{99, 100, 100},
		{250, 251, 100},
		{-5, 0, 0},
		{1000, 2000, 0},
		{999, 2000, 100},
		{math.MinInt64, math.MaxInt64, 1000},
	} {
		rows, _ := rowsRead(t, f, ReadOptions{Filter: &Between{"x", c.min, c.max}})
		if int64(rows) != c.rows {
			t.Errorf("[%d, %d): %d rows, want %d", c.min, c.max, rows, c.rows)
		}
	}
	if _, err := f.Read(context.Background(), ReadOptions{Filter: &Between{Column: "y"}}); err == nil {
		t.Error("a filter on a column that is not there")
	}
}

// A batch is a page of our files, from one row group.
func TestBatches(t *testing.T) {
	schema, rec := counting(2*defaultGroupRows + 5)
	f := open(t, write(t, schema, WriterOptions{}, rec))
	rows, batches := rowsRead(t, f, ReadOptions{})
	if want := 2*defaultGroupRows/defaultPageRows + 1; rows != int(rec.NumRows()) || batches != want {
		t.Errorf("%d rows in %d batches, want %d in %d", rows, batches, rec.NumRows(), want)
	}
}

func TestProjection(t *testing.T) {
	rec := build(memory.DefaultAllocator, everyType, 20, func(column, row int) any {
		return map[int]any{0: int64(row), 1: int64(-row), 2: float64(row), 3: "t", 4: "sell", 5: true}[column%6]
	})
	b := write(t, everyType, WriterOptions{}, rec)
	want := arrow.NewSchema([]arrow.Field{everyType.Field(8), everyType.Field(1)}, nil)
	rows, err := cells(open(t, b), ReadOptions{Schema: want})
	if err != nil || len(rows) != 20 {
		t.Fatal(len(rows), err)
	}
	for i, r := range rows {
		if r[0] != math.Float64bits(float64(i)) || r[1] != int64(-i) {
			t.Fatalf("row %d: %v", i, r)
		}
	}
}

// What is asked for decides the type, within what is safe.
func TestWantedTypes(t *testing.T) {
	ts, i64, f64, text := arrow.FixedWidthTypes.Timestamp_us, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String
	value := map[arrow.DataType]any{ts: int64(5), i64: int64(5), f64: 5.0, text: "5"}
	for _, c := range []struct {
		have, want arrow.DataType
		ok         bool
	}{
		{ts, ts, true}, {i64, ts, true}, {ts, i64, false}, {i64, f64, false}, {f64, i64, false}, {f64, ts, false},
		{i64, text, true}, {text, i64, false}, {text, enumType, true}, {f64, enumType, false},
		{ts, arrow.FixedWidthTypes.Timestamp_ns, false},
	} {
		schema := oneColumn(c.have, false)
		rec := build(memory.DefaultAllocator, schema, 3, func(int, int) any { return value[c.have] })
		f := open(t, write(t, schema, WriterOptions{}, rec))
		_, err := cells(f, ReadOptions{Schema: oneColumn(c.want, false), Enums: map[string][]string{"x": {"5"}}})
		if (err == nil) != c.ok {
			t.Errorf("%v as %v: %v", c.have, c.want, err)
		}
	}
}

// Identifiers that another tool took for numbers are their digits.
func TestDigits(t *testing.T) {
	schema := oneColumn(arrow.PrimitiveTypes.Int64, true)
	rec := build(memory.DefaultAllocator, schema, 9, func(_, row int) any {
		return []any{int64(0), nil, int64(-7), int64(math.MaxInt64), int64(math.MinInt64)}[row%5]
	})
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	rows, err := cells(open(t, write(t, schema, WriterOptions{PageRows: 4}, rec)), ReadOptions{Schema: oneColumn(arrow.BinaryTypes.String, true), Allocator: mem})
	mem.AssertSize(t, 0)
	if err != nil || len(rows) != 9 {
		t.Fatal(rows, err)
	}
	for i, r := range rows {
		if want := []any{"0", nil, "-7", "9223372036854775807", "-9223372036854775808"}[i%5]; r[0] != want {
			t.Errorf("row %d: %v, want %v", i, r[0], want)
		}
	}
}

// LZ4 blocks of another library, and what no block is.
func TestLZ4(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789, a run of text that repeats itself; "), 40)
	random := make([]byte, 3000)
	rand.NewChaCha8([32]byte{1}).Read(random)
	for _, plain := range [][]byte{{1}, []byte("short"), text, make([]byte, 70000), random, append(text, random...)} {
		packed, err := new(lz4.Codec).Encode(nil, plain)
		if err != nil {
			t.Fatal(err)
		}
		var d decompressor
		got, err := d.decompress(nil, packed, len(plain), format.Lz4Raw)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		for n := range min(len(packed), 300) {
			if _, err := d.decompress(nil, packed[:n], len(plain), format.Lz4Raw); err == nil {
				t.Errorf("%d of %d bytes stand for %d", n, len(packed), len(plain))
			}
		}
		for i := range min(len(packed), 2000) { // whatever it is, it ends
			bad := bytes.Clone(packed)
			bad[i] ^= 0xff
			d.decompress(nil, bad, len(plain), format.Lz4Raw)
		}
	}
}

// A number that no cell may hold is refused with its row where the reader asks for that.
func TestFinite(t *testing.T) {
	schema := oneColumn(arrow.PrimitiveTypes.Float64, true)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		rec := build(memory.DefaultAllocator, schema, 100, func(_, row int) any {
			switch row {
			case 41:
				return v
			case 40:
				return nil
			}
			return 1.5
		})
		f := open(t, write(t, schema, WriterOptions{PageRows: 16, GroupRows: 32}, rec))
		if _, err := cells(f, ReadOptions{Finite: true}); err == nil || !strings.Contains(err.Error(), `row group 1: column "x": row 42: `) {
			t.Errorf("%v: %v", v, err)
		}
		if rows, err := cells(f, ReadOptions{}); err != nil || len(rows) != 100 {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func TestNullWhereNoneIsWanted(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean} {
		schema := oneColumn(typ, true)
		rec := build(memory.DefaultAllocator, schema, 300, func(_, row int) any {
			if row == 217 {
				return nil
			}
			return map[arrow.Type]any{arrow.FLOAT64: 1.5, arrow.STRING: "a", arrow.BOOL: true}[typ.ID()]
		})
		f := open(t, write(t, schema, WriterOptions{PageRows: 10, GroupRows: 100}, rec))
		_, err := cells(f, ReadOptions{Schema: oneColumn(typ, false)})
		if err == nil || !strings.Contains(err.Error(), `row group 2: column "x": row 218: null`) {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestUnknownWord(t *testing.T) {
	words := map[string][]string{"x": {"a", "b"}}
	want := oneColumn(enumType, true)
	for _, c := range []Column{{Encoding: Dictionary}, {Encoding: Plain}, {Encoding: Delta}} {
		schema := oneColumn(arrow.BinaryTypes.String, true)
		rec := build(memory.DefaultAllocator, schema, 300, func(_, row int) any {
			switch {
			case row == 217:
				return "c"
			case row%3 == 0:
				return nil
			}
			return "b"
		})
		f := open(t, write(t, schema, WriterOptions{PageRows: 50, GroupRows: 100, Columns: map[string]Column{"x": c}}, rec))
		_, err := cells(f, ReadOptions{Schema: want, Enums: words})
		if err == nil || !strings.Contains(err.Error(), `column "x": row 218: "c" is not one of ["a" "b"]`) {
			t.Errorf("%v: %v", c, err)
		}
		words := map[string][]string{"x": {"c", "b", "d"}}
		got, err := cells(f, ReadOptions{Schema: want, Enums: words})
		if err != nil || got[0][0] != nil || got[1][0] != "b" || got[217][0] != "c" {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// A retained record keeps its values while the reader goes on and after it is gone.
func TestRetain(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	schema, rec := counting(10 * batchRows)
	f := open(t, write(t, schema, WriterOptions{}, rec))
	r, err := f.Read(context.Background(), ReadOptions{Allocator: mem})
	if err != nil {
		t.Fatal(err)
	}
	var kept []arrow.Record
	for r.Next() {
		if len(kept) < 3 {
			r.Record().Retain()
			kept = append(kept, r.Record())
		}
	}
	r.Release()
	for i, rec := range kept {
		for k, v := range rec.Column(0).(*array.Int64).Int64Values() {
			if v != int64(i*batchRows+k) {
				t.Fatalf("record %d, row %d: %d", i, k, v)
			}
		}
		rec.Release()
	}
}

// A reader allocates for its batches once.
func TestBuffersAreReused(t *testing.T) {
	mem := &countingAllocator{Allocator: memory.DefaultAllocator}
	recs := trades(20*batchRows, batchRows)
	f := open(t, write(t, tradesSchema, WriterOptions{}, recs...))
	rowsRead(t, f, ReadOptions{Schema: tradesSchema, Enums: tradesEnums, Allocator: mem})
	if mem.n > 40 {
		t.Errorf("%d allocations for 20 batches of 6 columns", mem.n)
	}
}

type countingAllocator struct {
	memory.Allocator
	n int
}

func (a *countingAllocator) Allocate(size int) []byte {
	a.n++
	return a.Allocator.Allocate(size)
}

func TestCancel(t *testing.T) {
	schema, rec := counting(10 * batchRows)
	f := open(t, write(t, schema, WriterOptions{}, rec))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	r, err := f.Read(ctx, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	cancel(cause)
	if r.Next() || !errors.Is(r.Err(), cause) {
		t.Errorf("after cancel: %v", r.Err())
	}
}

func TestWriterRefuses(t *testing.T) {
	i64 := arrow.PrimitiveTypes.Int64
	for name, c := range map[string]struct {
		schema *arrow.Schema
		o      WriterOptions
	}{
		"no columns":            {arrow.NewSchema(nil, nil), WriterOptions{}},
		"two of a name":         {arrow.NewSchema([]arrow.Field{field("x", i64, false), field("x", i64, true)}, nil), WriterOptions{}},
		"type":                  {oneColumn(arrow.PrimitiveTypes.Int32, false), WriterOptions{}},
		"unit":                  {oneColumn(arrow.FixedWidthTypes.Timestamp_ms, false), WriterOptions{}},
		"zone":                  {oneColumn(&arrow.TimestampType{Unit: arrow.Microsecond}, false), WriterOptions{}},
		"encoding":              {oneColumn(i64, false), WriterOptions{Columns: map[string]Column{"x": {Encoding: DeltaLength}}}},
		"codec":                 {oneColumn(i64, false), WriterOptions{Columns: map[string]Column{"x": {Codec: 9}}}},
		"options for no column": {oneColumn(i64, false), WriterOptions{Columns: map[string]Column{"y": {}}}},
		"page rows":             {oneColumn(i64, false), WriterOptions{PageRows: -1}},
	} {
		if _, err := NewWriter(&bytes.Buffer{}, c.schema, c.o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	schema, rec := counting(3)
	null := build(memory.DefaultAllocator, oneColumn(i64, true), 1, func(int, int) any { return nil })
	other := build(memory.DefaultAllocator, oneColumn(arrow.PrimitiveTypes.Float64, true), 1, func(int, int) any { return 1.0 })
	for name, bad := range map[string]arrow.Record{"null": null, "type": other} {
		w, err := NewWriter(&bytes.Buffer{}, schema, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		first := w.Write(bad)
		if first == nil {
			t.Errorf("%s: accepted", name)
		}
		if w.Write(rec) != first || w.Close() != first {
			t.Errorf("%s: went on after an error", name)
		}
	}
}

type failingWriter int

func (w *failingWriter) Write(b []byte) (int, error) {
	if *w -= failingWriter(len(b)); *w < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	schema, rec := counting(5000)
	size := len(write(t, schema, WriterOptions{GroupRows: 1000}, rec))
	for limit := 0; limit < size; limit += 97 {
		out := failingWriter(limit)
		w, err := NewWriter(&out, schema, WriterOptions{GroupRows: 1000})
		if err == nil {
			err = errors.Join(w.Write(rec), w.Close())
		}
		if err == nil {
			t.Fatalf("no error after %d of %d bytes", limit, size)
		}
	}
}
