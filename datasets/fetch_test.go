package datasets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fetchAll(t *testing.T, src Source, l *Lake, want []Partition, o FetchOptions) FetchReport {
	t.Helper()
	r, err := Fetch(context.Background(), src, l, want, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFetchThenFetchAgain(t *testing.T) {
	want := append(parts(Trades, btc, "2024-01-01", 5), parts(Quotes, btc, "2024-01-01", 3)...)
	src := source(1000, want...)
	src.files[want[1]].rec = record(want[1], 0, 1)
	delete(src.files, want[2])
	src.files[want[3]].openErr = fmt.Errorf("no: %w", ErrKeyNeeded)
	src.files[want[4]].nextErr = errors.New("bad.csv.gz:7: price is empty")
	l := newLake(t)
	r := fetchAll(t, src, l, shuffled(append(want, want...)), FetchOptions{})
	if !slices.IsSortedFunc(r.Entries, func(a, b FetchEntry) int { return a.Partition.Compare(b.Partition) }) {
		t.Error("entries are not in order")
	}
	first := []FetchStatus{Fetched, Fetched, Fetched, Fetched, Empty, NotFound, KeyNeeded, Failed}
	if d := cmp.Diff(first, statuses(r)); d != "" {
		t.Error(d)
	}
	if err := r.Entries[7].Err; err == nil || err.Error() != "fetch binance-futures/trades/BTCUSDT/2024-01-05: bad.csv.gz:7: price is empty" {
		t.Errorf("error %v", err)
	}
	if all, err := l.All(); err != nil || len(all) != 5 || len(files(t, l)) != 5 {
		t.Errorf("lake holds %v, %v; files %q", all, err, files(t, l))
	}
	for _, p := range want[:1] {
		if d := cmp.Diff(cells(src.files[p].rec), drain2(t, l, p)); d != "" {
			t.Error(d)
		}
	}
	for _, e := range r.Entries[:5] {
		if info, err := l.Stat(e.Partition); err != nil || info != e.Info {
			t.Errorf("%s: Stat = %+v, %v; the report has %+v", e.Partition, info, err, e.Info)
		}
	}

	src.opens = nil
	src.files[want[4]].nextErr = nil
	second := fetchAll(t, src, l, want, FetchOptions{})
	if d := cmp.Diff([]FetchStatus{Present, Present, Present, Present, Present, NotFound, KeyNeeded, Fetched}, statuses(second)); d != "" {
		t.Error(d)
	}
	if len(src.opens) != 3 {
		t.Errorf("opened %v", src.opens)
	}
}

func TestEndsGoFirst(t *testing.T) {
	want := append(parts(Trades, btc, "2024-01-01", 4), parts(Quotes, btc, "2024-01-01", 1)...)
	src := source(10, want...)
	fetchAll(t, src, newLake(t), want, FetchOptions{Concurrency: 1})
	d := func(t DataType, s string) Partition { return part(t, btc, s) }
	order := []Partition{d(Quotes, "2024-01-01"), d(Trades, "2024-01-04"), d(Trades, "2024-01-01"), d(Trades, "2024-01-02"), d(Trades, "2024-01-03")}
	if diff := cmp.Diff(order, src.opens); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedKeyStopsEverything(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 50)
	src := source(10, want...)
	for _, f := range src.files {
		f.openErr = fmt.Errorf("401: %w", ErrKeyRefused)
	}
	l := newLake(t)
	r, err := Fetch(context.Background(), src, l, want, FetchOptions{Concurrency: 2})
	if !errors.Is(err, ErrKeyRefused) || len(src.opens) > 4 {
		t.Errorf("error %v after %d openings", err, len(src.opens))
	}
	if r.Count(Failed) < 1 || r.Count(Failed)+r.Count(NotReached) != 50 {
		t.Errorf("statuses %v", statuses(r))
	}
	if left, _ := os.ReadDir(l.root); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestCancelledFetchLeavesWholeFiles(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 6)
	src := source(1000, want...)
	src.files[want[2]].hang = true
	src.files[want[3]].hang = true
	l := newLake(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("interrupted")
	done := 0
	r, err := Fetch(ctx, src, l, want, FetchOptions{Concurrency: 3, Observe: func(e FetchEvent) {
		if e.Kind == Finished {
			if done++; done == 4 {
				cancel(stop)
			}
		}
	}})
	if err != stop {
		t.Errorf("error %v, want the cause", err)
	}
	if d := cmp.Diff([]FetchStatus{Fetched, Fetched, NotReached, NotReached, Fetched, Fetched}, statuses(r)); d != "" {
		t.Error(d)
	}
	if !errors.Is(r.Entries[2].Err, stop) {
		t.Errorf("entry %v", r.Entries[2].Err)
	}
	if got := files(t, l); len(got) != 4 {
		t.Errorf("lake holds %q", got)
	}
}

func TestDamagedFileIsFetchedAgain(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 1)
	src := source(1000, want...)
	l := newLake(t)
	fetchAll(t, src, l, want, FetchOptions{})
	whole, _ := os.ReadFile(l.path(want[0]))
	os.WriteFile(l.path(want[0]), whole[:len(whole)-5], 0o666)
	r := fetchAll(t, src, l, want, FetchOptions{})
	if e := r.Entries[0]; e.Status != Fetched || e.Damaged == nil || !strings.Contains(e.Damaged.Error(), l.path(want[0])) {
		t.Errorf("%+v", e)
	}
	if again, _ := os.ReadFile(l.path(want[0])); string(again) != string(whole) {
		t.Error("not the same bytes")
	}
}

func TestOtherSourceIsRefusedWithoutReplace(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 1)
	src := identified{source(100, want...)}
	l := newLake(t)
	fetchAll(t, src, l, want, FetchOptions{})
	if r := fetchAll(t, src, l, want, FetchOptions{}); r.Entries[0].Status != Present {
		t.Errorf("the same source: %+v", r.Entries[0])
	}
	src.files[want[0]].rec = record(want[0], 100, 99)
	r := fetchAll(t, src, l, want, FetchOptions{})
	if e := r.Entries[0]; e.Status != Failed || !errors.Is(e.Err, ErrOtherSource) {
		t.Errorf("another source: %+v", e)
	}
	if r = fetchAll(t, src, l, want, FetchOptions{Replace: true}); r.Entries[0].Status != Fetched {
		t.Errorf("with Replace: %+v", r.Entries[0])
	}
	if d := cmp.Diff(cells(src.files[want[0]].rec), drain2(t, l, want[0])); d != "" {
		t.Error(d)
	}
	if r = fetchAll(t, src, l, want, FetchOptions{Replace: true}); r.Entries[0].Status != Present {
		t.Errorf("replaced by itself: %+v", r.Entries[0])
	}
}

func TestRetryableErrorsAreTriedAgain(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 2)
	src := source(1000, want...)
	src.files[want[0]].nextErr, src.files[want[0]].flaky = passing{time.Minute}, 2
	src.files[want[1]].nextErr = passing{}
	l := newLake(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := fetchAll(t, src, l, want, FetchOptions{})
		if d := cmp.Diff([]FetchStatus{Fetched, Failed}, statuses(r)); d != "" {
			t.Error(d)
		}
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("waited %v, want twice the minute that the source asked for", took)
		}
	})
	if d := cmp.Diff(cells(src.files[want[0]].rec), drain2(t, l, want[0])); d != "" {
		t.Error(d)
	}
	if n := src.files[want[1]].opened; n != 3 {
		t.Errorf("%d attempts, want 3", n)
	}
}

