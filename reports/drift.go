package reports

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteDrifts lists drifts for people: a table for each section of the report, with what the number
// was, what it is, and how far that is in parts of the former.
func WriteDrifts(w io.Writer, drifts []Drift) error {
	for lo := 0; lo < len(drifts); {
		hi := lo
		for hi < len(drifts) && drifts[hi].section() == drifts[lo].section() {
			hi++
		}
		if _, err := fmt.Fprintln(w, printable(drifts[lo].section())); err != nil {
			return err
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, d := range drifts[lo:hi] {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", printable(d.Path), orDash(d.Golden), orDash(d.Run), d.by())
		}
		if err := t.Flush(); err != nil {
			return err
		}
		lo = hi
	}
	_, err := fmt.Fprintln(w, driftWords(drifts))
	return err
}

// section is the member of the report that d lies in.
func (d Drift) section() string {
	if k := strings.IndexAny(d.Path, ".["); k >= 0 {
		return d.Path[:k]
	}
	return d.Path
}

// by is how far the number moved, or what happened to it.
func (d Drift) by() string {
	if d.Relative == nil {
		return d.Kind
	}
	return fmt.Sprintf("%+.3g", *d.Relative)
}

func driftWords(drifts []Drift) string {
	kinds := map[string]int{}
	for _, d := range drifts {
		kinds[d.Kind]++
	}
	noun := "differences"
	if len(drifts) == 1 {
		noun = "difference"
	}
	return fmt.Sprintf("%s %s: %d changed, %d missing, %d new", count(float64(len(drifts))), noun, kinds["changed"], kinds["missing"], kinds["new"])
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}
