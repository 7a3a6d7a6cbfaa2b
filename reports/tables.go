package reports

import (
	"slices"

	"github.com/qf-dev/qf/backtest"
)

// grid is a table for reading: figures rounded, with the exact ones in report.json.
type grid struct {
	Caption string
	Head    []heading
	Rows    [][]entry
}

// heading is a column's name; Numeric columns are aligned right.
type heading struct {
	Text, Title string
	Numeric     bool
}

// entry is one cell. Key orders it where Text does not; Title explains it.
type entry struct {
	Text, Key, Title string
	Numeric          bool
	Class            string
}

func words(s string) entry { return entry{Text: s} }

// figure is a numeric cell: the text, the value that orders it, and why it is missing if it is.
func figure(v backtest.Figure, text, reason string) entry {
	e := entry{Text: text, Numeric: true, Key: decimal(float64(v))}
	if text == absent {
		e.Title, e.Class = reason, "absent"
	}
	return e
}

func integer(n int) entry { return figure(backtest.Figure(n), count(float64(n)), "") }

// signalNames lists the signals that have an IC, the composite first.
func (d *Report) signalNames() []string {
	var out []string
	for _, r := range d.IC {
		if !slices.Contains(out, r.Signal) {
			out = append(out, r.Signal)
		}
	}
	if k := slices.Index(out, compositeSignal); k > 0 {
		out = slices.Concat([]string{compositeSignal}, out[:k], out[k+1:])
	}
	return out
}

// horizonNames lists the horizons in report order.
func (d *Report) horizonNames() []string {
	var out []string
	for _, r := range d.IC {
		if !slices.Contains(out, r.Horizon) {
			out = append(out, r.Horizon)
		}
	}
	return out
}

// icSummary has the pooled IC over the whole span: a row a signal and horizon.
func icSummary(d *Report) grid {
	var rows []backtest.ICRow
	for _, s := range d.signalNames() {
		for _, h := range d.horizonNames() {
			if r := d.pooled(s, backtest.All, h); r != nil {
				rows = append(rows, *r)
			}
		}
	}
	return icGrid("Information coefficient over the whole span, instruments pooled", rows, false)
}

// icDetails has the other rows: single instruments and windows.
func icDetails(d *Report) grid {
	var rows []backtest.ICRow
	for _, r := range d.IC {
		if r.Instrument != backtest.Pooled || r.Window != backtest.All {
			rows = append(rows, r)
		}
	}
	return icGrid("Information coefficient by instrument and window", rows, true)
}

// icGrid shows rows of the IC; scoped ones with their instrument and window.
func icGrid(caption string, rows []backtest.ICRow, scoped bool) grid {
	g := grid{Caption: caption, Head: []heading{{Text: "Signal"}}}
	if scoped {
		g.Head = append(g.Head, heading{Text: "Instrument"}, heading{Text: "Window"})
	}
	g.Head = append(g.Head,
		heading{Text: "Horizon", Numeric: true},
		heading{Text: "IC", Title: "Pearson correlation of the signal with the forward return", Numeric: true},
		heading{Text: "Rank IC", Title: "Spearman correlation", Numeric: true},
		heading{Text: "t", Title: "of the IC, robust to overlapping horizons", Numeric: true},
		heading{Text: "p", Title: "two-sided, of t", Numeric: true},
		heading{Text: "p Holm", Title: "adjusted over the horizons other than the primary one", Numeric: true},
		heading{Text: "Daily IC", Title: "mean over UTC days", Numeric: true},
		heading{Text: "ICIR", Title: "daily mean over daily standard deviation", Numeric: true},
		heading{Text: "n", Numeric: true},
		heading{Text: "Effective n", Title: "n that independent pairs would need for the same standard error", Numeric: true},
	)
	for _, r := range rows {
		signal := words(r.Signal)
		if len(r.Warnings) > 0 {
			signal.Text, signal.Title = r.Signal+" *", "warned of: "+cell(r.Warnings)
		}
		line := []entry{signal}
		if scoped {
			line = append(line, words(r.Instrument), words(r.Window))
		}
		t := figure(r.T, signed(r.T, 2), r.Reasons["t"])
		if t.Title == "" {
			t.Title = methodWords(r.TMethod)
		}
		g.Rows = append(g.Rows, append(line,
			entry{Text: r.Horizon, Numeric: true, Key: decimal(float64(r.Bars))},
			figure(r.Pearson, signed(r.Pearson, 4), r.Reasons["pearson"]),
			figure(r.Spearman, signed(r.Spearman, 4), r.Reasons["spearman"]),
			t,
			figure(r.P, pValue(r.P), r.Reasons["p"]),
			figure(r.PHolm, pValue(r.PHolm), r.Reasons["p_holm"]),
			figure(r.Daily.Mean, signed(r.Daily.Mean, 4), r.Reasons["daily"]),
			figure(r.Daily.ICIR, signed(r.Daily.ICIR, 2), r.Reasons["daily"]),
			integer(r.N),
			figure(r.NEffective, count(float64(r.NEffective)), r.Reasons["n_effective"]),
		))
	}
	return g
}

