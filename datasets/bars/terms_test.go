package bars

import (
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// A multiplier that changed on a day counts from that day: 2 contracts of 0.1 coins at 100, then 20 of 0.01 at 100, and in an inverse
// contract 3 of 100 dollars, then 3 of 10. The same in bars of trades and in time bars, and for liquidations.
func TestMultiplierOfTheDay(t *testing.T) {
	s := newMemStore()
	for k, amount := range []float64{2, 20} {
		d := day0 + datasets.Day(k)
		s.put(datasets.Trades, btc, d, tradeAt(hms(d, 1, 0, 0), "buy", 100, amount))
		s.put(datasets.Liquidations, btc, d, tradeAt(hms(d, 1, 0, 0), "sell", 100, amount))
	}
	changes := []datasets.MultiplierChange{{Day: day0 + 1, Before: 0.1}}
	for _, spec := range []Spec{{Every: 24 * time.Hour}, {Kind: TickBars, Size: 1}, {Kind: TickBars, Size: 1, TickWindows: []int{1}}} {
		q := Request{Instrument: btc, Contract: datasets.Contract{Multiplier: 0.01}, Changes: changes, First: day0, End: day0 + 2, Spec: spec}
		if spec.Every > 0 {
			q.Feeds = []datasets.DataType{datasets.Liquidations}
		}
		got := mustBuild(t, s, q, Options{})
		wantCells(t, got, "turnover", []float64{20, 20})
		wantCells(t, got, "volume", []float64{0.2, 0.2})
		if spec.Every > 0 {
			wantCells(t, got, "liquidated_long", []float64{20, 20})
		}
		got.Record.Release()
	}
	q := Request{Instrument: btc, Contract: datasets.Contract{Inverse: true, Multiplier: 10}, First: day0, End: day0 + 2, Spec: Spec{Every: 24 * time.Hour},
		Changes: []datasets.MultiplierChange{{Day: day0 + 1, Before: 100}}}
	got := mustBuild(t, s, q, Options{})
	wantCells(t, got, "turnover", []float64{200, 200})
	wantCells(t, got, "volume", []float64{2, 2})
	got.Record.Release()
}
