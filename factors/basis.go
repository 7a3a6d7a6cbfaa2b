package factors

import "math"

var basis = Kind{
	Name:    "basis",
	Formula: "mark_price/index_price − 1 at the close",
	Units:   "1",
	Inputs:  []string{"mark_price", "index_price"},
	New: func(Params, *Grid) (Factor, error) {
		return Factor{
			Inputs:   []string{"mark_price", "index_price"},
			Lookback: 1,
			Start: stateless(func(dst []float64, in [][]float64) {
				for t, mark := range in[0] {
					if dst[t] = math.NaN(); in[1][t] > 0 {
						dst[t] = mark/in[1][t] - 1
					}
				}
			}),
		}, nil
	},
}
