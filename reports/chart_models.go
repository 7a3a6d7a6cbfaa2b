package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/reports/chart"
)

// reliabilityChart draws each model's hit rate over its stated confidence, with 95 % intervals; on the
// diagonal it is as right as it says.
func reliabilityChart(m *Models) template.HTML {
	names := m.names()
	names = names[:min(len(names), chart.MaxSeries)]
	if !slices.ContainsFunc(m.Reliability, func(r opinions.ReliabilityRow) bool { return r.N > 0 }) {
		return ""
	}
	p := chart.New("Hit rate by stated confidence of each model, with 95 % intervals; the diagonal is perfect calibration", 280,
		chart.Linear(0, 1, 5, shareTick).In("stated"), chart.Linear(0, 1, 5, shareTick).In("right"))
	p.Line("line hold", []float64{0, 1}, []float64{0, 1})
	for k, name := range names {
		for _, r := range m.Reliability {
			if r.Model != name || r.N == 0 {
				continue
			}
			// Marks of several models at one confidence stand beside each other.
			at := math.Min(math.Max(float64(r.Confidence)+float64((float64(k)-float64(float64(len(names)-1)/2))*0.012), 0), 1)
			lo, hi := wilson(float64(r.HitRate), r.N)
			p.Interval(k, at, lo, float64(r.HitRate), hi)
			p.Column(at-0.012, at+0.012, fmt.Sprintf("%s\nconfidence %s\nright in %s of %s answers\n95 %% from %s to %s",
				name, share(r.Confidence, 0), share(r.HitRate, 0), count(float64(r.N)), share(evaluate.Figure(lo), 0), share(evaluate.Figure(hi), 0)))
		}
	}
	return p.SVG()
}

// wilson is the 95 % score interval of a share p of n independent trials (Wilson 1927).
func wilson(p float64, n int) (lo, hi float64) {
	const z = 1.959963984540054
	m := float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := float64(z / (1 + z*z/m) * math.Sqrt(float64(p*(1-p)/m)+float64(z*z/(4*m*m))))
	return middle - half, middle + half
}
