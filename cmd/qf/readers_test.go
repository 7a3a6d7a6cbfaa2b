package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets/parquet"
)

// reader is one that others bring: a script for node that prints what it reads as JSON. QF_READERS names
// the folder whose node_modules has the packages (see .ci/run); a test is skipped where one is missing.
type reader struct {
	name     string
	packages []string
	// lake reads the trades of one symbol, in order of time, from the glob in argv[2] where it reads a lake,
	// else from the file in argv[3]; frame reads the frame whose name without ending is argv[2].
	lake, frame string
}

// Each script has print for its result; times are microseconds as text.
var readers = []reader{
	{
		name: "DuckDB", packages: []string{"@duckdb/node-api"},
		lake: duckPrelude + "print((await rows(`set TimeZone = 'UTC'; select epoch_us(timestamp)::varchar as ts, id, price, amount, " +
			"(local_timestamp::date = date)::boolean as own from read_parquet('${glob}', hive_partitioning = true, hive_types = {'symbol': varchar}) where symbol = '${symbol}' order by timestamp`)))",
		frame: duckPrelude + "const q = (f) => `select count(*)::integer as n, count(composite)::integer as known, sum(close) as close, max(turnover) as turnover, min(epoch_us(ts))::varchar as ts from ${f}`;" +
			"print([...await rows(q(`'${base}.parquet'`)), ...await rows(q(`read_csv('${base}.csv')`))])",
	},
	{
		name: "Polars", packages: []string{"nodejs-polars"},
		lake: "const pl = require('nodejs-polars');" +
			"const df = pl.scanParquet(glob, {hivePartitioning: true, hiveSchema: {exchange: pl.String, symbol: pl.String, date: pl.Date}}).filter(pl.col('symbol').eq(pl.lit(symbol))).sort('timestamp')" +
			".select(pl.col('timestamp').cast(pl.Int64).cast(pl.String).alias('ts'), 'id', 'price', 'amount', pl.col('local_timestamp').cast(pl.Date).eq(pl.col('date')).alias('own')).collectSync(); print(df.toRecords())",
		frame: "const pl = require('nodejs-polars'); const fs = require('fs'); fs.copyFileSync(`${base}.arrow`, `${base}.ipc`);" +
			"const sum = (df) => { const c = (n) => df.getColumn(n); return {n: df.height, known: df.height - c('composite').nullCount(), close: c('close').sum(), turnover: c('turnover').max()}};" +
			"print([pl.readParquet(`${base}.parquet`), pl.readIPC(`${base}.ipc`), pl.readCSV(`${base}.csv`, {inferSchemaLength: 100000})].map(sum))",
	},
	{
		name: "hyparquet", packages: []string{"hyparquet", "hyparquet-compressors"},
		lake: "const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet'); const { compressors } = await import('hyparquet-compressors');" +
			"const all = await parquetReadObjects({file: await asyncBufferFromFile(path), compressors, parsers: {timestampFromMicroseconds: (x) => x}});" +
			"print(all.map((r) => ({ts: String(r.timestamp), id: r.id, price: r.price, amount: r.amount})))",
		frame: "const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet'); const { compressors } = await import('hyparquet-compressors');" +
			"print([sums(await parquetReadObjects({file: await asyncBufferFromFile(`${base}.parquet`), compressors}))])",
	},
	{
		name: "parquet-wasm and Arrow JS", packages: []string{"parquet-wasm", "apache-arrow"},
		lake: arrowPrelude + "const t = table(path); const us = t.getChild('timestamp').data.flatMap((d) => [...d.values]);" +
			"print(t.toArray().map((r, i) => ({ts: String(us[i]), id: r.id, price: r.price, amount: r.amount})))",
		frame: arrowPrelude + "print([table(`${base}.parquet`), tableFromIPC(fs.readFileSync(`${base}.arrow`))].map((t) => sums(t.toArray())))",
	},
	{
		name: "ClickHouse (chdb)", packages: []string{"chdb"},
		lake: chPrelude + "print(rows(`select toString(toUnixTimestamp64Micro(timestamp)) ts, id, price, amount, toDate(local_timestamp) = toDate(extract(_path, 'date=([^/]*)')) own from file('${glob}', Parquet) " +
			"where decodeURLComponent(extract(_path, 'symbol=([^/]*)')) = '${symbol}' order by timestamp settings use_hive_partitioning = 0`).map((r) => ({...r, own: r.own === 1})))",
		frame: chPrelude + "const q = (f) => `select toInt32(count()) n, toInt32(count(composite)) known, sum(close) close, max(turnover) turnover from ${f}`;" +
			"print(['parquet', 'arrow', 'csv'].flatMap((f) => rows(q(`file('${base}.${f}')`))))",
	},
}

