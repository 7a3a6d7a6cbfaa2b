package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// TestMain lets the scripts run qf as a program, and be killed or interrupted like one.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"qf": main})
}

// TestScripts drives the command line through testdata/script: files, commands, wanted output and
// exit codes. Beside testscript's own commands there are
//
//	serve [-signal X] [-trades N] [-ticker S] [-symbols LIST] [-missing DAY] [-empty DAY] [-fault NAME] [-open]
//	      [-lives SYMBOL=DAY..DAY,…] [-until DAY] [-incident INSTANT..INSTANT] [-changes SYMBOL=DAY:BEFORE,…]
//	requests N
//	exits N qf …
//	same A B
//	json
//
// and for language models those of signals_test.go.
//
// serve starts a simulated vendor and puts its address into $TARDIS; its key is $KEY. requests
// checks how many requests it has had since it was last asked. exits runs a command that must end
// with that exit code. same compares all files below two folders byte by byte. json wants
// the output of the command before to be one JSON document. The condition
// [smalldisk] holds where a script may mount a file system of its own (unshare -rm).
//
// What must never happen on bad input is held by these scripts:
//
//	a truncated gzip, HTML with status 200, a wrong length or MD5   fetch_faults
//	the same in a file on disk, a wrong header, a NUL byte, a line
//	without an end, a cell of 400 digits, a symbol with ../         import_hostile
//	a damaged or foreign Parquet file, an empty lake                lake_damage
//	a study of the wrong shape                                      config, config_shapes
//	a full disk, a closed or full stdout                            full_disk
//	Ctrl-C and kill -9 in the middle                                interrupt
//	a key that is wrong, and must not be shown                      fetch_key
//	names with ../ and markup in studies and runs                   hostile_names
//	model answers of prose, script or nothing; a refused key        signals_faults
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("KEY", tardistest.DemoKey)
			env.Values[counter{}] = &counter{}
			env.Setenv("LLMKEY", modelKey)
			env.Values[endpoint{}] = &endpoint{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "smalldisk" {
				return false, fmt.Errorf("no condition %q", cond)
			}
			return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve":    serve,
			"requests": requests,
			"exits":    exits,
			"same":     same,
			"json":     oneDocument,
			"models":   models,
			"billed":   billed,
			"asked":    asking,
			"damage":   damage,
			"never":    never,
		},
	})
}

// faults are the names that serve -fault takes.
var faults = map[string]tardistest.Fault{
	"html":      {Kind: tardistest.HTML},
	"truncated": {Kind: tardistest.Truncated},
	"corrupt":   {Kind: tardistest.CorruptBody, After: 500},
	"length":    {Kind: tardistest.WrongLength},
	"md5":       {Kind: tardistest.WrongMD5},
	"slow":      {Kind: tardistest.Slow, Pause: 50_000_000},
}

// gaps is a market that lacks some days and was silent on others.
type gaps struct {
	tardistest.Days
	missing, empty string
}

func (g gaps) WriteDay(w io.Writer, p datasets.Partition) error {
	switch p.Day.String() {
	case g.missing:
		return datasets.ErrNotFound
	case g.empty:
		return nil
	}
	return g.Days.WriteDay(w, p)
}

func serve(ts *testscript.TestScript, _ bool, args []string) {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	signal := f.Float64("signal", 0, "")
	trades := f.Int("trades", 2000, "")
	ticker := f.Int("ticker", 0, "")
	symbols := f.String("symbols", "BTCUSDT,ETHUSDT", "")
	missing := f.String("missing", "", "")
	empty := f.String("empty", "", "")
	fault := f.String("fault", "", "")
	open := f.Bool("open", false, "")
	lives := f.String("lives", "", "")
	until := f.String("until", "", "")
	incident := f.String("incident", "", "")
	changes := f.String("changes", "", "")
	ts.Check(f.Parse(args))
	start, err := datasets.ParseDay("2024-01-01")
	ts.Check(err)
	market := &tardistest.Market{
		Seed: 1, Start: start, Signal: *signal, TradesPerDay: *trades, TickerEvery: *ticker,
	}
	for symbol := range strings.SplitSeq(*symbols, ",") {
		exchange := "binance-futures"
		if e, own, ok := strings.Cut(symbol, ":"); ok {
			exchange, symbol = e, own
		}
		market.Instruments = append(market.Instruments, datasets.Instrument{Exchange: exchange, Symbol: symbol})
	}
	told, err := metadata(market, *lives, *until, *incident, *changes)
	ts.Check(err)
	server := &tardistest.Server{Days: gaps{market, *missing, *empty}, Keys: []string{tardistest.DemoKey}, Metadata: told}
	if *open {
		server.Keys = nil
	}
	if *fault != "" {
		broken, ok := faults[*fault]
		if !ok {
			ts.Fatalf("serve: no fault %q", *fault)
		}
		server.Fault = tardistest.FirstTries(1<<30, broken)
	}
	ts.Check(server.Start())
	ts.Defer(func() { _ = server.Close() })
	ts.Setenv("TARDIS", server.URL())
	*ts.Value(counter{}).(*counter) = counter{server: server}
}

