package reports

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

// icChart draws the pooled IC of each signal by horizon, with 95 % intervals from the standard error
// that t stands on.
func icChart(d *Report) template.HTML {
	signals, horizons := d.signalNames(), d.horizonNames()
	if len(horizons) == 0 {
		return ""
	}
	signals = signals[:min(len(signals), chart.MaxSeries)]
	var values []float64
	for _, s := range signals {
		for _, h := range horizons {
			if row := d.pooled(s, evaluate.All, h); row != nil {
				lo, hi := interval(row)
				values = append(values, float64(row.Pearson), lo, hi)
			}
		}
	}
	lo, hi := bounds(values, []float64{0})
	axis := chart.Axis{Lo: -0.5, Hi: float64(len(horizons)) - 0.5, Unit: "horizon"}
	for k, h := range horizons {
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k), Label: h})
	}
	p := chart.New("Information coefficient by horizon with 95 % intervals", 260, axis, chart.Linear(lo, hi, 6, numberTick).In("correlation"))
	for j, s := range signals {
		for k, h := range horizons {
			row := d.pooled(s, evaluate.All, h)
			if row == nil {
				continue
			}
			lo, hi := interval(row)
			at := float64(k) + float64((float64(j)-float64(float64(len(signals)-1)/2))*0.7/float64(len(signals)))
			p.Interval(j, at, lo, float64(row.Pearson), hi)
			p.Column(at-0.35/float64(len(signals)), at+0.35/float64(len(signals)), fmt.Sprintf("%s, %s ahead\nIC %s, rank IC %s\n95 %% from %s to %s\nt %s, p %s",
				s, h, signed(row.Pearson, 4), signed(row.Spearman, 4), signed(evaluate.Figure(lo), 4), signed(evaluate.Figure(hi), 4),
				signed(row.T, 2), pValue(row.P)))
		}
	}
	return p.SVG()
}

// interval is the 95 % interval of a row's IC: the bootstrap's, else pearson ± 1.96·abs(pearson/t)
// with the t that stands on all pairs; NaN where neither is there.
func interval(row *evaluate.ICRow) (lo, hi float64) {
	if finite(float64(row.Low)) && finite(float64(row.High)) {
		return float64(row.Low), float64(row.High)
	}
	const z = 1.959963984540054
	half := float64(z * math.Abs(float64(row.Pearson)/float64(row.THansenHodrick)))
	if !finite(half) {
		return math.NaN(), math.NaN()
	}
	return float64(row.Pearson) - half, float64(row.Pearson) + half
}

// dailyMean is the number of days of the mean drawn over the daily IC.
const dailyMean = 14

// dailyICChart draws the score's IC of each day and its mean over the last 14 days that have one.
func dailyICChart(d *Report) template.HTML {
	var x, y []float64
	var rows []evaluate.DailyIC
	for _, r := range d.DailyIC {
		t, err := time.Parse("2006-01-02", r.Day)
		if err != nil || r.Signal != d.Score {
			continue
		}
		x, y, rows = append(x, float64(t.UnixMicro())), append(y, float64(r.IC)), append(rows, r)
	}
	if len(x) < 2 {
		return ""
	}
	lo, hi := bounds(y, []float64{0})
	const day = 86400e6
	p := chart.New("IC by day with its 14-day mean", 200,
		chart.Time(int64(x[0]), int64(x[len(x)-1]+day)).In("UTC"), chart.Linear(lo, hi, 4, numberTick).In("correlation"))
	mean := make([]float64, len(y))
	middle := make([]float64, len(y))
	for k, r := range rows {
		mean[k], middle[k] = meanOfLast(y[:k+1], dailyMean), x[k]+day/2
		if finite(y[k]) {
			p.Bar("bar "+tone(y[k]), x[k]+0.1*day, x[k]+0.9*day, 0, y[k], fmt.Sprintf("%s\nIC %s\n14-day mean %s", r.Day, signed(r.IC, 3), signed(evaluate.Figure(mean[k]), 3)))
		}
	}
	p.Line("line ink", middle, mean)
	return p.SVG()
}

// meanOfLast is the mean of the last n values that are there; NaN while there are fewer than half of
// them.
func meanOfLast(y []float64, n int) float64 {
	sum, found := 0.0, 0
	for k := len(y) - 1; k >= 0 && k > len(y)-1-n; k-- {
		if finite(y[k]) {
			sum += y[k]
			found++
		}
	}
	if found < n/2 {
		return math.NaN()
	}
	return sum / float64(found)
}

// sliceChart draws the score's IC over slices of the bars: by volatility or by hour.
func sliceChart(d *Report, by, label string) template.HTML {
	var names []string
	var values []float64
	var rows []evaluate.SliceRow
	for _, r := range d.Slices {
		if r.Signal == d.Score && r.By == by {
			names, values, rows = append(names, r.Slice), append(values, float64(r.IC)), append(rows, r)
		}
	}
	if len(names) < 2 {
		return ""
	}
	unit := ""
	if by == "hour" {
		unit = "UTC"
	}
	return barChart{label, names, values, unit, "correlation", numberTick, func(k int) string {
		return by + " " + names[k] + "\nIC " + signed(rows[k].IC, 3) + "\n" + count(float64(rows[k].N)) + " bars"
	}}.draw()
}
