package tardis

import (
	"fmt"
	"strconv"
)

// SyntaxError says where a file departs from the vendor's CSV.
type SyntaxError struct {
	File   string // path, as the source names it
	Line   int64  // from 1, the header
	Column string // empty where the whole line is meant
	Msg    string
}

// Error is "file:line: column name: message".
func (e *SyntaxError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: column %s: %s", e.File, e.Line, e.Column, e.Msg)
}

// maxBadText bounds the text of a row that is set aside.
const maxBadText = 1 << 10

// quote shows a piece of input in a message: quoted, escaped, and cut where it is long.
func quote[S string | []byte](s S) string {
	const limit = 40
	if len(s) > limit {
		return strconv.Quote(string(s[:limit])) + "…"
	}
	return strconv.Quote(string(s))
}