func TestBadRowsStandBesideTheData(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 1)
	src := source(10, want...)
	src.files[want[0]].bad = []BadRow{{3, "a,\"b\x00", "price: want a number"}, {9, "", "7 cells, want 8"}}
	l := newLake(t)
	r := fetchAll(t, src, l, want, FetchOptions{})
	if r.Entries[0].Info.Source.BadRows != 2 {
		t.Errorf("%+v", r.Entries[0])
	}
	side := filepath.Join(filepath.Dir(l.path(want[0])), badRowsFile)
	got, err := os.ReadFile(side)
	if w := "line,error,text\n3,price: want a number,\"a,\"\"b\x00\"\n9,\"7 cells, want 8\",\n"; err != nil || string(got) != w {
		t.Errorf("side file %q, %v", got, err)
	}
	src.files[want[0]].bad = nil
	fetchAll(t, src, l, want, FetchOptions{Replace: true})
	if _, err := os.Stat(side); !os.IsNotExist(err) {
		t.Errorf("a side file that is no longer true: %v", err)
	}
}

func TestFetchRefusesWhatCannotBeAPartition(t *testing.T) {
	src := source(1)
	r := fetchAll(t, src, newLake(t), []Partition{{Instrument{"okex", "../../etc"}, Trades, 1}, {btc, "bars", 1}}, FetchOptions{})
	if r.Count(Failed) != 2 || len(src.opens) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestEvents(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 1)
	src := source(1000, want...)
	var kinds []EventKind
	fetchAll(t, src, newLake(t), want, FetchOptions{Observe: func(e FetchEvent) {
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Kind {
			kinds = append(kinds, e.Kind)
		}
		if e.Kind == Progress && (e.Done != 1 || e.Total != 2) {
			t.Errorf("%+v", e)
		}
	}})
	if !slices.Equal(kinds, []EventKind{Started, Progress, Finished}) {
		t.Errorf("events %v", kinds)
	}
}

