package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"
)

var sides = []string{"buy", "sell", "unknown"}

var enumType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}

// everyType has a required and an optional column of each type.
var everyType = func() *arrow.Schema {
	var fields []arrow.Field
	for _, nullable := range []bool{false, true} {
		for _, t := range []arrow.DataType{
			arrow.FixedWidthTypes.Timestamp_us, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64,
			arrow.BinaryTypes.String, enumType, arrow.FixedWidthTypes.Boolean,
		} {
			fields = append(fields, arrow.Field{Name: fmt.Sprintf("%s %v", t.Name(), nullable), Type: t, Nullable: nullable})
		}
	}
	return arrow.NewSchema(fields, nil)
}()

var everyEnum = map[string][]string{"dictionary false": sides, "dictionary true": sides}

// build makes a record; cell gives a value of the column's Go type, or nil for null.
func build(mem memory.Allocator, schema *arrow.Schema, rows int, cell func(column, row int) any) arrow.Record {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i, f := range b.Fields() {
		if d, ok := f.(*array.BinaryDictionaryBuilder); ok {
			words := array.NewStringBuilder(mem)
			for _, s := range sides {
				words.Append(s)
			}
			list := words.NewStringArray()
			if err := d.InsertStringDictValues(list); err != nil {
				panic(err)
			}
			list.Release()
			words.Release()
		}
		for row := range rows {
			switch v := cell(i, row).(type) {
			case nil:
				f.AppendNull()
			case float64:
				f.(*array.Float64Builder).Append(v)
			case bool:
				f.(*array.BooleanBuilder).Append(v)
			case int64:
				if t, ok := f.(*array.TimestampBuilder); ok {
					t.Append(arrow.Timestamp(v))
				} else {
					f.(*array.Int64Builder).Append(v)
				}
			case string:
				if d, ok := f.(*array.BinaryDictionaryBuilder); ok {
					if err := d.AppendString(v); err != nil {
						panic(err)
					}
				} else {
					f.(*array.StringBuilder).Append(v)
				}
			}
		}
	}
	return b.NewRecord()
}

// cell gives a record's value as build takes it, floats as their bits.
func cell(rec arrow.Record, column, row int) any {
	a := rec.Column(column)
	if a.IsNull(row) {
		return nil
	}
	switch a := a.(type) {
	case *array.Float64:
		return math.Float64bits(a.Value(row))
	case *array.Boolean:
		return a.Value(row)
	case *array.Int64:
		return a.Value(row)
	case *array.Timestamp:
		return int64(a.Value(row))
	case *array.String:
		return strings.Clone(a.Value(row)) // which belongs to the record
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(row))
	}
	panic(fmt.Sprintf("%T", a))
}