const (
	duckPrelude = "const { DuckDBInstance } = require('@duckdb/node-api'); const db = await (await DuckDBInstance.create(':memory:')).connect();" +
		"const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();"
	arrowPrelude = "const { readParquet } = require('parquet-wasm/node'); const { tableFromIPC } = require('apache-arrow'); const fs = require('fs');" +
		"const table = (f) => tableFromIPC(readParquet(fs.readFileSync(f)).intoIPCStream());"
	chPrelude = "const { query } = require('chdb'); const rows = (sql) => query(sql, 'JSONEachRow').trim().split('\\n').filter(Boolean).map((l) => JSON.parse(l));"
	prelude   = `
const [,, glob, path, symbol] = process.argv; const base = glob;
const print = (x) => console.log(JSON.stringify(x, (_, v) => typeof v === 'bigint' ? String(v) : v));
const sums = (rows) => ({n: rows.length, known: rows.filter((r) => r.composite !== null && r.composite !== undefined).length,
  close: rows.reduce((s, r) => s + (r.close ?? 0), 0), turnover: rows.reduce((m, r) => Math.max(m, r.turnover ?? 0), 0)});
`
)

// run runs a script of r with TZ set to a zone in which UTC's midnight is another day.
func (r reader) run(t *testing.T, script string, args ...string) []map[string]any {
	t.Helper()
	home := os.Getenv("QF_READERS")
	for _, p := range r.packages {
		if _, err := os.Stat(filepath.Join(home, "node_modules", p)); home == "" || err != nil {
			t.Skipf("QF_READERS names no folder with %s in its node_modules", p)
		}
	}
	file := filepath.Join(home, "reader_"+strconv.Itoa(os.Getpid())+".cjs")
	text := "(async () => {" + prelude + script + "\n})().catch((e) => { console.error(e); process.exit(1); });"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	cmd := exec.Command("node", append([]string{file}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=America/New_York")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", r.name, err, said.String())
	}
	var rows []map[string]any
	if err := json.Unmarshal(out, &rows); err != nil {
		t.Fatalf("%s: %v: %.300s", r.name, err, out)
	}
	return rows
}

func qf(t *testing.T, args ...string) {
	t.Helper()
	var said bytes.Buffer
	s := streams{out: &said, err: &said, getenv: func(string) string { return "" }}
	if code := run(t.Context(), args, s); code != exitDone {
		t.Fatalf("qf %v exits with %d: %s", args, code, said.String())
	}
}

