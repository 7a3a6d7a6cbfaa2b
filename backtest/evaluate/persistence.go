package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// persistence is how long a column remembers itself, in bars.
type persistence struct{ lag1, halfLife, tau float64 }

var forgotten = persistence{math.NaN(), math.NaN(), math.NaN()}

// remember measures a column, closed up over gaps.
func remember(x []float64) persistence {
	rho := metrics.Autocorrelation(closeUp(x))
	m := forgotten
	if m.tau = metrics.IntegratedTime(rho); rho == nil {
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

// row is what is said of it.
func (m persistence) row(signal, instrument string, wanted bool) PersistenceRow {
	row := PersistenceRow{Signal: signal, Instrument: instrument, Lag1: Figure(m.lag1), HalfLife: Figure(m.halfLife), Time: Figure(m.tau)}
	if math.IsNaN(m.lag1) {
		why := "the signal has fewer than 3 values or is constant"
		if !wanted {
			why = "evaluation.persistence is false"
		}
		row.Reasons = map[string]string{"autocorrelation": why, "half_life_bars": why, "integrated_bars": why}
	}
	return row
}

// closeUp leaves out what is missing: x itself where that is at its ends.
func closeUp(x []float64) []float64 {
	for len(x) > 0 && !metrics.Defined(x[0]) {
		x = x[1:]
	}
	for n := len(x); n > 0 && !metrics.Defined(x[n-1]); n-- {
		x = x[:n-1]
	}
	if metrics.Defined(metrics.Sum(x)) {
		return x
	}
	out := make([]float64, 0, len(x))
	for _, v := range x {
		if metrics.Defined(v) {
			out = append(out, v)
		}
	}
	return out
}
