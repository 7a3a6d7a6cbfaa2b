package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
)

// grid is a table for reading: figures rounded, with the exact ones in report.json.
type grid struct {
	Caption string
	Note    string // below the caption
	Head    []heading
	Rows    [][]entry
}

// heading is a column's name; Numeric columns are aligned right.
type heading struct {
	Text, Title string
	Numeric     bool
}

// entry is one cell. Key orders it where Text does not; Title explains it.
type entry struct {
	Text, Key, Title string
	Numeric          bool
	Class            string
	Strength         int // of a cell of class heat, 0 to 100
}

// without leaves out columns by their names.
func (g grid) without(names ...string) grid {
	for k := len(g.Head) - 1; k >= 0; k-- {
		if slices.Contains(names, g.Head[k].Text) {
			g.Head = slices.Delete(g.Head, k, k+1)
			for r := range g.Rows {
				g.Rows[r] = slices.Delete(g.Rows[r], k, k+1)
			}
		}
	}
	return g
}

// bounded is as many rows as a page can take, with a note where that is not all; file has them all.
func bounded[T any](rows []T, file string) (shown []T, note string) {
	if len(rows) <= maxRows {
		return rows, ""
	}
	return rows[:maxRows], fmt.Sprintf("The first %s of %s rows; %s has all.", count(maxRows), count(float64(len(rows))), file)
}

func words(s string) entry { return entry{Text: s} }

// figure is a numeric cell: the text, the value that orders it, and why it is missing if it is.
func figure(v evaluate.Figure, text, reason string) entry {
	e := entry{Text: text, Numeric: true, Key: decimal(float64(v))}
	if text == absent {
		e.Title, e.Class = reason, "absent"
	}
	return e
}

func integer(n int) entry { return figure(evaluate.Figure(n), count(float64(n)), "") }

// signalNames lists the signals that have an IC: what is traded, the composite, what models said, and
// then the factors.
func (d *Report) signalNames() []string {
	var out []string
	for _, r := range d.IC {
		if !slices.Contains(out, r.Signal) {
			out = append(out, r.Signal)
		}
	}
	rank := func(s string) int {
		switch {
		case s == d.Score:
			return 0
		case s == study.Composite:
			return 1
		case d.Models != nil && (s == study.Ensemble || strings.HasPrefix(s, study.OneModel)):
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// horizonNames lists the horizons in report order.
func (d *Report) horizonNames() []string {
	var out []string
	for _, r := range d.IC {
		if !slices.Contains(out, r.Horizon) {
			out = append(out, r.Horizon)
		}
	}
	return out
}
