package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// DefaultRelative is the relative difference of two numbers that is still no drift.
const DefaultRelative = 1e-9

// CompareOptions says how far two runs may be apart. The zero value is DefaultRelative everywhere.
type CompareOptions struct {
	Tolerance
	// Overrides hold for the numbers whose path they match; the last that matches counts.
	Overrides []Override
}

// Tolerance bounds the difference of two numbers a and b:
//
//	abs(a − b) ≤ max(Absolute, Relative · max(abs(a), abs(b)))
type Tolerance struct {
	Relative *float64 `yaml:"relative" json:"relative"` // nil: DefaultRelative
	Absolute float64  `yaml:"absolute" json:"absolute"`
}

func (t Tolerance) holds(a, b float64) bool {
	relative := DefaultRelative
	if t.Relative != nil {
		relative = *t.Relative
	}
	return math.Abs(a-b) <= math.Max(t.Absolute, relative*math.Max(math.Abs(a), math.Abs(b)))
}

// Override is a tolerance for some paths. Path has the form of Drift.Path; a step may be * for any
// one step, or ** for any number of them, and what its brackets leave out may be anything:
// pnl[signal=composite].sharpe, curves.**, *.t.
type Override struct {
	Path string
	Tolerance
}

// Drift is one difference between two runs.
type Drift struct {
	Path     string   `json:"path"` // ic[signal=composite,instrument=*,window=all,horizon=1h].pearson
	Kind     string   `json:"kind"` // changed, missing (in the run) or new
	Golden   string   `json:"golden,omitempty"`
	Run      string   `json:"run,omitempty"`
	Relative *float64 `json:"relative,omitempty"` // (run − golden)/abs(golden), where both are numbers
}

// Compare walks the report.json of two runs, each given as a file or as a run's folder, and lists
// every difference by path. Rows of a list are matched by what names them (signal, window, horizon
// and so on), not by their place.
func Compare(golden, run string, o CompareOptions) ([]Drift, error) {
	a, err := load(golden)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	b, err := load(run)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return drifts(a, b, o)
}

func load(path string) (any, error) {
	path, err := locate(path)
	if err != nil {
		return nil, err
	}
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// parseJSON reads one JSON object whose numbers stay as they are written.
func parseJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not a report: %w (near byte %d)", err, d.InputOffset())
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("not a report: something follows the document at byte %d", d.InputOffset())
	}
	return v, nil
}

func drifts(golden, run any, o CompareOptions) ([]Drift, error) {
	w := walker{base: o.Tolerance}
	for _, v := range o.Overrides {
		steps, err := parsePath(v.Path)
		if err != nil {
			return nil, err
		}
		w.overrides = append(w.overrides, override{steps, v.Tolerance})
	}
	w.walk(nil, golden, run)
	slices.SortStableFunc(w.found, func(a, b Drift) int { return strings.Compare(a.Path, b.Path) })
	return w.found, nil
}

type override struct {
	path []step
	Tolerance
}

type walker struct {
	base      Tolerance
	overrides []override
	found     []Drift
}

func (w *walker) walk(at []step, a, b any) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			w.members(at, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			w.rows(at, x, y)
			return
		}
	case json.Number:
		if y, ok := b.(json.Number); ok {
			w.numbers(at, x, y)
			return
		}
	}
	if isList(a) || isList(b) || a != b {
		w.add(at, "changed", a, b, nil)
	}
}

