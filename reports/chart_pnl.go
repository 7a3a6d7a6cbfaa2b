package reports

import (
	"html/template"
	"math"
	"strconv"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

// waterfallChart draws how price PnL becomes net PnL.
func waterfallChart(d *Report) template.HTML {
	row := d.Outcome()
	if row == nil {
		return ""
	}
	steps := []struct {
		name   string
		change float64
	}{
		{"price", float64(row.Of("price_pnl"))}, {"funding", float64(row.Of("funding"))}, {"fees", -float64(row.Of("fees"))},
		{"slippage", -float64(row.Of("slippage"))}, {"impact", -float64(row.Of("impact"))},
	}
	level, levels := 0.0, []float64{0}
	axis := chart.Axis{Lo: -0.5, Hi: float64(len(steps)) + 0.5}
	for k, s := range steps {
		if finite(s.change) {
			level += s.change
		}
		levels = append(levels, level)
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k), Label: s.name})
	}
	result := "net"
	if !finite(float64(row.Of("funding"))) {
		result = "without funding"
	}
	axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(len(steps)), Label: result})
	lo, hi := bounds(levels)
	room := float64(0.1 * (hi - lo))
	p := chart.New("From price PnL to net PnL, in "+d.money(), pairHeight, axis, chart.Linear(lo-room, hi+room, 6, moneyTick).In(d.money()))
	bar := func(k int, name string, from, to float64, class string) {
		at, text := float64(k), signed(evaluate.Figure(to-from), 0)
		p.Bar(class, at-0.3, at+0.3, from, to, name+" "+text)
		if to < from {
			p.Text("value", at, to, 15, text)
		} else {
			p.Text("value", at, to, -6, text)
		}
	}
	for k, s := range steps {
		if finite(s.change) {
			p.Level("join", float64(k)+0.3, float64(k)+0.7, levels[k+1])
			bar(k, s.name, levels[k], levels[k+1], "bar "+tone(s.change))
		}
	}
	bar(len(steps), result, 0, level, "bar total")
	return p.SVG()
}

// windowCharts compare the windows; nothing where there is only one.
func windowCharts(d *Report) (pnl, ic template.HTML) {
	var names []string
	var earned, predicted []float64
	for k := range d.PnL {
		p := &d.PnL[k]
		if p.Signal != d.Score || p.Window == evaluate.All {
			continue
		}
		names, earned = append(names, p.Window), append(earned, float64(p.Of("total_return")))
		v := math.NaN()
		if row := d.pooled(d.Score, p.Window, d.PrimaryHorizon); row != nil {
			v = float64(row.Pearson)
		}
		predicted = append(predicted, v)
	}
	if len(names) < 2 {
		return "", ""
	}
	pnl = barChart{"Return after costs by window, in percent", names, earned, "window", "return", percentTick, func(k int) string {
		return d.windowWords(names[k]) + "\nreturn " + percent(evaluate.Figure(earned[k]), 2)
	}}.draw()
	ic = barChart{"IC by window at the primary horizon", names, predicted, "window", "correlation", numberTick, func(k int) string {
		return d.windowWords(names[k]) + "\nIC " + signed(evaluate.Figure(predicted[k]), 4)
	}}.draw()
	return pnl, ic
}

// delayChart draws what the run would have returned with longer delays.
func delayChart(d *Report) template.HTML {
	var names []string
	var values []float64
	for _, v := range d.Variants {
		if v.Variant == "delay" {
			names, values = append(names, strconv.Itoa(v.Delay)), append(values, float64(v.TotalReturn))
		}
	}
	if len(names) < 2 {
		return ""
	}
	return barChart{"Return after costs by delay between decision and fill, in percent", names, values, "bars", "return", percentTick, func(k int) string {
		return "delay " + names[k] + " bars\nreturn " + percent(evaluate.Figure(values[k]), 2)
	}}.draw()
}
