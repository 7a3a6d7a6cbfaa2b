package bars

import "math"

// lastJoin joins bars of a state: what was last known at a bar's close.
type lastJoin struct {
	days []part
	// each says that every column keeps its own last value; otherwise a row replaces the state whole.
	each bool
	row  []float64
}

func newLastJoin(days []part, fields int, each bool) *lastJoin {
	return &lastJoin{days, each, filled(fields)}
}

func (j *lastJoin) add(d, k int) {
	for c, values := range j.days[d].table.cols {
		if v := values[k]; !j.each || !math.IsNaN(v) {
			j.row[c] = v
		}
	}
}

func (j *lastJoin) close(_, _ int64, row []float64) { copy(row, j.row) }

func (j *lastJoin) forget() { j.row = filled(len(j.row)) }
