package metrics

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
	d := Drawdown{Peak: -1, Trough: -1, PeakAt: from, TroughAt: from}
	top, topRow, topAt := start, -1, from
	under := false
	for t, e := range equity {
		if e >= top {
			if under {
				d.Longest = max(d.Longest, times[t]-topAt)
			}
			top, topRow, topAt, under = e, t, times[t], false
			continue
		}
		under = true
		if down := e/top - 1; down < d.Max {
			d.Max, d.Peak, d.Trough, d.PeakAt, d.TroughAt = down, topRow, t, topAt, times[t]
		}
	}
	if under {
		d.Open = true
		d.Current = times[len(times)-1] - topAt
		d.Longest = max(d.Longest, d.Current)
	}
	return d
}
