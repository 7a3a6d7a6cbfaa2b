package reports

import (
	"slices"

	"github.com/qf-dev/qf/backtest"
)

// grid is a table for reading: figures rounded, with the exact ones in report.json.
type grid struct {
	Caption string
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
}

func words(s string) entry { return entry{Text: s} }

// figure is a numeric cell: the text, the value that orders it, and why it is missing if it is.
func figure(v backtest.Figure, text, reason string) entry {
	e := entry{Text: text, Numeric: true, Key: decimal(float64(v))}
	if text == absent {
		e.Title, e.Class = reason, "absent"
	}
	return e
}

func integer(n int) entry { return figure(backtest.Figure(n), count(float64(n)), "") }

// signalNames lists the signals that have an IC, the composite first.
func (d *Report) signalNames() []string {
	var out []string
	for _, r := range d.IC {
		if !slices.Contains(out, r.Signal) {
			out = append(out, r.Signal)
		}
	}
	if k := slices.Index(out, compositeSignal); k > 0 {
		out = slices.Concat([]string{compositeSignal}, out[:k], out[k+1:])
	}
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
