package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/reports/chart"
)

// hoverColumns is the number of places along a curve that show their values to a pointer.
const hoverColumns = 90

// equityChart draws the return of the run, of the run before costs and of holding.
func equityChart(d *Report) template.HTML {
	e := d.Curves.Equity
	if len(e.TS) < 2 {
		return ""
	}
	capital := float64(e.Equity[0])
	x := instants(e.TS)
	netted, gross, hold := returns(e.Equity, capital), returns(e.BeforeCosts, capital), returns(e.BuyAndHold, capital)
	lo, hi := bounds(netted, gross, hold)
	p := chart.New("Return after costs, before costs and of buy and hold over time, in percent", 280,
		chart.Time(int64(x[0]), int64(x[len(x)-1])), chart.Linear(lo, hi, 7, percentTick))
	p.Line("line hold", x, hold)
	p.Line("line gross", x, gross)
	p.Line("line net", x, netted)
	hover(p, x, func(k int) string {
		return fmt.Sprintf("%s\nafter costs %s\nbefore costs %s\nbuy and hold %s", instant(e.TS[k]),
			percent(backtest.Figure(netted[k]), 2), percent(backtest.Figure(gross[k]), 2), percent(backtest.Figure(hold[k]), 2))
	})
	return p.SVG()
}

// drawdownChart draws how far equity stands below its highest value.
func drawdownChart(d *Report) template.HTML {
	e := d.Curves.Equity
	if len(e.TS) < 2 {
		return ""
	}
	x, y := instants(e.TS), floats(e.Drawdown)
	lo, _ := bounds(y)
	p := chart.New("Drawdown over time, in percent", 96,
		chart.Time(int64(x[0]), int64(x[len(x)-1])), chart.Linear(math.Min(lo, -0.001), 0, 3, percentTick))
	p.Area("area loss", x, y, 0)
	hover(p, x, func(k int) string { return instant(e.TS[k]) + "\ndrawdown " + percent(e.Drawdown[k], 2) })
	return p.SVG()
}

// maxSeries is the number of signals that one chart can tell apart.
const maxSeries = 6

// icChart draws the pooled IC of each signal by horizon, with 95 % intervals from the standard error
// that t stands on.
func icChart(d *Report) template.HTML {
	signals, horizons := d.signalNames(), d.horizonNames()
	if len(horizons) == 0 {
		return ""
	}
	signals = signals[:min(len(signals), maxSeries)]
	var values []float64
	for _, s := range signals {
		for _, h := range horizons {
			if row := d.pooled(s, backtest.All, h); row != nil {
				lo, hi := interval(row)
				values = append(values, float64(row.Pearson), lo, hi)
			}
		}
	}
	lo, hi := bounds(values, []float64{0})
	axis := chart.Axis{Lo: -0.5, Hi: float64(len(horizons)) - 0.5}
	for k, h := range horizons {
		axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(k), Label: h})
	}
	p := chart.New("Information coefficient by horizon with 95 % intervals", 260, axis, chart.Linear(lo, hi, 6, numberTick))
	for j, s := range signals {
		for k, h := range horizons {
			row := d.pooled(s, backtest.All, h)
			if row == nil {
				continue
			}
			lo, hi := interval(row)
			at := float64(k) + (float64(j)-float64(len(signals)-1)/2)*0.7/float64(len(signals))
			p.Interval("s"+strconv.Itoa(j), at, lo, float64(row.Pearson), hi)
			p.Column(at-0.35/float64(len(signals)), at+0.35/float64(len(signals)), fmt.Sprintf("%s, %s ahead\nIC %s, rank IC %s\n95 %% from %s to %s\nt %s, p %s",
				s, h, signed(row.Pearson, 4), signed(row.Spearman, 4), signed(backtest.Figure(lo), 4), signed(backtest.Figure(hi), 4),
				signed(row.T, 2), pValue(row.P)))
		}
	}
	return p.SVG()
}

// interval is the 95 % interval of a row's IC: the bootstrap's, else pearson ± 1.96·abs(pearson/t)
// with the t that stands on all pairs; NaN where neither is there.
func interval(row *backtest.ICRow) (lo, hi float64) {
	if finite(float64(row.Low)) && finite(float64(row.High)) {
		return float64(row.Low), float64(row.High)
	}
	const z = 1.959963984540054
	half := z * math.Abs(float64(row.Pearson)/float64(row.THansenHodrick))
	if !finite(half) {
		return math.NaN(), math.NaN()
	}
	return float64(row.Pearson) - half, float64(row.Pearson) + half
}

// dailyMean is the number of days of the mean drawn over the daily IC.
const dailyMean = 14

