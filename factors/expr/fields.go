package expr

import (
	"slices"

	"github.com/qf-dev/qf/factors"
)

// Fields lists the market fields that the scope's factors are computed from, each once. It needs no grid, so that bars
// can be asked for them; what does not compile adds nothing.
func (s Scope) Fields() []string {
	w := &fieldWalk{scope: s, seen: map[string]bool{}}
	for _, f := range s.Factors {
		w.source(f)
	}
	return w.list
}

type fieldWalk struct {
	scope Scope
	seen  map[string]bool // names of sources
	list  []string
}

func (w *fieldWalk) add(names ...string) {
	for _, name := range names {
		if !slices.Contains(w.list, name) {
			w.list = append(w.list, name)
		}
	}
}

func (w *fieldWalk) source(s Source) {
	if w.seen[s.Name] {
		return
	}
	w.seen[s.Name] = true
	if s.Expr == "" {
		if names, err := factors.Needs(s.Kind, s.Params); err == nil {
			w.add(names...)
		}
		return
	}
	if n, err := parse(s.Expr); err == nil {
		w.node(n)
	}
}

func (w *fieldWalk) node(n *node) {
	switch n.kind {
	case nameNode:
		for _, list := range [][]Source{w.scope.Definitions, w.scope.Factors} {
			if at := slices.IndexFunc(list, func(s Source) bool { return s.Name == n.text }); at >= 0 {
				w.source(list[at])
				return
			}
		}
		if n.text == returns {
			w.add("close")
		} else if isColumn(n.text) {
			w.add(n.text)
		}
		return
	case callNode:
		if n.text == "day_return" {
			w.add("open", "close")
		} else if kind, err := factors.Find(n.text); err == nil {
			b := &builder{scope: w.scope, grid: &factors.Grid{}, done: map[string]*value{}}
			if params, _ := b.kindParams(kind, n); b.err == nil {
				if names, err := factors.Needs(kind.Name, params); err == nil {
					w.add(names...)
				}
			}
			return
		}
	}
	for _, arg := range n.args {
		w.node(arg)
	}
}
