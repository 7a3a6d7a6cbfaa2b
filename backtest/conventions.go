package backtest

import "github.com/qf-dev/qf/backtest/study"
import "strconv"

// Metric says what a figure of PnLRow is, so that nobody has to guess by which convention it was computed.
type Metric struct {
	Figure     string `json:"figure"` // its key in PnLRow
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
	PerYear    Figure `json:"periods_per_year"` // what it is annualized with; null where it is not
	DDOF       Figure `json:"ddof"`             // what n is lessened by in a deviation or a moment; null where there is none
	Baseline   string `json:"baseline"`         // what it is measured against; empty where against nothing
	Count      string `json:"counted_by"`       // the key in PnLRow that counts its observations; empty where none does
}

// Metrics lists the figures of PnLRow in their order. r below are daily returns.
func Metrics(e study.EvaluationConfig) []Metric {
	const (
		money = "quote currency"
		share = "1"
		daily = "daily_returns"
		fills = "trades"
	)
	free := "risk-free " + strconv.FormatFloat(e.RiskFree, 'g', -1, 64) + " a year"
	draws := strconv.Itoa(e.Bootstrap) + " stationary-bootstrap resamples of r, seed " + strconv.FormatUint(e.Seed, 10)
	year, no := Figure(daysPerYear), null
	return []Metric{
		{"initial_equity", money, "the capital at the start", no, no, "", ""},
		{"final_equity", money, "equity at the close of the last bar", no, no, "", ""},
		{"price_pnl", money, "Σ quantity · change of price", no, no, "", ""},
		{"fees", money, "Σ fee on the notional of fills", no, no, "", fills},
		{"slippage", money, "Σ half the spread on fills", no, no, "", fills},
		{"impact", money, "Σ price moved by the fills themselves", no, no, "", fills},
		{"funding", money, "funding received less paid, and less the borrowing of short spot", no, no, "", ""},
		{"pnl_without_funding", money, "price_pnl − fees − slippage − impact", no, no, "", ""},
		{"total_return", share, "final_equity/initial_equity − 1", no, no, "initial_equity", ""},
		{"cagr", "1/year", "(1 + total_return)^(365 d/elapsed) − 1", year, no, "initial_equity", ""},
		{"volatility", "1/√year", "std(r)·√365", year, 1, "", daily},
		{"total_return_low", share, "2.5 % point of " + draws, no, no, "initial_equity", daily},
		{"total_return_high", share, "97.5 % point of " + draws, no, no, "initial_equity", daily},
		{"sharpe", "1/√year", "mean(r − rf)/std(r)·√365", year, 1, free, daily},
		{"sharpe_low", "1/√year", "2.5 % point of " + draws, year, 1, free, daily},
		{"sharpe_high", "1/√year", "97.5 % point of " + draws, year, 1, free, daily},
		{"sortino", "1/√year", "mean(r − rf)/√mean(min(r − rf, 0)²)·√365, the mean over all days", year, 0, free, daily},
		{"calmar", "1/year", "cagr/|max_drawdown|", year, no, "", ""},
		{"omega", share, "Σ max(r − rf, 0)/Σ max(rf − r, 0)", no, no, free, daily},
		{"max_drawdown", share, "min equity/highest equity before − 1, by bar, the start included", no, no, "highest equity before", ""},
		{"max_drawdown_days", "days", "longest time from a peak until it is reached again, or to the end", no, no, "highest equity before", ""},
		{"var_95", share, "5 % quantile of r (type 7); a loss is negative", no, no, "", daily},
		{"es_95", share, "mean of r up to var_95; a loss is negative", no, no, "", daily},
		{"skew", share, "m3/m2^1.5 of r", no, 0, "", daily},
		{"kurtosis", share, "m4/m2² of r, 3 for the normal", no, 0, "", daily},
		{"best_day", share, "max r", no, no, "", daily},
		{"worst_day", share, "min r", no, no, "", daily},
		{"turnover_per_day", "equities/day", "Σ |quantity traded|·reference price/equity, both ways, per calendar day", no, no, "", fills},
		{"exposure", "equities", "mean over bars of Σ |quantity·close|/equity", no, no, "", ""},
		{"mean_holding_hours", "hours", "mean time between the fills that begin and end a round trip", no, no, "", ""},
		{"hit_rate", share, "share of the days with a position on which r > 0", no, no, "0", ""},
		{"hit_rate_trips", share, "share of the round trips that earned more than their costs", no, no, "0", ""},
		{"profit_factor", share, "Σ max(r, 0)/Σ max(−r, 0) over days with a position", no, no, "0", ""},
		{"break_even_bps", "bps", "(price_pnl + funding)/traded notional: the cost a side that leaves nothing", no, no, "0", fills},
		{"psr", share, "Φ(SR·√(n − 1)/√(1 − skew·SR + (kurtosis − 1)/4·SR²)), SR = mean(r)/std(r) per day", no, 1, "a Sharpe ratio of 0", daily},
		{"dsr", share, "psr against the best Sharpe ratio that as many worthless trials would show", no, 1, "the expected best of the trials", daily},
		{"min_trl_days", "days", "days after which psr reaches 0.95", no, 1, "a Sharpe ratio of 0", daily},
		{"buy_and_hold", share, "total return of holding equal parts under the same costs", no, no, "initial_equity", ""},
		{"alpha", "1/year", "(1 + mean(r − rf − beta·(b − rf)))^365 − 1, b the daily returns of buying and holding", year, no, "buy_and_hold, " + free, daily},
		{"beta", share, "cov(r, b)/var(b)", no, no, "buy_and_hold", daily},
	}
}