// Others' readers give every cell of a lake as it was in the CSV: times to the microsecond, ids as text,
// nulls, and symbols that look like numbers or are escaped in the folders' names.
func TestReadersOfTheField(t *testing.T) {
	if os.Getenv("QF_READERS") == "" {
		t.Skip("QF_READERS is not set")
	}
	const day = 1704067200000000
	t.Chdir(t.TempDir())
	symbols := []string{"BTCUSDT", "@107", "777", "0123", strings.Repeat("9", 77)}
	cells := func(d, i int) (ts, id, price, amount string) {
		ts = strconv.Itoa(day + d*86400000000 + i*863999999 + 1)
		if i%7 != 3 {
			id = "0" + strconv.Itoa(9007199254740993+i)
		}
		return ts, id, strconv.FormatFloat(100+float64(i)/7, 'g', -1, 64), strconv.FormatFloat(0.1*float64(i+1), 'g', -1, 64)
	}
	const days, rows = 2, 100
	imports := func(lake string, symbols []string) {
		for _, symbol := range symbols {
			qf(t, "import", "-q", "--lake", lake, fmt.Sprintf("ftx_trades_2024-01-01_%s.csv", symbol), fmt.Sprintf("ftx_trades_2024-01-02_%s.csv", symbol))
		}
	}
	for _, symbol := range symbols {
		for d := range days {
			text := "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
			for i := range rows {
				ts, id, price, amount := cells(d, i)
				text += fmt.Sprintf("ftx,%s,%s,%s,%s,buy,%s,%s\n", symbol, ts, ts, id, price, amount)
			}
			name := fmt.Sprintf("ftx_trades_2024-01-0%d_%s.csv", d+1, symbol)
			if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A day that is known to be empty stands among them and changes no types.
	if err := os.WriteFile("ftx_trades_2024-01-03_BTCUSDT.csv", []byte("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	imports("lake", symbols)
	qf(t, "import", "-q", "ftx_trades_2024-01-03_BTCUSDT.csv")
	imports("digits", symbols[2:]) // what infers takes these for numbers, where there are no others
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			for k, symbol := range slices.Concat(symbols, symbols[2:]) {
				lake := "lake"
				if k >= len(symbols) {
					lake = "digits"
				}
				var all []map[string]any
				paths, err := filepath.Glob(lake + "/trades/exchange=ftx/symbol=" + strings.ReplaceAll(symbol, "@", "%40") + "/*/data.parquet")
				if err != nil || len(paths) < days {
					t.Fatal(paths, err)
				}
				if slices.Contains([]string{"hyparquet", "parquet-wasm and Arrow JS"}, r.name) { // files, not folders
					for _, p := range paths {
						all = append(all, r.run(t, r.lake, "", p, symbol)...)
					}
				} else {
					all = r.run(t, r.lake, lake+"/trades/**/*.parquet", "", symbol)
				}
				if len(all) != days*rows {
					t.Fatalf("%s: %d rows, want %d", symbol, len(all), days*rows)
				}
				for k, got := range all {
					ts, id, price, amount := cells(k/rows, k%rows)
					want := map[string]any{"ts": ts, "id": any(id)}
					want["price"], _ = strconv.ParseFloat(price, 64)
					want["amount"], _ = strconv.ParseFloat(amount, 64)
					if id == "" {
						want["id"] = nil
					}
					if own, ok := got["own"]; ok && own != true {
						t.Fatalf("%s: row %d is not of its folder's date", symbol, k)
					}
					delete(got, "own")
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Fatalf("%s: row %d: got %v, want %v", symbol, k, got, want)
					}
				}
			}
		})
	}
}

// Others' readers find the same rows, nulls and extremes in a frame, whatever its format.
func TestReadersOfFrames(t *testing.T) {
	if os.Getenv("QF_READERS") == "" {
		t.Skip("QF_READERS is not set")
	}
	root, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	qf(t, "import", "-q", "--lake", "lake", filepath.Join(root, "fixture"))
	for _, ending := range []string{".parquet", ".arrow", ".csv"} {
		qf(t, "factors", "-q", "--lake", "lake", "--config", filepath.Join(root, "studies", "default.yaml"), "--out", "frame"+ending)
	}
	want := frameSums(t, "frame.parquet")
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			for i, got := range r.run(t, r.frame, "frame") {
				for name, v := range want {
					if x, ok := got[name].(float64); !ok || math.Abs(x-v) > 1e-9*math.Abs(v) {
						t.Errorf("format %d: %s is %v, want %v", i, name, got[name], v)
					}
				}
			}
		})
	}
}

// frameSums is what every reader should find. No frame holds a NaN, and no column of numbers carries
// statistics: engines that prune by what met a NaN lose rows.
func frameSums(t *testing.T, path string) map[string]float64 {
	t.Helper()
	f, err := parquet.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.Read(t.Context(), parquet.ReadOptions{Finite: true})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	out := map[string]float64{"turnover": 0}
	for rows.Next() {
		rec := rows.Record()
		out["n"] += float64(rec.NumRows())
		for i, field := range rec.Schema().Fields() {
			col, ok := rec.Column(i).(*array.Float64)
			if !ok {
				continue
			}
			for k, v := range col.Float64Values() {
				switch {
				case col.IsNull(k):
				case field.Name == "composite":
					out["known"]++
				case field.Name == "close":
					out["close"] += v
				case field.Name == "turnover":
					out["turnover"] = max(out["turnover"], v)
				}
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
