package bars

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// From a lake on disk the bars are those of the same rows in memory, cold and warm.
func TestBuildFromLake(t *testing.T) {
	root := t.TempDir()
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	s := newMemStore()
	put := func(feed datasets.DataType, d datasets.Day, rows ...[]any) {
		s.put(feed, btc, d, rows...)
		schema, err := feed.Schema()
		if err != nil {
			t.Fatal(err)
		}
		p := datasets.Partition{Instrument: btc, Type: feed, Day: d}
		if len(rows) == 0 {
			fill(t, lake, p)
			return
		}
		fill(t, lake, p, batchOf(feed, schema, rows))
	}
	put(datasets.Trades, day0,
		tradeAt(hms(day0, 1, 0, 0), "buy", 10.1, 3.3), tradeAt(hms(day0, 2, 0, 0), "sell", 10.3, 0.7), tradeAt(hms(day0, 23, 0, 0), "unknown", 10.2, 1.1))
	put(datasets.Trades, day0+1)
	put(datasets.Trades, day0+3, tradeAt(hms(day0+3, 0, 0, 0), "buy", 11.1, 0.1))
	put(datasets.Quotes, day0, quoteAt(hms(day0, 1, 30, 0), 10, 1, 10.2, 3), quoteAt(hms(day0, 22, 0, 0), nan, nan, 10.3, 3))
	put(datasets.BookSnapshot5, day0, snapshotAt(hms(day0, 1, 30, 0), 5, [][2]float64{{10, 1}, {9.9, 7}}, [][2]float64{{10.2, 3}}))
	put(datasets.DerivativeTicker, day0,
		tickerAt(hms(day0, 7, 0, 0), float64(hms(day0, 8, 0, 0)), 0.0001, 10.25), tickerAt(hms(day0, 23, 0, 0), float64((day0+1).Start()), 0.0002, nan))
	put(datasets.DerivativeTicker, day0+1, tickerAt(hms(day0+1, 0, 0, 1), float64((day0+1).Start()), 0.0003, 10.5))
	put(datasets.Liquidations, day0, tradeAt(hms(day0, 5, 0, 0), "sell", 10.1, 2))

	for _, spec := range []Spec{
		{Every: time.Hour, TickWindows: []int{2, 3}},
		{Every: time.Hour, Clock: Exchange},
		{Kind: TickBars, Size: 1, TickWindows: []int{2}},
		{Kind: TickBars, Size: 2},
		{Kind: VolumeBars, Size: 2},
		{Kind: DollarBars, Size: 20},
	} {
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 4, Spec: spec, Feeds: []datasets.DataType{
			datasets.Quotes, datasets.BookSnapshot5, datasets.DerivativeTicker, datasets.Liquidations}}
		want := mustBuild(t, s, q, Options{NoCache: true})
		for _, what := range []string{"cold", "warm"} {
			got, err := Build(context.Background(), lake, q, Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, want, spec.String()+", "+what)
			got.Record.Release()
		}
	}
	tables := 0
	err = filepath.WalkDir(filepath.Join(root, "bars"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "data.parquet" {
			tables++
		}
		return err
	})
	if err != nil || tables == 0 {
		t.Errorf("%d cached tables, error %v", tables, err)
	}
}

// Cancelling stops Build with the cause.
func TestBuildStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fs.ErrClosed)
	s := newMemStore()
	s.put(datasets.Trades, btc, day0, tradeAt(hms(day0, 1, 0, 0), "buy", 10, 1))
	if _, err := Build(ctx, s, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 1, Spec: Spec{Every: time.Hour}}, Options{}); err != fs.ErrClosed {
		t.Errorf("error %v, want the cause", err)
	}
}

// A file of the cache that is damaged is made anew by who opens a source; one that is damaged afterwards is named.
func TestDamagedMonth(t *testing.T) {
	KeepTables(0)
	defer KeepTables(32 << 20)
	root := t.TempDir()
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	const days = 8
	for d := range datasets.Day(days) {
		fill(t, lake, datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0 + d}, randomTrades(day0+d, 2000))
	}
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + days, Spec: Spec{Every: time.Minute}}
	w := Want{Hi: days * 1440, Fields: []string{"close", "volume"}}
	open := func() *Source {
		t.Helper()
		src, err := OpenSource(context.Background(), lake, []Request{q}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	_, want := play(t, open(), w)
	files, err := filepath.Glob(filepath.Join(root, "bars", "*", "*", "*", "*", "month=2024-03", "data.parquet"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	damage := func() {
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(files[0], b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	damage()
	src := open()
	_, got := play(t, src, w)
	for k := range want {
		if !slices.Equal(got[k], want[k]) {
			t.Fatalf("%s is another one", w.Fields[k])
		}
	}
	damage()
	w.Fields = src.Fields()
	for _, e := range src.Blocks(context.Background(), w) {
		err = e
	}
	if err == nil || !strings.Contains(err.Error(), "month=2024-03") || !strings.Contains(err.Error(), "remove that file") {
		t.Errorf("error %v, want the file and the remedy", err)
	}
}
