package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var small = shape{name: "small", instruments: []datasets.Instrument{btc, eth}, days: 3, every: time.Hour, windows: 1, warmUp: 5, edge: 0.05}

// TestGolden compares each document of an invented run, and of one with models, with the file under
// testdata/golden.
func TestGolden(t *testing.T) {
	r := sample(t, small)
	run := finished(t, small)
	// The study's keys belong to another package; this page shows any.
	run.Manifest.Config = json.RawMessage(`{"version":1,"name":"small","bars":{"kind":"time","every":"1h"},"factors":[{"name":"momentum_14d"}]}`)
	run.Manifest.Platform = "linux/amd64" // wherever the test runs
	asked := finishedResult(t, modelSample(t, small))
	for name, write := range map[string]func(io.Writer) error{
		"report.json":   func(w io.Writer) error { return Render(w, JSON, run) },
		"manifest.json": func(w io.Writer) error { return writeJSON(w, run.Manifest) },
		"report.html":   func(w io.Writer) error { return Render(w, HTML, run) },
		"summary.txt":   func(w io.Writer) error { return Render(w, Text, run) },
		"ic.csv":        func(w io.Writer) error { return writeIC(w, run.Report) },
		"windows.csv":   func(w io.Writer) error { return writeWindows(w, run.Report) },
		"trades.csv": func(w io.Writer) error {
			return writeFills([]io.Writer{w}, []func(io.Writer, *backtest.Result) (fillWriter, error){newTradesCSV}, r.Result, r)
		},
		"models.json":        func(w io.Writer) error { return writeJSON(w, asked.Report.Models) },
		"models_summary.txt": func(w io.Writer) error { return Render(w, Text, asked) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "golden", name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
			}
		})
	}
}

// finished is the invented run as its folder would keep it.
func finished(t testing.TB, sh shape) *Run {
	t.Helper()
	return finishedResult(t, sample(t, sh))
}

func finishedResult(t testing.TB, r *sampled) *Run {
	t.Helper()
	run := &Run{Report: New(r.Result)}
	var err error
	if run.Manifest, err = NewManifest(r.Result, run.Report, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	return run
}

func render(t testing.TB, f Format, run *Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, f, run); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
