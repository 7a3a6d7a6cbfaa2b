package reports

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

// quantileChart draws the mean forward return of each bucket of the score at the primary horizon.
func quantileChart(d *Report) template.HTML {
	var rows []evaluate.QuantileRow
	for _, q := range d.Quantiles {
		if q.Signal == d.Score && q.Horizon == d.PrimaryHorizon {
			rows = append(rows, q)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	var y []float64
	axis := chart.Axis{Lo: 0.5, Hi: float64(len(rows)) + 0.5, Unit: "quantile"}
	for k, q := range rows {
		y = append(y, float64(q.MeanReturn)*1e4)
		label := strconv.Itoa(q.Quantile)
		switch k {
		case 0:
			label += " low"
		case len(rows) - 1:
			label += " high"
		}
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k + 1), Label: label})
	}
	lo, hi := bounds(y, []float64{0})
	p := chart.New("Mean forward return by quantile of the score, in basis points", pairHeight, axis, chart.Linear(lo, hi, 5, numberTick).In("bps"))
	for k, q := range rows {
		if finite(y[k]) {
			at := float64(k + 1)
			p.Bar("bar "+tone(y[k]), at-0.32, at+0.32, 0, y[k],
				fmt.Sprintf("quantile %d of %d\nmean return %s bps over %s\n%s bars", q.Quantile, len(rows), signed(evaluate.Figure(y[k]), 2), q.Horizon, count(float64(q.N))))
		}
	}
	return p.SVG()
}

// distributionChart draws how often the score takes which value, and where the levels begin.
func distributionChart(d *Report) template.HTML {
	s := d.Distribution
	if s.N == 0 {
		return ""
	}
	lo, hi := float64(s.Lo), float64(s.Hi)
	width := (hi - lo) / float64(len(s.Counts))
	most := float64(slices.Max(s.Counts)) / float64(s.N)
	p := chart.New("Distribution of the score with its thresholds, share of bars in percent", pairHeight,
		chart.Linear(lo, hi, 6, numberTick).In("score"), chart.Linear(0, most, 5, shareTick).In("of bars"))
	for k, n := range s.Counts {
		from := lo + float64(float64(k)*width)
		middle := evaluate.Figure(from + float64(width/2))
		class := "bar neutral"
		switch {
		case middle < s.Thresholds.StrongShort:
			class = "bar down strong"
		case middle < s.Thresholds.Short:
			class = "bar down"
		case middle > s.Thresholds.StrongLong:
			class = "bar up strong"
		case middle > s.Thresholds.Long:
			class = "bar up"
		}
		p.Bar(class, from+float64(0.06*width), from+float64(0.94*width), 0, float64(n)/float64(s.N),
			fmt.Sprintf("%s to %s\n%s values, %s", plain(evaluate.Figure(from), 2), plain(evaluate.Figure(from+width), 2), count(float64(n)), share(evaluate.Figure(n)/evaluate.Figure(s.N), 1)))
	}
	for _, cut := range []evaluate.Figure{s.Thresholds.StrongShort, s.Thresholds.Short, s.Thresholds.Long, s.Thresholds.StrongLong} {
		if cut > s.Lo && cut < s.Hi {
			p.Rule("rule", float64(cut), strings.Replace(decimal(float64(cut)), "-", "−", 1))
		}
	}
	return p.SVG()
}

// distributionNote sums up the histogram.
func distributionNote(d *Report) string {
	s := d.Distribution
	if s.N == 0 {
		return ""
	}
	note := fmt.Sprintf("mean %s, standard deviation %s", signed(s.Mean, 2), plain(s.Std, 2))
	if s.Below+s.Above > 0 {
		note += fmt.Sprintf("; %s values beyond the axis, from %s to %s", count(float64(s.Below+s.Above)), signed(s.Min, 1), signed(s.Max, 1))
	}
	return note
}

// quantileNote says what the score's buckets say together.
func quantileNote(d *Report) string {
	for _, s := range d.Spreads {
		if s.Signal == d.Score && s.Horizon == d.PrimaryHorizon && finite(float64(s.Spread)) {
			return fmt.Sprintf("highest less lowest %s bps, monotonicity %s", signed(s.Spread*1e4, 2), signed(s.Monotonicity, 2))
		}
	}
	return ""
}
