package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
	"github.com/qf-dev/qf/factors/kernel"
)

// The sizes of BenchmarkCommands; its defaults take some minutes and 2 GB below TMPDIR.
var (
	benchRows   = flag.Int("rows", 4_000_000, "BenchmarkCommands: trades of the day that is imported")
	benchDays   = flag.Int("days", 90, "BenchmarkCommands: days of which bars are made")
	benchPerDay = flag.Int("perday", 400_000, "BenchmarkCommands: trades on each of them")
	benchRuns   = flag.Int("runs", 3, "BenchmarkCommands: runs of each command; the medians count")
)

// BenchmarkCommands measures whole commands on data that it simulates, beside DuckDB and Polars on the same files
// where QF_DUCKDB names a folder that has them (see duckdbCommand; nodejs-polars beside it), and prints a table of
// ratios: of CPU (user + system), of time, of peak memory. It runs by turns, since a shared machine is not equally
// fast all the time: compare CPU, and nothing below 15 %.
//
//	go test ./cmd/qf -run '^$' -bench Commands -timeout 1h [-rows N] [-days N] [-perday N]
func BenchmarkCommands(b *testing.B) {
	t := newBenchTable(b)
	defer func() { t.print(os.Stdout) }() // what there is, also after a failure
	t.ingest()
	t.books()
	t.bars()
	t.study()
	t.fetch()
	t.print(os.Stdout)
	t.lines = nil
	t.kernels()
}

// cost is what a process took.
type cost struct {
	cpu, wall float64 // seconds
	peak      float64 // MiB of resident memory; 0 where it is not the process's own
}

// benchTable collects rows of text, and makes what they are measured on.
type benchTable struct {
	b     *testing.B
	dir   string
	qf    string
	lines [][]string
}

func newBenchTable(b *testing.B) *benchTable {
	t := &benchTable{b: b, dir: b.TempDir()}
	t.qf = filepath.Join(t.dir, "qf")
	if out, err := exec.Command("go", "build", "-o", t.qf, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v: %s", err, out)
	}
	t.lines = append(t.lines, []string{"work", "qf: CPU s", "s", "MiB", "DuckDB: CPU", "s", "MiB", "Polars: CPU", "s", "MiB", ""})
	return t
}

func (t *benchTable) path(name ...string) string {
	return filepath.Join(append([]string{t.dir}, name...)...)
}

// command is a process of qf.
func (t *benchTable) command(args ...string) *exec.Cmd {
	return exec.Command(t.qf, append(args, "-q")...)
}

// run runs a process to its end.
func (t *benchTable) run(cmd *exec.Cmd) cost {
	t.b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.b.Fatal(err)
	}
	peak, done := 0.0, make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				peak = max(peak, highWater(cmd.Process.Pid))
			}
		}
	}()
	err := cmd.Wait()
	wall := time.Since(started).Seconds()
	close(done)
	<-watched
	if err != nil {
		t.b.Fatalf("%s: %v: %s", cmd, err, out.Bytes())
	}
	return cost{(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), wall, peak}
}

// highWater is the most memory that a process has had resident so far, in MiB; 0 where /proc does not say. What
// wait4 says of it counts the parent's, too.
func highWater(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib / 1024
}

// row measures qf, a statement of DuckDB's and a script of Polars' by turns, and writes what qf took as shares of what
// they took; sql and script may be empty, and extra says more of the row.
func (t *benchTable) row(work string, qf func() cost, sql, script, extra string) {
	t.b.Helper()
	var ours, duckdb, polars []cost
	for range *benchRuns {
		ours = append(ours, qf())
		if cmd := duckdbCommand(t.b, sql); cmd != nil && sql != "" {
			duckdb = append(duckdb, t.run(cmd))
		}
		if cmd := polarsCommand(t.b, script); cmd != nil && script != "" {
			polars = append(polars, t.run(cmd))
		}
	}
	a := median(ours)
	line := []string{work, fmt.Sprintf("%.2f", a.cpu), fmt.Sprintf("%.2f", a.wall), ""}
	if a.peak > 0 {
		line[3] = fmt.Sprintf("%.0f", a.peak)
	}
	for _, theirs := range [][]cost{duckdb, polars} {
		if len(theirs) == 0 {
			line = append(line, "", "", "")
			continue
		}
		b := median(theirs)
		line = append(line, fmt.Sprintf("%.2f×", a.cpu/b.cpu), fmt.Sprintf("%.2f×", a.wall/b.wall), "")
		if a.peak > 0 {
			line[len(line)-1] = fmt.Sprintf("%.2f×", a.peak/b.peak)
		}
	}
	t.lines = append(t.lines, append(line, extra))
}

