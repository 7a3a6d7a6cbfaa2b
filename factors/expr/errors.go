package expr

import "strings"

// Error is one problem at one place of a text.
type Error struct {
	In     string // the factor or definition whose text it is
	Text   string // the whole of it
	Offset int    // in bytes
	Msg    string
}

// Error is the message alone: who knows the file says where.
func (e *Error) Error() string { return e.Msg }

// Place is the line of the text that the problem stands in, and how many characters before it.
func (e *Error) Place() (line string, column int) {
	offset := min(e.Offset, len(e.Text))
	first := strings.LastIndexByte(e.Text[:offset], '\n') + 1
	line, _, _ = strings.Cut(e.Text[first:], "\n")
	return line, len([]rune(e.Text[first:offset]))
}
