package reports

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"unicode"

	"github.com/qf-dev/qf/reports/chart"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("report.html").Funcs(template.FuncMap{
	"minute": minute,
	"share":  share,
	"count":  func(n int) string { return count(float64(n)) },
	"mark":   chart.Mark,
	"short":  func(s string) string { return clip(s, maxText) },
	"signal": signalName,
}).ParseFS(pageFiles, "page/report.html"))

// writeHTML writes report.html: one file that needs no network, and no script to be read.
func writeHTML(w io.Writer, run *Run) error {
	p, err := newPage(run)
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, "report.html", p); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	_, err = w.Write(bytes.Map(visible, b.Bytes()))
	return err
}

// visible puts a mark in place of what has no shape but changes how the text around it is shown:
// control characters, and those that turn the direction of writing. Lines and tabs stay.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r):
		return unicode.ReplacementChar
	}
	return r
}
