package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
)

// Names of variants: window All traded with another delay, without any fee, spread or impact (what it returned before costs), or
// not at all but held; or on who is a member of the universe at the end.
const (
	Delayed    = "delay"
	ZeroCost   = "zero_cost"
	BuyAndHold = "buy_and_hold"
	Survivors  = "survivors"
)

// Variant says what a run that trades otherwise earned.
func Variant(name string, delay int, a *portfolio.Account, e study.EvaluationConfig) VariantRow {
	row := VariantRow{
		Variant: name, Delay: delay, TotalReturn: null, Sharpe: null, MaxDrawdown: null, Funding: null, Trades: a.Fills,
		PricePnL: Figure(a.Total.PricePnL), Fees: Figure(a.Total.Fees), Slippage: Figure(a.Total.Slippage), Impact: Figure(a.Total.Impact),
	}
	if a.Unknown != nil {
		for _, key := range []string{"total_return", "sharpe", "max_drawdown", "funding"} {
			say(&row.Reasons, key, unknown("net PnL", a.Unknown))
		}
		return row
	}
	x := newEarned(a, nil, study.EvaluationConfig{RiskFree: e.RiskFree})
	row.Funding, row.TotalReturn, row.MaxDrawdown = Figure(a.Total.Funding), Figure(x.total()), Figure(a.Drawdown.Max)
	row.Sharpe = Figure(metrics.Sharpe(x.returns, x.free, daysPerYear))
	if math.IsNaN(float64(row.Sharpe)) {
		say(&row.Reasons, "sharpe", x.overDays())
	}
	return row
}
