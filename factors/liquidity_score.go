package factors

var liquidityScore = Kind{
	Name:    "liquidity_score",
	Formula: "1 / (1 + amihud(window))",
	Units:   "1",
	Source:  amihud.Source,
	Inputs:  amihud.Inputs,
	Params:  amihud.Params,
	New: func(p Params, g *Grid) (Factor, error) {
		illiquidity, err := amihud.make("amihud", p, g)
		if err != nil {
			return Factor{}, err
		}
		return Factor{
			Uses:     []Factor{illiquidity},
			Lookback: illiquidity.Lookback,
			Start: stateless(func(dst []float64, in [][]float64) {
				for t, x := range in[0] {
					dst[t] = 1 / (1 + x)
				}
			}),
		}, nil
	},
}
