package backtest

import (
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

const (
	daysPerYear    = 365
	tail           = 0.05
	trackRecord    = 0.95 // confidence of min_trl_days
	basisPoint     = 1e-4
	microsPerHour  = datasets.MicrosPerDay / 24
	unknownFunding = "the data does not show every funding settlement: net PnL is not known"
)

// benchmark holds every instrument with its share of the capital from the first bar on, under the
// same costs; nil where that is not known.
func benchmark(m *Market, w study.Span, e study.ExecutionConfig) (*Run, error) {
	cols := make([][]float64, len(m.Instruments))
	ones := make([]float64, m.Len())
	for t := range ones {
		ones[t] = 1
	}
	for i := range cols {
		cols[i] = ones
	}
	e.RebalanceBand = 0
	r, err := simulateEquity(m, factors.NewPanel("buy_and_hold", m.Grid, cols...), w, e, false)
	if err != nil {
		return nil, fmt.Errorf("buy and hold: %w", err)
	}
	if r.UnknownSettlements > 0 {
		return nil, nil
	}
	return r, nil
}

// dailyReturns are the returns of equity from UTC midnight to UTC midnight, the initial capital first;
// a day without bars returns 0. held says on which days there was a position. A ruin is the last day.
func (r *Run) dailyReturns(days []daySpan) (returns []float64, held []bool) {
	before, fill := r.Capital, 0
	holding := false
	for _, d := range days {
		after, any := before, holding
		if d.hi > d.lo {
			after = r.Equity[d.hi-1-r.Window.Lo]
		}
		for ; fill < len(r.Fills) && r.Fills[fill].Row < d.hi; fill++ {
			any = true
		}
		holding = false
		for i := range r.Quantity {
			if d.hi > r.Window.Lo && r.Quantity[i][d.hi-1-r.Window.Lo] != 0 {
				holding = true
			}
		}
		returns, held = append(returns, after/before-1), append(held, any || holding)
		if after <= 0 {
			break
		}
		before = after
	}
	return returns, held
}

// pnlRow says what a run earned, beside holding the benchmark.
func pnlRow(m *Market, signal, window string, r, hold *Run, e study.EvaluationConfig) PnLRow {
	if hold == nil {
		return r.account(m).row(signal, window, nil, e)
	}
	return r.account(m).row(signal, window, hold.account(m), e)
}

// row says what was earned, beside what holding the benchmark earned; nil where that is not known.
func (a *account) row(signal, window string, hold *account, e study.EvaluationConfig) PnLRow {
	row := PnLRow{
		Signal: signal, Window: window, InitialEquity: Figure(a.capital),
		PricePnL: Figure(a.total.PricePnL), Fees: Figure(a.total.Fees), Slippage: Figure(a.total.Slippage), Impact: Figure(a.total.Impact),
		Funding: Figure(a.total.Funding), Trades: a.trades,
		UnfundedPnL: Figure(a.total.PricePnL - a.total.Fees - a.total.Slippage - a.total.Impact),
		DSR:         null,
	}
	row.reason("dsr", "no trial ledger: the number of configurations tried is not known")
	if a.unknown > 0 {
		row.unknown()
		return row
	}
	row.growth(a)
	row.risk(a.returns, a.held, e)
	row.trading(a)
	row.against(a.returns, hold, e)
	return row
}

// growth fills the figures of the equity curve.
func (row *PnLRow) growth(a *account) {
	total := a.final/a.capital - 1
	cagr := metrics.CAGR(total, a.days()/daysPerYear)
	row.FinalEquity, row.TotalReturn, row.CAGR = Figure(a.final), Figure(total), Figure(cagr)
	row.MaxDrawdown, row.MaxDrawdownDays = Figure(a.down.Max), Figure(float64(a.down.Longest)/float64(datasets.MicrosPerDay))
	row.Calmar = Figure(metrics.Calmar(cagr, a.down.Max))
	row.null("cagr", row.CAGR, "nothing is left")
	switch {
	case math.IsNaN(cagr):
		row.null("calmar", row.Calmar, "nothing is left")
	default:
		row.null("calmar", row.Calmar, "there was no drawdown")
	}
}

// risk fills the figures of daily returns.
func (row *PnLRow) risk(returns []float64, held []bool, e study.EvaluationConfig) {
	riskFree := metrics.PeriodRate(e.RiskFree, daysPerYear)
	row.DailyReturns = len(returns)
	row.Volatility = Figure(metrics.Volatility(returns, daysPerYear))
	row.Sharpe = Figure(metrics.Sharpe(returns, riskFree, daysPerYear))
	row.Sortino = Figure(metrics.Sortino(returns, riskFree, daysPerYear))
	row.Omega = Figure(metrics.Omega(returns, riskFree))
	row.VaR95, row.ES95 = Figure(metrics.ValueAtRisk(returns, tail)), Figure(metrics.ExpectedShortfall(returns, tail))
	skew, kurtosis := metrics.Shape(returns)
	row.Skew, row.Kurtosis = Figure(skew), Figure(kurtosis)
	row.BestDay, row.WorstDay = Figure(metrics.Quantile(returns, 1)), Figure(metrics.Quantile(returns, 0))
	inference := metrics.InferSharpe(returns)
	row.PSR, row.MinTRLDays = Figure(inference.Probabilistic(0)), Figure(inference.MinTrackRecord(0, trackRecord))
	var active []float64
	for i, v := range returns {
		if held[i] {
			active = append(active, v)
		}
	}
	row.HitRate, row.ProfitFactor = Figure(metrics.HitRate(active)), Figure(metrics.ProfitFactor(active))

	row.bootstrap(returns, riskFree, e)
	row.null("volatility", row.Volatility, "fewer than two days")
	flat := "every day has the same return"
	if len(returns) < 2 {
		flat = "fewer than two days"
	}
	for key, f := range map[string]Figure{"sharpe": row.Sharpe, "skew": row.Skew, "kurtosis": row.Kurtosis, "psr": row.PSR} {
		row.null(key, f, flat)
	}
	row.null("sortino", row.Sortino, "no day lost")
	row.null("omega", row.Omega, "no day lost")
	row.null("min_trl_days", row.MinTRLDays, "the Sharpe ratio is not positive")
	row.null("hit_rate", row.HitRate, "no day with a position")
	if len(active) == 0 {
		row.null("profit_factor", row.ProfitFactor, "no day with a position")
	} else {
		row.null("profit_factor", row.ProfitFactor, "no day with a position lost")
	}
}

// trading fills the figures of fills and round trips.
func (row *PnLRow) trading(a *account) {
	trips := float64(a.trips)
	row.TurnoverPerDay, row.Exposure = Figure(a.turnover/a.days()), Figure(a.exposure)
	row.HoldingHours, row.HitRateTrips = Figure(a.hours/trips), Figure(float64(a.wins)/trips)
	row.BreakEvenBps = Figure((a.total.PricePnL + a.total.Funding) / a.notional / basisPoint)
	if a.ruined {
		row.TurnoverPerDay = null
		row.reason("turnover_per_day", "equity fell to nothing")
	}
	if a.notional == 0 {
		row.BreakEvenBps = null
		row.reason("break_even_bps", "no trades")
	}
	row.null("mean_holding_hours", row.HoldingHours, "no round trip ended")
	row.null("hit_rate_trips", row.HitRateTrips, "no round trip ended")
}

// against fills the comparison with the benchmark.
func (row *PnLRow) against(returns []float64, hold *account, e study.EvaluationConfig) {
	row.BuyAndHold, row.Alpha, row.Beta = null, null, null
	if hold == nil {
		for _, key := range []string{"buy_and_hold", "alpha", "beta"} {
			row.reason(key, unknownFunding)
		}
		return
	}
	row.BuyAndHold = Figure(hold.final/hold.capital - 1)
	if n := min(len(hold.returns), len(returns)); n >= 2 {
		alpha, beta := metrics.AlphaBeta(returns[:n], hold.returns[:n], metrics.PeriodRate(e.RiskFree, daysPerYear), daysPerYear)
		row.Alpha, row.Beta = Figure(alpha), Figure(beta)
		row.null("alpha", row.Alpha, "buying and holding returned the same every day")
		row.null("beta", row.Beta, "buying and holding returned the same every day")
		return
	}
	row.reason("alpha", "fewer than two days")
	row.reason("beta", "fewer than two days")
}

// unknown makes null what depends on a funding payment that is not known.
func (row *PnLRow) unknown() {
	for key, f := range map[string]*Figure{
		"final_equity": &row.FinalEquity, "funding": &row.Funding, "total_return": &row.TotalReturn, "cagr": &row.CAGR,
		"volatility": &row.Volatility, "sharpe": &row.Sharpe, "sortino": &row.Sortino, "calmar": &row.Calmar, "omega": &row.Omega,
		"sharpe_low": &row.SharpeLow, "sharpe_high": &row.SharpeHigh, "total_return_low": &row.TotalReturnLow, "total_return_high": &row.TotalReturnHigh,
		"max_drawdown": &row.MaxDrawdown, "max_drawdown_days": &row.MaxDrawdownDays, "var_95": &row.VaR95, "es_95": &row.ES95,
		"skew": &row.Skew, "kurtosis": &row.Kurtosis, "best_day": &row.BestDay, "worst_day": &row.WorstDay,
		"turnover_per_day": &row.TurnoverPerDay, "exposure": &row.Exposure, "mean_holding_hours": &row.HoldingHours,
		"hit_rate": &row.HitRate, "hit_rate_trips": &row.HitRateTrips, "profit_factor": &row.ProfitFactor, "break_even_bps": &row.BreakEvenBps,
		"psr": &row.PSR, "min_trl_days": &row.MinTRLDays, "buy_and_hold": &row.BuyAndHold, "alpha": &row.Alpha, "beta": &row.Beta,
	} {
		*f = null
		row.reason(key, unknownFunding)
	}
}

// null records why a figure is missing, if it is.
func (row *PnLRow) null(key string, f Figure, why string) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		row.reason(key, why)
	}
}

func (row *PnLRow) reason(key, why string) {
	if row.Reasons == nil {
		row.Reasons = map[string]string{}
	}
	row.Reasons[key] = why
}
