package factors

import "math"

// A window in trades is a column of the bars, since trades run across them; min_periods is then
// without meaning.
var ofi = Kind{
	Name:    "ofi",
	Formula: "(ΣB − ΣS)/(ΣB + ΣS) over the window, B and S the buy and sell turnover by aggressor; missing where both are 0",
	Units:   "1, in [−1, 1]",
	Inputs:  []string{"buy_turnover", "sell_turnover"},
	Params: []Param{
		{Name: "window", Type: WindowParam, Default: "100 trades", Doc: "trades, or bars or time"},
		minPeriods,
	},
	Needs: func(p Params) ([]string, error) {
		w, err := ParseWindow(p["window"])
		if err != nil || w.Trades == 0 {
			return []string{"buy_turnover", "sell_turnover"}, err
		}
		return []string{TickField(w.Trades)}, nil
	},
	New: func(p Params, g *Grid) (Factor, error) {
		a := args{p: p, g: g}
		if n := a.window("window").Trades; n > 0 {
			return Factor{
				Inputs:   []string{TickField(n)},
				Lookback: 1,
				Start:    carried,
			}, a.err
		}
		return sumImbalance(p, g, "buy_turnover", "sell_turnover")
	},
}

// imbalance is (a−b)/(a+b), NaN where a+b is not positive.
func imbalance(a, b float64) float64 {
	if !(a+b > 0) {
		return math.NaN()
	}
	return (a - b) / (a + b)
}
