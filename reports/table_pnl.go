package reports

import (
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// pnlGroup is a part of the PnL table: a column a window.
type pnlGroup struct {
	Name string
	Rows []pnlShown
}

// pnlShown is one figure over the windows; Reason says why the first is missing.
type pnlShown struct {
	Name, Reason string
	Cells        []entry
}

// pnlTable has the PnL of the score, and the heads of its columns. Figures, groups and their order are those of evaluate.PnLFigures.
func pnlTable(d *Report) (columns []heading, groups []pnlGroup) {
	var runs []*evaluate.PnLRow
	for k := range d.PnL {
		if p := &d.PnL[k]; p.Signal == d.Score {
			runs = append(runs, p)
			columns = append(columns, heading{Text: windowName(p.Window), Title: d.windowWords(p.Window)})
		}
	}
	figures := evaluate.PnLFigures()
	for n, f := range figures {
		if f.Group == "" {
			continue // shown nowhere, or in the line of another figure
		}
		name := strings.Replace(f.Group, "quote currency", d.money(), 1)
		at := slices.IndexFunc(groups, func(g pnlGroup) bool { return g.Name == name })
		if at < 0 {
			at = len(groups)
			groups = append(groups, pnlGroup{Name: name})
		}
		line := pnlShown{Name: f.Label}
		for _, p := range runs {
			e := entry{Text: showFigure(p, figures, n), Numeric: true}
			if e.Text == absent {
				e.Class, e.Title = "absent", p.Reasons[f.Key]
			}
			line.Cells = append(line.Cells, e)
		}
		if len(runs) > 0 && line.Cells[0].Class == "absent" {
			line.Reason = line.Cells[0].Title
		}
		groups[at].Rows = append(groups[at].Rows, line)
	}
	return columns, groups
}

// windowName is a window's name for reading.
func windowName(w string) string {
	if w == evaluate.All {
		return "whole span"
	}
	return "window " + w
}

// instrumentGrid splits the run's PnL by instrument.
func instrumentGrid(d *Report) grid {
	g := grid{Caption: "PnL by instrument, " + d.money(), Head: []heading{{Text: "Instrument"}, {Text: "Contract"}}}
	for _, name := range []string{"Price PnL", "Funding", "Fees", "Slippage", "Impact", "Net", "Without funding"} {
		g.Head = append(g.Head, heading{Text: name, Numeric: true})
	}
	for k, r := range d.ByInstrument {
		contract := ""
		if k < len(d.Instruments) {
			contract = d.Instruments[k].Contract
		}
		line := []entry{words(r.Instrument), words(contract)}
		for _, c := range []struct {
			key string
			v   evaluate.Figure
		}{
			{"price_pnl", r.PricePnL}, {"funding", r.Funding}, {"fees", -r.Fees}, {"slippage", -r.Slippage}, {"impact", -r.Impact},
			{"net", r.Net}, {"pnl_without_funding", r.Unfunded},
		} {
			line = append(line, figure(c.v, signed(c.v, 0), r.Reasons[c.key]))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}
