package metrics

import "math"

// Drawdown is how far and how long an equity curve was under water.
type Drawdown struct {
	Max              float64 // min_t E_t/max_{s≤t} E_s − 1, at most 0
	Longest          int64   // the longest time from a peak to the first equity not below it, or to the end
	Open             bool    // the curve ends below its peak
	Current          int64   // time under water at the end; 0 unless Open
	Peak, Trough     int     // indices into equity of the Max drawdown; −1 is the starting equity
	PeakAt, TroughAt int64   // their times
}

// MaxDrawdown follows equity, at the given ascending times in any unit, from its start.
func MaxDrawdown(start float64, from int64, equity []float64, times []int64) Drawdown {
	w := NewWatermark(start, from)
	for t, e := range equity {
		w.Add(e, times[t])
	}
	return w.Drawdown()
}

// Watermark is MaxDrawdown of a curve that comes point by point.
type Watermark struct {
	d      Drawdown
	top    float64 // the highest equity so far
	topRow int
	topAt  int64
	row    int
	at     int64 // of the last point
	under  bool
}

// NewWatermark starts a curve.
func NewWatermark(start float64, from int64) *Watermark {
	return &Watermark{d: Drawdown{Peak: -1, Trough: -1, PeakAt: from, TroughAt: from}, top: start, topRow: -1, topAt: from}
}

// Add takes the next point.
func (w *Watermark) Add(e float64, at int64) {
	t := w.row
	w.row++
	w.at = at
	if e >= w.top {
		if w.under {
			w.d.Longest = max(w.d.Longest, at-w.topAt)
		}
		w.top, w.topRow, w.topAt, w.under = e, t, at, false
		return
	}
	w.under = true
	if down := e/w.top - 1; down < w.d.Max {
		w.d.Max, w.d.Peak, w.d.Trough, w.d.PeakAt, w.d.TroughAt = down, w.topRow, t, w.topAt, at
	}
}

// Extend takes the next points.
func (w *Watermark) Extend(equity []float64, times []int64) {
	top, lowest := w.top, math.Inf(1) // of the points here since the top
	for k, e := range equity {
		switch {
		case e >= top:
			w.Add(e, times[k])
			top, lowest = e, math.Inf(1)
			continue
		case e < lowest:
			lowest = e
			w.Add(e, times[k])
			continue
		}
		w.row++
	}
	if len(times) > 0 {
		w.at = times[len(times)-1]
	}
}

// AddLevel takes n points of one equity, the first and last at the given times.
func (w *Watermark) AddLevel(e float64, n int, first, last int64) {
	w.Add(e, first)
	if n > 1 {
		w.row += n - 2
		w.Add(e, last)
	}
}

// Drawdown is that of the points so far.
func (w *Watermark) Drawdown() Drawdown {
	d := w.d
	if w.under {
		d.Open = true
		d.Current = w.at - w.topAt
		d.Longest = max(d.Longest, d.Current)
	}
	return d
}
