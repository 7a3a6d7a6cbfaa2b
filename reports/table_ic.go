package reports

import (
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// icSummary has the score's pooled IC over the whole span: a row a horizon.
func icSummary(d *Report) grid {
	var rows []evaluate.ICRow
	for _, h := range d.horizonNames() {
		if r := d.pooled(d.Score, evaluate.All, h); r != nil {
			rows = append(rows, *r)
		}
	}
	g := icGrid("IC of the score by horizon", rows).without("Signal", "Instrument", "Window")
	g.Note = "" // on the signal
	return g
}

// icSignals sets the signals side by side: their pooled IC over the whole span at the primary horizon.
func icSignals(d *Report) grid {
	var rows []evaluate.ICRow
	for _, s := range d.signalNames() {
		if r := d.pooled(s, evaluate.All, d.PrimaryHorizon); r != nil {
			rows = append(rows, *r)
		}
	}
	if len(rows) < 2 {
		return grid{}
	}
	return icGrid("IC of every signal, "+d.PrimaryHorizon+" ahead", rows).without("Instrument", "Window", "Horizon", "p Holm")
}

// icDetails has the rows of every signal, instrument and window.
func icDetails(d *Report) grid {
	rows, note := bounded(d.IC, "ic.csv")
	g := icGrid("IC by signal, instrument, window and horizon", rows)
	g.Note = strings.TrimSpace(note + " " + g.Note)
	return g
}

// icGrid shows rows of the IC.
func icGrid(caption string, rows []evaluate.ICRow) grid {
	g := grid{Caption: caption, Head: []heading{{Text: "Signal"}, {Text: "Instrument"}, {Text: "Window"}, {Text: "Horizon", Numeric: true}}}
	figures := slices.DeleteFunc(evaluate.ICFigures(), func(f evaluate.ICFigure) bool { return f.Label == "" })
	for _, f := range figures {
		if f.Key == "n_effective" {
			g.Head = append(g.Head, heading{Text: "n", Numeric: true})
		}
		g.Head = append(g.Head, heading{Text: f.Label, Title: f.About, Numeric: true})
	}
	for _, r := range rows {
		signal := words(signalName(r.Signal))
		if len(r.Warnings) > 0 {
			signal.Text, signal.Title = signal.Text+" *", "warned of: "+cell(r.Warnings)
			g.Note = "* changed its mind fewer than 10 times (few_spans), so that its t says little."
		}
		line := []entry{signal, words(r.Instrument), words(r.Window), {Text: r.Horizon, Numeric: true, Key: decimal(float64(r.Bars))}}
		for _, f := range figures {
			v := f.Of(&r)
			e := figure(v, shown(f.Show, v, nan), f.Why(&r))
			switch {
			case f.Key == "n_effective":
				line = append(line, integer(r.N))
			case f.Key == "t" && e.Title == "":
				e.Title = methodWords(r.TMethod)
			}
			line = append(line, e)
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}

// persistenceGrid says how fast each signal changes.
func persistenceGrid(d *Report) grid {
	g := grid{Caption: "How fast the signals change, in bars", Head: []heading{
		{Text: "Signal"}, {Text: "Instrument"},
		{Text: "Autocorrelation", Title: "at a lag of one bar", Numeric: true},
		{Text: "Half-life", Title: "the first lag whose autocorrelation is at most a half", Numeric: true},
		{Text: "Integrated time", Title: "bars that count as one independent value", Numeric: true},
	}}
	var rows []evaluate.PersistenceRow
	rows, g.Note = bounded(d.Persistence, reportFile)
	for _, r := range rows {
		g.Rows = append(g.Rows, []entry{
			words(signalName(r.Signal)), words(r.Instrument),
			figure(r.Lag1, signed(r.Lag1, 4), r.Reasons["autocorrelation"]),
			figure(r.HalfLife, count(float64(r.HalfLife)), r.Reasons["half_life_bars"]),
			figure(r.Time, plain(r.Time, 1), r.Reasons["integrated_bars"]),
		})
	}
	return g
}
