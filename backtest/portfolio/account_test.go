package portfolio

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// stretched is a market of one linear instrument whose bars have another length.
func stretched(bar time.Duration, open, closes, target []float64) (*testMarket, study.Span) {
	m, _, span := market(table{contract: linear, columns: map[string][]float64{"open": open, "close": closes}, target: target})
	m.Market.Grid.Every = bar
	for k := range m.Close {
		m.Close[k] = int64(k+1) * bar.Microseconds()
	}
	span.To = m.Close[len(m.Close)-1]
	return m, span
}

// Half-day bars, capital 1000, no costs; 10 are bought at the open of bar 1 and sold at that of bar 6.
//
//	bar     0     1     2     3     4     5      6      7
//	close   100   100   110   121   121   108.9  108.9  108.9
//	equity  1000  1000  1100  1210  1210  1089   1089   1089
//	day     0           1           2            3
//	return  0           0.21        −0.1         0
//
// Every day has a position for a while. The drawdown of 10 % is under water from bar 4's label to the end, 1.5 days. Each
// fill turns over the whole equity, and the round trip lasts from the label of bar 1 to that of bar 6, 60 hours.
func TestAccount(t *testing.T) {
	closes := []float64{100, 100, 110, 121, 121, 108.9, 108.9, 108.9}
	open := []float64{100, 100, 100, 110, 121, 121, 108.9, 108.9}
	target := []float64{1, 1, 1, 1, 1, 0, 0, 0}
	m, span := stretched(12*time.Hour, open, closes, target)
	r, err := simulate(m, newTarget(m, target), span, execution())
	if err != nil {
		t.Fatal(err)
	}
	a := r.Account
	returns, held := a.Daily()
	wantSeries(t, "returns", returns, []float64{0, 0.21, -0.1, 0})
	if !slices.Equal(held, []bool{true, true, true, true}) {
		t.Errorf("held on %v", held)
	}
	half := (12 * time.Hour).Microseconds()
	d := a.Drawdown
	wantSeries(t, "drawdown", []float64{d.Max}, []float64{-0.1})
	if d.Peak != 4 || d.Trough != 5 || d.PeakAt != 5*half || d.TroughAt != 6*half || d.Longest != 3*half || d.Current != 3*half || !d.Open {
		t.Errorf("drawdown %+v", d)
	}
	wantSeries(t, "sums", []float64{a.Capital, a.Final, a.Length(), a.Turnover, a.Notional, a.Exposure, a.Total.PricePnL, a.Total.Net()},
		[]float64{1000, 1089, 4, 2, 2089, 5. / 8, 89, 89})
	if want := (RoundTrips{Count: 1, Wins: 1, Hours: 60, Gains: a.Trips.Best, Best: 89, Worst: 89}); a.Fills != 2 || math.Abs(a.Trips.Best-89) > 1e-9 ||
		a.Trips.Count != want.Count || a.Trips.Wins != want.Wins || a.Trips.Hours != want.Hours || a.Trips.Gains != want.Gains || a.Trips.Losses != 0 {
		t.Errorf("%d fills, round trips %+v", a.Fills, a.Trips)
	}
}

// A ruin is the last day; what comes after has no return.
func TestRuinIsTheLastDay(t *testing.T) {
	closes := []float64{100, 100, 150, 210, 300}
	target := []float64{-1, -1, -1, -1, -1}
	m, span := stretched(24*time.Hour, closes, closes, target)
	r, err := simulate(m, newTarget(m, target), span, execution())
	if err != nil {
		t.Fatal(err)
	}
	returns, held := r.Account.Daily()
	wantSeries(t, "returns", returns, []float64{0, 0, -0.5, -1.2})
	if !slices.Equal(held, []bool{false, true, true, true}) || !r.Ruined || r.Account.Days[3].Day != datasets.Day(3) {
		t.Errorf("held on %v, ruined %v", held, r.Ruined)
	}
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 500, -100, -100})
	if d := r.Account.Drawdown; !d.Open || d.Current != 3*24*time.Hour.Microseconds() {
		t.Errorf("drawdown %+v, want three days under water", d)
	}
}

// One round trip earns 10 long at 100 and 101; the other loses 2 a unit, short 1000/101 units at 101.
func TestRoundTrips(t *testing.T) {
	closes := []float64{100, 100, 101, 101, 103, 103}
	target := []float64{1, 0, -1, 0, 0, 0}
	m, span := stretched(time.Hour, closes, closes, target)
	e := execution()
	e.Sizing = "fixed"
	r, err := simulate(m, newTarget(m, target), span, e)
	if err != nil {
		t.Fatal(err)
	}
	x := r.Account.Trips
	short := -1000. / 101 * 2
	wantSeries(t, "round trips", []float64{float64(x.Count), float64(x.Wins), x.Hours, x.Gains, x.Losses, x.Best, x.Worst}, []float64{2, 1, 2, 10, short, 10, short})
}
