package reports

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/qf-dev/qf/reports/chart"
)

// coverageChart draws the days of one feed as a strip.
func coverageChart(c Coverage) template.HTML {
	from, err := time.Parse("2006-01-02", c.From)
	if err != nil || c.Days == 0 {
		return ""
	}
	p := chart.New(fmt.Sprintf("%s %s: %d of %d days present, %d empty, %d missing", c.Instrument, c.Feed, c.Present, c.Days, c.Empty, c.Missing),
		16, chart.Axis{Lo: 0, Hi: float64(c.Days)}, chart.Axis{Lo: 0, Hi: 1})
	class := func(day string) string {
		switch {
		case slices.Contains(c.MissingDays, day):
			return "missing"
		case slices.Contains(c.EmptyDays, day):
			return "empty"
		}
		return "present"
	}
	name := func(k int) string { return from.AddDate(0, 0, k).Format("2006-01-02") }
	for lo := 0; lo < c.Days; {
		kind := class(name(lo))
		hi := lo + 1
		for hi < c.Days && class(name(hi)) == kind {
			hi++
		}
		title := name(lo) + " " + kind
		if hi > lo+1 {
			title = name(lo) + " to " + name(hi-1) + " " + kind
		}
		p.Bar("day "+kind, float64(lo), float64(hi), 0, 1, title)
		lo = hi
	}
	return p.SVG()
}
