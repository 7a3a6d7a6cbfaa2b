package backtest

import (
	"slices"
	"strings"
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

// Fills say what share of their bars' turnover they took, and more than a tenth of it is warned of.
func TestFillsLargerThanTheMarket(t *testing.T) {
	lake, study := simulatedLake(t, small, nil)
	largest := 0.0
	for _, capital := range []float64{1, 1e9} {
		study.Execution.InitialCapital = capital
		r, err := Backtest(t.Context(), lake, study, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := r.Figures.PnL[0]
		median, high := float64(p.Of("fill_share_median")), float64(p.Of("fill_share_largest"))
		if !(median > 0 && median <= high && high > largest) {
			t.Errorf("with a capital of %v fills take %v of a bar, %v at most", capital, median, high)
		}
		largest = high
		warned := slices.ContainsFunc(r.Warnings, func(w error) bool { return strings.Contains(w.Error(), "their bar's turnover") })
		if warned != (high > 0.1) || warned != (capital > 1) {
			t.Errorf("with a capital of %v fills take up to %v of a bar; warned: %v", capital, high, warned)
		}
	}
}
