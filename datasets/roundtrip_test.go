package datasets_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
)

// shared is the folder of vendor samples, which are not part of the repository.
func shared(t *testing.T) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("QF_SHARED"), filepath.Join("..", "..", "shared"))
	if _, err := os.Stat(filepath.Join(dir, "data", "samples")); err != nil {
		t.Skip("no samples: set QF_SHARED")
	}
	return filepath.Join(dir, "data")
}

// text is a file's CSV.
func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return string(b)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func export(t *testing.T, l *datasets.Lake, p datasets.Partition) string {
	t.Helper()
	rr, err := l.Scan(context.Background(), p.Type, p.Instrument, datasets.DayRange(p.Day, p.Day))
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	var out bytes.Buffer
	if err := datasets.WriteCSV(&out, p.Type, p.Instrument, rr); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestSamplesComeOutAsTheyWentIn takes the vendor's files through the lake and back to CSV: byte for
// byte the same.
func TestSamplesComeOutAsTheyWentIn(t *testing.T) {
	dir := shared(t)
	var paths []string
	for _, glob := range []string{"samples/*.csv.gz", "samples/hftbacktest-derived/*.csv.gz", "mirror/v1/*/*/2024/02/29/*.csv.gz"} {
		found, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	src := &tardis.Files{Paths: map[datasets.Partition]string{}}
	var want []datasets.Partition
	for _, path := range paths {
		p, err := tardis.Identify(path, "")
		if err != nil {
			t.Fatal(err)
		}
		src.Paths[p] = path
		want = append(want, p)
	}
	l, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	report, err := datasets.Fetch(context.Background(), src, l, want, datasets.FetchOptions{})
	if err != nil || report.Count(datasets.Fetched) != len(want) || len(want) < 10 {
		t.Fatalf("%+v, %v", report, err)
	}
	found, err := datasets.Verify(context.Background(), l, want, datasets.VerifyOptions{})
	if err != nil || slices.ContainsFunc(found, func(f datasets.Finding) bool { return f.Severity == datasets.Fault }) {
		t.Errorf("%+v, %v", found, err)
	}
	for _, p := range want {
		got, source := export(t, l, p), text(t, src.Paths[p])
		if got == source {
			continue
		}
		a, b := strings.Split(got, "\n"), strings.Split(source, "\n")
		if len(a) != len(b) {
			t.Errorf("%s: %d lines, the source has %d", p, len(a), len(b))
			continue
		}
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("%s line %d: %s, the source has %s", p, i+1, a[i], b[i])
				break
			}
		}
	}
}

// TestGroupedFileOnDisk imports a grouped CSV through the real parser.
func TestGroupedFileOnDisk(t *testing.T) {
	var file bytes.Buffer
	want := map[string]*bytes.Buffer{}
	fmt.Fprintln(&file, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount")
	for i := range 5000 {
		symbol := []string{"BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL"}[i*i%7%3]
		at := 1704067200000000 + i*1000
		if want[symbol] == nil {
			want[symbol] = bytes.NewBufferString("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n")
		}
		row := fmt.Sprintf("deribit,%s,%d,%d,%d,%s,%d.5,%d\n", symbol, at, at+7, i, []string{"buy", "sell"}[i%2], 40000+i%13, 10*(i%50+1))
		file.WriteString(row)
		want[symbol].WriteString(row)
	}
	path := filepath.Join(t.TempDir(), "deribit_trades_2024-01-01_PERPETUALS.csv")
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := tardis.Identify(path, "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src := &tardis.Files{Paths: map[datasets.Partition]string{p: path}}
	for _, status := range []datasets.FetchStatus{datasets.Fetched, datasets.Present} {
		r, err := datasets.Fetch(context.Background(), src, l, []datasets.Partition{p}, datasets.FetchOptions{})
		if err != nil || r.Entries[0].Status != status || len(r.Entries[0].Symbols) != 3 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	for symbol, text := range want {
		p.Symbol = symbol
		if got := export(t, l, p); got != text.String() {
			t.Errorf("%s: %d bytes, want %d", symbol, len(got), text.Len())
		}
	}
}
