package reports

import (
	"github.com/qf-dev/qf/backtest"
)

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

// pnlTable has the PnL of the score, and the heads of its columns.
func pnlTable(d *Report) (columns []heading, groups []pnlGroup) {
	var runs []*backtest.PnLRow
	for k := range d.PnL {
		if p := &d.PnL[k]; p.Signal == d.Score {
			runs = append(runs, p)
			columns = append(columns, heading{Text: windowName(p.Window), Title: d.windowWords(p.Window)})
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

// instrumentGrid splits the run's PnL by instrument.
func instrumentGrid(d *Report) grid {
	g := grid{Caption: "PnL by instrument, quote currency", Head: []heading{{Text: "Instrument"}, {Text: "Contract"}}}
	for _, name := range []string{"Price PnL", "Funding", "Fees", "Slippage", "Impact", "Net"} {
		g.Head = append(g.Head, heading{Text: name, Numeric: true})
	}
	for k, r := range d.ByInstrument {
		contract := ""
		if k < len(d.Instruments) {
			contract = d.Instruments[k].Contract
		}
		line := []entry{words(r.Instrument), words(contract)}
		for _, v := range []backtest.Figure{r.PricePnL, r.Funding, -r.Fees, -r.Slippage, -r.Impact, r.Net} {
			line = append(line, figure(v, signed(v, 0), ""))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}
