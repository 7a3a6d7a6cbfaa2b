package reports

import (
	"html/template"
	"math"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

// barChart is a chart of one value for each name; show writes it for a pointer.
type barChart struct {
	label        string
	names        []string
	values       []float64
	xUnit, yUnit string
	tick         func(v, step float64) string
	show         func(k int) string
}

func (b barChart) draw() template.HTML {
	axis := chart.Axis{Lo: -0.5, Hi: float64(len(b.names)) - 0.5, Unit: b.xUnit}
	every := (len(b.names) + 11) / 12 // at most twelve labels have room
	for k := 0; k < len(b.names); k += every {
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k), Label: b.names[k], Minor: len(b.names) > 6 && k/every%2 == 1})
	}
	lo, hi := bounds(b.values, []float64{0})
	p := chart.New(b.label, pairHeight, axis, chart.Linear(lo, hi, 5, b.tick).In(b.yUnit))
	for k, v := range b.values {
		if finite(v) {
			p.Bar("bar "+tone(v), float64(k)-0.32, float64(k)+0.32, 0, v, b.show(k))
		}
	}
	return p.SVG()
}

// pairHeight is the height of charts that stand beside another one.
const pairHeight = 200

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

func floats(f []evaluate.Figure) []float64 {
	out := make([]float64, len(f))
	for k, v := range f {
		out[k] = float64(v)
	}
	return out
}

func percentTick(v, step float64) string {
	return strings.TrimPrefix(percent(evaluate.Figure(v), decimalsOf(step*100)), "+")
}

func shareTick(v, step float64) string { return share(evaluate.Figure(v), decimalsOf(step*100)) }

func numberTick(v, step float64) string { return plain(evaluate.Figure(v), decimalsOf(step)) }

func moneyTick(v, step float64) string {
	if step >= 1000 && v != 0 {
		return plain(evaluate.Figure(v/1000), decimalsOf(step/1000)) + "k"
	}
	return numberTick(v, step)
}

// decimalsOf is the number of decimals that a step of 1, 2 or 5 times a power of ten needs.
func decimalsOf(step float64) int {
	return whole(math.Ceil(-float64(math.Log10(step))-1e-9), 20)
}