// dailyICChart draws the composite's IC of each day and its mean over the last 14 days that have one.
func dailyICChart(d *Report) template.HTML {
	var x, y []float64
	var rows []backtest.DailyIC
	for _, r := range d.DailyIC {
		t, err := time.Parse("2006-01-02", r.Day)
		if err != nil || r.Signal != compositeSignal {
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
		chart.Time(int64(x[0]), int64(x[len(x)-1]+day)), chart.Linear(lo, hi, 4, numberTick))
	mean := make([]float64, len(y))
	middle := make([]float64, len(y))
	for k, r := range rows {
		mean[k], middle[k] = meanOfLast(y[:k+1], dailyMean), x[k]+day/2
		if finite(y[k]) {
			p.Bar("bar "+tone(y[k]), x[k]+0.1*day, x[k]+0.9*day, 0, y[k], fmt.Sprintf("%s\nIC %s\n14-day mean %s", r.Day, signed(r.IC, 3), signed(backtest.Figure(mean[k]), 3)))
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

// quantileChart draws the mean forward return of each bucket of the composite at the primary horizon.
func quantileChart(d *Report) template.HTML {
	var rows []backtest.QuantileRow
	for _, q := range d.Quantiles {
		if q.Signal == compositeSignal && q.Horizon == d.PrimaryHorizon {
			rows = append(rows, q)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	var y []float64
	axis := chart.Axis{Lo: 0.5, Hi: float64(len(rows)) + 0.5}
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
	p := chart.New("Mean forward return by quantile of the composite, in basis points", 200, axis, chart.Linear(lo, hi, 4, numberTick))
	for k, q := range rows {
		if finite(y[k]) {
			at := float64(k + 1)
			p.Bar("bar "+tone(y[k]), at-0.32, at+0.32, 0, y[k],
				fmt.Sprintf("quantile %d of %d\nmean return %s bps over %s\n%s bars", q.Quantile, len(rows), signed(backtest.Figure(y[k]), 2), q.Horizon, count(float64(q.N))))
		}
	}
	return p.SVG()
}

// distributionChart draws how often the composite takes which value, and where the levels begin.
func distributionChart(d *Report) template.HTML {
	s := d.Distribution
	if s.N == 0 {
		return ""
	}
	lo, hi := float64(s.Lo), float64(s.Hi)
	width := (hi - lo) / float64(len(s.Counts))
	most := float64(slices.Max(s.Counts)) / float64(s.N)
	p := chart.New("Distribution of the composite with its thresholds, share of bars in percent", 200,
		chart.Linear(lo, hi, 6, numberTick), chart.Linear(0, most, 4, shareTick))
	for k, n := range s.Counts {
		from := lo + float64(k)*width
		middle := backtest.Figure(from + width/2)
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
		p.Bar(class, from+0.06*width, from+0.94*width, 0, float64(n)/float64(s.N),
			fmt.Sprintf("%s to %s\n%s values, %s", plain(backtest.Figure(from), 2), plain(backtest.Figure(from+width), 2), count(float64(n)), share(backtest.Figure(n)/backtest.Figure(s.N), 1)))
	}
	for _, cut := range []backtest.Figure{s.Thresholds.StrongShort, s.Thresholds.Short, s.Thresholds.Long, s.Thresholds.StrongLong} {
		if cut > s.Lo && cut < s.Hi {
			p.Rule("rule", float64(cut), strings.Replace(decimal(float64(cut)), "-", "−", 1))
		}
	}
	return p.SVG()
}

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
		{"price", float64(row.PricePnL)}, {"funding", float64(row.Funding)}, {"fees", -float64(row.Fees)},
		{"slippage", -float64(row.Slippage)}, {"impact", -float64(row.Impact)},
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
	if !finite(float64(row.Funding)) {
		result = "without funding"
	}
	axis.Ticks = append(axis.Ticks, chart.Tick{At: float64(len(steps)), Label: result})
	lo, hi := bounds(levels)
	room := 0.1 * (hi - lo)
	p := chart.New("From price PnL to net PnL, in quote currency", 240, axis, chart.Linear(lo-room, hi+room, 7, moneyTick))
	bar := func(k int, name string, from, to float64, class string) {
		at, text := float64(k), signed(backtest.Figure(to-from), 0)
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

// windowCharts compare the windows; nothing where there is only one.
func windowCharts(d *Report) (pnl, ic template.HTML) {
	var names []string
	var earned, predicted []float64
	for k := range d.PnL {
		p := &d.PnL[k]
		if p.Signal != compositeSignal || p.Window == backtest.All {
			continue
		}
		names, earned = append(names, p.Window), append(earned, float64(p.TotalReturn))
		v := math.NaN()
		if row := d.pooled(compositeSignal, p.Window, d.PrimaryHorizon); row != nil {
			v = float64(row.Pearson)
		}
		predicted = append(predicted, v)
	}
	if len(names) < 2 {
		return "", ""
	}
	return barChart("Return after costs by window, in percent", names, earned, percentTick, func(k int) string {
			return "window " + names[k] + "\nreturn " + percent(backtest.Figure(earned[k]), 2)
		}), barChart("IC by window at the primary horizon", names, predicted, numberTick, func(k int) string {
			return "window " + names[k] + "\nIC " + signed(backtest.Figure(predicted[k]), 4)
		})
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
	return barChart("Return after costs by delay between decision and fill, in percent", names, values, percentTick, func(k int) string {
		return "delay " + names[k] + " bars\nreturn " + percent(backtest.Figure(values[k]), 2)
	})
}

// sliceChart draws the composite's IC over slices of the bars: by volatility or by hour.
func sliceChart(d *Report, by, label string) template.HTML {
	var names []string
	var values []float64
	var rows []backtest.SliceRow
	for _, r := range d.Slices {
		if r.Signal == compositeSignal && r.By == by {
			names, values, rows = append(names, r.Slice), append(values, float64(r.IC)), append(rows, r)
		}
	}
	if len(names) < 2 {
		return ""
	}
	return barChart(label, names, values, numberTick, func(k int) string {
		return by + " " + names[k] + "\nIC " + signed(rows[k].IC, 3) + "\n" + count(float64(rows[k].N)) + " bars"
	})
}

// priceChart draws an instrument's close, and weightChart what was held of it.
func priceChart(c PositionCurve) template.HTML {
	x, y := instants(c.TS), floats(c.Price)
	lo, hi := bounds(y)
	p := chart.New("Close of "+c.Instrument, 150, chart.Time(int64(x[0]), int64(x[len(x)-1])), chart.Linear(lo, hi, 4, moneyTick))
	p.Line("line ink thin", x, y)
	hover(p, x, func(k int) string {
		return instant(c.TS[k]) + "\nclose " + compact(y[k]) + "\nweight " + percent(c.Weight[k], 0)
	})
	return p.SVG()
}

func weightChart(c PositionCurve) template.HTML {
	x, y := steps(instants(c.TS), floats(c.Weight))
	lo, hi := bounds(y, []float64{0})
	p := chart.New("Weight of "+c.Instrument+" in equity, in percent", 70, chart.Time(int64(x[0]), int64(x[len(x)-1])), chart.Linear(lo, hi, 2, percentTick))
	p.Area("area gain", x, clamp(y, 0, math.Inf(1)), 0)
	p.Area("area loss", x, clamp(y, math.Inf(-1), 0), 0)
	return p.SVG()
}

// coverageChart draws the days of one feed as a strip.
func coverageChart(c Coverage) template.HTML {
	from, err := time.Parse("2006-01-02", c.From)
	if err != nil || c.Days == 0 {
		return ""
	}
	p := chart.New(fmt.Sprintf("%s %s: %d of %d days present, %d empty, %d missing", c.Instrument, c.Feed, c.Present, c.Days, c.Empty, c.Missing),
		14, chart.Axis{Lo: 0, Hi: float64(c.Days)}, chart.Axis{Lo: 0, Hi: 1})
	class := func(day string) string {
		switch {
		case slices.Contains(c.MissingDays, day):
			return "missing"
		case slices.Contains(c.EmptyDays, day):
			return "empty"
		}
		return "present"
	}
	name := func(k int) string { return from.AddDate(0, 0, k).Format("2006-01-02") }
	for lo := 0; lo < c.Days; {
		kind := class(name(lo))
		hi := lo + 1
		for hi < c.Days && class(name(hi)) == kind {
			hi++
		}
		title := name(lo) + " " + kind
		if hi > lo+1 {
			title = name(lo) + " to " + name(hi-1) + " " + kind
		}
		p.Bar("day "+kind, float64(lo), float64(hi), 0, 1, title)
		lo = hi
	}
	return p.SVG()
}

// hover lays columns that show a curve's values over a plot: each shows its last point.
func hover(p *chart.Plot, x []float64, title func(k int) string) {
	n := min(hoverColumns, len(x))
	first, last := x[0], x[len(x)-1]
	k := 0
	for c := range n {
		to := first + (last-first)*float64(c+1)/float64(n)
		found := max(k-1, 0)
		for k < len(x) && x[k] <= to {
			found = k
			k++
		}
		p.Column(first+(last-first)*float64(c)/float64(n), to, title(found))
	}
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

// returns is equity over the initial capital, minus 1.
func returns(equity []backtest.Figure, capital float64) []float64 {
	out := floats(equity)
	for k, v := range out {
		out[k] = v/capital - 1
	}
	return out
}

func instants(ts []string) []float64 {
	out := make([]float64, len(ts))
	for k, s := range ts {
		out[k] = float64(parseStamp(s))
	}
	return out
}

// steps holds each value until the next point.
func steps(x, y []float64) (sx, sy []float64) {
	for k := range x {
		if k > 0 {
			sx, sy = append(sx, x[k]), append(sy, y[k-1])
		}
		sx, sy = append(sx, x[k]), append(sy, y[k])
	}
	return sx, sy
}

// clamp holds values within [lo, hi].
func clamp(x []float64, lo, hi float64) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = math.Min(math.Max(v, lo), hi)
	}
	return out
}

// instant is a time of the report for reading.
func instant(s string) string {
	return time.UnixMicro(parseStamp(s)).UTC().Format("2 Jan 2006 15:04") + " UTC"
}

func percentTick(v, step float64) string {
	return strings.TrimPrefix(percent(backtest.Figure(v), decimalsOf(step*100)), "+")
}
func shareTick(v, step float64) string  { return share(backtest.Figure(v), decimalsOf(step*100)) }
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
