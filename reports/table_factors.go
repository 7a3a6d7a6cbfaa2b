package reports

import (
	"cmp"
	"strings"
)

// factorGrid lists what the factors are made of.
func factorGrid(d *Report) grid {
	g := grid{Caption: "Factors", Head: []heading{
		{Text: "Factor"}, {Text: "Formula"}, {Text: "Lookback", Title: "bars, its own included, that a value may depend on", Numeric: true},
		{Text: "Inputs", Title: "bar columns and series"}, {Text: "Feeds"},
	}}
	rows, note := bounded(d.Factors, reportFile)
	g.Note = note
	for _, f := range rows {
		formula := words(oneLine(cmp.Or(f.Expr, f.Kind)))
		formula.Title = f.Formula
		g.Rows = append(g.Rows, []entry{words(f.Name), formula, integer(f.LookbackBars), words(strings.Join(f.Inputs, ", ")), words(strings.Join(f.Feeds, ", "))})
	}
	return g
}

// oneLine is a formula without its comments.
func oneLine(formula string) string {
	var parts []string
	for line := range strings.Lines(formula) {
		code, _, _ := strings.Cut(line, "#")
		parts = append(parts, strings.Fields(code)...)
	}
	return strings.Join(parts, " ")
}
