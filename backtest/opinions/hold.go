package opinions

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/signals/llm"
)

// held are the opinions that hold at each bar: each from its question to the next of that instrument, NaN before the
// first. They are those of the ensemble, then of each model.
type held struct {
	now     [][]float64   // by opinion, then instrument
	columns [][][]float64 // of a block's rows
	filled  []int         // rows of the block so far, by instrument
}

func newHeld(opinions, instruments int) *held {
	h := &held{filled: make([]int, instruments)}
	for range opinions {
		h.now = append(h.now, slices.Repeat([]float64{math.NaN()}, instruments))
		h.columns = append(h.columns, make([][]float64, instruments))
	}
	return h
}

// next lays opinions, of questions to the instruments given, over n rows of which lo is the first. The columns are valid
// until the next call.
func (h *held) next(o *llm.Opinions, instruments []int, lo, n int) [][][]float64 {
	clear(h.filled)
	for v := range h.columns {
		for i, col := range h.columns[v] {
			h.columns[v][i] = slices.Grow(col[:0], n)[:n]
		}
	}
	joint := o.Ensemble()
	for q, i := range instruments {
		h.fill(i, o.Questions[q].Row-lo)
		h.now[0][i] = joint[q]
		for m, replies := range o.Replies {
			h.now[1+m][i] = replies[q].Opinion
		}
	}
	for i := range h.filled {
		h.fill(i, n)
	}
	return h.columns
}

// fill repeats what holds of an instrument up to a row of the block.
func (h *held) fill(instrument, row int) {
	for v, columns := range h.columns {
		x := columns[instrument][h.filled[instrument]:row]
		for t := range x {
			x[t] = h.now[v][instrument]
		}
	}
	h.filled[instrument] = row
}
