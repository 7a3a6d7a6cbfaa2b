package bars

import (
	"time"

	"github.com/qf-dev/qf/datasets"
)

// grid is the labels of time bars over days [first, end): every label in (first.Start, end.Start].
type grid struct {
	first, end datasets.Day
	every      int64 // µs
}

func newGrid(first, end datasets.Day, every time.Duration) grid {
	return grid{first, end, every.Microseconds()}
}

// len is the number of bars.
func (g grid) len() int { return int((g.end.Start() - g.first.Start()) / g.every) }

// perDay is the number of bars in a day.
func (g grid) perDay() int { return int(datasets.MicrosPerDay / g.every) }

// slot is the place of a label on the grid; below 0 or at least len where it is outside.
func (g grid) slot(label int64) int {
	return int((label-g.first.Start())/g.every) - 1
}

// labels lists the grid.
func (g grid) labels() []int64 {
	ts := make([]int64, g.len())
	for i := range ts {
		ts[i] = g.first.Start() + int64(i+1)*g.every
	}
	return ts
}

// part is what the lake had of one feed on one day.
type part struct {
	presence Presence
	info     datasets.Info // of the lake file, where there is one
	table    *table        // where it has rows
}

// lay puts rows, by ascending label, on the grid. An empty bar has what idle makes of the row before
// it; idle changes it in place. Bars before the first row, bars of a missing day, and those after it
// until the next row stay NaN.
func (g grid) lay(rows *table, days []part, idle func(row []float64)) [][]float64 {
	out := make([][]float64, len(rows.cols))
	for c := range out {
		out[c] = filled(g.len())
	}
	row := make([]float64, len(rows.cols))
	load := func(k int) {
		for c := range row {
			row[c] = rows.cols[c][k]
		}
	}
	k, have := 0, false
	for ; k < len(rows.ts) && g.slot(rows.ts[k]) < 0; k++ { // rows of the day before, by the exchange's clock
		load(k)
		have = true
	}
	missing := false
	for slot := range g.len() {
		if slot%g.perDay() == 0 {
			missing = days[slot/g.perDay()].presence == Missing
		}
		here := k < len(rows.ts) && g.slot(rows.ts[k]) == slot
		if here {
			load(k)
			k++
		}
		have = (have || here) && !missing
		if !have {
			continue
		}
		if !here {
			idle(row)
		}
		for c, v := range row {
			out[c][slot] = v
		}
	}
	return out
}