// polarsCommand is a process that runs a script with nodejs-polars as pl; nil where QF_DUCKDB's folder does not have it.
func polarsCommand(b *testing.B, script string) *exec.Cmd {
	home := os.Getenv("QF_DUCKDB")
	if _, err := os.Stat(filepath.Join(home, "node_modules", "nodejs-polars")); home == "" || err != nil {
		return nil
	}
	file := filepath.Join(home, "polars.cjs")
	if err := os.WriteFile(file, []byte("const pl = require('nodejs-polars').default || require('nodejs-polars');\n"+script), 0o666); err != nil {
		b.Fatal(err)
	}
	return exec.Command("node", file)
}

func median(list []cost) cost {
	of := func(f func(cost) float64) float64 {
		x := make([]float64, len(list))
		for i, c := range list {
			x[i] = f(c)
		}
		slices.Sort(x)
		return x[len(x)/2]
	}
	return cost{of(func(c cost) float64 { return c.cpu }), of(func(c cost) float64 { return c.wall }), of(func(c cost) float64 { return c.peak })}
}

func (t *benchTable) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d processors, medians of %d runs\n\n", runtime.Version(), runtime.NumCPU(), *benchRuns)
	var text strings.Builder
	tab := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, line := range t.lines {
		fmt.Fprintln(tab, strings.Join(line, "\t"))
	}
	tab.Flush()
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	fmt.Fprintln(w)
}

var benchInstrument = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}

const benchFrom = "2024-01-01"

// days writes simulated days of a feed as the vendor's files and gives their folder and bytes.
func (t *benchTable) days(name string, feed datasets.DataType, days, perDay, level int) (folder string, size int64) {
	t.b.Helper()
	folder = t.path(name)
	first, err := datasets.ParseDay(benchFrom)
	if err != nil {
		t.b.Fatal(err)
	}
	market := &tardistest.Market{Seed: 1, Start: first, TradesPerDay: perDay, Instruments: []datasets.Instrument{benchInstrument}}
	if feed == datasets.BookSnapshot25 {
		market.TradesPerDay, market.SnapshotEvery = 200_000, 86_400/perDay
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.b.Fatal(err)
	}
	sizes := make([]int64, days)
	err = datasets.ForEach(t.b.Context(), 0, days, func(_ context.Context, i int) error {
		p := datasets.Partition{Instrument: benchInstrument, Type: feed, Day: first + datasets.Day(i)}
		file, err := os.Create(filepath.Join(folder, p.Exchange+"_"+string(feed)+"_"+p.Day.String()+"_"+p.Symbol+".csv.gz"))
		if err != nil {
			return err
		}
		defer file.Close()
		z, err := gzip.NewWriterLevel(file, level)
		if err != nil {
			return err
		}
		if err := market.WriteDay(z, p); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		sizes[i], err = file.Seek(0, io.SeekCurrent)
		return err
	})
	if err != nil {
		t.b.Fatal(err)
	}
	for _, n := range sizes {
		size += n
	}
	return folder, size
}

// importing is qf import of a folder into a new lake.
func (t *benchTable) importing(folder, lake string) func() cost {
	return func() cost {
		if err := os.RemoveAll(lake); err != nil {
			t.b.Fatal(err)
		}
		return t.run(t.command("import", "--lake", lake, folder))
	}
}

// toParquet is DuckDB's way from the vendor's files to Parquet: types given, nothing guessed.
func toParquet(csv, parquet string) string {
	return `COPY (FROM read_csv('` + csv + `', header=true, auto_detect=false, delim=',', quote='', escape='',
		columns={exchange: 'VARCHAR', symbol: 'VARCHAR', timestamp: 'BIGINT', local_timestamp: 'BIGINT',
		id: 'BIGINT', side: 'VARCHAR', price: 'DOUBLE', amount: 'DOUBLE'})) TO '` + parquet + `' (FORMAT parquet, COMPRESSION zstd)`
}

