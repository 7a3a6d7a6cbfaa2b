package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// readerScripts print, as JSON, the number of values and the sum of each column of doubles of a Parquet file, as an
// npm package reads it.
var readerScripts = map[string]string{
	"@duckdb/node-api": `
		const { DuckDBInstance } = await import('@duckdb/node-api');
		const db = await (await DuckDBInstance.create(':memory:')).connect();
		const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
		for (const c of await rows("describe from '" + file + "'")) if (c.column_type === 'DOUBLE')
			for (const r of await rows('select count("' + c.column_name + '")::double n, sum("' + c.column_name + '") s from \'' + file + "'"))
				out[c.column_name] = [r.n, r.s];`,
	"nodejs-polars": `
		const pl = (await import('nodejs-polars')).default;
		const t = pl.readParquet(file);
		for (const name of t.columns) {
			const c = t.getColumn(name);
			if (String(c.dtype).includes('Float64')) out[name] = [t.height - c.nullCount(), c.sum()];
		}`,
	"hyparquet": `
		const { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet');
		const { compressors } = await import('hyparquet-compressors');
		const from = await asyncBufferFromFile(file), metadata = await parquetMetadataAsync(from);
		for (const c of parquetSchema(metadata).children) if (c.element.type === 'DOUBLE') {
			let n = 0, s = 0;
			await parquetRead({ file: from, metadata, compressors, columns: [c.element.name],
				onComplete: (rows) => { for (const [v] of rows) if (v != null) { n++; s += v; } } });
			out[c.element.name] = [n, s];
		}`,
	"parquet-wasm": `
		const parquet = await import('parquet-wasm/node'), { tableFromIPC } = await import('apache-arrow');
		const t = tableFromIPC(parquet.readParquet(require('fs').readFileSync(file)).intoIPCStream());
		for (const f of t.schema.fields) if (String(f.type) === 'Float64') {
			let n = 0, s = 0;
			for (const v of t.getChild(f.name)) if (v != null) { n++; s += v; }
			out[f.name] = [n, s];
		}`,
	"chdb": `
		const { query } = await import('chdb');
		const rows = (sql) => JSON.parse(query(sql, 'JSONCompact')).data;
		const from = " from file('" + file + "', Parquet)";
		for (const [name, type] of rows('describe' + from.slice(5))) if (type.includes('Float64'))
			for (const [n, s] of rows('select count("' + name + '"), sum("' + name + '")' + from)) out[name] = [+n, +s];`,
}

// Other readers find in lake files what is in them, with the encodings that whole days of the feeds take (readers_test.go
// compares cells of small ones): those of the packages in
// the node_modules of the folder that QF_DUCKDB names,
//
//	npm install --prefix DIR @duckdb/node-api nodejs-polars@0.26.1 nodejs-polars-linux-x64-gnu@0.26.1 \
//	  hyparquet hyparquet-compressors parquet-wasm apache-arrow chdb
func TestOthersReadTheLake(t *testing.T) {
	home := os.Getenv("QF_DUCKDB")
	if home == "" {
		t.Skip("QF_DUCKDB is not set")
	}
	day, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	in := datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	server := &tardistest.Server{Days: &tardistest.Market{Seed: 1, Start: day, TradesPerDay: 60_000, SnapshotEvery: 4, Instruments: []datasets.Instrument{in}}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	lakeDir := filepath.Join(t.TempDir(), "lake")
	var said bytes.Buffer
	s := streams{out: &said, err: &said, getenv: func(string) string { return "" }}
	feeds := []datasets.DataType{datasets.Trades, datasets.BookSnapshot25, datasets.IncrementalBookL2, datasets.DerivativeTicker}
	code := run(t.Context(), []string{"fetch", "--base-url", server.URL(), "--lake", lakeDir, "--exchange", in.Exchange, "--symbols", in.Symbol,
		"--types", "trades,book_snapshot_25,incremental_book_L2,derivative_ticker", "--from", "2024-01-01", "--to", "2024-01-02", "-q"}, s)
	if code != exitDone {
		t.Fatalf("fetch exits with %d: %s", code, said.String())
	}
	lake, err := datasets.OpenLake(lakeDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, feed := range feeds {
		want := columnSums(t, lake, feed, in, day)
		path := filepath.Join(lakeDir, string(feed), "exchange="+in.Exchange, "symbol="+in.Symbol, "date=2024-01-01", "data.parquet")
		for name, script := range readerScripts {
			if _, err := os.Stat(filepath.Join(home, "node_modules", filepath.FromSlash(name))); err != nil {
				continue
			}
			t.Run(name+"/"+string(feed), func(t *testing.T) {
				file := filepath.Join(home, "reader.cjs")
				program := "const file = process.argv[2], out = {};\n(async () => {\n" + strings.ReplaceAll(script, "\n\t\t", "\n") +
					"\nconsole.log(JSON.stringify(out));\nprocess.exit(0);\n})().catch((e) => { console.error(e); process.exit(1); });\n"
				if err := os.WriteFile(file, []byte(program), 0o666); err != nil {
					t.Fatal(err)
				}
				text, err := exec.Command("node", file, path).Output()
				if err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				var got map[string][2]float64
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatalf("%v: %s", err, text)
				}
				if len(got) != len(want) {
					t.Errorf("%d columns of numbers, want %d", len(got), len(want))
				}
				for column, sum := range want {
					if g := got[column]; g[0] != sum[0] || math.Abs(g[1]-sum[1]) > 1e-9*math.Abs(sum[1]) {
						t.Errorf("%s: %v values of sum %v, want %v of %v", column, g[0], g[1], sum[0], sum[1])
					}
				}
			})
		}
	}
}

// columnSums gives the number of values and the sum of each column of numbers of a day.
func columnSums(t *testing.T, lake *datasets.Lake, feed datasets.DataType, in datasets.Instrument, day datasets.Day) map[string][2]float64 {
	t.Helper()
	rows, err := lake.Scan(t.Context(), feed, in, datasets.DayRange(day, day))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	sums := map[string][2]float64{}
	for rows.Next() {
		rec := rows.Record()
		for i, a := range rec.Columns() {
			values, ok := a.(*array.Float64)
			if !ok {
				continue
			}
			sum := sums[rec.ColumnName(i)]
			for k, v := range values.Float64Values() {
				if values.IsValid(k) {
					sum[0]++
					sum[1] += v
				}
			}
			sums[rec.ColumnName(i)] = sum
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return sums
}
