package expr

import (
	"fmt"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// Error is one problem at one place of a text.
type Error struct {
	In     string // the factor or definition whose text it is
	Text   string // the whole of it
	Offset int    // in bytes
	Msg    string
}

// Error is the message alone: who knows the file says where.
func (e *Error) Error() string { return e.Msg }

// Excerpt is the message with the line of the text, and a caret under the place.
func (e *Error) Excerpt() string {
	offset := min(e.Offset, len(e.Text))
	first := strings.LastIndexByte(e.Text[:offset], '\n') + 1
	line, _, _ := strings.Cut(e.Text[first:], "\n")
	return fmt.Sprintf("%s\n  | %s\n  | %*s", e.Msg, strings.ReplaceAll(line, "\t", " "), len([]rune(e.Text[first:offset]))+1, "^")
}

// nearest suggests a name, or says where names are listed.
func nearest(name string, valid []string, listed string) string {
	if s := datasets.DidYouMean(name, valid); strings.HasPrefix(s, ", did you mean") {
		return s
	}
	return ": " + listed
}