// isList reports whether v is a container, which Go does not compare.
func isList(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func (w *walker) numbers(at []step, a, b json.Number) {
	if a == b {
		return
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	if errX != nil || errY != nil {
		w.add(at, "changed", a, b, nil)
		return
	}
	if w.tolerance(at).holds(x, y) {
		return
	}
	var relative *float64
	if x != 0 {
		r := (y - x) / math.Abs(x)
		relative = &r
	}
	w.add(at, "changed", a, b, relative)
}

func (w *walker) tolerance(at []step) Tolerance {
	for _, o := range slices.Backward(w.overrides) {
		if matches(o.path, at) {
			return o.Tolerance
		}
	}
	return w.base
}

func (w *walker) members(at []step, a, b map[string]any) {
	for name, x := range a {
		next := append(slices.Clip(at), step{name: name})
		if y, ok := b[name]; ok {
			w.walk(next, x, y)
		} else {
			w.leaves(next, "missing", x)
		}
	}
	for name, y := range b {
		if _, ok := a[name]; !ok {
			w.leaves(append(slices.Clip(at), step{name: name}), "new", y)
		}
	}
}

// rows compares two lists: by the rows' identities where all have one of their own, else by place.
func (w *walker) rows(at []step, a, b []any) {
	namesA, okA := identities(at, a)
	namesB, okB := identities(at, b)
	if !okA || !okB {
		namesA, namesB = indexes(len(a)), indexes(len(b))
	}
	in := make(map[string]int, len(b))
	for k, n := range namesB {
		in[n.String()] = k
	}
	for k, n := range namesA {
		next := within(at, n)
		if j, ok := in[n.String()]; ok {
			w.walk(next, a[k], b[j])
			delete(in, n.String())
		} else {
			w.leaves(next, "missing", a[k])
		}
	}
	for k, n := range namesB {
		if _, ok := in[n.String()]; ok {
			w.leaves(within(at, n), "new", b[k])
		}
	}
}

// leaves lists every value below one that the other run does not have.
func (w *walker) leaves(at []step, kind string, v any) {
	switch x := v.(type) {
	case map[string]any:
		for name, y := range x {
			w.leaves(append(slices.Clip(at), step{name: name}), kind, y)
		}
	case []any:
		names, ok := identities(at, x)
		if !ok {
			names = indexes(len(x))
		}
		for k, y := range x {
			w.leaves(within(at, names[k]), kind, y)
		}
	default:
		if kind == "new" {
			w.add(at, kind, nil, v, nil)
		} else {
			w.add(at, kind, v, nil, nil)
		}
	}
}

func (w *walker) add(at []step, kind string, a, b any, relative *float64) {
	d := Drift{Path: pathString(at), Kind: kind, Relative: relative}
	if kind != "new" {
		d.Golden = show(a)
	}
	if kind != "missing" {
		d.Run = show(b)
	}
	w.found = append(w.found, d)
}

// show is a value as JSON, cut where it is long.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return clip(string(b), 60)
}

// rowNames are the keys that name the rows of each list of a report, in the order in which paths
// show them.
var rowNames = map[string][]string{
	"ic":                {"signal", "instrument", "window", "horizon"},
	"daily_ic":          {"signal", "day"},
	"memory":            {"signal", "instrument"},
	"slices":            {"signal", "by", "slice"},
	"quantiles":         {"signal", "horizon", "quantile"},
	"quantile_spreads":  {"signal", "horizon"},
	"levels":            {"signal", "window", "level", "horizon"},
	"transitions":       {"signal", "window", "from", "to"},
	"pnl":               {"signal", "window"},
	"pnl_by_instrument": {"instrument"},
	"variants":          {"variant", "delay"},
	"stability":         {"signal", "figure"},
	"monthly":           {"month"},
	"coverage":          {"instrument", "feed"},
	"instruments":       {"instrument"},
	"windows":           {"window"},
	"positions":         {"instrument"},
}

// identities gives the identity of each row of the list at a path; ok is false unless every row is
// an object with one of its own.
func identities(at []step, rows []any) (out []keys, ok bool) {
	names := rowNames[at[len(at)-1].name]
	seen := map[string]bool{}
	for _, r := range rows {
		m, _ := r.(map[string]any)
		var id keys
		for _, name := range names {
			switch v := m[name].(type) {
			case string:
				id = append(id, pair{name, v})
			case json.Number:
				id = append(id, pair{name, v.String()})
			}
		}
		if len(id) == 0 || seen[id.String()] {
			return nil, false
		}
		seen[id.String()] = true
		out = append(out, id)
	}
	return out, true
}

// indexes identifies n rows by their index.
func indexes(n int) []keys {
	out := make([]keys, n)
	for k := range out {
		out[k] = keys{{"", strconv.Itoa(k)}}
	}
	return out
}
