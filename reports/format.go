package reports

import (
	"fmt"
	"io"
)

// Format is one form in which a run is shown.
type Format string

const (
	Text    Format = "text"    // one screen for a terminal
	JSON    Format = "json"    // report.json
	HTML    Format = "html"    // report.html
	CSV     Format = "csv"     // ic.csv, windows.csv, trades.csv
	Parquet Format = "parquet" // equity.parquet, positions.parquet, trades.parquet
)

// Run is a finished run as its folder keeps it: enough to show it again without computing anything.
type Run struct {
	Report   *Report
	Manifest *Manifest
}

// Render writes the documents that are one file, Text (without colour), JSON and HTML, from what a
// run's folder keeps.
func Render(w io.Writer, f Format, run *Run) error {
	switch f {
	case Text:
		return WriteSummary(w, run.Report, false)
	case JSON:
		return writeJSON(w, run.Report)
	case HTML:
		return writeHTML(w, run)
	}
	return fmt.Errorf("format %q: want text, json or html", f)
}