// polarsSink is Polars' way from the vendor's file to Parquet.
func polarsSink(csv, parquet, schema string) string {
	return `const r = pl.scanCSV('` + csv + `', { schema: {` + schema + `} }).sinkParquet('` + parquet + `', { compression: 'zstd' });
		if (r && r.collectSync) r.collectSync();`
}

const polarsTrades = `exchange: pl.Utf8, symbol: pl.Utf8, timestamp: pl.Int64, local_timestamp: pl.Int64, id: pl.Int64, side: pl.Utf8,
	price: pl.Float64, amount: pl.Float64`

// ingest: one day, CSV.gz to Parquet.
func (t *benchTable) ingest() {
	folder, packed := t.days("day", datasets.Trades, 1, *benchRows, gzip.DefaultCompression)
	t.importDay(fmt.Sprintf("import %.1f M trades", float64(*benchRows)/1e6), folder, packed,
		func(csv, out string) string { return toParquet(csv, out) },
		func(csv, out string) string { return polarsSink(csv, out, polarsTrades) })
}

// books: one day of book snapshots, of a hundred columns of numbers.
func (t *benchTable) books() {
	const rows = 86_400
	var schema strings.Builder
	schema.WriteString("exchange: pl.Utf8, symbol: pl.Utf8, timestamp: pl.Int64, local_timestamp: pl.Int64")
	for _, c := range datasets.BookSnapshot25.Columns() {
		if c.Kind == datasets.Number {
			fmt.Fprintf(&schema, ", '%s': pl.Float64", c.Name)
		}
	}
	folder, packed := t.days("books", datasets.BookSnapshot25, 1, rows, gzip.DefaultCompression)
	t.importDay(fmt.Sprintf("import %d book_snapshot_25 rows", rows), folder, packed,
		func(csv, out string) string {
			return "COPY (FROM read_csv('" + csv + "', header=true)) TO '" + out + "' (FORMAT parquet, COMPRESSION zstd)"
		},
		func(csv, out string) string { return polarsSink(csv, out, schema.String()) })
}

// importDay is a row for one file, with the sizes that come of it.
func (t *benchTable) importDay(work, folder string, packed int64, sql, script func(csv, out string) string) {
	t.b.Helper()
	lake, out := t.path("lake-"+filepath.Base(folder)), t.path("out-"+filepath.Base(folder))
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.csv.gz"))
	if err != nil || len(files) != 1 {
		t.b.Fatal(files, err)
	}
	duckdb, polars := filepath.Join(out, "duckdb.parquet"), filepath.Join(out, "polars.parquet")
	t.row(work, t.importing(folder, lake), sql(files[0], duckdb), script(files[0], polars), "")
	size := float64(bytesBelow(t.b, lake))
	said := fmt.Sprintf("%.1f MB, %.2f of the CSV.gz", size/1e6, size/float64(packed))
	for _, other := range []struct{ name, path string }{{"DuckDB's", duckdb}, {"Polars'", polars}} {
		if info, err := os.Stat(other.path); err == nil {
			said += fmt.Sprintf(", %.2f of %s", size/float64(info.Size()), other.name)
		}
	}
	last := t.lines[len(t.lines)-1]
	last[len(last)-1] = said
}

