package reports

import (
	"encoding/csv"
	"io"
	"strings"
	"time"
)

// lineBuffer is the size up to which a lineWriter gathers lines.
const lineBuffer = 1 << 16

// lineWriter writes lines of comma-separated cells through one buffer.
type lineWriter struct {
	w     io.Writer
	buf   []byte
	begun bool // the line has a cell
}

func (l *lineWriter) comma() {
	if l.begun {
		l.buf = append(l.buf, ',')
	}
	l.begun = true
}

// cell adds a text that needs no quotes, or has them (see quoted).
func (l *lineWriter) cell(text string) {
	l.comma()
	l.buf = append(l.buf, text...)
}

// time adds an instant in Unix µs as ISO 8601 in UTC with six decimals.
func (l *lineWriter) time(us int64) {
	l.comma()
	l.buf = time.UnixMicro(us).UTC().AppendFormat(l.buf, microLayout)
}

// number adds a number as decimal does.
func (l *lineWriter) number(v float64) {
	l.comma()
	l.buf = appendDecimal(l.buf, v)
}

func (l *lineWriter) end() error {
	l.buf, l.begun = append(l.buf, '\n'), false
	if len(l.buf) < lineBuffer {
		return nil
	}
	return l.flush()
}

func (l *lineWriter) flush() error {
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// quoted is a text as a cell, in quotes where it needs them.
func quoted(text string) string {
	if text != "" && strings.IndexFunc(text, unsafeInCell) < 0 {
		return text
	}
	var b strings.Builder
	c := csv.NewWriter(&b)
	c.Write([]string{text, ""}) // alone, an empty text would be quoted
	c.Flush()
	return strings.TrimSuffix(b.String(), ",\n")
}

func unsafeInCell(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-:/@%", r))
}
