package backtest

import (
	"errors"
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
)

// variants trades the whole span again: at several delays, which shows how fast the edge dies, and without any
// fee, spread or impact. hold is the benchmark, nil where it is not known.
func variants(m *Market, run, hold *Run, s *study.Study) ([]VariantRow, error) {
	delays := s.Evaluation.Delays
	rows := make([]VariantRow, len(delays)+1)
	errs := make([]error, len(rows))
	datasets.ForAll(len(rows), func(k int) {
		e, name := s.Execution, "zero_cost"
		if k < len(delays) {
			e.Delay, name = delays[k], "delay"
		}
		r := run
		if k == len(delays) || e.Delay != s.Execution.Delay {
			r, errs[k] = simulateEquity(m, run.Target, run.Window, e, k == len(delays))
		}
		if errs[k] == nil {
			rows[k] = variantRow(m, name, e.Delay, r, s.Evaluation)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if hold != nil {
		rows = append(rows, variantRow(m, "buy_and_hold", s.Execution.Delay, hold, s.Evaluation))
	}
	return rows, nil
}

func variantRow(m *Market, name string, delay int, r *Run, e study.EvaluationConfig) VariantRow {
	return r.account(m).variant(name, delay, e)
}

func (a *account) variant(name string, delay int, e study.EvaluationConfig) VariantRow {
	row := VariantRow{
		Variant: name, Delay: delay, TotalReturn: null, Sharpe: null, MaxDrawdown: null, Funding: null, Trades: a.trades,
		PricePnL: Figure(a.total.PricePnL), Fees: Figure(a.total.Fees), Slippage: Figure(a.total.Slippage), Impact: Figure(a.total.Impact),
	}
	if a.unknown > 0 {
		row.Reasons = map[string]string{}
		for _, key := range []string{"total_return", "sharpe", "max_drawdown", "funding"} {
			row.Reasons[key] = unknownFunding
		}
		return row
	}
	row.Funding = Figure(a.total.Funding)
	row.TotalReturn = Figure(a.final/a.capital - 1)
	row.MaxDrawdown = Figure(a.down.Max)
	row.Sharpe = Figure(metrics.Sharpe(a.returns, metrics.PeriodRate(e.RiskFree, daysPerYear), daysPerYear))
	if math.IsNaN(float64(row.Sharpe)) {
		row.Reasons = map[string]string{"sharpe": "every day has the same return"}
	}
	return row
}