func write(t testing.TB, schema *arrow.Schema, o WriterOptions, recs ...arrow.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// cells reads a file whole, a slice of cells a row.
func cells(f *File, o ReadOptions) (rows [][]any, err error) {
	r, err := f.Read(context.Background(), o)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	for r.Next() {
		rec := r.Record()
		for row := range int(rec.NumRows()) {
			line := make([]any, rec.NumCols())
			for c := range line {
				line[c] = cell(rec, c, row)
			}
			rows = append(rows, line)
		}
	}
	return rows, r.Err()
}

// sameCells compares a file's content with records.
func sameCells(t rapidT, b []byte, o ReadOptions, recs ...arrow.Record) {
	f, err := NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	got, err := cells(f, o)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	i := 0
	for _, rec := range recs {
		for row := range int(rec.NumRows()) {
			if i == len(got) {
				t.Fatalf("%d rows read, more were written", i)
			}
			for c := range int(rec.NumCols()) {
				if want := cell(rec, c, row); got[i][c] != want {
					t.Fatalf("row %d, column %q: got %v, want %v", i, rec.ColumnName(c), got[i][c], want)
				}
			}
			i++
		}
	}
	if i != len(got) || f.Rows() != int64(i) {
		t.Fatalf("%d rows read, %d in the footer, want %d", len(got), f.Rows(), i)
	}
}

type rapidT interface {
	Fatalf(format string, args ...any)
}

// randomCell draws cells that repeat, step, jump and vanish.
func randomCell(t *rapid.T, schema *arrow.Schema) func(column, row int) any {
	style := make([]int, schema.NumFields())
	for i := range style {
		style[i] = rapid.IntRange(0, 4).Draw(t, "style")
	}
	rnd := rapid.Uint64().Draw(t, "seed")
	next := func() uint64 { // xorshift: a draw for every cell would be slow
		rnd |= 1
		rnd ^= rnd << 13
		rnd ^= rnd >> 7
		rnd ^= rnd << 17
		return rnd
	}
	return func(column, row int) any {
		f := schema.Field(column)
		s := style[column]
		v := next()
		if f.Nullable && (s == 0 || s > 1 && v%5 == 0) {
			return nil
		}
		switch s {
		case 1:
			v = 7
		case 2:
			v = uint64(row) + v%3
		case 3:
			v %= 40
		}
		switch f.Type.ID() {
		case arrow.FLOAT64:
			if s == 4 {
				return math.Float64frombits(v)
			}
			return float64(v) / 8
		case arrow.BOOL:
			return v&1 == 1
		case arrow.STRING:
			if s == 4 {
				return strings.Repeat("é", int(v%20)) + fmt.Sprint(v>>50)
			}
			return fmt.Sprint(v)
		case arrow.DICTIONARY:
			return sides[v%3]
		}
		return int64(v)
	}
}

func TestRoundTripRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := WriterOptions{
			PageRows:  rapid.SampledFrom([]int{0, 1, 7, 64, 1000}).Draw(rt, "page"),
			GroupRows: rapid.SampledFrom([]int{0, 10, 999, 1500}).Draw(rt, "group"),
			Columns:   map[string]Column{},
		}
		for _, f := range everyType.Fields() {
			encodings := map[arrow.Type][]Encoding{
				arrow.INT64: {Default, Plain, Delta}, arrow.TIMESTAMP: {Default, Plain, Delta},
				arrow.FLOAT64: {Default, Plain, Dictionary}, arrow.STRING: {Default, Plain, Dictionary, Delta, DeltaLength},
			}[f.Type.ID()]
			c := Column{Codec: rapid.SampledFrom([]Codec{DefaultCodec, Uncompressed, Snappy, Zstd}).Draw(rt, "codec")}
			if encodings != nil {
				c.Encoding = rapid.SampledFrom(encodings).Draw(rt, "encoding")
			}
			o.Columns[f.Name] = c
		}
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		var recs []arrow.Record
		for range rapid.IntRange(0, 3).Draw(rt, "batches") {
			rec := build(memory.DefaultAllocator, everyType, rapid.IntRange(0, 900).Draw(rt, "rows"), randomCell(rt, everyType))
			defer rec.Release()
			recs = append(recs, rec)
		}
		read := ReadOptions{Schema: everyType, Enums: everyEnum, Allocator: mem}
		b := write(t, everyType, o, recs...)
		sameCells(rt, b, read, recs...)
		if again := write(t, everyType, o, recs...); !bytes.Equal(b, again) {
			rt.Fatalf("the same rows gave %d and %d different bytes", len(b), len(again))
		}
		// The same rows in other batches give the same bytes.
		var parts []arrow.Record
		for _, rec := range recs {
			for from := int64(0); from < rec.NumRows(); {
				to := min(rec.NumRows(), from+rapid.Int64Range(1, 500).Draw(rt, "part"))
				part := rec.NewSlice(from, to)
				defer part.Release()
				parts = append(parts, part)
				from = to
			}
		}
		if again := write(t, everyType, o, parts...); !bytes.Equal(b, again) {
			rt.Fatalf("the same rows in other batches gave different bytes")
		}
	})
}

func TestNoRows(t *testing.T) {
	b := write(t, everyType, WriterOptions{})
	sameCells(t, b, ReadOptions{Schema: everyType, Enums: everyEnum})
	if got := open(t, b).Schema().NumFields(); got != everyType.NumFields() {
		t.Errorf("%d columns, want %d", got, everyType.NumFields())
	}
}