// levelNames are the five levels in the order of their scores.
var levelNames = map[string]string{
	"strong_short": "strong short", "short": "short", "neutral": "neutral", "long": "long", "strong_long": "strong long",
}

// levelSummary has the composite's levels over the whole span at the primary horizon.
func levelSummary(d *Report) grid {
	return levelGrid("Levels of the composite, mean return over "+d.PrimaryHorizon, slices.DeleteFunc(slices.Clone(d.Levels), func(r backtest.LevelRow) bool {
		return r.Signal != compositeSignal || r.Window != backtest.All || r.Horizon != d.PrimaryHorizon
	}), false)
}

// levelDetails has every other row.
func levelDetails(d *Report) grid {
	return levelGrid("Levels by signal, window and horizon", slices.DeleteFunc(slices.Clone(d.Levels), func(r backtest.LevelRow) bool {
		return r.Signal == compositeSignal && r.Window == backtest.All && r.Horizon == d.PrimaryHorizon
	}), true)
}

func levelGrid(caption string, rows []backtest.LevelRow, scoped bool) grid {
	g := grid{Caption: caption}
	if scoped {
		g.Head = []heading{{Text: "Signal"}, {Text: "Window"}, {Text: "Horizon"}}
	}
	g.Head = append(g.Head,
		heading{Text: "Level"},
		heading{Text: "Share of bars", Numeric: true},
		heading{Text: "Bars", Numeric: true},
		heading{Text: "Mean stay", Title: "in bars", Numeric: true},
		heading{Text: "Mean return, bps", Title: "log return over the horizon, signed as it is", Numeric: true},
		heading{Text: "Hit rate", Title: "share of returns above zero; below zero for short levels", Numeric: true},
		heading{Text: "t", Numeric: true},
		heading{Text: "Break-even, bps", Title: "cost a side at which the mean return is gone", Numeric: true})
	for _, r := range rows {
		name, ok := levelNames[r.Level]
		if !ok {
			name = r.Level
		}
		var line []entry
		if scoped {
			line = []entry{words(r.Signal), words(r.Window), words(r.Horizon)}
		}
		g.Rows = append(g.Rows, append(line,
			words(name),
			figure(r.Share, share(r.Share, 1), r.Reasons["share"]),
			integer(r.Bars),
			figure(r.MeanHolding, plain(r.MeanHolding, 1), r.Reasons["mean_holding_bars"]),
			figure(r.MeanReturn, signed(r.MeanReturn*1e4, 2), r.Reasons["mean_return"]),
			figure(r.HitRate, share(r.HitRate, 1), r.Reasons["hit_rate"]),
			figure(r.T, signed(r.T, 2), r.Reasons["t"]),
			figure(r.BreakEven, signed(r.BreakEven, 2), r.Reasons["break_even_bps"])))
	}
	return g
}

