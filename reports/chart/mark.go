package chart

import (
	"html/template"
	"strconv"
)

// marks are the shapes of the series around (0, 0), so that colour is not all that tells them apart:
// circle, square, triangle, diamond, triangle on its tip, cross.
var marks = []string{
	"M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z",
	"M-4 -4H4V4H-4Z",
	"M0 -5L5 4H-5Z",
	"M0 -5.5L5.5 0L0 5.5L-5.5 0Z",
	"M0 5L5 -4H-5Z",
	"M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7Z",
}

// MaxSeries is the number of series that one plot can tell apart.
const MaxSeries = 6

// Mark is the mark of the k-th series, for a legend.
func Mark(k int) template.HTML {
	return template.HTML(`<svg class="key" width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true"><path class="` +
		series(k) + ` mark" d="` + marks[k%len(marks)] + `"/></svg>`)
}

// series is the class of the k-th series.
func series(k int) string { return "s" + strconv.Itoa(k%MaxSeries) }
