package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

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
