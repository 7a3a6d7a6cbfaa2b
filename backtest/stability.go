package backtest

import (
	"cmp"
	"math"
)

// stability sums up the rows of windows other than "all": in how many a figure was positive, and the worst.
func (j *judge) stability(ev *Evaluated) []StabilityRow {
	var out []StabilityRow
	for _, score := range j.scores {
		row := StabilityRow{Signal: score.Name, Figure: "ic", Worst: null}
		for _, r := range ev.IC {
			if r.Signal == score.Name && r.Instrument == Pooled && r.Window != All && r.Bars == j.horizons[j.primary].Bars {
				row.see(r.Window, r.Pearson)
			}
		}
		out = append(out, row)
	}
	row := StabilityRow{Signal: j.traded, Figure: "total_return", Worst: null}
	for _, r := range ev.PnL {
		if r.Signal == j.traded && r.Window != All {
			row.see(r.Window, r.TotalReturn)
		}
	}
	out = append(out, row)
	for i := range out {
		if out[i].Windows == 0 {
			const why = "it could not be computed in any window"
			out[i].Reasons = map[string]string{"positive": why, "worst": why}
		}
		out[i].Positive /= Figure(out[i].Windows)
	}
	return out
}

// see adds one window; Positive counts until it is divided.
func (row *StabilityRow) see(window string, f Figure) {
	if math.IsNaN(float64(f)) {
		return
	}
	row.Windows++
	if f > 0 {
		row.Positive++
	}
	if row.WorstIn == "" || cmp.Less(f, row.Worst) {
		row.Worst, row.WorstIn = f, window
	}
}
