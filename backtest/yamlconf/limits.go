package yamlconf

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Bounds of a document, checked before the parser sees it: its time grows with the square of what it is
// given, and its depth with that of the brackets.
const (
	maxDepth  = 64      // of nesting
	maxSource = 1 << 20 // bytes
	maxMarks  = 20_000  // lines, commas, colons, dashes, brackets and the other marks of YAML
	maxNodes  = 100_000 // values, aliases written out
)

// bom is the byte order mark that some editors put before UTF-8.
var bom = []byte("\ufeff")

// check gives the document without a byte order mark, or says where it is not one that is read.
func check(file string, src []byte) ([]byte, error) {
	if len(src) > maxSource {
		return nil, fmt.Errorf("%s: more than %d MiB: this is not a configuration", file, maxSource>>20)
	}
	src = bytes.TrimPrefix(src, bom)
	line, start := 1, 0 // where the line begins
	depth, marks, dashes := 0, 0, 0
	for i := 0; i < len(src); {
		fail := func(format string, a ...any) error {
			return &Error{File: file, Line: line, Col: utf8.RuneCount(src[start:i]) + 1, Msg: fmt.Sprintf(format, a...)}
		}
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, fail("byte 0x%02x is not UTF-8: save the file as UTF-8", src[i])
		case r == '\n':
			line, start, dashes = line+1, i+1, 0
			marks++
		case r == '[' || r == '{':
			depth++
			marks++
		case r == ']' || r == '}':
			depth = max(0, depth-1)
		case (r == '-' || r == '?') && i+1 < len(src) && src[i+1] == ' ':
			dashes++ // compact nesting: "- - - x"
			marks++
		case r == ',' || r == ':' || r == '&' || r == '*' || r == '!':
			marks++
		case r == '\t' || r == '\r' || r == ' ':
		case r < ' ' || r == 0x7f:
			return nil, fail("a control character, %U", r)
		default:
			dashes = maxDepth * 2 // what follows is within a value
		}
		if dashes > maxDepth && dashes < maxDepth*2 || depth > maxDepth {
			return nil, fail("nested more than %d levels deep", maxDepth)
		}
		if marks > maxMarks {
			return nil, fail("more than %d lines, commas and other marks: this is not a configuration", maxMarks)
		}
		i += size
	}
	return src, nil
}
