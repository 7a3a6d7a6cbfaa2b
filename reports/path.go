package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// step is one step of a path into a report: a member's name and, where that is a list, the row.
type step struct {
	name string
	row  keys
}

// keys identify a row of a list; one pair without a name is its index.
type keys []pair

type pair struct{ name, value string }

func (k keys) String() string {
	parts := make([]string, len(k))
	for i, p := range k {
		parts[i] = p.value
		if p.name != "" {
			parts[i] = p.name + "=" + p.value
		}
	}
	return strings.Join(parts, ",")
}

// within is the path to a row of the list at a path.
func within(at []step, row keys) []step {
	next := slices.Clone(at)
	if last := &next[len(next)-1]; last.row == nil {
		last.row = row
		return next
	}
	return append(next, step{row: row})
}

func pathString(at []step) string {
	var b strings.Builder
	for i, s := range at {
		if i > 0 && s.name != "" {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.row != nil {
			b.WriteString("[" + s.row.String() + "]")
		}
	}
	return b.String()
}

// parsePath reads what pathString writes. A dot within brackets belongs to a value.
func parsePath(s string) ([]step, error) {
	var out []step
	for rest := s; ; {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		st := step{name: rest[:end]}
		rest = rest[end:]
		if strings.HasPrefix(rest, "[") {
			inside, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return nil, fmt.Errorf("path %q: a bracket is not closed", s)
			}
			for part := range strings.SplitSeq(inside, ",") {
				name, value, named := strings.Cut(part, "=")
				if !named {
					name, value = "", part
				}
				st.row = append(st.row, pair{name, value})
			}
			rest = after
		}
		if st.name == "" && st.row == nil {
			return nil, fmt.Errorf("path %q: a step is empty", s)
		}
		out = append(out, st)
		if rest == "" {
			return out, nil
		}
		rest = strings.TrimPrefix(rest, ".")
	}
}

// matches reports whether pattern covers path: step by step, * for any one step and ** for any
// number of them; a row's keys must be those of the pattern where that has any.
func matches(pattern, path []step) bool {
	if len(pattern) == 0 {
		return len(path) == 0
	}
	if pattern[0].name == "**" {
		for k := range len(path) + 1 {
			if matches(pattern[1:], path[k:]) {
				return true
			}
		}
		return false
	}
	return len(path) > 0 && pattern[0].covers(path[0]) && matches(pattern[1:], path[1:])
}

func (s step) covers(o step) bool {
	if s.name != "*" && s.name != o.name {
		return false
	}
	for _, p := range s.row {
		if p.value != "*" && !slices.Contains(o.row, p) {
			return false
		}
	}
	return true
}

// naturally orders texts with the numbers in them by value: x[9] before x[10].
func naturally(a, b string) int {
	for x, y := a, b; ; {
		if x == "" || y == "" {
			return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
		}
		m, n := digits(x), digits(y)
		if m > 0 && n > 0 {
			u, v := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
			if c := cmp.Or(cmp.Compare(len(u), len(v)), strings.Compare(u, v)); c != 0 {
				return c
			}
			x, y = x[m:], y[n:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
}

// digits is the length of the number that s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
