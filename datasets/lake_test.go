package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets/atomicfile"
)

func TestMain(m *testing.M) {
	if root := os.Getenv(crashLake); root != "" {
		importForever(root)
	}
	goleak.VerifyTestMain(m)
}

// files lists what stands below the lake's root.
func files(t *testing.T, l *Lake) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(l.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(l.root, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriteThenRead(t *testing.T) {
	for _, dt := range DataTypes() {
		l := newLake(t)
		p := part(dt, btc, "2024-01-01")
		rec := record(p, 1000, 7)
		info := put(t, l, p, rec, 300)
		got := drain2(t, l, p)
		if d := cmp.Diff(cells(rec), got); d != "" {
			t.Fatalf("%s: %s", dt, d)
		}
		stat, err := l.Stat(p)
		if err != nil || stat != info {
			t.Errorf("%s: Stat = %+v, %v; Commit gave %+v", dt, stat, err, info)
		}
		times := rec.Column(localTimeIndex).(*array.Timestamp).TimestampValues()
		violations := int64(0)
		for i := 1; i < len(times); i++ {
			if times[i] < times[i-1] {
				violations++
			}
		}
		if info.Rows != 1000 || info.First != int64(times[0]) || info.Last != int64(times[999]) ||
			info.OrderViolations != violations || violations == 0 || info.Source != sourceOf(p, rec) {
			t.Errorf("%s: %+v, want %d violations", dt, info, violations)
		}
		if got := files(t, l); !slices.Equal(got, []string{p.path()}) {
			t.Errorf("%s: lake holds %q", dt, got)
		}
	}
}

func drain2(t *testing.T, l *Lake, p Partition, columns ...string) []string {
	t.Helper()
	rr, err := l.Scan(context.Background(), p.Type, p.Instrument, DayRange(p.Day, p.Day), columns...)
	return drain(t, rr, err)
}

func TestBytesDependOnRowsAlone(t *testing.T) {
	p := part(Trades, btc, "2024-01-01")
	rec := record(p, 5000, 7)
	a, b := newLake(t), newLake(t)
	ia, ib := put(t, a, p, rec, 5000), put(t, b, p, rec, 5000)
	fa, _ := os.ReadFile(a.path(p))
	fb, _ := os.ReadFile(b.path(p))
	if ia != ib || string(fa) != string(fb) {
		t.Errorf("two writings of the same rows differ: %+v %+v", ia, ib)
	}
}

func TestDigestSeesEveryCell(t *testing.T) {
	for _, dt := range DataTypes() {
		p := part(dt, btc, "2024-01-01")
		digest := func(recs ...arrow.Record) string {
			tally := newTally(p)
			for _, r := range recs {
				if err := tally.add(r); err != nil {
					t.Fatal(err)
				}
			}
			return combine(dt, tally.digests())
		}
		rec, other := record(p, 50, 7), record(p, 50, 8)
		want := digest(rec)
		if got := digest(split(rec, 7)...); got != want {
			t.Fatalf("%s: the digest depends on the batches", dt)
		}
		for i, c := range dt.Columns() {
			cols := slices.Clone(rec.Columns())
			cols[i] = other.Column(i)
			if got := digest(array.NewRecord(rec.Schema(), cols, 50)); got == want {
				t.Errorf("%s: a change of %s does not change the digest", dt, c.Name)
			}
		}
		if got := digest(rec.NewSlice(0, 49)); got == want {
			t.Errorf("%s: the last row does not change the digest", dt)
		}
	}
}

func TestDigestTellsNullFromZero(t *testing.T) {
	p := part(Trades, btc, "2024-01-01")
	digest := func(valid []bool, ids []string) string {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(ids, valid)
		d := columnDigest{Column: Column{Name: "id", Kind: Text, Nullable: true}}
		if err := d.add(b.NewArray(), 0); err != nil {
			t.Fatal(err)
		}
		return d.sum(int64(len(ids)))
	}
	seen := map[string]string{}
	for name, d := range map[string]string{
		"null first": digest([]bool{false, true}, []string{"", "a"}),
		"null last":  digest([]bool{true, false}, []string{"a", ""}),
		"empty":      digest([]bool{true, true}, []string{"", "a"}),
		"joined":     digest([]bool{true, true}, []string{"a", ""}),
	} {
		if other, ok := seen[d]; ok {
			t.Errorf("%s: %s and %s have one digest", p, name, other)
		}
		seen[d] = name
	}
}

func TestDigestOfAnEnumIsOfItsWords(t *testing.T) {
	digest := func(dictionary []string, codes ...int8) string {
		b := array.NewInt8Builder(memory.DefaultAllocator)
		b.AppendValues(codes, nil)
		side := Column{Name: "side", Kind: Enum, Values: []string{"buy", "sell", "unknown"}}
		d := columnDigest{Column: side}
		if err := d.add(array.NewDictionaryArray(side.Field().Type, b.NewArray(), words(dictionary)), 0); err != nil {
			return err.Error()
		}
		return d.sum(int64(len(codes)))
	}
	want := digest([]string{"buy", "sell", "unknown"}, 1, 0, 2)
	if got := digest([]string{"sell", "unknown", "buy"}, 0, 2, 1); got != want {
		t.Errorf("another order of the dictionary: %s, want %s", got, want)
	}
	if got := digest([]string{"buy", "sold"}, 0, 1); got != `row 2: side has a value that is not one of ["buy" "sell" "unknown"]` {
		t.Error(got)
	}
}

func TestEmptyDay(t *testing.T) {
	l := newLake(t)
	p := part(DerivativeTicker, btc, "2024-01-01")
	info := put(t, l, p, record(p, 0, 1), 1)
	got, err := l.Stat(p)
	if err != nil || got != info || got.Rows != 0 || got.First != 0 || got.Last != 0 {
		t.Errorf("Stat = %+v, %v", got, err)
	}
	if rows := drain2(t, l, p); len(rows) != 0 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestWriteRefuses(t *testing.T) {
	p := part(Trades, btc, "2024-01-02")
	good := record(p, 3, 1)
	nulls := func(name string) arrow.Record {
		i := slices.IndexFunc(p.Type.Columns(), func(c Column) bool { return c.Name == name })
		b := array.NewBuilder(memory.DefaultAllocator, good.Column(i).DataType())
		b.AppendNulls(3)
		cols := slices.Clone(good.Columns())
		cols[i] = b.NewArray()
		return array.NewRecord(good.Schema(), cols, 3)
	}
	for name, c := range map[string]struct {
		rec  arrow.Record
		want string
	}{
		"day before":  {record(part(Trades, btc, "2024-01-01"), 3, 1), "row 1: local_timestamp 17040672"},
		"day after":   {record(part(Trades, btc, "2024-01-03"), 3, 1), "is 2024-01-03, not 2024-01-02"},
		"null price":  {nulls("price"), "row 1: price is empty"},
		"null time":   {nulls(LocalTimestamp), "row 1: local_timestamp is empty"},
		"other feed":  {record(part(Quotes, btc, "2024-01-02"), 3, 1), "column 2 is ask_amount float64, want id utf8"},
		"fewer":       {array.NewRecord(arrow.NewSchema(good.Schema().Fields()[:3], nil), good.Columns()[:3], 3), "3 columns, want 6"},
		"unknown day": {nil, "day -1: want 1970-01-01 to 9999-12-31"},
	} {
		l := newLake(t)
		p := p
		if c.rec == nil {
			p.Day = -1
		}
		w, err := l.Create(context.Background(), p)
		if err == nil {
			err = w.Write(c.rec)
			w.Abort()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if left, _ := os.ReadDir(l.root); len(left) != 0 {
			t.Errorf("%s: Abort left %v", name, left)
		}
	}
}

func TestOneWriterAPartition(t *testing.T) {
	l := newLake(t)
	p := part(Trades, btc, "2024-01-01")
	first, err := l.Create(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*lockRetry)
	defer cancel()
	if _, err := l.Create(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second writer got in, or failed with %v", err)
	}
	l.sweep()
	if got := files(t, l); len(got) != 2 { // the lock's and its own
		t.Fatalf("sweep took a living writer's file: %q", got)
	}
	go func() {
		time.Sleep(lockRetry)
		first.Abort()
	}()
	second, err := l.Create(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Commit(SourceMeta{}); err != nil {
		t.Fatal(err)
	}
	second.Abort()
	if _, err := l.Stat(p); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
}

// deadTemp is the name of a file that a process of this machine, which is no more, was writing.
func deadTemp(path string) string {
	return strings.Replace(atomicfile.Temporary(path), fmt.Sprintf("-%d-", os.Getpid()), "-99999999-", 1)
}

func TestDeadWritersFileIsRemoved(t *testing.T) {
	l := newLake(t)
	p := part(Trades, btc, "2024-01-01")
	temp := deadTemp(l.path(p))
	if err := os.MkdirAll(filepath.Dir(temp), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(temp, []byte(strings.Repeat("x", 1<<20)), 0o666); err != nil {
		t.Fatal(err)
	}
	if all, err := l.All(); err != nil || len(all) != 0 {
		t.Errorf("All = %v, %v with a temporary file alone", all, err)
	}
	if err := os.WriteFile(lockOf(l.path(p)), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	rec := record(p, 10, 1)
	put(t, l, p, rec, 10)
	if d := cmp.Diff(cells(rec), drain2(t, l, p)); d != "" {
		t.Error(d)
	}
	if got := files(t, l); !slices.Equal(got, []string{p.path()}) {
		t.Errorf("lake holds %q", got)
	}
}

func TestStatOfMissingAndBroken(t *testing.T) {
	l := newLake(t)
	p := part(Trades, btc, "2024-01-01")
	if _, err := l.Stat(p); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	put(t, l, p, record(p, 100, 1), 100)
	whole, _ := os.ReadFile(l.path(p))
	for _, cut := range []int{0, 1, 8, len(whole) / 2, len(whole) - 1} {
		os.WriteFile(l.path(p), whole[:cut], 0o666)
		if _, err := l.Stat(p); err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), l.path(p)) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
}

func TestListAndAll(t *testing.T) {
	l := newLake(t)
	if all, err := l.All(); err != nil || len(all) != 0 {
		t.Errorf("empty lake: %v, %v", all, err)
	}
	odd := Instrument{"okex-options", "A+B #%é~Ω=1"}
	want := []Partition{
		part(Quotes, btc, "2024-01-01"),
		part(Trades, btc, "2023-12-31"),
		part(Trades, btc, "2024-01-02"),
		part(Trades, odd, "2024-01-02"),
	}
	for _, p := range shuffled(want) {
		put(t, l, p, record(p, 1, 1), 1)
	}
	for _, junk := range []string{
		"trades/exchange=binance-futures/symbol=BTCUSDT/date=2024-1-5/data.parquet",
		"trades/exchange=binance-futures/symbol=BTCUSDT/date=2024-01-05/other.csv",
		"trades/exchange=binance-futures/symbol=BTCUSDT/date=2024-01-05/_other.parquet",
		"trades/exchange=binance-futures/symbol=BT%43USDT/date=2024-01-05/data.parquet",
		"trades/exchange=binance-futures/symbol=%2E%2E/date=2024-01-05/data.parquet",
		"trades/exchange=Binance/symbol=X/date=2024-01-05/data.parquet",
		"bars/exchange=binance/symbol=X/date=2024-01-05/data.parquet",
		"README",
	} {
		path := filepath.Join(l.root, junk)
		os.MkdirAll(filepath.Dir(path), 0o777)
		os.WriteFile(path, nil, 0o666)
	}
	os.MkdirAll(filepath.Join(l.root, "trades/exchange=binance-futures/symbol=BTCUSDT/date=2024-02-01/data.parquet"), 0o777)
	all, err := l.All()
	if d := cmp.Diff(want, all); d != "" || err != nil {
		t.Error(err, d)
	}
	got, err := l.List(Trades, btc)
	if d := cmp.Diff(want[1:3], got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestPathOfOddNames(t *testing.T) {
	for _, c := range []struct {
		in   Instrument
		want string
	}{
		{btc, "exchange=binance-futures/symbol=BTCUSDT"},
		{Instrument{"deribit", "BTC_USDC-PERPETUAL"}, "exchange=deribit/symbol=BTC_USDC-PERPETUAL"},
		{Instrument{"okex", "A+B C"}, "exchange=okex/symbol=A%2BB%20C"},
		{Instrument{"okex", "50%"}, "exchange=okex/symbol=50%25"},
		{Instrument{"okex", "É"}, "exchange=okex/symbol=%C3%89"},
	} {
		p := Partition{c.in, Trades, day("2024-02-29")}
		want := "trades/" + c.want + "/date=2024-02-29/data.parquet"
		if got := filepath.ToSlash(p.path()); got != want {
			t.Errorf("%s: path %s, want %s", c.in, got, want)
		}
		if back, ok := partitionAt(p.path()); !ok || back != p {
			t.Errorf("%s: path reads back as %v, %v", c.in, back, ok)
		}
	}
	for _, symbol := range []string{"", "..", "../X", "A/B", `A\B`, "A\x00", "A\n", "A..B", "\xff",
		"__HIVE_DEFAULT_PARTITION__", strings.Repeat("A", 121), strings.Repeat("É", 60)} {
		if err := (Instrument{"okex", symbol}).Validate(); err == nil {
			t.Errorf("symbol %q is let through", symbol)
		}
	}
}

func FuzzPath(f *testing.F) {
	f.Add("binance", "BTCUSDT", int32(19000))
	f.Add("okex", "../../etc", int32(0))
	f.Add("okex", "%2e%2e", int32(-1))
	f.Fuzz(func(t *testing.T, exchange, symbol string, d int32) {
		p := Partition{Instrument{exchange, symbol}, Trades, Day(d)}
		if p.Validate() != nil {
			return
		}
		path := p.path()
		if !filepath.IsLocal(path) || strings.Count(filepath.ToSlash(path), "/") != 4 {
			t.Fatalf("%q leaves its place in the lake: %q", symbol, path)
		}
		if back, ok := partitionAt(path); !ok || back != p {
			t.Fatalf("%+v: path %q reads back as %+v, %v", p, path, back, ok)
		}
		for _, segment := range strings.Split(path, "/") {
			if len(segment) > 255 {
				t.Fatalf("segment of %d bytes", len(segment))
			}
		}
	})
}
