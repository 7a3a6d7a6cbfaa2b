package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

var update = flag.Bool("update", false, "rewrite the fixture days")

// The fixture days are the simulator's: a change of the simulator that changes them shows here, and
// -update rewrites them (then `make golden`).
func TestFixtureDaysAreTheSimulators(t *testing.T) {
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	market := &tardistest.Market{
		Seed: 7, Start: first, Signal: tardistest.DefaultSignal, TradesPerDay: 1500, TickerEvery: 600,
		Instruments: []datasets.Instrument{
			{Exchange: "binance-futures", Symbol: "BTCUSDT"}, {Exchange: "binance-futures", Symbol: "ETHUSDT"},
		},
	}
	for _, in := range market.Instruments {
		for _, feed := range []datasets.DataType{datasets.Trades, datasets.DerivativeTicker} {
			for d := first; d < first+8; d++ {
				p := datasets.Partition{Instrument: in, Type: feed, Day: d}
				if feed == datasets.Trades && d == first+7 {
					continue // the last day serves the settlement at its midnight only
				}
				fixtureDay(t, market, p)
			}
		}
	}
}

func fixtureDay(t *testing.T, market *tardistest.Market, p datasets.Partition) {
	t.Helper()
	var want bytes.Buffer
	if err := market.WriteDay(&want, p); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "testdata", "fixture",
		p.Exchange+"_"+string(p.Type)+"_"+p.Day.String()+"_"+p.Symbol+".csv.gz")
	if *update {
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(want.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, packed.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the simulator makes: go test ./cmd/qf -run Fixture -update, then make golden", path)
	}
}
