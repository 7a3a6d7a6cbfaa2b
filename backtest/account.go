package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
)

// account is a run summed up: what its figures are made of.
type account struct {
	window         study.Span
	capital, final float64
	total          Ledger
	trades         int
	ruined         bool
	unknown        int // settlements that the data does not show

	returns []float64 // by UTC day
	held    []bool    // the days with a position
	down    metrics.Drawdown

	turnover float64 // Σ of the fills' notional, at the price before costs, over equity
	notional float64 // Σ of it at the price paid, quote currency
	exposure float64 // mean over bars of Σ abs(weight)
	trips    int     // round trips that ended
	wins     int     // those that earned more than their costs
	hours    float64 // their length
}

// days is the length of the window.
func (a *account) days() float64 {
	return float64(a.window.To-a.window.From) / float64(datasets.MicrosPerDay)
}

// account sums a run up.
func (r *Run) account(m *Market) *account {
	w := r.Window
	a := &account{
		window: w, capital: r.Capital, final: r.Capital, total: r.Total, trades: len(r.Fills), ruined: r.Ruined,
		unknown: r.UnknownSettlements, trips: len(r.Trips),
	}
	if a.unknown > 0 {
		return a
	}
	if n := len(r.Equity); n > 0 {
		a.final = r.Equity[n-1]
	}
	a.returns, a.held = r.dailyReturns(m.days(w))
	a.down = metrics.MaxDrawdown(r.Capital, w.From, r.Equity, m.Close[w.Lo:w.Hi])
	for _, f := range r.Fills {
		a.turnover += m.Contracts[f.Instrument].Notional(f.Reference, math.Abs(f.Quantity)) / r.Equity[f.Row-w.Lo]
		a.notional += f.Notional
	}
	for i := range r.Weight {
		for _, w := range r.Weight[i] {
			a.exposure += math.Abs(w)
		}
	}
	a.exposure /= float64(len(r.Equity))
	for _, t := range r.Trips {
		a.hours += float64(m.Close[t.Exit]-m.Close[t.Entry]) / float64(microsPerHour)
		if t.PnL > 0 {
			a.wins++
		}
	}
	return a
}