func bytesBelow(b *testing.B, folder string) (n int64) {
	err := filepath.WalkDir(folder, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// bars: one-minute bars of many days, each side from its own Parquet files, and a backtest of them.
func (t *benchTable) bars() {
	folder, _ := t.days("days", datasets.Trades, *benchDays, *benchPerDay, gzip.BestSpeed)
	lakeDir, duckDir := t.path("lake-days"), t.path("duckdb-days")
	trades := fmt.Sprintf("%.1f M trades", float64(*benchDays**benchPerDay)/1e6)
	if err := os.MkdirAll(duckDir, 0o777); err != nil {
		t.b.Fatal(err)
	}
	t.row("import "+trades, t.importing(folder, lakeDir), toParquet(folder+"/*.csv.gz", filepath.Join(duckDir, "days.parquet")), "",
		fmt.Sprintf("%d files", *benchDays))
	first, err := datasets.ParseDay(benchFrom)
	if err != nil {
		t.b.Fatal(err)
	}
	end := first + datasets.Day(*benchDays)
	t.row("1-minute bars of them: qf bars", func() cost {
		if err := os.RemoveAll(filepath.Join(lakeDir, "bars")); err != nil {
			t.b.Fatal(err)
		}
		return t.run(t.command("bars", "--lake", lakeDir, "--exchange", benchInstrument.Exchange, "--symbols", benchInstrument.Symbol))
	}, `SELECT count(*), sum(o), sum(h), sum(l), sum(c), sum(v), sum(b), sum(s), sum(n) FROM (
		SELECT local_timestamp // 60000000 AS bar, arg_min(price, id) AS o, max(price) AS h, min(price) AS l, arg_max(price, id) AS c,
		sum(amount) AS v, sum(amount) FILTER (side = 'buy') AS b, sum(amount) FILTER (side = 'sell') AS s, count(*) AS n
		FROM '`+duckDir+`/days.parquet' GROUP BY bar)`, "", "DuckDB: arg_min, arg_max")

	study := t.path("first.yaml")
	t.write(study, `version: 1
name: first
data: {lake: `+lakeDir+`, instruments: [`+benchInstrument.String()+`], from: `+benchFrom+`, to: `+end.String()+`}
factors: [{name: momentum, kind: momentum, window: 1d}]
composite: {components: [{factor: momentum, weight: 1}]}
execution: {funding: false}
`)
	t.row("first backtest of them", func() cost {
		return t.run(t.command("backtest", "--config", study, "--no-cache", "--out", t.path("runs")))
	}, "", "", "one factor, whole command, no cache")
	article := t.run(t.command("backtest", "--config", filepath.Join("..", "..", "backtest", "study", "presets", "article.yaml"), "--lake", lakeDir,
		"--set", "data.instruments=["+benchInstrument.String()+"]", "--set", "data.from="+benchFrom, "--set", "data.to="+end.String(), "--out", t.path("runs")))
	t.lines = append(t.lines, []string{"article study of them", fmt.Sprintf("%.2f", article.cpu), fmt.Sprintf("%.2f", article.wall), fmt.Sprintf("%.0f", article.peak), "", "", "", "", "", "", "every trade a bar, once"})
}

func (t *benchTable) write(path, text string) {
	t.b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.b.Fatal(err)
	}
}

// study: the default study on the demo's market, of which the first run leaves the bars behind.
func (t *benchTable) study() {
	demo := t.path("demo")
	t.run(t.command("demo", "--dir", demo))
	for _, c := range []struct{ work, instruments string }{
		{"second backtest, one symbol", "[" + benchInstrument.String() + "]"},
		{"second backtest, two symbols", "[" + benchInstrument.String() + ", binance-futures:ETHUSDT]"},
	} {
		t.row(c.work, func() cost {
			return t.run(t.command("backtest", "--config", filepath.Join(demo, "study.yaml"), "--set", "data.instruments="+c.instruments, "--out", t.path("runs")))
		}, "", "", "default study, 90 days after 51 of warm-up, bars cached")
	}
}

// fetch: days of every feed from a local server.
func (t *benchTable) fetch() {
	first, err := datasets.ParseDay(benchFrom)
	if err != nil {
		t.b.Fatal(err)
	}
	market := &tardistest.Market{Seed: 1, Start: first, TradesPerDay: 200_000, SnapshotEvery: 1, Instruments: []datasets.Instrument{benchInstrument}}
	server := &tardistest.Server{Days: market}
	if err := server.Start(); err != nil {
		t.b.Fatal(err)
	}
	defer server.Close()
	lake := t.path("lake-fetched")
	t.row("fetch 4 days", func() cost {
		if err := os.RemoveAll(lake); err != nil {
			t.b.Fatal(err)
		}
		return t.run(t.command("fetch", "--base-url", server.URL(), "--lake", lake, "--exchange", benchInstrument.Exchange, "--symbols", benchInstrument.Symbol,
			"--types", "trades,quotes,book_snapshot_25,derivative_ticker", "--from", benchFrom, "--to", (first + 4).String()))
	}, "", "", "trades, quotes, book_snapshot_25, derivative_ticker")
	t.smallFiles(first)
}

// smallFiles: days of a thousand trades each, from a local server.
func (t *benchTable) smallFiles(first datasets.Day) {
	const symbols, days = 10, 90
	market := &tardistest.Market{Seed: 1, Start: first, TradesPerDay: 1000}
	var names []string
	for i := range symbols {
		market.Instruments = append(market.Instruments, datasets.Instrument{Exchange: benchInstrument.Exchange, Symbol: fmt.Sprintf("S%dUSDT", i)})
		names = append(names, market.Instruments[i].Symbol)
	}
	server := &tardistest.Server{Days: market}
	if err := server.Start(); err != nil {
		t.b.Fatal(err)
	}
	defer server.Close()
	lake := t.path("lake-small")
	fetch := func() cost {
		if err := os.RemoveAll(lake); err != nil {
			t.b.Fatal(err)
		}
		return t.run(t.command("fetch", "--base-url", server.URL(), "--lake", lake, "--exchange", benchInstrument.Exchange, "--symbols", strings.Join(names, ","),
			"--types", "trades", "--from", first.String(), "--to", (first + days).String()))
	}
	fetch() // the server makes its files
	var all []cost
	t.row(fmt.Sprintf("fetch %d files of 1,000 trades", symbols*days), func() cost {
		all = append(all, fetch())
		return all[len(all)-1]
	}, "", "", "")
	last := t.lines[len(t.lines)-1]
	last[len(last)-1] = fmt.Sprintf("%.2f ms of CPU a file", 1000*median(all).cpu/(symbols*days))
}

// kernels: nanoseconds an element of the rolling kernels over 90 days of minutes, the best of a few passes, beside
// pandas where python3 has it.
func (t *benchTable) kernels() {
	windows := []int{20, 100, 1440, 43_200}
	x, r := make([]float64, 129_600), rand.New(rand.NewPCG(1, 1))
	for i := range x {
		x[i] = r.NormFloat64()
	}
	dst := make([]float64, len(x))
	head := []string{"ns an element at window", ""}
	for _, w := range windows {
		head = append(head, strconv.Itoa(w))
	}
	t.lines = append(t.lines, head)
	for _, k := range []struct {
		name, pandas string
		run          func(dst, x []float64, window, minPeriods int)
	}{
		{"sum", "r.sum()", kernel.Sum}, {"mean", "r.mean()", kernel.Mean}, {"std", "r.std()", kernel.Std},
		{"max", "r.max()", kernel.Max}, {"median", "r.median()", kernel.Median}, {"rank", "r.rank(pct=True)", kernel.Rank},
	} {
		line := []string{k.name, "qf"}
		for _, w := range windows {
			best := time.Hour
			for range 10 {
				began := time.Now()
				k.run(dst, x, w, w)
				best = min(best, time.Since(began))
			}
			line = append(line, fmt.Sprintf("%.1f", float64(best.Nanoseconds())/float64(len(x))))
		}
		t.lines = append(t.lines, line)
		if theirs := pandas(windows, k.pandas); theirs != nil {
			t.lines = append(t.lines, append([]string{"", "pandas"}, theirs...))
		}
	}
}

// pandas times an expression of the rolling window r, or gives nil where there is no pandas.
func pandas(windows []int, expression string) []string {
	script := `
import time, numpy, pandas
x = pandas.Series(numpy.random.default_rng(1).standard_normal(129600))
for w in ` + strings.ReplaceAll(fmt.Sprint(windows), " ", ", ") + `:
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        r = x.rolling(w)
        ` + expression + `
        best = min(best, time.perf_counter() - began)
    print("%.1f" % (best * 1e9 / len(x)))
`
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if out, err := exec.Command(python, "-c", script).Output(); err == nil {
			return strings.Fields(string(out))
		}
	}
	return nil
}
