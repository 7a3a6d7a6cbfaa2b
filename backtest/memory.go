package backtest

import "github.com/qf-dev/qf/backtest/metrics"

// memory is how long a column remembers itself.
type memory struct {
	lag1, tau float64
	halfLife  float64 // bars
}

func remember(x []float64) memory {
	rho := metrics.Autocorrelation(closeUp(x))
	nan := float64(null)
	m := memory{lag1: nan, tau: metrics.IntegratedTime(rho), halfLife: nan}
	if rho == nil {
		return m
	}
	m.lag1 = rho[1]
	for k, r := range rho {
		if r <= 0.5 {
			m.halfLife = float64(k)
			break
		}
	}
	return m
}

// memoryRows are the window's, by signal and instrument.
func (v *view) memoryRows() []MemoryRow {
	var out []MemoryRow
	for k, score := range v.scores {
		for i, in := range v.m.Instruments {
			m := v.memory[k][i]
			row := MemoryRow{Signal: score.Name, Instrument: in.String(), Lag1: Figure(m.lag1), HalfLife: Figure(m.halfLife), Time: Figure(m.tau)}
			if m.lag1 != m.lag1 {
				const why = "the signal has fewer than 3 values or is constant"
				row.Reasons = map[string]string{"autocorrelation": why, "half_life_bars": why, "integrated_bars": why}
			}
			out = append(out, row)
		}
	}
	return out
}
