package backtest

import (
	"slices"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// A lake that has quotes makes fills pay half of the quoted spread, though no factor asks for them; one
// that has none makes them pay what the study says.
func TestFillsPayTheSpreadThatTheLakeHas(t *testing.T) {
	const depth = "factors=[{name: mom, kind: momentum, window: 3h}, {name: d, kind: depth_imbalance}]"
	only := []string{"composite.components=[{factor: mom, weight: 1}]", "execution.half_spread_bps=0"}
	// The same market twice; a study with a book factor is what brings the snapshots in.
	with, study := simulatedLake(t, small, nil, append(slices.Clone(only), depth)...)
	without, _ := simulatedLake(t, small, nil, append(slices.Clone(only), "factors=[{name: mom, kind: momentum, window: 3h}]")...)
	study.Factors = study.Factors[:1]
	slippage := func(lake *datasets.Lake) (float64, int) {
		r, err := Backtest(t.Context(), lake, study, Options{NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		a := r.Runs[0].Account
		return a.Total.Slippage, a.Fills
	}
	if cost, fills := slippage(with); cost <= 0 || fills == 0 {
		t.Errorf("with quotes: slippage %v over %d fills, want more than 0", cost, fills)
	}
	if cost, fills := slippage(without); cost != 0 || fills == 0 {
		t.Errorf("without quotes: slippage %v over %d fills, want the configured 0", cost, fills)
	}
}
