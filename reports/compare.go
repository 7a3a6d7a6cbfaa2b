package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
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
	found, err := drifts(a, b, o)
	if err == nil && len(found) == 0 && !holds(a) {
		return nil, fmt.Errorf("compare: nothing stands in %s, nor in %s: these are no reports", golden, run)
	}
	return found, err
}

// holds reports whether a document has a value anywhere.
func holds(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			if holds(item) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, holds)
	}
	return v != nil
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
	slices.SortStableFunc(w.found, func(a, b Drift) int { return naturally(a.Path, b.Path) })
	return w.found, nil
}
