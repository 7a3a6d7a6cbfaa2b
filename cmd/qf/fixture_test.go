package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
	"github.com/qf-dev/qf/signals/llm"
	"github.com/qf-dev/qf/signals/llm/llmtest"
)

var update = flag.Bool("update", false, "rewrite the fixture days and answers")

// fixture is a committed file's place.
func fixture(parts ...string) string {
	return filepath.Join(append([]string{"..", "..", "testdata"}, parts...)...)
}

// The fixture days are the simulator's: a change of the simulator that changes them shows here, and
// -update rewrites them (then `make golden`).
func TestFixtureDaysAreTheSimulators(t *testing.T) {
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		market *tardistest.Market
		feeds  []datasets.DataType
	}{
		{
			&tardistest.Market{
				TradesPerDay: 1500, TickerEvery: 600,
				Instruments: []datasets.Instrument{
					{Exchange: "binance-futures", Symbol: "BTCUSDT"}, {Exchange: "binance-futures", Symbol: "ETHUSDT"},
				},
			},
			[]datasets.DataType{datasets.Trades, datasets.DerivativeTicker},
		},
		{
			&tardistest.Market{
				TradesPerDay: 300, TickerEvery: 7200, SnapshotEvery: 1800,
				Instruments: []datasets.Instrument{
					{Exchange: "bybit", Symbol: "ETHUSD"}, {Exchange: "okex-swap", Symbol: "SOL-USDT-SWAP"},
				},
			},
			[]datasets.DataType{datasets.Trades, datasets.DerivativeTicker, datasets.BookSnapshot5},
		},
	} {
		c.market.Seed, c.market.Start, c.market.Signal = 7, first, tardistest.DefaultSignal
		for _, in := range c.market.Instruments {
			for _, feed := range c.feeds {
				for d := first; d < first+8; d++ {
					p := datasets.Partition{Instrument: in, Type: feed, Day: d}
					if feed != datasets.DerivativeTicker && d == first+7 {
						continue // the last day serves the settlement at its midnight only
					}
					fixtureDay(t, c.market, p)
				}
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
	path := fixture("fixture", p.Exchange+"_"+string(p.Type)+"_"+p.Day.String()+"_"+p.Symbol+".csv.gz")
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

// The cached answers are those of the simulated models to the questions of the study: a change of prompts, of
// factors or of the cache's files that changes them shows here, and -update rewrites them (then `make golden`).
// Plain and anonymized prompts are both there, so that they are compared.
func TestFixtureAnswersAreTheModels(t *testing.T) {
	dir := t.TempDir()
	if code := run(t.Context(), []string{"import", "--quiet", "--lake", filepath.Join(dir, "lake"), fixture("fixture")}, quiet); code != exitDone {
		t.Fatalf("import: exit code %d", code)
	}
	study, err := study.Load(fixture("studies", "models.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	lake, err := datasets.OpenLake(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	questions, err := backtest.Questions(t.Context(), lake, study, backtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := study.Signals.LLM.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.Concurrency = 1
	want := filepath.Join(dir, "llm")
	synctest.Test(t, func(t *testing.T) { // its clock makes the times in the cache the same every time
		for _, anonymize := range []bool{false, true} {
			config.Anonymize = anonymize
			server := &llmtest.Server{Rule: answer, Fault: mishap}
			if _, err := llm.Fill(t.Context(), llm.OpenCache(want), config, questions, llm.FillOptions{Transport: server.Transport()}); err != nil {
				t.Fatal(err)
			}
		}
	})
	got := fixture("llm")
	if *update {
		if err := os.RemoveAll(got); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(got, os.DirFS(want)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filesOf(t, want), filesOf(t, got)
	if !slices.Equal(a, b) {
		t.Fatalf("testdata/llm has other answers (%d files) than the simulated models give (%d): go test ./cmd/qf -run Fixture -update, then make golden", len(b), len(a))
	}
	for _, name := range a {
		x, err := os.ReadFile(filepath.Join(want, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(got, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Fatalf("testdata/llm/%s is not what the simulated models give: go test ./cmd/qf -run Fixture -update, then make golden", name)
		}
	}
}

// quiet is a terminal that nobody looks at.
var quiet = streams{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}

// answer has one model that follows the factors and another that guesses.
func answer(r llmtest.Request) string {
	if r.Model == "deepseek-v3.2" {
		return llmtest.Honest(1, 0.5)(r)
	}
	return llmtest.Guess(2)(r)
}

// mishap gives the answers that come as they should a latency, and some others the forms in which models answer: one
// of them stays invalid after its repair.
func mishap(r llmtest.Request) llmtest.Fault {
	switch r.N {
	case 5:
		return llmtest.Fault{Kind: llmtest.Fenced}
	case 8:
		return llmtest.Fault{Kind: llmtest.Prose}
	case 11:
		return llmtest.Fault{Kind: llmtest.InvalidJSON}
	case 14, 15:
		return llmtest.Fault{Kind: llmtest.NoObject}
	}
	return llmtest.Fault{Kind: llmtest.Slow, Pause: time.Duration(600+37*(r.N%29)) * time.Millisecond}
}

// filesOf lists the files below a folder by their names.
func filesOf(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
