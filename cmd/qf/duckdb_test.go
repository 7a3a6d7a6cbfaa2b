package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// duckdbCommand is a process that runs statements in DuckDB's Node package, where the day begins five hours
// after UTC's, and prints the rows of the last one as JSON; nil where QF_DUCKDB does not name a folder that has the package in its node_modules:
//
//	npm install --prefix DIR @duckdb/node-api && QF_DUCKDB=DIR go test ./cmd/qf -run DuckDB
func duckdbCommand(t testing.TB, sql string) *exec.Cmd {
	t.Helper()
	home := os.Getenv("QF_DUCKDB")
	if home == "" {
		return nil
	}
	script := filepath.Join(home, "query.cjs")
	err := os.WriteFile(script, []byte(`
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await db.runAndReadAll(process.argv[2]);
  console.log(JSON.stringify(reader.getRowObjectsJson()));
})().catch((e) => { console.error(e.message); process.exit(1); });
`), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script, sql)
	cmd.Env = append(os.Environ(), "TZ=America/New_York")
	return cmd
}

// duckdb gives the rows of a statement. The test is skipped where there is no DuckDB.
func duckdb(t *testing.T, sql string) []map[string]any {
	t.Helper()
	cmd := duckdbCommand(t, sql)
	if cmd == nil {
		t.Skip("QF_DUCKDB is not set")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v: %s", sql, err, out)
	}
	var rows []map[string]any
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return rows
}

// DuckDB reads the lake as Hive partitions, and agrees on a day's rows and sums.
func TestDuckDBReadsTheLake(t *testing.T) {
	dir := t.TempDir()
	in := datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	day := datasets.DayOf(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	market := &tardistest.Market{Seed: 1, Start: day, TradesPerDay: 5000, Instruments: []datasets.Instrument{in}}
	server := &tardistest.Server{Days: market}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	lakeDir := filepath.Join(dir, "lake")
	var said bytes.Buffer
	s := streams{out: &said, err: &said, getenv: func(string) string { return "" }}
	code := run(t.Context(), []string{"fetch", "--base-url", server.URL(), "--lake", lakeDir, "--exchange", in.Exchange,
		"--symbols", in.Symbol, "--types", "trades,derivative_ticker,quotes,book_snapshot_25", "--from", "2024-01-01", "--to", "2024-01-03", "-q"}, s)
	if code != exitDone {
		t.Fatalf("fetch exits with %d: %s", code, said.String())
	}
	lake, err := datasets.OpenLake(lakeDir)
	if err != nil {
		t.Fatal(err)
	}
	rows, sum := 0, 0.0
	rr, err := lake.Scan(t.Context(), datasets.Trades, in, datasets.DayRange(day, day), "price")
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	for rr.Next() {
		prices := rr.Record().Column(0).(*array.Float64)
		for _, v := range prices.Float64Values() {
			rows++
			sum += v
		}
	}
	if err := rr.Err(); err != nil {
		t.Fatal(err)
	}
	got := duckdb(t, `select exchange, symbol, count(*)::integer as n, sum(price) as total, min(epoch_us(local_timestamp))::double as first,
		count(distinct side)::integer as sides, typeof(any_value(id)) as id
		from read_parquet('`+lakeDir+`/trades/**/*.parquet', hive_partitioning=true)
		where date = '2024-01-01' group by all`)
	if len(got) != 1 {
		t.Fatalf("got %v, want one row", got)
	}
	r := got[0]
	if r["n"] != float64(rows) || math.Abs(r["total"].(float64)-sum) > 1e-9*sum {
		t.Errorf("DuckDB counts %v rows, sum %v; qf %d, %v", r["n"], r["total"], rows, sum)
	}
	if r["exchange"] != in.Exchange || r["symbol"] != in.Symbol || r["id"] != "VARCHAR" || r["sides"] != 2.0 {
		t.Errorf("got %v", r)
	}
	if first := int64(r["first"].(float64)); datasets.DayOf(first) != day {
		t.Errorf("first local_timestamp %d is not of %s", first, day)
	}
	for _, feed := range []string{"derivative_ticker", "quotes", "book_snapshot_25"} {
		got := duckdb(t, `select count(*)::integer as n from read_parquet('`+lakeDir+`/`+feed+`/**/*.parquet', hive_partitioning=true)`)
		if got[0]["n"].(float64) == 0 {
			t.Errorf("%s has no rows", feed)
		}
	}
}

// DuckDB reads what a run writes, and its sums over the rows are the report's figures; the frame says
// the same as Parquet and as CSV.
func TestDuckDBReadsARun(t *testing.T) {
	if duckdbCommand(t, "") == nil {
		t.Skip("QF_DUCKDB is not set")
	}
	root, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	study := filepath.Join(root, "studies", "default.yaml")
	for _, args := range [][]string{
		{"import", "-q", "--lake", "lake", filepath.Join(root, "fixture")},
		{"backtest", "-q", "--lake", "lake", "--config", study},
		{"factors", "-q", "--lake", "lake", "--config", study, "--out", "frame.parquet"},
		{"factors", "-q", "--lake", "lake", "--config", study, "--out", "frame.csv"},
	} {
		var said bytes.Buffer
		s := streams{out: &said, err: &said, getenv: func(string) string { return "" }}
		if code := run(t.Context(), args, s); code != exitDone {
			t.Fatalf("qf %v exits with %d: %s", args, code, said.String())
		}
	}
	text, err := os.ReadFile("runs/latest/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		PnL []struct {
			Signal      string  `json:"signal"`
			Window      string  `json:"window"`
			FinalEquity float64 `json:"final_equity"`
			Fees        float64 `json:"fees"`
			MaxDrawdown float64 `json:"max_drawdown"`
		} `json:"pnl"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	near := func(what string, got any, want float64) {
		t.Helper()
		if x, ok := got.(float64); !ok || math.Abs(x-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s: DuckDB has %v, qf %v", what, got, want)
		}
	}
	windows := 0
	for _, p := range report.PnL {
		if p.Signal != "composite" {
			continue
		}
		windows++
		got := duckdb(t, `select arg_max(equity, ts) as equity, sum(fees) as fees, min(drawdown) as drawdown
			from 'runs/latest/equity.parquet' where "window" = '`+p.Window+`'`)[0]
		near("final equity of "+p.Window, got["equity"], p.FinalEquity)
		near("fees of "+p.Window, got["fees"], p.Fees)
		near("drawdown of "+p.Window, got["drawdown"], p.MaxDrawdown)
	}
	if windows < 2 {
		t.Errorf("the report has %d windows", windows)
	}
	held := duckdb(t, `select count(distinct instrument)::integer as n, max(abs(weight)) as most
		from 'runs/latest/positions.parquet' where "window" = 'all'`)[0]
	if held["n"] != 2.0 || held["most"].(float64) <= 0 {
		t.Errorf("positions: %v", held)
	}
	sums := `select count(*)::integer as n, count(composite)::integer as known, sum(composite) as composite, sum(close) as close,
		sum(epoch_us(ts))::double as ts from `
	parquet, csv := duckdb(t, sums+`'frame.parquet'`)[0], duckdb(t, sums+`read_csv('frame.csv')`)[0]
	for name, v := range parquet {
		near("frame: "+name, v, csv[name].(float64))
	}
}
