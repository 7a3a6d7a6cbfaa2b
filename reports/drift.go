package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// sectionLines bounds the lines of a section in a list of drifts.
const sectionLines = 40

// WriteDrifts lists drifts for people: a table for each section of the report, with what the number
// was, what it is, and how far that is in parts of the former. What appeared or went away together
// takes one line; of a long section the largest changes are shown.
func WriteDrifts(w io.Writer, drifts []Drift) error {
	for lo := 0; lo < len(drifts); {
		hi := lo
		for hi < len(drifts) && drifts[hi].section() == drifts[lo].section() {
			hi++
		}
		lines := [][]string{{printable(drifts[lo].section()), "golden", "run", "change"}}
		shown, hidden := largest(gathered(drifts[lo:hi]))
		for _, d := range shown {
			lines = append(lines, []string{"  " + printable(d.Path), orDash(d.Golden), orDash(d.Run), d.by()})
		}
		if err := writeColumns(w, lines, 1); err != nil {
			return err
		}
		if hidden > 0 {
			if _, err := fmt.Fprintf(w, "  and %s more, changed less, which --json lists\n", count(float64(hidden))); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		lo = hi
	}
	_, err := fmt.Fprintln(w, driftWords(drifts))
	return err
}

// gathered puts the values of one row or list that are all missing, or all new, into one drift.
func gathered(drifts []Drift) []Drift {
	var out []Drift
	for lo := 0; lo < len(drifts); {
		d, hi := drifts[lo], lo+1
		for d.Kind != "changed" && hi < len(drifts) && drifts[hi].Kind == d.Kind && drifts[hi].parent() == d.parent() {
			hi++
		}
		if hi > lo+1 && d.parent() != "" {
			values := count(float64(hi-lo)) + " values"
			d = Drift{Path: d.parent(), Kind: d.Kind}
			if d.Kind == "missing" {
				d.Golden = values
			} else {
				d.Run = values
			}
		}
		out = append(out, d)
		lo = hi
	}
	return out
}

// parent is the path of the row or list that d's value stands in.
func (d Drift) parent() string {
	steps, err := parsePath(d.Path)
	if err != nil || len(steps) == 0 {
		return ""
	}
	last := &steps[len(steps)-1]
	if last.row == nil {
		return pathString(steps[:len(steps)-1])
	}
	last.row = nil
	return pathString(steps)
}

// largest keeps as many drifts as a section shows, those of the greatest change, in their order.
func largest(drifts []Drift) (shown []Drift, hidden int) {
	if len(drifts) <= sectionLines {
		return drifts, 0
	}
	sizes := make([]float64, len(drifts))
	for k, d := range drifts {
		sizes[k] = d.size()
	}
	slices.Sort(sizes)
	least := sizes[len(sizes)-sectionLines]
	for _, d := range drifts {
		if d.size() >= least && len(shown) < sectionLines {
			shown = append(shown, d)
		}
	}
	return shown, len(drifts) - len(shown)
}

// size is how far the number moved; what is not a number moved as far as can be.
func (d Drift) size() float64 {
	if d.Relative == nil {
		return math.Inf(1)
	}
	return math.Abs(*d.Relative)
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
