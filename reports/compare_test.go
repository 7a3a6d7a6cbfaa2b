package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest"
)

// compared runs Compare on two documents.
func compared(t *testing.T, golden, run string, o CompareOptions) []Drift {
	t.Helper()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	for path, text := range map[string]string{a: golden, b: run} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out, err := Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompareFindsWhatDrifted(t *testing.T) {
	zero := 0.0
	loose := 0.1
	for _, c := range []struct {
		name, golden, run string
		o                 CompareOptions
		want              []string // path kind golden run
	}{
		{"equal", `{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1}`, CompareOptions{}, nil},
		{"within 1e-12", `{"a":1}`, `{"a":1.000000000001}`, CompareOptions{}, nil},
		{"1e-6 apart", `{"a":{"b":1}}`, `{"a":{"b":1.000001}}`, CompareOptions{}, []string{"a.b changed 1 1.000001"}},
		{"exact asked for", `{"a":1}`, `{"a":1.000000000001}`, CompareOptions{Tolerance: Tolerance{Relative: &zero}}, []string{"a changed 1 1.000000000001"}},
		{"absolute", `{"a":0}`, `{"a":1e-13}`, CompareOptions{Tolerance: Tolerance{Absolute: 1e-12}}, nil},
		{"from zero", `{"a":0}`, `{"a":1e-13}`, CompareOptions{}, []string{"a changed 0 1e-13"}},
		{"written otherwise", `{"a":100000}`, `{"a":1e5}`, CompareOptions{}, nil},
		{"null", `{"a":1,"b":null}`, `{"a":null,"b":2}`, CompareOptions{}, []string{"a changed 1 null", "b changed null 2"}},
		{"text", `{"a":"x"}`, `{"a":"y"}`, CompareOptions{}, []string{`a changed "x" "y"`}},
		{"type", `{"a":{"b":1}}`, `{"a":[1]}`, CompareOptions{}, []string{`a changed {"b":1} [1]`}},
		{"missing and new", `{"a":1,"b":{"c":2}}`, `{"a":1,"d":3}`, CompareOptions{}, []string{"b.c missing 2 ", "d new  3"}},
		{"shorter list", `{"a":[1,2,3]}`, `{"a":[1,2]}`, CompareOptions{}, []string{"a[2] missing 3 "}},
		{
			"rows by name", `{"pnl":[{"signal":"s","window":"all","x":1},{"signal":"s","window":"0","x":2}]}`,
			`{"pnl":[{"signal":"s","window":"0","x":2},{"signal":"s","window":"all","x":5}]}`, CompareOptions{},
			[]string{"pnl[signal=s,window=all].x changed 1 5"},
		},
		{
			"a row more", `{"pnl":[{"signal":"s","x":1}]}`, `{"pnl":[{"signal":"r","x":7},{"signal":"s","x":1}]}`, CompareOptions{},
			[]string{`pnl[signal=r].signal new  "r"`, "pnl[signal=r].x new  7"},
		},
		{
			"override", `{"pnl":[{"signal":"s","x":1,"y":1}]}`, `{"pnl":[{"signal":"s","x":1.01,"y":1.01}]}`,
			CompareOptions{Overrides: []Override{{Path: "pnl.x", Tolerance: Tolerance{Relative: &loose}}}},
			[]string{"pnl[signal=s].y changed 1 1.01"},
		},
		{"empty list", `{"a":[]}`, `{"a":null}`, CompareOptions{}, []string{"a changed [] null"}},
	} {
		var got []string
		for _, d := range compared(t, c.golden, c.run, c.o) {
			got = append(got, fmt.Sprintf("%s %s %s %s", d.Path, d.Kind, d.Golden, d.Run))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestCompareRuns changes one number deep inside a real document.
func TestCompareRuns(t *testing.T) {
	dir := t.TempDir()
	r := sample(t, small)
	if err := Write(dir, r, Options{}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join(dir, Folder(r))
	if d, err := Compare(golden, filepath.Join(dir, "latest"), CompareOptions{}); err != nil || len(d) != 0 {
		t.Fatalf("a run against itself: %v, %v", d, err)
	}
	row := &r.Evaluation.IC[len(r.Evaluation.IC)-4]
	for _, c := range []struct {
		factor float64
		want   int
	}{{1 + 1e-12, 0}, {1 + 1e-6, 1}} {
		was := row.Spearman
		row.Spearman *= backtest.Figure(c.factor)
		other := t.TempDir()
		if err := Write(other, r, Options{}); err != nil {
			t.Fatal(err)
		}
		row.Spearman = was
		d, err := Compare(golden, filepath.Join(other, "latest"), CompareOptions{})
		if err != nil || len(d) != c.want {
			t.Errorf("a number times %v: %v, %v; want %d drifts", c.factor, d, err, c.want)
		}
		for _, x := range d {
			if !strings.HasPrefix(x.Path, "ic[signal=composite") || !strings.HasSuffix(x.Path, ".spearman") {
				t.Errorf("drift at %s", x.Path)
			}
		}
	}
}

func TestCompareDamaged(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json")
	os.WriteFile(good, []byte(`{"a":1}`), 0o666)
	for _, text := range []string{``, `{`, `{"a":1}}`, `{"a":NaN}`, `[1]`, `<html>`, "\x00"} {
		os.WriteFile(bad, []byte(text), 0o666)
		if _, err := Compare(good, bad, CompareOptions{}); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("Compare with %q: %v, want an error that names the file", text, err)
		}
	}
	if _, err := Compare(good, filepath.Join(dir, "none"), CompareOptions{}); err == nil {
		t.Error("a run that is not there: no error")
	}
	if _, err := Compare(good, good, CompareOptions{Overrides: []Override{{Path: "a[b"}}}); err == nil {
		t.Error("a damaged path: no error")
	}
}

func TestPathPatterns(t *testing.T) {
	const path = "ic[signal=composite,instrument=x:Y.Z,window=all,horizon=1h].daily.mean"
	for pattern, want := range map[string]bool{
		path:                                  true,
		"ic.daily.mean":                       true,
		"ic[horizon=1h].daily.mean":           true,
		"ic[horizon=4h].daily.mean":           false,
		"ic[instrument=x:Y.Z].*.mean":         true,
		"**.mean":                             true,
		"ic.**":                               true,
		"**":                                  true,
		"*.mean":                              false,
		"pnl.**":                              false,
		"ic.daily":                            false,
		"ic[signal=*,horizon=1h].daily.mean":  true,
		"ic[signal=composite].daily.mean.std": false,
	} {
		p, err := parsePath(pattern)
		if err != nil {
			t.Fatal(err)
		}
		at, err := parsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if pathString(at) != path {
			t.Fatalf("parsed and written: %s", pathString(at))
		}
		if got := matches(p, at); got != want {
			t.Errorf("%s covers %s: %v, want %v", pattern, path, got, want)
		}
	}
}

func TestWriteDrifts(t *testing.T) {
	d := compared(t, `{"pnl":[{"signal":"s","x":2,"gone":1}],"name":"a"}`, `{"pnl":[{"signal":"s","x":1}],"name":"b"}`, CompareOptions{})
	var got strings.Builder
	if err := WriteDrifts(&got, d); err != nil {
		t.Fatal(err)
	}
	want := `name
  name  "a"  "b"  changed
pnl
  pnl[signal=s].gone  1  -  missing
  pnl[signal=s].x     2  1  -0.5
3 differences: 2 changed, 1 missing, 0 new
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
