package portfolio

import (
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"testing"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
)

// A buy of 10 at 100 against a median turnover of 4000 a bar and 1 % of volatility a bar, with k = 2, moves the
// price by 2·σ·sqrt(1000/4000) = σ.
func TestSquareRootImpact(t *testing.T) {
	const n = 40
	x := table{contract: linear, columns: map[string][]float64{"close": fill(n, 100), "turnover": fill(n, 4000)}, target: fill(n, 0)}
	var returns []float64
	for k := 1; k < n-2; k++ {
		x.columns["close"][k] = 100 * math.Exp(0.01*float64(k%2))
	}
	for k := 1; k < n-1; k++ {
		returns = append(returns, math.Log(x.columns["close"][k]/x.columns["close"][k-1]))
	}
	x.columns["turnover"][5], x.columns["turnover"][6] = 0, 1e9
	x.target[n-2], x.target[n-1] = 1, 1
	e := execution()
	e.Impact = study.ImpactConfig{Model: study.SquareRoot, K: 2}
	r := runOf(t, e, x)
	sigma := metrics.Std(returns)
	wantSeries(t, "impact", []float64{r.Total.Impact, r.Total.Slippage}, []float64{10 * 100 * sigma, 0})

	x.columns["turnover"] = fill(n, nan)
	if r := runOf(t, e, x); r.Total.Impact != 0 || len(r.Warnings) != 1 {
		t.Errorf("impact %v without turnover, warnings %v", r.Total.Impact, r.Warnings)
	}
}

// 1000 contracts at a rate of 0.8 % per 8 hours pay 8/480 a minute; the rate of a bar is the one shown at the
// close before it.
//
//	bar 1 buys at its open, rate 0.008: −8/480
//	bar 2 rate 0: nothing
//	bar 3 rate −0.008: +8/480; decides 0 at bar 2, so sold at the open of bar 3: nothing after all
func TestContinuousFunding(t *testing.T) {
	e := execution()
	e.Funding = true
	contract := datasets.Contract{Inverse: true, Multiplier: 1, ContinuousFunding: true}
	x := table{contract: contract, columns: map[string][]float64{
		"close": fill(5, 100), "funding_rate": {0.008, 0, -0.008, 1, 1},
	}, target: []float64{1, 1, 0, 0, 0}}
	r := runOf(t, e, x)
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000 - 8./480, 1000 - 8./480, 1000 - 8./480, 1000 - 8./480})

	e.Price = "close" // held from the close of bar 1 to that of bar 3
	r = runOf(t, e, x)
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 1000, 1000 + 8./480, 1000 + 8./480})

	x.columns["funding_rate"] = []float64{nan, nan, 0, 0, 0}
	if r := runOf(t, e, x); r.unknown() != 1 {
		t.Errorf("%d bars without a rate, want 1", r.unknown())
	}
}

// B moves twice as much as A, so that it has half of A's share: 2/3 and 1/3 once 20 returns are known and a
// day begins.
func TestInverseVolatility(t *testing.T) {
	const n = 2000
	of := func(size float64) table {
		x := table{contract: linear, columns: map[string][]float64{"close": fill(n, 100)}, target: fill(n, 1)}
		for k := range n {
			x.columns["close"][k] = 100 * math.Exp(size*float64(k%2))
		}
		return x
	}
	e := execution()
	e.Allocation = study.InverseVolatility
	r := runOf(t, e, of(0.0001), of(0.0002))
	for i, want := range []float64{2. / 3, 1. / 3} {
		if got := r.Weight[i][100]; math.Abs(got-0.5) > 1e-3 {
			t.Errorf("instrument %d has weight %v on the first day, want 1/2", i, got)
		}
		if got := r.Weight[i][1500]; math.Abs(got-want) > 1e-3 {
			t.Errorf("instrument %d has weight %v on the second day, want %v", i, got, want)
		}
	}
}

// A frictionless run pays nothing, measured spread or not.
func TestFrictionless(t *testing.T) {
	e := execution()
	e.TakerBps, e.HalfSpreadBps = 5, 5
	m, target, w := market(table{contract: linear, columns: map[string][]float64{
		"close": {100, 101, 102}, "bid": {99, 99, 99}, "ask": {101, 101, 101},
	}, target: []float64{1, 1, 1}})
	r, err := simulateEquity(m, target, w, e, true)
	if err != nil {
		t.Fatal(err)
	}
	if net := r.Total.Net(); net != r.Total.PricePnL || net == 0 {
		t.Errorf("net %v of price PnL %v", net, r.Total.PricePnL)
	}
}

// Short 10 at 100 from the open of bar 1 to that of bar 3. Borrowing costs 525,600 bps a year, which is 1e-4 of
// the value a minute: of 1000 in bar 1 and of 1100 in bar 2.
//
//	bar  close target
//	0    100   -1      decides −10
//	1    110   -1      price −100, borrowing 0.1:  equity 899.9
//	2    105    0      price +50, borrowing 0.11:  equity 949.79
//	3    105    0      bought back at its open, no borrowing
func TestBorrowingShortSpot(t *testing.T) {
	e := execution()
	e.SpotShort = &study.SpotShortConfig{BorrowBps: 525_600}
	x := table{contract: spot, columns: map[string][]float64{"open": {100, 100, 110, 105}, "close": {100, 110, 105, 105}}, target: []float64{-1, -1, 0, 0}}
	r := runOf(t, e, x)
	wantSeries(t, "equity", r.Equity, []float64{1000, 899.9, 949.79, 949.79})
	wantSeries(t, "ledger", []float64{r.Total.PricePnL, r.Total.Funding, r.Trips[0].PnL}, []float64{-50, -0.21, -50.21})
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %v", r.Warnings)
	}

	e.Price = "close" // held from the close of bar 1 to that of bar 3, through bars 2 and 3
	r = runOf(t, e, x)
	wantSeries(t, "funding", []float64{r.Bar[1].Funding, r.Bar[2].Funding, r.Bar[3].Funding}, []float64{0, -0.11, -0.105})

	x.target = []float64{1, 1, 0, 0} // a long position borrows nothing
	if r := runOf(t, e, x); r.Total.Funding != 0 {
		t.Errorf("a long position paid %v", r.Total.Funding)
	}
	x.contract, x.target = linear, []float64{-1, -1, 0, 0} // nor does a short perpetual
	if r := runOf(t, e, x); r.Total.Funding != 0 {
		t.Errorf("a short perpetual paid %v", r.Total.Funding)
	}
}
