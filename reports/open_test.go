package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// TestRerenderGivesTheSameBytes removes what can be made again and makes it again.
func TestRerenderGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	sh := small
	sh.windows, sh.name = 2, hostile
	r := sample(t, sh)
	r.Figures.PnL[0].Figures["sharpe"] = nan
	if err := r.write(dir, Options{Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, Folder(r.Result))
	want := map[string][]byte{}
	for _, name := range []string{"report.html", "ic.csv", "windows.csv"} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		want[name] = b
		os.Remove(filepath.Join(folder, name))
	}
	if err := Rerender(folder, HTML, CSV); err != nil {
		t.Fatal(err)
	}
	for name, b := range want {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, b) {
			t.Errorf("%s is not what the run wrote", name)
		}
	}
	run, err := Open(filepath.Join(dir, "latest"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Format{Text, JSON} {
		if render(t, f, run) != render(t, f, finishedResult(t, r)) {
			t.Errorf("%s of the opened run differs", f)
		}
	}
	if err := Rerender(folder, Parquet); err == nil || !strings.Contains(err.Error(), "qf backtest") {
		t.Errorf("Rerender as parquet: %v", err)
	}
}

// Where there are no symbolic links, latest is a file that holds the folder's name.
func TestLatestAsAFile(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	latest := filepath.Join(dir, "latest")
	if err := os.Remove(latest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(latest, []byte(Folder(r.Result)+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	run, err := Open(latest)
	if err != nil || run.Report.Digest != r.Digest {
		t.Fatalf("Open(latest): %v", err)
	}
	if runs, err := Runs(dir); err != nil || len(runs) != 1 || !runs[0].Latest {
		t.Errorf("Runs: %+v, %v", runs, err)
	}
}

func TestOpenDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := sample(t, small).write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "latest", "report.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(good, &doc); err != nil {
		t.Fatal(err)
	}
	doc["schema"] = 99
	newer, _ := json.Marshal(doc)
	for _, c := range []struct{ name, text, want string }{
		{"cut", string(good[:len(good)/2]), "report.json"},
		{"empty", "", "report.json"},
		{"not a report", `{"a":1}`, "schema"},
		{"newer", string(newer), "update qf"},
		{"curves", `{"schema":1,"curves":{"equity":{"ts":["2024-01-01T00:00:00Z"],"equity":[]}}}`, "curves.equity"},
		{"wrong type", `{"schema":1,"ic":{"a":1}}`, "ic"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(filepath.Join(dir, "latest")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

func TestLargeRunStaysSmall(t *testing.T) {
	sh := shape{name: "ten", days: 90, every: time.Hour, windows: 1, edge: 0.02}
	for _, s := range []string{"BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX", "DOT"} {
		sh.instruments = append(sh.instruments, datasets.Instrument{Exchange: "binance-futures", Symbol: s + "USDT"})
	}
	run := finished(t, sh)
	if n := len(render(t, HTML, run)); n > 3<<20 {
		t.Errorf("report.html of ten instruments has %d bytes, want at most 3 MiB", n)
	}
}

// FuzzOpen draws whatever report.json holds: an error or a page, never a panic.
func FuzzOpen(f *testing.F) {
	seed, err := os.ReadFile("testdata/golden/report.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"schema":1}`))
	f.Add([]byte(`{"schema":1,"distribution":{"n":1,"counts":[1],"lo":1e308,"hi":-1e308},"curves":{"equity":{"ts":["","x"],"equity":[null,1],"before_costs":[0,0],"buy_and_hold":[1e308,-1e308],"drawdown":[0,0]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		run := &Run{Report: &Report{}, Manifest: &Manifest{Config: json.RawMessage("{}")}}
		if json.Unmarshal(b, run.Report) != nil || run.Report.check() != nil {
			t.Skip()
		}
		for _, format := range []Format{HTML, Text, JSON} {
			if err := Render(io.Discard, format, run); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
		writeIC(io.Discard, run.Report)
		writeWindows(io.Discard, run.Report)
	})
}
