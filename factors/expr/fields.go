package expr

import (
	"slices"

	"github.com/qf-dev/qf/factors"
)

// Fields lists the market fields that the scope's factors are computed from, each once: those of all instruments and,
// by reference, those that formulas look at there. It needs no grid, so that bars can be asked for them; what does not
// compile adds nothing.
func (s Scope) Fields() (own []string, references [][]string) {
	w := &fieldWalk{scope: s, seen: map[place]bool{}, lists: make([][]string, 1+len(s.References))}
	for _, f := range s.Factors {
		w.source(f, 0)
	}
	return w.lists[0], w.lists[1:]
}

// Inputs lists what one of the scope's factors is computed from: the market fields of all instruments, those of a
// reference, as close["bybit:BTCUSDT"], and series.
func (s Scope) Inputs(factor string) []string {
	w := &fieldWalk{scope: s, seen: map[place]bool{}, lists: make([][]string, 1+len(s.References))}
	if k := slices.IndexFunc(s.Factors, func(f Source) bool { return f.Name == factor }); k >= 0 {
		w.source(s.Factors[k], 0)
	}
	list := w.lists[0]
	for k, in := range s.References {
		for _, name := range w.lists[1+k] {
			list = append(list, name+`["`+in.String()+`"]`)
		}
	}
	return append(list, w.series...)
}

// fieldWalk gathers fields of the instruments, at 0, and of each reference after them.
type fieldWalk struct {
	scope  Scope
	seen   map[place]bool
	lists  [][]string
	series []string
}

// place is a source, by name, as looked at there.
type place struct {
	name string
	at   int
}

func (w *fieldWalk) add(at int, names ...string) {
	for _, name := range names {
		if !slices.Contains(w.lists[at], name) {
			w.lists[at] = append(w.lists[at], name)
		}
	}
}

func (w *fieldWalk) source(s Source, at int) {
	if w.seen[place{s.Name, at}] {
		return
	}
	w.seen[place{s.Name, at}] = true
	if s.Expr == "" {
		if names, err := factors.Needs(s.Kind, s.Params); err == nil {
			w.add(at, names...)
		}
		return
	}
	if n, err := parse(s.Expr); err == nil {
		w.node(n, at)
	}
}

func (w *fieldWalk) node(n *node, at int) {
	switch n.kind {
	case nameNode:
		for _, list := range [][]Source{w.scope.Definitions, w.scope.Factors} {
			if k := slices.IndexFunc(list, func(s Source) bool { return s.Name == n.text }); k >= 0 {
				w.source(list[k], at)
				return
			}
		}
		if n.text == returns {
			w.add(at, "close")
		} else if isColumn(n.text) {
			w.add(at, n.text)
		} else if slices.Contains(w.scope.Series, n.text) && !slices.Contains(w.series, n.text) {
			w.series = append(w.series, n.text)
		}
		return
	case pickNode:
		at = max(0, w.scope.column(n.text)-len(w.scope.Instruments)+1)
	case callNode:
		if n.text == "day_return" {
			w.add(at, "open", "close")
		} else if kind, err := factors.Find(n.text); err == nil {
			b := &builder{scope: w.scope, grid: &factors.Grid{}, done: map[string]*value{}}
			if params, _ := b.kindParams(kind, n); b.err == nil {
				if names, err := factors.Needs(kind.Name, params); err == nil {
					w.add(at, names...)
				}
			}
			return
		}
	}
	for _, arg := range n.args {
		w.node(arg, at)
	}
}
