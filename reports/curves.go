package reports

import (
	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
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
	Equity []evaluate.Figure `json:"equity"`
	// Unfunded is Equity from where it is not known, without the funding that the data does not show; null before.
	Unfunded []evaluate.Figure `json:"without_funding"`
	// ZeroCost is the equity of the same targets traded without fees, spread and impact.
	ZeroCost []evaluate.Figure `json:"zero_cost"`
	// BuyAndHold is the capital spread equally over the instruments at the start and left there.
	BuyAndHold []evaluate.Figure `json:"buy_and_hold"`
	// Drawdown is Equity over its highest value so far, minus 1; HoldDrawdown is that of BuyAndHold.
	Drawdown     []evaluate.Figure `json:"drawdown"`
	HoldDrawdown []evaluate.Figure `json:"buy_and_hold_drawdown"`
}

// PositionCurve is one instrument's close and the signed fraction of equity held in it.
type PositionCurve struct {
	Instrument string            `json:"instrument"`
	TS         []string          `json:"ts"`
	Price      []evaluate.Figure `json:"price"`
	Weight     []evaluate.Figure `json:"weight"`
}

func curves(r *backtest.Result) Curves {
	c := Curves{Equity: equityCurve(r), Positions: []PositionCurve{}}
	for i, p := range r.Curves.Positions {
		c.Positions = append(c.Positions, PositionCurve{r.Grid.Instruments[i].String(), stamps(p.TS), figures(p.Price), figures(p.Weight)})
	}
	return c
}

// equityCurve blanks what is net and not known of the run, of its trade without costs and of holding, each from its own
// instant on.
func equityCurve(r *backtest.Result) EquityCurve {
	e, run := r.Curves.Equity, r.Runs[0]
	c := EquityCurve{
		TS: stamps(e.TS), Equity: figures(e.Equity), Unfunded: figures(e.Equity), ZeroCost: figures(e.BeforeCosts),
		BuyAndHold: figures(e.BuyAndHold), Drawdown: figures(e.Drawdown), HoldDrawdown: figures(e.HoldDrawdown),
	}
	for k, at := range e.TS {
		if run.Account.Known(at) {
			c.Unfunded[k] = nan
		} else {
			c.Equity[k], c.Drawdown[k], c.ZeroCost[k] = nan, nan, nan
		}
		if !run.Hold.Known(at) {
			c.BuyAndHold[k], c.HoldDrawdown[k] = nan, nan
		}
	}
	return c
}

func stamps(ts []int64) []string {
	out := make([]string, len(ts))
	for k, at := range ts {
		out[k] = stamp(at)
	}
	return out
}

func figures(x []float64) []evaluate.Figure {
	out := make([]evaluate.Figure, len(x))
	for k, v := range x {
		out[k] = evaluate.Figure(v)
	}
	return out
}

// drawdown fills dst with equity[t]/max(high, equity[≤t]) − 1, and gives the highest so far.
func drawdown(dst, equity []float64, high float64) ([]float64, float64) {
	dst = dst[:0]
	for _, e := range equity {
		high = max(high, e)
		dst = append(dst, e/high-1)
	}
	return dst, high
}
