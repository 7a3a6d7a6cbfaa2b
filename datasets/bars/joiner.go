package bars

import "github.com/qf-dev/qf/datasets"

// joiner puts bars together from what the day-files hold of each, in order.
type joiner interface {
	// add puts row k of a table into the bar in progress. Rows come in the order of their files.
	add(t *table, k int)
	// close ends the bar in progress, which covers [from, to), and writes its columns into row; NaN
	// is missing. A bar to which nothing was added has what is carried.
	close(from, to int64, row []float64)
	// forget drops what would be carried: a day is missing.
	forget()
}

// part is what the lake had of one feed on one day.
type part struct {
	presence Presence
	info     datasets.Info // of the lake file, where there is one
	table    *table        // where it has rows
}
