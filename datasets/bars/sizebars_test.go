package bars

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
)

// Bars of 5 coins: a trade that overshoots closes its bar whole, midnight closes what is open, and the
// label is the last trade's time.
func TestVolumeBarsByHand(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0,
		tradeAt(hms(day0, 1, 0, 0), "buy", 10, 3),
		tradeAt(hms(day0, 2, 0, 0), "sell", 20, 4), // 7 of 5
		tradeAt(hms(day0, 3, 0, 0), "buy", 30, 5),
		tradeAt(hms(day0, 4, 0, 0), "buy", 40, 1), // left open
	)
	s.put(datasets.Trades, btc, day0+2, tradeAt(hms(day0+2, 0, 0, 0), "unknown", 50, 1), tradeAt(hms(day0+2, 0, 0, 0), "sell", 60, 9))
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 3,
		Spec: Spec{Kind: VolumeBars, Size: 5, TickWindows: []int{2}}}
	got := mustBuild(t, s, q, Options{})
	if want := []int64{hms(day0, 2, 0, 0), hms(day0, 3, 0, 0), hms(day0, 4, 0, 0), hms(day0+2, 0, 0, 0)}; !slices.Equal(labels(got), want) {
		t.Errorf("labels %v, want %v", labels(got), want)
	}
	for name, want := range map[string][]float64{
		"open": {10, 30, 40, 50}, "high": {20, 30, 40, 60}, "low": {10, 30, 40, 50}, "close": {20, 30, 40, 60},
		"volume": {7, 5, 1, 10}, "turnover": {110, 150, 40, 590}, "trades": {2, 1, 1, 2}, "buy_trades": {1, 1, 1, 0},
		"ofi_2t": {-50. / 110, 70. / 230, 1, -1}, // the last two trades: after the missing day anew
	} {
		wantCells(t, got, name, want)
	}
}

// Ten amounts of 0.1 are a bar of 1, though their sum as floating-point numbers is below it.
func TestVolumeBarsRounding(t *testing.T) {
	s := newMemStore()
	var rows [][]any
	for i := range int64(20) {
		rows = append(rows, tradeAt(hms(day0, 0, 0, i), "buy", 10, 0.1))
	}
	s.put(datasets.Trades, btc, day0, rows...)
	for _, spec := range []Spec{{Kind: VolumeBars, Size: 1}, {Kind: DollarBars, Size: 10}} {
		got := mustBuild(t, s, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 1, Spec: spec}, Options{})
		wantCells(t, got, "trades", []float64{10, 10})
	}
}

// Tick, volume and dollar bars of any input, by the definitions.
func TestSizeBarsAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + datasets.Day(rapid.IntRange(1, 5).Draw(t, "days")),
			Feeds: []datasets.DataType{datasets.DerivativeTicker, datasets.Liquidations}}
		q.Spec = Spec{
			Kind:        rapid.SampledFrom([]Kind{TickBars, VolumeBars, DollarBars}).Draw(t, "kind"),
			Size:        float64(rapid.SampledFrom([]int{1, 2, 7, 20}).Draw(t, "size")),
			Clock:       rapid.SampledFrom([]Clock{Arrival, Exchange}).Draw(t, "clock"),
			TickWindows: rapid.SampledFrom([][]int{{1}, {2, 5}, {3, 7, 40}}).Draw(t, "windows"),
		}
		var held bool
		for d := q.First; d < q.End; d++ {
			held = drawTrades(t, s, d) || held
			drawTicker(t, s, d)
			drawLiquidations(t, s, d)
		}
		if !held {
			s.put(datasets.Trades, btc, q.First)
		}
		wantLabels, want := naiveSizeBars(s, q)
		var first *Series
		for _, workers := range []int{1, 2, 8, 0} {
			got, err := Build(context.Background(), s, q, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(labels(got), wantLabels) {
				t.Fatalf("labels\n got %v\nwant %v", labels(got), wantLabels)
			}
			for name, w := range want {
				if got.Record.Schema().HasField(name) {
					wantCells(t, got, name, w)
				}
			}
			if first == nil {
				first = got
			}
			wantSame(t, got, first, "workers")
		}
	})
}

