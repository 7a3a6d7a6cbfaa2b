package datasets

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets/parquet"
)

func checks(found []Finding) []string {
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s %s %d %d", f.Severity, f.Check, f.Count, f.Row))
	}
	return out
}

// verified writes text as a day of its feed and verifies it.
func verified(t *testing.T, dt DataType, text string) []Finding {
	t.Helper()
	l := newLake(t)
	p := part(dt, btc, "2024-01-01")
	put(t, l, p, parseCSV(t, dt, text), 3)
	found, err := Verify(context.Background(), l, []Partition{p}, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOddDataIsFound(t *testing.T) {
	const head = "exchange,symbol,timestamp,local_timestamp,"
	const quotes = head + "ask_amount,ask_price,bid_price,bid_amount\n"
	// hourly rows from 00:30 on keep the day free of gaps
	day := func(columns, row string, special ...string) string {
		text := head + columns + "\n"
		for h := range int64(24) {
			at := 1704067200000000 + (2*h+1)*1_800_000_000
			r := row
			if int(h) < len(special) && special[h] != "" {
				r = special[h]
			}
			text += strings.NewReplacer("@", fmt.Sprint(at), "#", fmt.Sprint(h)).Replace("e,S," + r + "\n")
		}
		return text
	}
	for name, c := range map[string]struct {
		dt   DataType
		text string
		want []string
	}{
		"clean trades": {Trades, day("id,side,price,amount", "@,@,#,buy,1,1"), []string{"finding gaps 23 2"}},
		"trades": {Trades, day("id,side,price,amount", "@,@,#,buy,1,1",
			"1804067200000000,@,0,buy,1,1", "@,@,1,unknown,1,1", "@,@,1,buy,0,1", "@,@,,buy,-1,1", "@,@,,sell,1,1"),
			[]string{"finding negative_latency 1 1", "finding gaps 23 2", "finding bad_price 2 3", "finding duplicate_id 1 3", "finding unknown_side 1 2"}},
		"times": {Trades, day("id,side,price,amount", "@,@,#,buy,1,1", "1504067200000000,@,0,buy,1,1", "1704067200000,@,1,buy,1,1"),
			[]string{"finding high_latency 1 1", "finding bad_time 1 2", "finding gaps 23 2"}},
		"quotes": {Quotes, day("ask_amount,ask_price,bid_price,bid_amount", "@,@,1,101,100,1",
			"@,@,1,100,101,1", "@,@,1,100,100,1", "@,@,,,100,1", "@,@,1,-1,,"),
			[]string{"finding gaps 23 2", "finding crossed_book 1 1", "finding locked_book 1 2", "finding bad_price 1 4"}},
		"book without a snapshot": {IncrementalBookL2, day("is_snapshot,side,price,amount", "@,@,false,bid,1,0"),
			[]string{"finding gaps 23 2", "finding no_snapshot 1 1"}},
		"book of snapshots": {IncrementalBookL2, day("is_snapshot,side,price,amount", "@,@,true,bid,1,0"),
			[]string{"finding gaps 23 2", "finding snapshot_share 24 1"}},
		"liquidations are rare": {Liquidations, head + "id,side,price,amount\ne,S,1704070000000000,1704070000000000,,buy,1,1\n", nil},
		"ends of the day":       {Quotes, quotes + "e,S,1704110400000000,1704110400000000,1,2,1,1\n", []string{"finding gaps 2 1"}},
		"order": {Liquidations, head + "id,side,price,amount\ne,S,1704067200000009,1704067200000009,,buy,1,1\ne,S,1704067200000001,1704067200000008,,buy,1,1\n",
			[]string{"finding order_violations 1 2"}},
		"empty day": {Quotes, quotes, nil},
	} {
		if d := cmp.Diff(c.want, checks(verified(t, c.dt, c.text))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestFindingsInWords(t *testing.T) {
	found := verified(t, Liquidations, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"+
		"e,S,1704067201270000,1704067200000000,,buy,1,1\ne,S,1704067200000000,1704067200000000,,buy,1,1\n")
	if len(found) != 1 || found[0].Text != "1 of 2 rows (50 %) have local_timestamp before timestamp, by up to 1.27s" {
		t.Errorf("%+v", found)
	}
}

func TestIDsAreForgottenInTheEnd(t *testing.T) {
	var w idWindow
	for i := range uint64(3 * idsKept) {
		if w.seen(i + 1) {
			t.Fatalf("%d was never there", i+1)
		}
	}
	for _, c := range []struct {
		id   uint64
		want bool
	}{{3 * idsKept, true}, {2*idsKept + 1, true}, {1, false}} {
		if got := w.seen(c.id); got != c.want {
			t.Errorf("id %d seen: %v", c.id, got)
		}
	}
	if n := w.young.n + w.old.n; n > 2*idsKept {
		t.Errorf("%d ids are kept", n)
	}
}

// lying writes rows under a footer that records something else.
func lying(t *testing.T, l *Lake, p Partition, rows int, change func(*footer)) {
	t.Helper()
	rec := record(p, rows, 1)
	info := put(t, l, p, rec, 100)
	file, err := parquet.Open(l.path(p))
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := readFooter(file, p)
	file.Close()
	if err != nil || f.Info != info {
		t.Fatal(f, err)
	}
	change(&f)
	out, err := os.Create(l.path(p))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	schema, _ := p.Type.Schema()
	w, err := parquet.NewWriter(out, schema, parquet.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f.set(w.SetMetadata)
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatAreNotWhatTheySay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*footer)
		want   []string
	}{
		"true":   {func(f *footer) {}, nil},
		"rows":   {func(f *footer) { f.Rows++ }, []string{"error unreadable 0 0"}},
		"first":  {func(f *footer) { f.First++ }, []string{"error first 0 0"}},
		"last":   {func(f *footer) { f.Last-- }, []string{"error last 0 0"}},
		"order":  {func(f *footer) { f.OrderViolations++ }, []string{"error order 0 0"}},
		"digest": {func(f *footer) { f.digests["price"], f.digests["amount"] = f.digests["amount"], f.digests["price"] }, []string{"error digest 0 0", "error digest 0 0"}},
		"none":   {func(f *footer) { f.digests["price"] = "" }, []string{"error unreadable 0 0"}},
	} {
		l := newLake(t)
		p := part(Liquidations, btc, "2024-01-01")
		lying(t, l, p, 500, c.change)
		found, err := Verify(context.Background(), l, []Partition{p}, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var faults []Finding
		for _, f := range found {
			if f.Severity == Fault {
				faults = append(faults, f)
			}
		}
		if d := cmp.Diff(c.want, checks(faults)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestEveryBrokenByteIsNoticed(t *testing.T) {
	l := newLake(t)
	p := part(Liquidations, btc, "2024-01-01")
	put(t, l, p, record(p, 200, 1), 100)
	whole, err := os.ReadFile(l.path(p))
	if err != nil {
		t.Fatal(err)
	}
	before := func() string { return strings.Join(drain2(t, l, p), "\n") }()
	for at := 0; at < len(whole); at += 7 {
		broken := []byte(string(whole))
		broken[at] ^= 0x10
		os.WriteFile(l.path(p), broken, 0o666)
		found, err := Verify(context.Background(), l, []Partition{p}, VerifyOptions{Concurrency: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 && found[0].Severity == Fault {
			continue
		}
		// What is not noticed has to be harmless: statistics, names of the writer.
		if after := strings.Join(drain2(t, l, p), "\n"); after != before {
			t.Fatalf("byte %d of %d changes the rows and Verify finds nothing", at, len(whole))
		}
	}
}

// What another tool wrote counts under any name, while it is alone; a day that qf writes takes its place.
func TestForeignNames(t *testing.T) {
	l := newLake(t)
	p := part(Trades, btc, "2024-01-02")
	rec := record(p, 50, 1)
	foreign(t, l, p, rec)
	other := filepath.Join(filepath.Dir(l.path(p)), "data_0.parquet")
	if err := os.Rename(l.path(p), other); err != nil {
		t.Fatal(err)
	}
	if list, err := l.List(Trades, btc); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if info, err := l.Stat(p); err != nil || info.Rows != 50 {
		t.Fatal(info, err)
	}
	if rows := drain2(t, l, p); len(rows) != 50 {
		t.Errorf("%d rows", len(rows))
	}
	foreign(t, l, p, rec)
	if _, err := l.Stat(p); err == nil || !strings.Contains(err.Error(), "holds two files, data.parquet and data_0.parquet: keep the one that counts") {
		t.Error(err)
	}
	put(t, l, p, rec, 10)
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", other, err)
	}
	if info, err := l.Stat(p); err != nil || info.Rows != 50 || info.Source.Path == "" {
		t.Error(info, err)
	}
}

// A cell that no CSV may have is refused with its row, in every number of every feed; so is a file without
// rows of which nothing says that the day is empty.
func TestForeignCells(t *testing.T) {
	for _, dt := range DataTypes() {
		p := part(dt, btc, "2024-01-02")
		for c, column := range dt.Columns() {
			if column.Kind != Number {
				continue
			}
			for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
				if v == -1 && !column.isAmount() {
					continue
				}
				l := newLake(t)
				rec := withCell(record(p, 20, 1), c, 12, v)
				foreign(t, l, p, rec)
				want := fmt.Sprintf("column %q: row 13: %v is not a number that a cell may hold", column.Name, v)
				rows, err := l.Scan(context.Background(), dt, btc, DayRange(p.Day, p.Day), LocalTimestamp, column.Name)
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
				}
				if err := rows.Err(); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: scan: %v", dt, err)
				}
				rows.Release()
				if found, err := Verify(context.Background(), l, []Partition{p}, VerifyOptions{}); err != nil || len(found) != 1 || found[0].Severity != Fault || !strings.Contains(found[0].Text, want) {
					t.Errorf("%s: verify: %v %v", dt, found, err)
				}
				if w, err := l.Create(context.Background(), part(dt, btc, "2024-01-02")); err != nil {
					t.Fatal(err)
				} else {
					if err := w.Write(rec); err == nil || !strings.Contains(err.Error(), "row 13: "+column.Name) {
						t.Errorf("%s: write: %v", dt, err)
					}
					w.Abort()
				}
				if testing.Short() || c > 6 {
					break
				}
			}
		}
	}
	l := newLake(t)
	p := part(Trades, btc, "2024-01-02")
	foreign(t, l, p, record(p, 0, 1))
	if _, err := l.Stat(p); err == nil || !strings.Contains(err.Error(), "no record of qf that the day is empty") {
		t.Error(err)
	}
}

// withCell is rec with another number in one cell.
func withCell(rec arrow.Record, column, row int, v float64) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	old := rec.Column(column).(*array.Float64)
	for i := range old.Len() {
		switch {
		case i == row:
			b.Append(v)
		case old.IsNull(i):
			b.AppendNull()
		default:
			b.Append(old.Value(i))
		}
	}
	cols := slices.Clone(rec.Columns())
	cols[column] = b.NewArray()
	return array.NewRecord(rec.Schema(), cols, rec.NumRows())
}

func TestVerifyOfMissingForeignAndMany(t *testing.T) {
	l := newLake(t)
	ps := parts(Liquidations, btc, "2024-01-01", 4)
	put(t, l, ps[0], record(ps[0], 10, 1), 10)
	foreign(t, l, ps[2], record(ps[2], 10, 1))
	os.MkdirAll(l.path(ps[3]), 0o777)
	done := 0
	found, err := Verify(context.Background(), l, ps, VerifyOptions{Observe: func(Partition, []Finding) { done++ }})
	if err != nil || done != 4 {
		t.Errorf("%d files, %v", done, err)
	}
	if d := cmp.Diff([]string{"finding unknown_side 6 2", "error unreadable 0 0",
		"finding unrecorded 0 0", "finding unknown_side 3 4", "error unreadable 0 0"}, checks(found)); d != "" {
		t.Error(d)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := Verify(ctx, l, ps, VerifyOptions{}); err != stop {
		t.Errorf("error %v, want the cause", err)
	}
}
