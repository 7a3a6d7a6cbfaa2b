package reports

import (
	"html/template"
	"math"
	"strings"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/reports/chart"
)

// barChart draws one value for each name; show writes it for a pointer.
func barChart(label string, names []string, values []float64, tick func(v, step float64) string, show func(k int) string) template.HTML {
	axis := chart.Axis{Lo: -0.5, Hi: float64(len(names)) - 0.5}
	every := (len(names) + 11) / 12 // at most twelve labels have room
	for k := 0; k < len(names); k += every {
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k), Label: names[k], Minor: len(names) > 6 && k/every%2 == 1})
	}
	lo, hi := bounds(values, []float64{0})
	p := chart.New(label, 160, axis, chart.Linear(lo, hi, 4, tick))
	for k, v := range values {
		if finite(v) {
			p.Bar("bar "+tone(v), float64(k)-0.32, float64(k)+0.32, 0, v, show(k))
		}
	}
	return p.SVG()
}

// tone is the class of a value: up or down.
func tone(v float64) string {
	if v < 0 {
		return "down"
	}
	return "up"
}

// bounds is the range of all finite values; 0 to 1 without any.
func bounds(columns ...[]float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, c := range columns {
		for _, v := range c {
			if finite(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 1
	}
	return lo, hi
}

func floats(f []backtest.Figure) []float64 {
	out := make([]float64, len(f))
	for k, v := range f {
		out[k] = float64(v)
	}
	return out
}

func percentTick(v, step float64) string {
	return strings.TrimPrefix(percent(backtest.Figure(v), decimalsOf(step*100)), "+")
}

func shareTick(v, step float64) string { return share(backtest.Figure(v), decimalsOf(step*100)) }

func numberTick(v, step float64) string { return plain(backtest.Figure(v), decimalsOf(step)) }

func moneyTick(v, step float64) string {
	if step >= 1000 && v != 0 {
		return plain(backtest.Figure(v/1000), decimalsOf(step/1000)) + "k"
	}
	return numberTick(v, step)
}

// decimalsOf is the number of decimals that a step of 1, 2 or 5 times a power of ten needs.
func decimalsOf(step float64) int {
	return int(math.Max(0, math.Ceil(-math.Log10(step)-1e-9)))
}