func naiveSizeBars(s *memStore, q Request) (labels []int64, want map[string][]float64) {
	want = map[string][]float64{}
	put := func(name string, v float64) { want[name] = append(want[name], v) }
	type other struct {
		at   int64
		sort string // mark, long, short
		v    float64
		day  datasets.Day
	}
	var others []other
	timeOf := func(r []any) int64 {
		if q.Spec.Clock == Exchange {
			return r[0].(int64)
		}
		return r[1].(int64)
	}
	missing := func(feed datasets.DataType, d datasets.Day) bool {
		_, ok := s.files[datasets.Partition{Instrument: btc, Type: feed, Day: d}]
		return !ok
	}
	for d := q.First; d < q.End; d++ {
		now := (d - 1).Start()
		for _, r := range s.files[datasets.Partition{Instrument: btc, Type: datasets.DerivativeTicker, Day: d}] {
			if now = max(now, timeOf(r)); r[8] != nil {
				others = append(others, other{now, "mark", r[8].(float64), d})
			}
		}
		now = (d - 1).Start()
		for _, r := range s.files[datasets.Partition{Instrument: btc, Type: datasets.Liquidations, Day: d}] {
			now = max(now, timeOf(r))
			others = append(others, other{now, map[any]string{"buy": "short", "sell": "long", "unknown": ""}[r[3]], r[4].(float64) * r[5].(float64), d})
		}
	}
	used := make([]bool, len(others))
	var run []naiveTrade
	last := int64(-1 << 62)
	var bar []naiveTrade
	closeBar := func(d datasets.Day, label int64) {
		last = max(last, label)
		labels = append(labels, last)
		x := bar[0]
		open, high, low, closing := x.price, x.price, x.price, bar[len(bar)-1].price
		var volume, turnover, buy, sell, buys float64
		for _, x := range bar {
			high, low = max(high, x.price), min(low, x.price)
			volume += x.base
			turnover += x.notional
			buy += x.buy
			sell += x.sell
			buys += x.isBuy
		}
		for name, v := range map[string]float64{"open": open, "high": high, "low": low, "close": closing, "volume": volume,
			"turnover": turnover, "buy_turnover": buy, "sell_turnover": sell, "trades": float64(len(bar)), "buy_trades": buys} {
			put(name, v)
		}
		if put("vwap", turnover/volume); volume == 0 {
			want["vwap"][len(want["vwap"])-1] = nan
		}
		for _, n := range q.Spec.TickWindows {
			if len(run) < n {
				put(fmt.Sprintf("ofi_%dt", n), nan)
				continue
			}
			var b, s float64
			for _, x := range run[len(run)-n:] {
				b += x.buy
				s += x.sell
			}
			put(fmt.Sprintf("ofi_%dt", n), (b-s)/(b+s))
		}
		bar = nil
		if q.Spec.Clock == Exchange {
			return // other feeds: see below
		}
		mark, liquidated := nan, map[string]float64{"long": 0, "short": 0}
		for day := q.First; day <= d; day++ {
			if missing(datasets.DerivativeTicker, day) {
				mark = nan
			}
			if missing(datasets.Liquidations, day) {
				liquidated = map[string]float64{"long": 0, "short": 0}
			}
			for i, o := range others {
				if o.day != day || o.at >= last {
					continue
				}
				if o.sort == "mark" {
					mark = o.v
				} else if !used[i] {
					used[i] = true
					liquidated[o.sort] += o.v
				}
			}
		}
		put("mark_price", mark)
		for _, side := range []string{"long", "short"} {
			if missing(datasets.Liquidations, d) {
				liquidated[side] = nan
			}
			put("liquidated_"+side, liquidated[side])
		}
	}
	for d := q.First; d < q.End; d++ {
		if missing(datasets.Trades, d) {
			run = nil
		}
		now := (d - 1).Start()
		var count, base, notional float64
		for _, r := range s.files[datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: d}] {
			now = max(now, timeOf(r))
			price, amount := r[4].(float64), r[5].(float64)
			x := naiveTrade{price: price, base: amount, notional: price * amount}
			switch r[3] {
			case "buy":
				x.buy, x.isBuy = x.notional, 1
			case "sell":
				x.sell = x.notional
			}
			run, bar = append(run, x), append(bar, x)
			count, base, notional = count+1, base+amount, notional+x.notional
			if map[Kind]float64{TickBars: count, VolumeBars: base, DollarBars: notional}[q.Spec.Kind] >= q.Spec.Size {
				closeBar(d, now)
				count, base, notional = 0, 0, 0
			}
		}
		if len(bar) > 0 {
			closeBar(d, now)
		}
	}
	return labels, want
}

// drawTicker puts a day of random mark prices, or none.
func drawTicker(t *rapid.T, s *memStore, d datasets.Day) {
	var rows [][]any
	at := d.Start()
	n := rapid.SampledFrom([]int{-1, 0, 1, 5, 30}).Draw(t, "ticker rows")
	if n < 0 {
		return
	}
	for range n {
		at = min(at+rapid.SampledFrom([]int64{0, 1, 2, 9}).Draw(t, "step")*900_000_000, (d+1).Start()-1)
		rows = append(rows, tickerAt(at, nan, nan, float64(rapid.IntRange(1, 99).Draw(t, "mark"))))
	}
	s.put(datasets.DerivativeTicker, btc, d, rows...)
}

// drawLiquidations puts a day of random liquidations, or none.
func drawLiquidations(t *rapid.T, s *memStore, d datasets.Day) {
	var rows [][]any
	at := d.Start()
	n := rapid.SampledFrom([]int{-1, 0, 1, 5, 30}).Draw(t, "liquidation rows")
	if n < 0 {
		return
	}
	for range n {
		at = min(at+rapid.SampledFrom([]int64{0, 1, 2, 9}).Draw(t, "step")*900_000_000, (d+1).Start()-1)
		rows = append(rows, tradeAt(at, rapid.SampledFrom([]string{"buy", "sell", "unknown"}).Draw(t, "side"),
			float64(rapid.IntRange(1, 9).Draw(t, "price")), float64(rapid.IntRange(0, 5).Draw(t, "amount"))))
	}
	s.put(datasets.Liquidations, btc, d, rows...)
}

// Notional per bar on the grid; a quiet bar of a day that was recorded has 0.
func TestLiquidationColumns(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0)
	s.put(datasets.Liquidations, btc, day0,
		tradeAt(hms(day0, 1, 0, 0), "sell", 10, 3),
		tradeAt(hms(day0, 2, 0, 0), "buy", 20, 4),
		tradeAt(hms(day0, 12, 0, 0), "sell", 30, 1),
		tradeAt(hms(day0, 12, 0, 0), "unknown", 30, 1))
	s.put(datasets.Liquidations, btc, day0+1)
	got := mustBuild(t, s, Request{Instrument: btc, Contract: datasets.Contract{Multiplier: 2}, First: day0, End: day0 + 3,
		Spec: Spec{Every: 12 * time.Hour}, Feeds: []datasets.DataType{datasets.Liquidations}}, Options{})
	wantCells(t, got, "liquidated_long", []float64{60, 60, 0, 0, nan, nan})
	wantCells(t, got, "liquidated_short", []float64{160, 0, 0, 0, nan, nan})
}
