package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// block is a fenced block of the README.
type block struct {
	language string
	lines    []string
}

func readme(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	inside := false
	for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
		line := scan.Text()
		fence, ok := strings.CutPrefix(line, "```")
		switch {
		case ok && !inside:
			blocks = append(blocks, block{language: fence})
			inside = true
		case ok:
			inside = false
		case inside:
			b := &blocks[len(blocks)-1]
			b.lines = append(b.lines, line)
		}
	}
	return blocks
}

// Every qf line of the README's shell blocks runs, in order and in one folder, against a simulated
// vendor.
func TestReadmeCommandsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches and backtests five months")
	}
	blocks := readme(t)
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	market := &tardistest.Market{
		Seed: 1, Start: first, TradesPerDay: 300, TickerEvery: 900,
		Instruments: []datasets.Instrument{
			{Exchange: "binance-futures", Symbol: "BTCUSDT"}, {Exchange: "binance-futures", Symbol: "ETHUSDT"},
		},
	}
	server := &tardistest.Server{Days: market, Keys: []string{tardistest.DemoKey}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("downloads", 0o777); err != nil {
		t.Fatal(err)
	}
	download, err := os.Create("downloads/binance-futures_quotes_2024-01-01_BTCUSDT.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := market.WriteDay(download, datasets.Partition{Instrument: market.Instruments[0], Type: datasets.Quotes, Day: first}); err != nil {
		t.Fatal(err)
	}
	if err := download.Close(); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, b := range blocks {
		if b.language != "sh" {
			continue
		}
		for _, line := range b.lines {
			line, _, _ = strings.Cut(line, "#")
			command, target, redirected := strings.Cut(line, ">")
			args := strings.Fields(command)
			if len(args) == 0 || args[0] != "qf" {
				continue
			}
			ran++
			if args[1] == "fetch" {
				args = append(args, "--base-url", server.URL())
			}
			out, errs := bytes.Buffer{}, bytes.Buffer{}
			s := streams{out: &out, err: &errs, getenv: func(name string) string {
				return map[string]string{"TARDIS_API_KEY": tardistest.DemoKey}[name]
			}}
			if code := run(t.Context(), args[1:], s); code != exitDone {
				t.Fatalf("%s: exit code %d\n%s%s", line, code, out.String(), errs.String())
			}
			if redirected {
				if err := os.WriteFile(strings.TrimSpace(target), out.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if ran < 8 {
		t.Errorf("the README has only %d qf commands: are its blocks still marked sh?", ran)
	}
}

// The README's study is a valid one, and its lines about make name targets that there are.
func TestReadmeStudyAndTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	studies := 0
	for _, b := range readme(t) {
		switch b.language {
		case "yaml":
			studies++
			if _, err := backtest.ParseStudy("README.md", []byte(strings.Join(b.lines, "\n")), nil); err != nil {
				t.Error(err)
			}
		case "sh":
			for _, line := range b.lines {
				if f := strings.Fields(line); len(f) > 1 && f[0] == "make" && !strings.Contains(string(makefile), "\n"+f[1]+":") {
					t.Errorf("the Makefile has no target for: %s", line)
				}
			}
		}
	}
	if studies == 0 {
		t.Error("the README has no study")
	}
}