// pnlLine is one figure of PnL for reading.
type pnlLine struct {
	name, key string
	show      func(p *backtest.PnLRow) string
}

// pnlLines are the figures of a run, in groups, in the order in which they are shown.
var pnlLines = []struct {
	group string
	lines []pnlLine
}{
	{"Return", []pnlLine{
		{"Total return", "total_return", func(p *backtest.PnLRow) string { return percent(p.TotalReturn, 2) }},
		{"95% interval", "total_return_low", func(p *backtest.PnLRow) string { return shares(p.TotalReturnLow, p.TotalReturnHigh) }},
		{"Annual growth", "cagr", func(p *backtest.PnLRow) string { return percent(p.CAGR, 1) }},
		{"Buy and hold", "buy_and_hold", func(p *backtest.PnLRow) string { return percent(p.BuyAndHold, 2) }},
		{"Alpha, per year", "alpha", func(p *backtest.PnLRow) string { return percent(p.Alpha, 1) }},
		{"Beta", "beta", func(p *backtest.PnLRow) string { return signed(p.Beta, 2) }},
		{"Best day", "best_day", func(p *backtest.PnLRow) string { return percent(p.BestDay, 2) }},
		{"Worst day", "worst_day", func(p *backtest.PnLRow) string { return percent(p.WorstDay, 2) }},
		{"Days that ended positive", "hit_rate", func(p *backtest.PnLRow) string { return share(p.HitRate, 1) }},
	}},
	{"Risk", []pnlLine{
		{"Volatility, per year", "volatility", func(p *backtest.PnLRow) string { return share(p.Volatility, 1) }},
		{"Sharpe ratio", "sharpe", func(p *backtest.PnLRow) string { return signed(p.Sharpe, 2) }},
		{"95% interval", "sharpe_low", func(p *backtest.PnLRow) string { return orAbsent(span(p.SharpeLow, p.SharpeHigh, 2)) }},
		{"Sortino ratio", "sortino", func(p *backtest.PnLRow) string { return signed(p.Sortino, 2) }},
		{"Calmar ratio", "calmar", func(p *backtest.PnLRow) string { return signed(p.Calmar, 2) }},
		{"Omega ratio", "omega", func(p *backtest.PnLRow) string { return plain(p.Omega, 2) }},
		{"Maximum drawdown", "max_drawdown", func(p *backtest.PnLRow) string { return percent(p.MaxDrawdown, 2) }},
		{"Longest under water, days", "max_drawdown_days", func(p *backtest.PnLRow) string { return plain(p.MaxDrawdownDays, 1) }},
		{"Value at risk, 95% a day", "var_95", func(p *backtest.PnLRow) string { return percent(p.VaR95, 2) }},
		{"Expected shortfall, 95% a day", "es_95", func(p *backtest.PnLRow) string { return percent(p.ES95, 2) }},
		{"Skew of daily returns", "skew", func(p *backtest.PnLRow) string { return signed(p.Skew, 2) }},
		{"Kurtosis of daily returns", "kurtosis", func(p *backtest.PnLRow) string { return signed(p.Kurtosis, 2) }},
	}},
	{"Trading", []pnlLine{
		{"Fills", "trades", func(p *backtest.PnLRow) string { return count(float64(p.Trades)) }},
		{"Round trips that ended positive", "hit_rate_trips", func(p *backtest.PnLRow) string { return share(p.HitRateTrips, 1) }},
		{"Mean holding time, hours", "mean_holding_hours", func(p *backtest.PnLRow) string { return plain(p.HoldingHours, 1) }},
		{"Profit factor", "profit_factor", func(p *backtest.PnLRow) string { return plain(p.ProfitFactor, 2) }},
		{"Turnover per day, two-way", "turnover_per_day", func(p *backtest.PnLRow) string { return multiple(p.TurnoverPerDay) }},
		{"Mean exposure", "exposure", func(p *backtest.PnLRow) string { return share(p.Exposure, 1) }},
	}},
	{"Money, quote currency", []pnlLine{
		{"Initial equity", "initial_equity", func(p *backtest.PnLRow) string { return plain(p.InitialEquity, 0) }},
		{"Price PnL", "price_pnl", func(p *backtest.PnLRow) string { return signed(p.PricePnL, 0) }},
		{"Funding", "funding", func(p *backtest.PnLRow) string { return signed(p.Funding, 0) }},
		{"Fees", "fees", func(p *backtest.PnLRow) string { return signed(-p.Fees, 0) }},
		{"Slippage", "slippage", func(p *backtest.PnLRow) string { return signed(-p.Slippage, 0) }},
		{"Impact", "impact", func(p *backtest.PnLRow) string { return signed(-p.Impact, 0) }},
		{"Net without funding", "pnl_without_funding", func(p *backtest.PnLRow) string { return signed(p.UnfundedPnL, 0) }},
		{"Final equity", "final_equity", func(p *backtest.PnLRow) string { return plain(p.FinalEquity, 0) }},
		{"Break-even cost, bps of notional", "break_even_bps", func(p *backtest.PnLRow) string { return signed(p.BreakEvenBps, 2) }},
	}},
	{"Confidence", []pnlLine{
		{"Chance that Sharpe is above 0", "psr", func(p *backtest.PnLRow) string { return share(p.PSR, 1) }},
		{"The same after all trials", "dsr", func(p *backtest.PnLRow) string { return share(p.DSR, 1) }},
		{"Record needed for 95%, days", "min_trl_days", func(p *backtest.PnLRow) string { return plain(p.MinTRLDays, 0) }},
	}},
}

