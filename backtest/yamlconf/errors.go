package yamlconf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one problem at one place of a document.
type Error struct {
	File      string // or "--set path" for an override
	Line, Col int    // 0 for overrides and for what is missing altogether
	Path      string // execution.delay, factors[2].window; empty for the document
	Msg       string
}

// Error prints file:line:column: path: message.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", s, e.Line, e.Col)
	}
	if e.Path != "" && e.File != "--set "+e.Path {
		s += ": " + e.Path
	}
	return s + ": " + e.Msg
}

// join orders errors by their place and makes one of them; nil for none.
func join(errs []*Error) error {
	slices.SortStableFunc(errs, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	list := make([]error, len(errs))
	for i, e := range errs {
		list[i] = e
	}
	return errors.Join(list...)
}

// Nearest suggests the name that was probably meant: the one with the smallest edit distance, where
// that is small for its length.
func Nearest(name string, valid []string) (string, bool) {
	best, bestDistance := "", len(name)/2+2
	for _, v := range valid {
		if d := distance(strings.ToLower(name), strings.ToLower(v)); d < bestDistance {
			best, bestDistance = v, d
		}
	}
	return best, best != ""
}

// distance is Levenshtein's, where a swap of two neighbours counts as one.
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			d := row[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = d
		}
		before, row = row, next
	}
	return row[len(b)]
}

// unknown words the error for a name that is not among the valid ones.
func unknown(what, name string, valid []string) string {
	if near, ok := Nearest(name, valid); ok {
		return fmt.Sprintf("unknown %s %q, did you mean %s?", what, name, near)
	}
	return fmt.Sprintf("unknown %s %q, want one of %s", what, name, strings.Join(valid, ", "))
}
