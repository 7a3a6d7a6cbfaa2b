package backtest

import (
	"context"
	"flag"
	"fmt"
	"math"
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

var printSeeds = flag.Bool("seeds", false, "print the t of every seed")

// planted is the demo's study on the market of one seed.
func planted(t *testing.T, seed uint64, signal float64, set ...string) *Result {
	t.Helper()
	study, err := study.Parse("demo", []byte(`
version: 1
name: planted
data:
  instruments: [binance-futures:BTCUSDT, binance-futures:ETHUSDT]
  from: 2024-01-01
  to: 2024-05-21
`), set)
	if err != nil {
		t.Fatal(err)
	}
	market := &tardistest.Market{Seed: seed, Start: study.Data.From, Signal: signal}
	for _, in := range study.Data.Instruments {
		market.Instruments = append(market.Instruments, in.Instrument)
	}
	want, err := study.Partitions()
	if err != nil {
		t.Fatal(err)
	}
	lake, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	report, err := datasets.Fetch(ctx, dayFiles{market}, lake, want, datasets.FetchOptions{})
	if err != nil || report.Count(datasets.Fetched) != len(want) {
		t.Fatalf("seed %d: %d of %d days fetched, %v", seed, report.Count(datasets.Fetched), len(want), err)
	}
	result, err := Backtest(ctx, lake, study, Options{NoCache: true})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return result
}

// headline is the t of the composite over both instruments at the primary horizon.
func headline(t *testing.T, r *Result) evaluate.ICRow {
	t.Helper()
	for _, row := range r.Figures.IC {
		if row.Signal == "composite" && row.Instrument == evaluate.Pooled && row.Window == evaluate.All &&
			row.Horizon == r.Study.Evaluation.PrimaryHorizon.String() {
			return row
		}
	}
	t.Fatal("no row for the composite at the primary horizon")
	return evaluate.ICRow{}
}

// The default score on the demo's market: seeds 1 to 20, none chosen. Where the signal is planted
// its t at the primary horizon is to exceed 3 in at least 18; in the twin market, which has the same
// arrivals, sides and amounts and nothing to predict, abs(t) may exceed 2 in at most 3.
func TestPlantedSignalIsFoundAndItsTwinIsNot(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 40 markets of 141 days")
	}
	// What the score is worth does not depend on what trading it costs: funding stays out, and with
	// it half of the files.
	lean := []string{"execution.funding=false", "evaluation.horizons=[1h]", "evaluation.bootstrap=0"}
	const seeds = 20
	var with, without [seeds]evaluate.ICRow
	t.Run("markets", func(t *testing.T) {
		for i := range seeds {
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				t.Parallel()
				with[i] = headline(t, planted(t, uint64(i+1), tardistest.DefaultSignal, lean...))
				without[i] = headline(t, planted(t, uint64(i+1), 0, lean...))
			})
		}
	})
	found, falseAlarms := 0, 0
	for i := range seeds {
		if *printSeeds {
			t.Logf("seed %2d: planted IC %+.4f, t %5.2f; twin IC %+.4f, t %5.2f",
				i+1, with[i].Pearson, with[i].T, without[i].Pearson, without[i].T)
		}
		if with[i].T > 3 && with[i].Pearson > 0 {
			found++
		}
		if math.Abs(float64(without[i].T)) > 2 {
			falseAlarms++
		}
	}
	t.Logf("found in %d of 20, false alarms in %d of 20", found, falseAlarms)
	if found < 18 || falseAlarms > 3 {
		t.Errorf("want at least 18 found and at most 3 false alarms")
	}
}
