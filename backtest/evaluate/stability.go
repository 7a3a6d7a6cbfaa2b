package evaluate

import "math"

// Stability sums up the rows of windows other than All, by signal and of the trades: in how many a figure was positive, and the
// worst. The figures are those of all windows, in time order, and pnl has the rows of the traded signal.
func Stability(signals []Signal, traded string, figures []*Figures, pnl []PnLRow) []StabilityRow {
	var out []StabilityRow
	for _, s := range signals {
		row := StabilityRow{Signal: s.Name, Figure: "ic", Positive: null, Worst: null}
		for _, f := range figures {
			for _, r := range f.IC {
				if r.Signal == s.Name && r.Instrument == Pooled && r.Window != All && r.Bars == f.Primary.Bars {
					row.see(r.Window, r.Pearson)
				}
			}
		}
		out = append(out, row)
	}
	row := StabilityRow{Signal: traded, Figure: "total_return", Positive: null, Worst: null}
	for _, r := range pnl {
		if r.Signal == traded && r.Window != All {
			row.see(r.Window, r.Of("total_return"))
		}
	}
	out = append(out, row)
	for i := range out {
		if out[i].Windows == 0 {
			const why = "it could not be computed in any window"
			say(&out[i].Reasons, "positive", why)
			say(&out[i].Reasons, "worst", why)
		} else {
			out[i].Positive /= Figure(out[i].Windows)
		}
	}
	return out
}

// see adds one window; Positive counts until it is divided.
func (row *StabilityRow) see(window string, f Figure) {
	if math.IsNaN(float64(f)) {
		return
	}
	if row.Windows == 0 {
		row.Positive = 0
	}
	row.Windows++
	if f > 0 {
		row.Positive++
	}
	if row.WorstIn == "" || f < row.Worst {
		row.Worst, row.WorstIn = f, window
	}
}
