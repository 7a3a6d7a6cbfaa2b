package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// writeJSON writes v as JSON: one line for each member of the document and for each entry of a
// member, so that a difference between two runs reads as lines. Numbers have the shortest form that
// reads back as the same float64; keys come in the order of the type.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("json: %w", err)
	}
	_, err := w.Write(lines(b.Bytes()))
	return err
}

// lineDepth is the nesting depth down to which entries stand on lines of their own.
const lineDepth = 2

// lines breaks compact JSON into lines.
func lines(compact []byte) []byte {
	var out bytes.Buffer
	depth, quoted, escaped := 0, false, false
	newline := func() {
		out.WriteByte('\n')
		for range depth {
			out.WriteString("  ")
		}
	}
	for i, c := range compact {
		if quoted {
			out.WriteByte(c)
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '{', '[':
			depth++
			out.WriteByte(c)
			if depth <= lineDepth && compact[i+1] != c+2 {
				newline()
			}
		case '}', ']':
			depth--
			if depth < lineDepth && compact[i-1] != c-2 {
				newline()
			}
			out.WriteByte(c)
		case ',':
			out.WriteByte(c)
			if depth <= lineDepth {
				newline()
			}
		case ':':
			out.WriteByte(c)
			if depth <= lineDepth {
				out.WriteByte(' ')
			}
		default:
			quoted = c == '"'
			out.WriteByte(c)
		}
	}
	return out.Bytes()
}
