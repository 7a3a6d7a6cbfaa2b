package bars

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
)

// states folds the rows of one day-file into the state that stands at each bar's close.
type states struct {
	cut   cutter
	out   *table
	last  []float64 // the state
	label int64     // of the bar in progress
	open  bool      // there is one
}

func newStates(c cutter, fields int) states {
	return states{cut: c, out: newTable(fields), last: filled(fields)}
}

// fold calls take for each run of a batch's rows [i, j) that lie in one bar.
func (f *states) fold(t []arrow.Timestamp, take func(i, j int)) {
	for i := 0; i < len(t); {
		j, opened := f.cut.run(t, i)
		if opened {
			f.close()
			f.label, f.open = f.cut.label, true
		}
		take(i, j)
		i = j
	}
}

func (f *states) close() {
	if f.open {
		f.out.add(f.label, f.last...)
	}
	f.open = false
}

func (f *states) cutting() *cutter { return &f.cut }

func (f *states) done() *table { return f.out }

func (f *states) table() *table {
	f.close()
	return f.out
}

// lastJoin joins bars of a state: what was last known at a bar's close.
type lastJoin struct {
	// each says that every column keeps its own last value; otherwise a row replaces the state whole.
	each bool
	row  []float64
}

func newLastJoin(fields int, each bool) *lastJoin {
	return &lastJoin{each, filled(fields)}
}

func (j *lastJoin) add(t *table, k int) {
	for c, values := range t.cols {
		if v := values[k]; !j.each || !math.IsNaN(v) {
			j.row[c] = v
		}
	}
}

func (j *lastJoin) close(_, _ int64, row []float64) { copy(row, j.row) }

func (j *lastJoin) forget() { j.row = filled(len(j.row)) }
