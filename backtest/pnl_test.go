package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
)

// Half-day bars, capital 1000, no costs; 10 are bought at the open of bar 1 and sold at that of bar 6.
//
//	bar     0     1     2     3     4     5      6      7
//	close   100   100   110   121   121   108.9  108.9  108.9
//	equity  1000  1000  1100  1210  1210  1089   1089   1089
//	day     0           1           2            3
//	return  0           0.21        −0.1         0
//
// Every day has a position for a while, one of four gained. The drawdown of 10 % is under water from bar 4's
// label to the end, 1.5 days. Each fill turns over the whole equity.
func TestPnLFigures(t *testing.T) {
	closes := []float64{100, 100, 110, 121, 121, 108.9, 108.9, 108.9}
	open := []float64{100, 100, 100, 110, 121, 121, 108.9, 108.9}
	m, target, w := market(table{contract: linear, columns: map[string][]float64{"open": open, "close": closes}, target: []float64{1, 1, 1, 1, 1, 0, 0, 0}})
	m.Every = 12 * time.Hour
	for k := range m.Close {
		m.Close[k] = int64(k+1) * m.Every.Microseconds()
	}
	w.To = m.Close[7]
	r, err := Simulate(m, target, w, execution())
	if err != nil {
		t.Fatal(err)
	}
	hold, err := benchmark(m, w, execution())
	if err != nil {
		t.Fatal(err)
	}
	row := pnlRow(m, "composite", All, r, hold, study.EvaluationConfig{})
	returns := []float64{0, 0.21, -0.1, 0}
	inference := metrics.InferSharpe(returns)
	for _, c := range []struct {
		what string
		got  Figure
		want float64
	}{
		{"final equity", row.FinalEquity, 1089},
		{"total return", row.TotalReturn, 0.089},
		{"cagr", row.CAGR, math.Pow(1.089, 365./4) - 1},
		{"max drawdown", row.MaxDrawdown, -0.1},
		{"max drawdown days", row.MaxDrawdownDays, 1.5},
		{"volatility", row.Volatility, metrics.Std(returns) * math.Sqrt(365)},
		{"sharpe", row.Sharpe, metrics.Mean(returns) / metrics.Std(returns) * math.Sqrt(365)},
		{"sortino", row.Sortino, metrics.Mean(returns) * 365 / (0.1 / 2 * math.Sqrt(365))},
		{"omega", row.Omega, 2.1},
		{"var", row.VaR95, -0.085},
		{"es", row.ES95, -0.1},
		{"best day", row.BestDay, 0.21},
		{"worst day", row.WorstDay, -0.1},
		{"psr", row.PSR, inference.Probabilistic(0)},
		{"min trl", row.MinTRLDays, inference.MinTrackRecord(0, 0.95)},
		{"hit rate", row.HitRate, 0.25},
		{"profit factor", row.ProfitFactor, 2.1},
		{"hit rate of trips", row.HitRateTrips, 1},
		{"holding hours", row.HoldingHours, 60},
		{"turnover per day", row.TurnoverPerDay, 0.5},
		{"exposure", row.Exposure, 5. / 8},
		{"break-even", row.BreakEvenBps, 1e4 * 89 / 2089},
		{"buy and hold", row.BuyAndHold, 0.089},
		{"alpha", row.Alpha, 0},
		{"beta", row.Beta, 1},
		{"without funding", row.UnfundedPnL, 89},
	} {
		if !(math.Abs(float64(c.got)-c.want) <= 1e-12*max(1, math.Abs(c.want))) {
			t.Errorf("%s = %.15g, want %.15g", c.what, c.got, c.want)
		}
	}
	if row.Trades != 2 {
		t.Errorf("%d trades, want 2", row.Trades)
	}
}

// A ruin is the last day; what comes after has no return.
func TestRuinedDailyReturns(t *testing.T) {
	r := &Run{Window: study.Span{Hi: 3}, Capital: 100, Equity: []float64{50, -10, -10}, Quantity: [][]float64{{1, 1, 0}}}
	returns, held := r.dailyReturns([]daySpan{{0, 0, 1}, {1, 1, 2}, {2, 2, 3}})
	wantSeries(t, "returns", returns, []float64{-0.5, -1.2})
	if len(held) != 2 || !held[0] || !held[1] {
		t.Errorf("held %v", held)
	}
}