// pnlGroup is a part of the PnL table: a column a window.
type pnlGroup struct {
	Name string
	Rows []pnlShown
}

// pnlShown is one figure over the windows; Reason says why the first is missing.
type pnlShown struct {
	Name, Reason string
	Cells        []entry
}

// pnlTable has the composite's PnL, and the names of its columns.
func pnlTable(d *Report) (columns []string, groups []pnlGroup) {
	var runs []*backtest.PnLRow
	for k := range d.PnL {
		if p := &d.PnL[k]; p.Signal == compositeSignal {
			runs = append(runs, p)
			columns = append(columns, windowName(p.Window))
		}
	}
	for _, g := range pnlLines {
		out := pnlGroup{Name: g.group}
		for _, l := range g.lines {
			line := pnlShown{Name: l.name}
			for _, p := range runs {
				text := l.show(p)
				e := entry{Text: text, Numeric: true}
				if text == absent {
					e.Class, e.Title = "absent", p.Reasons[l.key]
				}
				line.Cells = append(line.Cells, e)
			}
			if len(runs) > 0 && line.Cells[0].Class == "absent" {
				line.Reason = line.Cells[0].Title
			}
			out.Rows = append(out.Rows, line)
		}
		groups = append(groups, out)
	}
	return columns, groups
}

// windowName is a window's name for reading.
func windowName(w string) string {
	if w == backtest.All {
		return "whole span"
	}
	return "window " + w
}

// transitionGrid has a row for each level and a column for each next one, both from short to long.
func transitionGrid(d *Report) grid {
	g := grid{Caption: "What follows each level at the next bar, share of bars", Head: []heading{{Text: "From"}}}
	for _, from := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
		line := []entry{words(levelNames[from])}
		for _, to := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
			k := slices.IndexFunc(d.Transitions, func(r backtest.TransitionRow) bool {
				return r.Signal == compositeSignal && r.Window == backtest.All && r.From == from && r.To == to
			})
			if k < 0 {
				return grid{}
			}
			r := d.Transitions[k]
			e := figure(r.Share, share(r.Share, 1), r.Reasons["share"])
			if e.Class == "" {
				e.Title = count(float64(r.Bars)) + " bars"
			}
			line = append(line, e)
		}
		g.Head = append(g.Head, heading{Text: levelNames[from], Numeric: true})
		g.Rows = append(g.Rows, line)
	}
	return g
}

