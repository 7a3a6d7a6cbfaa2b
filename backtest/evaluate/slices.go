package evaluate

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

const (
	lowVolatility  = 0.2 // days at or below this quantile of realized volatility are low
	highVolatility = 0.8 // days above this one are high
)

var volatilities = []string{"low", "normal", "high"}

// byVolatility puts each day among volatilities, or −1: cut at the 20th and 80th percentile (type 7) of their realized
// volatility, sqrt(Σ r²) of the closes, averaged over the instruments. It describes the past; nothing trades on it.
func (w *Window) byVolatility() []int {
	of := make([]float64, len(w.calendar.days))
	for k := range of {
		var sum, n float64
		for _, r := range w.volatile {
			if r.any[k] {
				sum += math.Sqrt(r.squares[k])
				n++
			}
		}
		of[k] = sum / n
	}
	known := closeUp(of)
	low, high := metrics.Quantile(known, lowVolatility), metrics.Quantile(known, highVolatility)
	slices := make([]int, len(of))
	for k, x := range of {
		slices[k] = -1
		switch {
		case x <= low:
			slices[k] = 0
		case x > high:
			slices[k] = 2
		case x > low:
			slices[k] = 1
		}
	}
	return slices
}

// sliceRows are the means of a pooled tested series over the slices: volatility ones are unions of days, hours those of the day.
func (t *tested) sliceRows(volatility []int) []SliceRow {
	cut := make([]daySum, len(volatilities))
	for k, d := range t.days {
		if at := volatility[k]; at >= 0 {
			cut[at].n += d.n
			cut[at].sum += d.sum
		}
	}
	var out []SliceRow
	add := func(by, slice string, d daySum) {
		row := SliceRow{Signal: t.Signal, By: by, Slice: slice, N: int(d.n), IC: null}
		if d.n > 0 {
			row.IC = Figure(d.sum / d.n)
		} else {
			row.Reasons = map[string]string{"ic": "no bar of it has a signal and a return"}
		}
		out = append(out, row)
	}
	for k, name := range volatilities {
		add("volatility", name, cut[k])
	}
	hours := t.hours
	if hours == nil {
		hours = make([]daySum, 24)
	}
	for h, d := range hours {
		add("hour", fmt.Sprintf("%02d", h), d)
	}
	return out
}
