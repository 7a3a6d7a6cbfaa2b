package reports

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest"
)

// The numbers of equal stretches that curves are thinned to. Each stretch keeps the rows of the
// least and the greatest value of every curve.
const (
	equityStretches   = 160 // three curves: at most 962 points
	positionStretches = 120 // two curves: at most 482 points
)

// Curves are the run over the whole span by bar, thinned for drawing; equity.parquet and
// positions.parquet have every bar.
type Curves struct {
	Equity    EquityCurve     `json:"equity"`
	Positions []PositionCurve `json:"positions"`
}

// EquityCurve is equity in quote currency at bar closes. Its first point is the initial capital at
// the start of the span.
type EquityCurve struct {
	TS     []string          `json:"ts"`
	Equity []backtest.Figure `json:"equity"`
	// BeforeCosts is the capital with price PnL and funding alone: fees, slippage and impact added back.
	BeforeCosts []backtest.Figure `json:"before_costs"`
	// BuyAndHold is the capital spread equally over the instruments at the start and left there.
	BuyAndHold []backtest.Figure `json:"buy_and_hold"`
	// Drawdown is Equity over its highest value so far, minus 1; HoldDrawdown is that of BuyAndHold.
	Drawdown     []backtest.Figure `json:"drawdown"`
	HoldDrawdown []backtest.Figure `json:"buy_and_hold_drawdown"`
}

// PositionCurve is one instrument's close and the signed fraction of equity held in it.
type PositionCurve struct {
	Instrument string            `json:"instrument"`
	TS         []string          `json:"ts"`
	Price      []backtest.Figure `json:"price"`
	Weight     []backtest.Figure `json:"weight"`
}

func curves(r *backtest.Result) Curves {
	c := Curves{Equity: equityCurve(r), Positions: []PositionCurve{}}
	close := r.Market.Close
	for i, in := range r.Market.Instruments {
		price, weight := closes(r.Market, i)[r.Span.Lo:r.Span.Hi], r.All.Weight[i]
		p := PositionCurve{Instrument: in.String()}
		for _, t := range extremes(positionStretches, price, weight) {
			p.TS = append(p.TS, stamp(close[r.Span.Lo+t]))
			p.Price = append(p.Price, backtest.Figure(price[t]))
			p.Weight = append(p.Weight, backtest.Figure(weight[t]))
		}
		c.Positions = append(c.Positions, p)
	}
	return c
}

func equityCurve(r *backtest.Result) EquityCurve {
	run := r.All
	hold, costs := holding(r, 0), costsSoFar(run)
	down, holdDown := drawdown(run.Capital, run.Equity), drawdown(run.Capital, hold)
	capital := backtest.Figure(run.Capital)
	c := EquityCurve{
		TS:           []string{stamp(r.Span.From)},
		Equity:       []backtest.Figure{capital},
		BeforeCosts:  []backtest.Figure{capital},
		BuyAndHold:   []backtest.Figure{capital},
		Drawdown:     []backtest.Figure{0},
		HoldDrawdown: []backtest.Figure{0},
	}
	for _, t := range extremes(equityStretches, run.Equity, hold, down) {
		c.TS = append(c.TS, stamp(r.Market.Close[r.Span.Lo+t]))
		c.Equity = append(c.Equity, backtest.Figure(run.Equity[t]))
		c.BeforeCosts = append(c.BeforeCosts, backtest.Figure(run.Equity[t]+costs[t]))
		c.BuyAndHold = append(c.BuyAndHold, backtest.Figure(hold[t]))
		c.Drawdown = append(c.Drawdown, backtest.Figure(down[t]))
		c.HoldDrawdown = append(c.HoldDrawdown, backtest.Figure(holdDown[t]))
	}
	return c
}

// holding is the equity of buying and holding beside the k-th of namedRuns; NaN where it is not known.
func holding(r *backtest.Result, k int) []float64 {
	if k < len(r.Evaluation.Hold) && r.Evaluation.Hold[k] != nil {
		return r.Evaluation.Hold[k]
	}
	unknown := make([]float64, len(namedRuns(r)[k].Equity))
	for t := range unknown {
		unknown[t] = math.NaN()
	}
	return unknown
}

// costsSoFar sums fees, slippage and impact up to each bar.
func costsSoFar(run *backtest.Run) []float64 {
	out := make([]float64, len(run.Bar))
	sum := 0.0
	for t, l := range run.Bar {
		sum += l.Fees + l.Slippage + l.Impact
		out[t] = sum
	}
	return out
}

// drawdown is equity[t]/max(capital, equity[≤t]) − 1.
func drawdown(capital float64, equity []float64) []float64 {
	out := make([]float64, len(equity))
	high := capital
	for t, e := range equity {
		high = math.Max(high, e)
		out[t] = e/high - 1
	}
	return out
}

// extremes cuts the rows of several columns into n stretches of equal length and gives, in order,
// the rows to draw: the first, the last, and in each stretch those of every column's least and
// greatest value (the first of equals). A column's missing values are passed over. It takes
// O(rows · columns) time.
func extremes(n int, columns ...[]float64) []int {
	rows := len(columns[0])
	if rows == 0 {
		return nil
	}
	keep := []int{0, rows - 1}
	for k := range n {
		lo, hi := k*rows/n, (k+1)*rows/n
		for _, c := range columns {
			least, most := -1, -1
			for t := lo; t < hi; t++ {
				if !finite(c[t]) {
					continue
				}
				if least < 0 || c[t] < c[least] {
					least = t
				}
				if most < 0 || c[t] > c[most] {
					most = t
				}
			}
			if least >= 0 {
				keep = append(keep, least, most)
			}
		}
	}
	slices.Sort(keep)
	return slices.Compact(keep)
}