// memoryGrid says how fast each signal changes.
func memoryGrid(d *Report) grid {
	g := grid{Caption: "How fast the signals change, in bars", Head: []heading{
		{Text: "Signal"}, {Text: "Instrument"},
		{Text: "Autocorrelation", Title: "at a lag of one bar", Numeric: true},
		{Text: "Half-life", Title: "the first lag whose autocorrelation is at most a half", Numeric: true},
		{Text: "Integrated time", Title: "bars that count as one independent value", Numeric: true},
	}}
	for _, r := range d.Memory {
		g.Rows = append(g.Rows, []entry{
			words(r.Signal), words(r.Instrument),
			figure(r.Lag1, signed(r.Lag1, 4), r.Reasons["autocorrelation"]),
			figure(r.HalfLife, count(float64(r.HalfLife)), r.Reasons["half_life_bars"]),
			figure(r.Time, plain(r.Time, 1), r.Reasons["integrated_bars"]),
		})
	}
	return g
}

// variantGrid has the whole span traded otherwise.
func variantGrid(d *Report) grid {
	g := grid{Caption: "The whole span traded otherwise", Head: []heading{
		{Text: "Variant"}, {Text: "Return", Numeric: true}, {Text: "Sharpe", Numeric: true}, {Text: "Drawdown", Numeric: true},
		{Text: "Price PnL", Numeric: true}, {Text: "Costs", Title: "fees, slippage and impact", Numeric: true},
		{Text: "Funding", Numeric: true}, {Text: "Fills", Numeric: true},
	}}
	names := map[string]string{"zero_cost": "without costs", "buy_and_hold": "buy and hold"}
	for _, r := range d.Variants {
		name, ok := names[r.Variant]
		if !ok {
			name = r.Variant + " of " + count(float64(r.Delay)) + " bars"
			if r.Delay == 1 {
				name = r.Variant + " of 1 bar"
			}
		}
		costs := r.Fees + r.Slippage + r.Impact
		g.Rows = append(g.Rows, []entry{
			words(name),
			figure(r.TotalReturn, percent(r.TotalReturn, 2), r.Reasons["total_return"]),
			figure(r.Sharpe, signed(r.Sharpe, 2), r.Reasons["sharpe"]),
			figure(r.MaxDrawdown, percent(r.MaxDrawdown, 2), r.Reasons["max_drawdown"]),
			figure(r.PricePnL, signed(r.PricePnL, 0), r.Reasons["price_pnl"]),
			figure(costs, signed(-costs, 0), ""),
			figure(r.Funding, signed(r.Funding, 0), r.Reasons["funding"]),
			integer(r.Trades),
		})
	}
	return g
}

// stabilityGrid says how figures held over the windows.
func stabilityGrid(d *Report) grid {
	g := grid{Caption: "How the figures held over the windows", Head: []heading{
		{Text: "Figure"}, {Text: "Signal"}, {Text: "Windows", Numeric: true}, {Text: "Positive in", Numeric: true},
		{Text: "Worst", Numeric: true}, {Text: "In window", Numeric: true},
	}}
	for _, r := range d.Stability {
		name, worst := "IC, "+d.PrimaryHorizon+" ahead", signed(r.Worst, 4)
		if r.Figure == "total_return" {
			name, worst = "Return after costs", percent(r.Worst, 2)
		}
		g.Rows = append(g.Rows, []entry{
			words(name), words(r.Signal), integer(r.Windows),
			figure(r.Positive, share(r.Positive, 0), r.Reasons["positive"]),
			figure(r.Worst, worst, r.Reasons["worst"]),
			{Text: r.WorstIn, Key: r.WorstIn, Numeric: true},
		})
	}
	return g
}
