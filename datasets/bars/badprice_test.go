package bars

import (
	"context"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// No price that is not above 0 reaches a bar: its trade is left out, or held at the price before where each trade is a bar.
func TestBadPrices(t *testing.T) {
	s := newMemStore()
	at := func(seconds int) int64 { return day0.Start() + int64(seconds)*1_000_000 }
	trade := func(seconds int, price, amount float64) []any {
		return []any{at(seconds), at(seconds), "1", "buy", price, amount}
	}
	s.put(datasets.Trades, btc, day0, trade(1, -5, 9), trade(2, 100, 1), trade(3, 0, 9), trade(4, 102, 1), trade(13*3600, -1, 7))
	s.put(datasets.DerivativeTicker, btc, day0, tickerAt(at(1), nan, -0.01, 100), tickerAt(at(2), nan, nan, -3))
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 1, Spec: Spec{Every: 12 * time.Hour}, Feeds: []datasets.DataType{datasets.DerivativeTicker}}
	got := mustBuild(t, s, q, Options{})
	wantCells(t, got, "low", []float64{100, 102})
	wantCells(t, got, "close", []float64{102, 102})
	wantCells(t, got, "volume", []float64{2, 0})
	wantCells(t, got, "trades", []float64{2, 0})
	wantCells(t, got, "mark_price", []float64{100, 100})
	wantCells(t, got, "funding_rate", []float64{-0.01, -0.01})
	q.Spec, q.Feeds = Spec{Kind: TickBars, Size: 1}, nil
	want := map[string][]float64{"close": {nan, 100, 100, 102, 102}, "volume": {nan, 1, 0, 1, 0}}
	each := mustBuild(t, s, q, Options{})
	for name, x := range want {
		if name == "volume" {
			x[0] = 0
		}
		wantCells(t, each, name, x)
	}
	src, err := OpenSource(context.Background(), s, []Request{q}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range src.Blocks(context.Background(), Want{Hi: 5, Fields: []string{"close", "volume"}}) {
		if err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{"close", "volume"} {
			for i, w := range want[name] {
				if g := b.Cols[k][0][i]; g != w && !(g != g && w != w) {
					t.Errorf("%s of row %d is %v, want %v", name, i, g, w)
				}
			}
		}
	}
}