// metadata is what the served vendor says of its instruments.
func metadata(m *tardistest.Market, lives, until, incident, changes string) (*tardistest.Metadata, error) {
	told := &tardistest.Metadata{Market: m, Changes: map[datasets.Instrument][]datasets.MultiplierChange{}}
	find := func(symbol string) datasets.Instrument {
		for _, in := range m.Instruments {
			if in.Symbol == symbol {
				return in
			}
		}
		return datasets.Instrument{Exchange: "binance-futures", Symbol: symbol}
	}
	day := func(text string) (d datasets.Day, err error) {
		if text != "" {
			d, err = datasets.ParseDay(text)
		}
		return d, err
	}
	var errs []error
	for life := range strings.FieldsFuncSeq(lives, func(r rune) bool { return r == ',' }) {
		symbol, span, _ := strings.Cut(life, "=")
		from, to, _ := strings.Cut(span, "..")
		first, err := day(from)
		end, late := day(to)
		errs = append(errs, err, late)
		m.Lives = append(m.Lives, tardistest.Life{Instrument: find(symbol), From: first, To: end})
	}
	for change := range strings.FieldsFuncSeq(changes, func(r rune) bool { return r == ',' }) {
		symbol, what, _ := strings.Cut(change, "=")
		on, before, _ := strings.Cut(what, ":")
		d, err := day(on)
		was, late := strconv.ParseFloat(before, 64)
		errs = append(errs, err, late)
		told.Changes[find(symbol)] = append(told.Changes[find(symbol)], datasets.MultiplierChange{Day: d, Before: was})
	}
	if from, to, ok := strings.Cut(incident, ".."); ok {
		begin, err := time.Parse(time.RFC3339, from)
		end, late := time.Parse(time.RFC3339, to)
		errs = append(errs, err, late)
		told.Incidents = append(told.Incidents, datasets.Incident{From: begin, To: end, Status: "resolved", Details: "recorder was down"})
	}
	var err error
	told.Until, err = day(until)
	return told, errors.Join(append(errs, err)...)
}

// counter is the script's latest server and how many of its requests have been looked at.
type counter struct {
	server *tardistest.Server
	seen   int
}

func requests(ts *testscript.TestScript, _ bool, args []string) {
	c := ts.Value(counter{}).(*counter)
	if c.server == nil || len(args) != 1 {
		ts.Fatalf("requests N needs a server")
	}
	total := len(c.server.Requests())
	if got := fmt.Sprint(total - c.seen); got != args[0] {
		ts.Fatalf("the server had %s requests, want %s", got, args[0])
	}
	c.seen = total
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: same A B")
	}
	a, b := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	x, y := tree(ts, a), tree(ts, b)
	if len(x) == 0 {
		ts.Fatalf("%s has no files", args[0])
	}
	for name, text := range x {
		if other, ok := y[name]; !ok || !bytes.Equal(text, other) {
			ts.Fatalf("%s is not the same in %s and %s", name, args[0], args[1])
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			ts.Fatalf("%s is in %s only", name, args[1])
		}
	}
}

func oneDocument(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 0 || neg {
		ts.Fatalf("usage: json")
	}
	if text := ts.ReadFile("stdout"); !json.Valid([]byte(text)) {
		ts.Fatalf("not one JSON document:\n%s", text)
	}
}

// tree reads every file below a folder.
func tree(ts *testscript.TestScript, dir string) map[string][]byte {
	files := map[string][]byte{}
	dir, err := filepath.EvalSymlinks(dir)
	ts.Check(err)
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = text
		return err
	}))
	return files
}

// TestFlagsReachTheCommand checks the wiring of one command without running it.
func TestFlagsReachTheCommand(t *testing.T) {
	var got backtestOptions
	cmd := newBacktest(streams{out: io.Discard, err: io.Discard, getenv: os.Getenv}, &common{}, func(_ context.Context, _ streams, o backtestOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{"--config", "s.yaml", "--set", "a=1", "--set", "b=2", "--workers", "3", "--lake", "l", "--no-cache"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if got.config != "s.yaml" || fmt.Sprint(got.set) != "[a=1 b=2]" || got.workers != 3 || got.lake.path != "l" || !got.noCache {
		t.Errorf("got %+v", got)
	}
}
