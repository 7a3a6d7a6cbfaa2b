package yamlconf

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/qf-dev/qf/datasets"
)

// Error is one problem at one place of a document.
type Error struct {
	File      string // or "--set path" for an override
	Line, Col int    // 0 for overrides and for what is missing altogether
	Path      string // execution.delay, factors[2].window; empty for the document
	Msg       string

	near bool // the place is that of what should hold the value, which itself is not there
}

// Text is the message, without what looks like a secret.
func (e *Error) Text() string { return mask(e.Msg) }

// Error prints file:line:column: path: message.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", s, e.Line, e.Col)
	}
	if e.Path != "" && e.File != "--set "+e.Path {
		s += ": " + e.Path
	}
	return s + ": " + e.Text()
}

// named is a value under the name of a secret, as in api_key: … or token=….
var named = regexp.MustCompile(`(?i)((?:key|secret|token|password|passphrase)["']?[ \t]*[:=][ \t]*["']?)([^\s"',{}\[\]#]{6,})`)

// mask takes out of a line of a configuration what is, or looks like, a secret. Columns stay where they are.
func mask(line string) string {
	line = named.ReplaceAllStringFunc(line, func(s string) string {
		parts := named.FindStringSubmatch(s)
		return parts[1] + strings.Repeat("*", utf8.RuneCountInString(parts[2]))
	})
	return datasets.Mask(line)
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

// unknown words the error for a name that is not among the valid ones.
func unknown(what, name string, valid []string) string {
	return fmt.Sprintf("unknown %s %q%s", what, name, datasets.DidYouMean(name, valid))
}
