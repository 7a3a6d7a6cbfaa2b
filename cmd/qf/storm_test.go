package main

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// A storm of faults: 500 files through a server that answers with 429, 500, 503, cut and corrupted
// bodies, wrong lengths and checksums, pages of HTML, truncated and dribbling files. In the end
// every file in the lake is right, every failure is named, and nothing is left behind.
func TestFetchThroughAStormOfFaults(t *testing.T) {
	defer goleak.VerifyNone(t)
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	in := datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	days := datasets.Day(500)
	if testing.Short() {
		days = 60
	}
	market := &tardistest.Market{Seed: 3, Start: first, TradesPerDay: 100, Instruments: []datasets.Instrument{in}}
	faults := tardistest.RandomFaults(11, 0.4, tardistest.TooManyRequests, tardistest.ServerError, tardistest.Unavailable,
		tardistest.Cut, tardistest.CorruptBody, tardistest.WrongLength, tardistest.WrongMD5, tardistest.HTML,
		tardistest.Truncated, tardistest.Slow)
	server := &tardistest.Server{Days: market, Fault: func(p datasets.Partition, n int) tardistest.Fault {
		f := faults(p, n)
		f.RetryAfter = "0" // a 429 without it makes the client wait for a minute
		return f
	}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var want []datasets.Partition
	for d := first; d < first+days; d++ {
		want = append(want, datasets.Partition{Instrument: in, Type: datasets.Trades, Day: d})
	}
	root := t.TempDir()
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	client := &tardis.Client{BaseURL: server.URL(), Attempts: 4, MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, IdleTimeout: 5 * time.Second}
	defer client.Close()
	report, err := datasets.Fetch(t.Context(), client, lake, want, datasets.FetchOptions{MinWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, e := range report.Entries {
		switch e.Status {
		case datasets.Fetched:
		case datasets.Failed:
			failed++
			if !strings.Contains(e.Err.Error(), e.Partition.String()) {
				t.Errorf("a failure does not name its file: %v", e.Err)
			}
			if _, err := lake.Stat(e.Partition); err == nil {
				t.Errorf("%s failed and is in the lake", e.Partition)
			}
		default:
			t.Errorf("%s is %s", e.Partition, e.Status)
		}
	}
	t.Logf("%d of %d files failed for good, over %d requests", failed, len(want), len(server.Requests()))
	if failed == 0 || failed > len(want)/2 {
		t.Errorf("%d failures: the storm is not one", failed)
	}
	sameAsMarket(t, lake, market, report)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "data.parquet" {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sameAsMarket checks every fetched day against what the market wrote, cell by cell.
func sameAsMarket(t *testing.T, lake *datasets.Lake, market *tardistest.Market, report datasets.FetchReport) {
	t.Helper()
	for _, e := range report.Entries {
		if e.Status != datasets.Fetched {
			continue
		}
		p := e.Partition
		var want, got bytes.Buffer
		if err := market.WriteDay(&want, p); err != nil {
			t.Fatal(err)
		}
		rr, err := lake.Scan(t.Context(), p.Type, p.Instrument, datasets.DayRange(p.Day, p.Day))
		if err != nil {
			t.Fatal(err)
		}
		err = datasets.WriteCSV(&got, p.Type, p.Instrument, rr)
		rr.Release()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s is not what the server had", p)
		}
	}
}
