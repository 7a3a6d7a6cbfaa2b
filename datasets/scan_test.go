package datasets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets/parquet"
)

// threeDays has rows on the 1st, the 2nd and the 4th of January, none known of the 3rd.
func threeDays(t *testing.T, l *Lake) []arrow.Record {
	var recs []arrow.Record
	for _, d := range []string{"2024-01-01", "2024-01-02", "2024-01-04"} {
		p := part(Trades, btc, d)
		rec := record(p, 2000, 3)
		put(t, l, p, rec, 700)
		recs = append(recs, rec)
	}
	return recs
}

func TestScanIsTheRowsOfTheRange(t *testing.T) {
	l := newLake(t)
	recs := threeDays(t, l)
	all := []string(nil)
	var times []int64
	for _, r := range recs {
		all = append(all, cells(r)...)
		for _, v := range r.Column(localTimeIndex).(*array.Timestamp).TimestampValues() {
			times = append(times, int64(v))
		}
	}
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, r := range []Range{
		{at("2024-01-01T00:00:00Z"), at("2024-01-05T00:00:00Z")},
		{at("2024-01-01T00:05:00Z"), at("2024-01-01T00:06:00Z")},
		{at("2024-01-01T00:05:00.000001Z"), at("2024-01-04T00:00:10Z")},
		{at("2024-01-02T00:00:00Z"), at("2024-01-03T00:00:00Z")},
		{at("2024-01-03T00:00:00Z"), at("2024-01-04T00:00:00Z")},
		{at("2023-01-01T00:00:00Z"), at("2023-02-01T00:00:00Z")},
		{at("2024-01-05T00:00:00Z"), at("2024-01-01T00:00:00Z")},
		{at("0001-01-01T00:00:00Z"), at("9999-12-31T00:00:00Z")},
	} {
		var want []string
		for i, v := range times {
			if v >= r.From.UnixMicro() && v < r.To.UnixMicro() {
				want = append(want, all[i])
			}
		}
		rr, err := l.Scan(context.Background(), Trades, btc, r)
		if d := cmp.Diff(want, drain(t, rr, err)); d != "" {
			t.Errorf("%v: %s", r, d)
		}
	}
}

func TestScanColumns(t *testing.T) {
	l := newLake(t)
	recs := threeDays(t, l)
	from := day("2024-01-01").Time()
	for _, r := range []Range{{from, from.AddDate(0, 0, 4)}, {from.Add(3 * time.Minute), from.Add(5 * time.Minute)}} {
		for _, names := range [][]string{{"price"}, {"amount", "side"}, {LocalTimestamp, "id"}, {"price", LocalTimestamp}} {
			var want []string
			for _, rec := range recs {
				for i, v := range rec.Column(localTimeIndex).(*array.Timestamp).TimestampValues() {
					if int64(v) < r.From.UnixMicro() || int64(v) >= r.To.UnixMicro() {
						continue
					}
					row := ""
					for _, n := range names {
						row += rec.Column(rec.Schema().FieldIndices(n)[0]).ValueStr(i) + ","
					}
					want = append(want, row)
				}
			}
			rr, err := l.Scan(context.Background(), Trades, btc, r, names...)
			if err == nil && rr.Schema().NumFields() != len(names) {
				t.Errorf("%v: schema %v", names, rr.Schema())
			}
			if d := cmp.Diff(want, drain(t, rr, err)); d != "" {
				t.Errorf("%v: %s", names, d)
			}
		}
	}
	if _, err := l.Scan(context.Background(), Trades, btc, DayRange(0, 1), "prize"); err == nil || !strings.Contains(err.Error(), `trades has no column "prize"`) {
		t.Errorf("unknown column: %v", err)
	}
}

