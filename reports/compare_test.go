package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/backtest/evaluate"
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
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join(dir, Folder(r.Result))
	if d, err := Compare(golden, filepath.Join(dir, "latest"), CompareOptions{}); err != nil || len(d) != 0 {
		t.Fatalf("a run against itself: %v, %v", d, err)
	}
	row := &r.Figures.IC[len(r.Figures.IC)-4]
	for _, c := range []struct {
		factor float64
		want   int
	}{{1 + 1e-12, 0}, {1 + 1e-6, 1}} {
		was := row.Spearman
		row.Spearman *= evaluate.Figure(c.factor)
		other := t.TempDir()
		if err := r.write(other, Options{}); err != nil {
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

func TestCompareOfNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	for text, nothing := range map[string]bool{`{}`: true, `{"pnl": [], "ic": {"a": {}}}`: true, `{"pnl": [{"fees": 0}]}`: false} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Compare(dir, dir, CompareOptions{}); (err != nil) != nothing {
			t.Errorf("%s: %v", text, err)
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

// TestCompareSeesEveryNumber changes the numbers of a golden one after the other.
func TestCompareSeesEveryNumber(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "golden", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	parse := func() any {
		v, err := parseJSON(src)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	golden, changed := parse(), parse()
	tried := 0
	var walk func(v any, set func(json.Number))
	walk = func(v any, set func(json.Number)) {
		switch x := v.(type) {
		case map[string]any:
			for name, item := range x {
				walk(item, func(n json.Number) { x[name] = n })
			}
		case []any:
			for k, item := range x {
				walk(item, func(n json.Number) { x[k] = n })
			}
		case json.Number:
			f, err := x.Float64()
			// A quantile, a delay and the like name their row.
			if tried++; err != nil || f == 0 || tried%29 > 0 || f == math.Trunc(f) && math.Abs(f) < 100 {
				return
			}
			for factor, want := range map[float64]int{1 + 1e-12: 0, 1 + 1e-6: 1} {
				set(json.Number(strconv.FormatFloat(f*factor, 'g', -1, 64)))
				found, err := drifts(golden, changed, CompareOptions{})
				if err != nil || len(found) != want {
					t.Errorf("%v times %v: %v, %v; want %d drifts", x, factor, found, err, want)
				}
			}
			set(x)
		}
	}
	walk(changed, nil)
	if tried < 1000 {
		t.Errorf("only %d numbers were found", tried)
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
	d := compared(t, `{"pnl":[{"signal":"s","x":2,"gone":1}],"name":"a","list":[]}`,
		`{"pnl":[{"signal":"s","x":1},{"signal":"t","x":1,"y":2}],"name":"b","list":[1,2,3]}`, CompareOptions{})
	var got strings.Builder
	if err := WriteDrifts(&got, d); err != nil {
		t.Fatal(err)
	}
	want := `list    golden       run  change
  list       -  3 values     new

name    golden  run   change
  name     "a"  "b"  changed

pnl                   golden       run   change
  pnl[signal=s].gone       1         -  missing
  pnl[signal=s].x          2         1     -0.5
  pnl[signal=t]            -  3 values      new

9 differences: 2 changed, 1 missing, 6 new
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
}

// TestLongSectionsAreCut: of many changes the largest are shown, in order.
func TestLongSectionsAreCut(t *testing.T) {
	var drifts []Drift
	for k := range 3 * sectionLines {
		by := float64(k%7) + 1
		drifts = append(drifts, Drift{Path: fmt.Sprintf("curves.x[%d]", k), Kind: "changed", Golden: "1", Run: "2", Relative: &by})
	}
	var got strings.Builder
	if err := WriteDrifts(&got, drifts); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(got.String()), "\n")
	if len(lines) != sectionLines+4 || !strings.Contains(got.String(), "and 80 more, changed less") {
		t.Errorf("%d lines:\n%s", len(lines), got.String())
	}
	for _, line := range lines[1 : sectionLines+1] {
		if !strings.HasSuffix(line, "+5") && !strings.HasSuffix(line, "+6") && !strings.HasSuffix(line, "+7") {
			t.Errorf("a small change is shown: %s", line)
		}
	}
}

func TestPathsSortByNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"x[9]", "x[10]", -1}, {"x[10]", "x[10]", 0}, {"x[10].b", "x[10].a", 1}, {"a2b", "a10", -1}, {"a", "b", -1}, {"a", "a1", -1}, {"x[007]", "x[7]", -1}} {
		if got := naturally(c.a, c.b); got != c.want {
			t.Errorf("naturally(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