// A day whose file is not out is not asked for, and what the lake has as empty is asked for again in its first week.
func TestDaysThatAreNotOver(t *testing.T) {
	want := parts(Trades, btc, "2024-01-01", 3)
	group := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-03")
	src := source(10, append(want, group)...)
	for _, f := range src.files {
		f.rec = record(want[0], 0, 1)
	}
	l := newLake(t)
	at := func(day string, hours int) FetchOptions {
		return FetchOptions{Now: time.UnixMicro(part(Trades, btc, day).Day.Start()).Add(time.Duration(hours) * time.Hour)}
	}
	// 05:59 of the 3rd: the file of the 2nd is out at 06:00.
	o := at("2024-01-03", 6)
	o.Now = o.Now.Add(-time.Minute)
	r := fetchAll(t, src, l, append(want, group), o)
	if got := statuses(r); !slices.Equal(got, []FetchStatus{Empty, NotYet, NotYet, NotYet}) || len(src.opens) != 1 {
		t.Errorf("%v after asking for %v", got, src.opens)
	}
	if err := r.Entries[1].Err; err == nil || !strings.HasSuffix(err.Error(), "2024-01-02: the day's file is not there yet: it comes out about 06:00 UTC of the day after") {
		t.Errorf("error %v", err)
	}
	if all, err := l.All(); err != nil || len(all) != 1 {
		t.Errorf("the lake holds %v, %v", all, err)
	}
	src.opens = nil
	r = fetchAll(t, src, l, want, at("2024-01-03", 6))
	if got := statuses(r); !slices.Equal(got, []FetchStatus{Empty, Empty, NotYet}) || len(src.opens) != 2 {
		t.Errorf("%v after asking for %v", got, src.opens)
	}
	src.files[want[0]].rec = record(want[0], 10, 1) // it has come in meanwhile
	if r = fetchAll(t, src, l, want[:1], at("2024-01-08", 23)); r.Entries[0].Status != Fetched || r.Entries[0].Info.Rows != 10 {
		t.Errorf("%+v", r.Entries[0])
	}
	src.opens = nil
	r = fetchAll(t, src, l, want[:2], at("2024-01-10", 0))
	if got := statuses(r); !slices.Equal(got, []FetchStatus{Present, Present}) || len(src.opens) != 0 {
		t.Errorf("a week later: %v after asking for %v", got, src.opens)
	}
}
