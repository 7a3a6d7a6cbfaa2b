package yamlconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/qf-dev/qf/datasets"
)

// ReadFile reads a configuration file. One that is too large to be one is read no further than Parse
// needs to refuse it.
func ReadFile(path string) ([]byte, error) {
	f, err := datasets.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSource+int64(len(bom))+1))
	return bytes.TrimPrefix(src, bom), err
}

// Excerpt gives an error of Parse or Decode a text that shows, below each problem with something
// that stands in the file, its line of the source with a caret under the column:
//
//	study.yaml:6:20: execution.delay: 0, want at least 1
//	     6 | execution: {delay: 0}
//	       |                    ^
func Excerpt(err error, file string, src []byte) error {
	if err == nil {
		return nil
	}
	return &excerpt{err, file, bytes.Split(src, []byte("\n"))}
}

type excerpt struct {
	err   error
	file  string
	lines [][]byte
}

func (x *excerpt) Unwrap() error { return x.err }

func (x *excerpt) Error() string {
	var b strings.Builder
	for i, err := range Problems(x.err) {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(err.Error())
		if e := (*Error)(nil); errors.As(err, &e) && e.File == x.file && !e.near && e.Line > 0 && e.Line <= len(x.lines) && len(x.lines[e.Line-1]) > 0 {
			text, at := Clip(mask(string(x.lines[e.Line-1])), e.Col-1)
			fmt.Fprintf(&b, "\n%6d | %s\n%6s | %*s", e.Line, text, "", at+1, "^")
		}
	}
	return b.String()
}

// Problems lists what an error of Parse, Decode or Excerpt joins.
func Problems(err error) []error {
	switch e := err.(type) {
	case *excerpt:
		return Problems(e.err)
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return []error{err}
}

// Bounds of an excerpt, in runes: how much of a line is shown, and how much of that before the place.
const (
	excerptWidth  = 88
	excerptBefore = 60
)

// Clip cuts a line to what fits around a column, and says where the column then is. Tabs count as one
// column, as they do in positions; other characters that a terminal would act upon are replaced.
func Clip(line string, col int) (string, int) {
	runes := []rune(strings.TrimRight(line, "\r"))
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' '
		case !unicode.IsPrint(r):
			runes[i] = unicode.ReplacementChar
		}
	}
	col = min(max(col, 0), len(runes))
	from := 0
	if col > excerptBefore && len(runes) > excerptWidth {
		from = col - excerptBefore
	}
	to := min(len(runes), from+excerptWidth)
	text, at := string(runes[from:to]), col-from
	if from > 0 {
		text, at = "…"+text, at+1
	}
	if to < len(runes) {
		text += "…"
	}
	return text, at
}
