package factors

var depth = Kind{
	Name:    "depth",
	Formula: "notional depth of both sides of the book at the close",
	Units:   "quote currency",
	Inputs:  []string{"bid_depth_5", "ask_depth_5", "bid_depth_25", "ask_depth_25", "bid_depth_10bps", "ask_depth_10bps"},
	Params:  []Param{levels},
	Needs:   sides,
	New: func(p Params, _ *Grid) (Factor, error) {
		return bookSides(p, func(bid, ask float64) float64 { return bid + ask })
	},
}

var levels = Param{Name: "levels", Type: ChoiceParam, Default: "5", Choices: []string{"5", "25", "10bps"},
	Doc: "the top 5 or 25 levels, or those within 10 bps of mid"}

// sides are the fields of the depth of both sides, bid first.
func sides(p Params) ([]string, error) {
	return []string{"bid_depth_" + p["levels"], "ask_depth_" + p["levels"]}, nil
}

// bookSides is a function of the depths of the two sides at the close.
func bookSides(p Params, f func(bid, ask float64) float64) (Factor, error) {
	inputs, err := sides(p)
	return Factor{
		Inputs:   inputs,
		Lookback: 1,
		Start: stateless(func(dst []float64, in [][]float64) {
			for t := range dst {
				dst[t] = f(in[0][t], in[1][t])
			}
		}),
	}, err
}
