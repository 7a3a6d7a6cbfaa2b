package factors_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// A score from two factors over five one-hour bars.
func Example() {
	grid := &factors.Grid{
		Every:       time.Hour,
		BarsPerYear: 365 * 24,
		Instruments: []datasets.Instrument{{Exchange: "binance-futures", Symbol: "BTCUSDT"}},
	}
	for t := range 5 {
		grid.Close = append(grid.Close, time.Date(2024, 1, 1, t+1, 0, 0, 0, time.UTC).UnixMicro())
	}
	market := &factors.Frame{Grid: grid, Panels: []*factors.Panel{
		factors.NewPanel("close", grid, []float64{100, 110, 121, 110, 100}),
		factors.NewPanel("ofi_100t", grid, []float64{math.NaN(), 0.5, 0.25, -0.5, 0}),
	}}

	momentum, err := factors.Make("momentum_2h", "momentum", factors.Params{"window": "2h"}, grid)
	if err != nil {
		panic(err)
	}
	ofi, err := factors.Make("ofi", "ofi", nil, grid)
	if err != nil {
		panic(err)
	}
	frame, err := factors.Compute(context.Background(), market, []factors.Factor{momentum, ofi}, factors.Options{})
	if err != nil {
		panic(err)
	}
	score, err := frame.Composite(factors.Composite{
		Components: []factors.Component{{Factor: "momentum_2h", Weight: 2}, {Factor: "ofi", Weight: 1}},
		Normalize:  factors.Normalization{Method: factors.None},
	}, 0, grid.Len())
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", frame.Panel("momentum_2h").Col(0))
	fmt.Printf("%.3f\n", score.Col(0))
	// Output:
	// [NaN NaN 0.191 0.000 -0.191]
	// [NaN NaN 0.631 -0.500 -0.381]
}