func TestScanStopsAndNamesTheFile(t *testing.T) {
	l := newLake(t)
	threeDays(t, l)
	ctx, cancel := context.WithCancelCause(context.Background())
	whole := DayRange(day("2024-01-01"), day("2024-01-04"))
	rr, err := l.Scan(ctx, Trades, btc, whole)
	if err != nil || !rr.Next() {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	cancel(stop)
	for rr.Next() {
	}
	if rr.Err() != stop {
		t.Errorf("error %v, want the context's cause", rr.Err())
	}
	rr.Release()

	second := l.path(part(Trades, btc, "2024-01-02"))
	b, _ := os.ReadFile(second)
	os.WriteFile(second, b[:len(b)-1], 0o666)
	rr, err = l.Scan(context.Background(), Trades, btc, whole)
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	rows := int64(0)
	for rr.Next() {
		rows += rr.Record().NumRows()
	}
	if rr.Err() == nil || !strings.Contains(rr.Err().Error(), second) || rows != 2000 {
		t.Errorf("after %d rows: %v", rows, rr.Err())
	}
}

func TestTable(t *testing.T) {
	l := newLake(t)
	p := part(DerivativeTicker, btc, "2024-01-01")
	rec := record(p, 100, 1)
	meta := map[string]string{"spec": "1m", "sources": "a\nb"}
	const path = "bars/v1/x/2024-01.parquet"
	if _, _, err := l.ReadTable(path); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing table: %v", err)
	}
	for _, r := range []arrow.Record{rec.NewSlice(0, 0), rec} { // the second replaces the first
		if err := l.WriteTable(context.Background(), path, r, meta); err != nil {
			t.Fatal(err)
		}
		got, m, err := l.ReadTable(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(cells(r), cells(got)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(meta, m); d != "" {
			t.Error(d)
		}
		got.Release()
	}
	if got := files(t, l); !slices.Equal(got, []string{path}) {
		t.Errorf("lake holds %q", got)
	}
	for _, bad := range []string{"", ".", "..", "../x", "/x", "a/../../x", "trades/x.parquet", "./quotes/x"} {
		if err := l.WriteTable(context.Background(), bad, rec, nil); err == nil {
			t.Errorf("table at %q is let through", bad)
		}
	}
}

// OpenTable gives some columns of a table in short batches; CheckTable finds damage that reading some columns does not.
func TestOpenTable(t *testing.T) {
	l := newLake(t)
	const path = "bars/x.parquet"
	if _, _, err := l.OpenTable(path, "price"); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing table: %v", err)
	}
	if _, err := l.CheckTable(path); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing table: %v", err)
	}
	rec := record(part(Trades, btc, "2024-01-01"), 20_000, 1)
	price := rec.Column(rec.Schema().FieldIndices("price")[0]).(*array.Float64).Float64Values()
	meta := map[string]string{"k": "v"}
	if err := l.WriteTable(context.Background(), path, rec, meta); err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	l.mem, l.batches = mem, mem
	for _, stop := range []int{1, 1 << 20} {
		rows, m, err := l.OpenTable(path, "price", "local_timestamp")
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		for stop > 0 && rows.Next() {
			b := rows.Record()
			if b.NumRows() > tablePage || b.NumCols() != 2 || b.ColumnName(1) != "local_timestamp" {
				t.Fatalf("a batch of %d rows of %v", b.NumRows(), b.Schema())
			}
			got = append(got, b.Column(0).(*array.Float64).Float64Values()...)
			stop--
		}
		if rows.Err() != nil || !slices.Equal(got, price[:len(got)]) || stop > 0 && len(got) != len(price) || cmp.Diff(meta, m) != "" {
			t.Errorf("%d prices, meta %v, %v", len(got), m, rows.Err())
		}
		rows.Release()
	}
	if _, _, err := l.OpenTable(path, "price", "colour"); err == nil {
		t.Error("a column that is not there is read")
	}
	if m, err := l.CheckTable(path); err != nil || cmp.Diff(meta, m) != "" {
		t.Errorf("meta %v, %v", m, err)
	}
	full := filepath.Join(l.root, path)
	b, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{100, len(b) / 2} {
		b[at] ^= 4
		if err := os.WriteFile(full, b, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := l.CheckTable(path); err == nil || !strings.Contains(err.Error(), full) {
			t.Errorf("damage at %d: %v, want the file named", at, err)
		}
		b[at] ^= 4
	}
}

func TestReadersGiveTheirMemoryBack(t *testing.T) {
	l := newLake(t)
	threeDays(t, l)
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	l.mem, l.batches = mem, mem
	whole := DayRange(day("2024-01-01"), day("2024-01-04"))
	cut := Range{whole.From.Add(time.Minute), whole.To.Add(-time.Minute)}
	for _, r := range []Range{whole, cut} {
		for _, batches := range []int{0, 1, 2, 1 << 20} {
			rr, err := l.Scan(context.Background(), Trades, btc, r, "price", "side")
			if err != nil {
				t.Fatal(err)
			}
			for range batches {
				if !rr.Next() {
					break
				}
			}
			rr.Release()
		}
	}
	foreign(t, l, part(Trades, btc, "2024-01-03"), record(part(Trades, btc, "2024-01-03"), 100, 1))
	if _, err := l.Stat(part(Trades, btc, "2024-01-03")); err != nil {
		t.Error(err)
	}
	p := part(Quotes, btc, "2024-01-01")
	if err := l.WriteTable(context.Background(), "bars/x.parquet", record(p, 70_000, 1), nil); err != nil {
		t.Fatal(err)
	}
	rec, _, err := l.ReadTable("bars/x.parquet")
	if err != nil || rec.NumRows() != 70_000 {
		t.Fatal(rec, err)
	}
	rec.Release()
}

// foreign writes rec as another tool would: nullable columns, enums as text, nothing about itself.
func foreign(t *testing.T, l *Lake, p Partition, rec arrow.Record) {
	t.Helper()
	fields := rec.Schema().Fields()
	cols := slices.Clone(rec.Columns())
	for i := range fields {
		fields[i].Nullable = true
		if d, ok := cols[i].(*array.Dictionary); ok {
			b := array.NewStringBuilder(memory.DefaultAllocator)
			for k := range d.Len() {
				b.Append(d.ValueStr(k))
			}
			cols[i], fields[i].Type = b.NewArray(), arrow.BinaryTypes.String
		}
	}
	slices.Reverse(fields)
	slices.Reverse(cols)
	plain := array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
	os.MkdirAll(filepath.Dir(l.path(p)), 0o777)
	f, err := os.Create(l.path(p))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := parquet.NewWriter(f, plain.Schema(), parquet.WriterOptions{})
	if err == nil {
		err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestForeignFilesReadLikeOurs(t *testing.T) {
	for _, dt := range DataTypes() {
		p := part(dt, btc, "2024-01-01")
		rec := record(p, 1000, 5)
		ours, theirs := newLake(t), newLake(t)
		want := put(t, ours, p, rec, 300)
		foreign(t, theirs, p, rec)
		got, err := theirs.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		want.Source, want.Bytes, got.Bytes = SourceMeta{}, 0, 0
		if got != want {
			t.Errorf("%s: Stat = %+v, want %+v", dt, got, want)
		}
		if d := cmp.Diff(cells(rec), drain2(t, theirs, p)); d != "" {
			t.Errorf("%s: %s", dt, d)
		}
		cut := Range{p.Day.Time().Add(time.Minute), p.Day.Time().Add(4 * time.Minute)}
		a, errA := ours.Scan(context.Background(), dt, btc, cut)
		b, errB := theirs.Scan(context.Background(), dt, btc, cut)
		if d := cmp.Diff(drain(t, a, errA), drain(t, b, errB)); d != "" {
			t.Errorf("%s: %s", dt, d)
		}
		if c, err := theirs.Coverage(); err != nil || c[0].Rows != 1000 {
			t.Errorf("%s: coverage %+v, %v", dt, c, err)
		}
	}
}
