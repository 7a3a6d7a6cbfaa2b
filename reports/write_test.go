package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/atomicfile"
	"github.com/qf-dev/qf/datasets/parquet"
)

func TestWriteFolder(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	for range 2 { // the second replaces the first
		if err := r.write(dir, Options{Version: "v1.2.3"}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"equity.parquet", "ic.csv", "manifest.json", "positions.parquet", "report.html", "report.json", "trades.csv", "trades.parquet", "windows.csv"}
	if got := names(t, filepath.Join(dir, Folder(r.Result))); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if got, want := names(t, dir), []string{"latest", Folder(r.Result)}; !slices.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
	if target, err := os.Readlink(filepath.Join(dir, "latest")); err != nil || target != Folder(r.Result) {
		t.Errorf("latest → %q, %v; want %q", target, err, Folder(r.Result))
	}
}

func TestWriteIsTheSameAnywhere(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		r := sample(t, small)
		r.Study.Data.Lake, r.Study.Report.Dir = dir, dir
		if err := r.write(dir, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	folder := Folder(sample(t, small).Result)
	for _, name := range names(t, filepath.Join(a, folder)) {
		x, err := os.ReadFile(filepath.Join(a, folder, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between two folders", name)
		}
	}
}

func TestWriteOnlyWhatIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	if err := r.write(dir, Options{Formats: []Format{CSV}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"ic.csv", "manifest.json", "report.json", "trades.csv", "windows.csv"}
	if got := names(t, filepath.Join(dir, Folder(r.Result))); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	r.Study.Report.Formats = []string{"pdf"}
	for _, o := range []Options{{}, {Formats: []Format{"pdf"}}} {
		if err := r.write(dir, o); err == nil || !strings.Contains(err.Error(), `"pdf"`) {
			t.Errorf("format pdf with %+v: %v", o, err)
		}
	}
}

func TestWriteSweepsWhatTheDeadLeft(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	temporary := func(run string, pid int) string {
		path := atomicfile.Temporary(filepath.Join(dir, run))
		return strings.Replace(path, fmt.Sprintf("-%d-", os.Getpid()), fmt.Sprintf("-%d-", pid), 1)
	}
	const gone = 99999999
	alive := temporary("small-x", os.Getpid())
	for path, text := range map[string]string{
		temporary("small-x", gone): "",
		alive:                      "",
		temporary("half-a.b", gone) + "0" + oldEnding:       "the process died between two renames: the run is put back",
		temporary(Folder(r.Result), gone) + "0" + oldEnding: "",
	} {
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, reportFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := r.write(dir, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(t, dir), []string{filepath.Base(alive), "half-a.b", "latest", Folder(r.Result)}; !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
}

// Two writers of the same run both end well, and one whole run is there.
func TestTwoWritersOfOneRun(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 5 {
				if err := r.write(dir, Options{Formats: []Format{JSON}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got, want := names(t, dir), []string{"latest", Folder(r.Result)}; !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
	if _, err := Open(filepath.Join(dir, "latest")); err != nil {
		t.Error(err)
	}
}

// What a user put where qf writes stays, and is spoken of before any work.
func TestWriteOverwritesNothing(t *testing.T) {
	r := sample(t, small)
	for name, put := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o777) },
		"a file":   func(path string) error { return os.WriteFile(path, []byte("my notes\n"), 0o666) },
	} {
		dir := t.TempDir()
		if err := put(filepath.Join(dir, "latest")); err != nil {
			t.Fatal(err)
		}
		if err := r.write(dir, Options{}); err == nil || !strings.Contains(err.Error(), "latest is not a link of qf's") {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"latest"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, Folder(r.Result), "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir, Folder(r.Result), "mine", "note.txt")
	for _, text := range []string{"first", "second"} {
		if err := os.WriteFile(note, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := r.write(dir, Options{}); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(note); err != nil || string(b) != text {
			t.Errorf("%q, %v, want %q", b, err, text)
		}
	}
	// Where the system has no links, a file that names the run is one.
	if err := errors.Join(os.Remove(filepath.Join(dir, "latest")), os.WriteFile(filepath.Join(dir, "latest"), []byte(Folder(r.Result)+"\n"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := r.write(dir, Options{}); err != nil {
		t.Error(err)
	}
}

// A run that cannot be written leaves what was there.
func TestWriteFailureKeepsTheOldRun(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "latest", "report.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r.Study.Bars.Size = math.NaN() // JSON has no such number
	if err := r.write(dir, Options{}); err == nil || !strings.Contains(err.Error(), "report.json") {
		t.Fatalf("a document that cannot be written: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("a failed write changed the run")
	}
	if got, want := names(t, dir), []string{"latest", Folder(r.Result)}; !slices.Equal(got, want) {
		t.Errorf("after a failure: %v, want %v", got, want)
	}
}

func TestParquetColumns(t *testing.T) {
	dir := t.TempDir()
	sh := small
	sh.windows = 3
	r := sample(t, sh)
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.Open(filepath.Join(dir, Folder(r.Result), "equity.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bars := r.Span.Hi - r.Span.Lo
	if f.Rows() != int64(2*bars) {
		t.Errorf("equity.parquet has %d rows, want %d: the whole span and three windows of it", f.Rows(), 2*bars)
	}
	records, err := f.Read(context.Background(), parquet.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Release()
	if !records.Next() {
		t.Fatal(records.Err())
	}
	rec := records.Record()
	equity := rec.Column(rec.Schema().FieldIndices("equity")[0]).(*array.Float64)
	for k, want := range slices.Concat(r.rows[0].Equity, r.rows[1].Equity) {
		if got := equity.Value(k); got != want {
			t.Fatalf("equity[%d] = %v, want %v", k, got, want)
		}
	}
	p, err := parquet.Open(filepath.Join(dir, Folder(r.Result), "positions.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Rows() != int64(4*bars) {
		t.Errorf("positions.parquet has %d rows, want %d", p.Rows(), 4*bars)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestManifestLeavesCircumstancesOut: where things lie and how fast a cache was filled is no part of a run.
func TestManifestLeavesCircumstancesOut(t *testing.T) {
	r := modelSample(t, small)
	budget := 123.25
	r.Study.Data.Lake, r.Study.Report.Dir = "mark-lake", "mark-dir"
	r.Study.Signals.LLM = &study.LLMConfig{
		BaseURL: "mark-url", APIKeyEnv: "mark-variable", Cache: "mark-cache", BudgetUSD: &budget,
		RequestsPerMinute: 123.25, TokensPerMinute: 123.25, Concurrency: 12325, MaxRetries: 12325, MaxTokens: 777,
	}
	m, err := NewManifest(r.Result, New(r.Result), "")
	if err != nil {
		t.Fatal(err)
	}
	if config := string(m.Config); strings.Contains(config, "mark") || strings.Contains(config, "123") || !strings.Contains(config, "777") {
		t.Errorf("the configuration of the manifest: %s", config)
	}
}
