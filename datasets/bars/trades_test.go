package bars

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
)

var nan = math.NaN()

// Six-hour bars over five days: a day with an idle bar and rows at labels, a known-empty day, a
// missing day, a day that begins idle, and a last day in which every side is unknown.
func TestTimeBarsByHand(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0,
		tradeAt(hms(day0, 6, 0, 0), "buy", 100, 2), // at the first label: the second bar
		tradeAt(hms(day0, 7, 0, 0), "sell", 90, 1),
		tradeAt(hms(day0, 11, 59, 59), "unknown", 110, 3),
		// nothing in [12:00, 18:00)
		tradeAt(hms(day0, 18, 0, 0), "sell", 80, 0), // a trade without amount
		tradeAt(hms(day0, 23, 59, 59), "sell", 70, 4),
	)
	s.put(datasets.Trades, btc, day0+1)
	// day0+2 is missing
	s.put(datasets.Trades, btc, day0+3,
		tradeAt(hms(day0+3, 6, 0, 1), "buy", 50, 1),
	)
	s.put(datasets.Trades, btc, day0+4,
		tradeAt(hms(day0+4, 0, 0, 0), "unknown", 60, 1), // exactly midnight: the new day's first bar
		tradeAt(hms(day0+4, 23, 59, 59), "unknown", 40, 2),
	)
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 5,
		Spec: Spec{Kind: TimeBars, Every: 6 * time.Hour, TickWindows: []int{2, 3}}}
	got := mustBuild(t, s, q, Options{})

	var want []int64
	for i := int64(1); i <= 20; i++ {
		want = append(want, day0.Start()+i*6*3600*1_000_000)
	}
	if fmt.Sprint(labels(got)) != fmt.Sprint(want) {
		t.Errorf("labels %v, want %v", labels(got), want)
	}
	for name, want := range map[string][]float64{
		//               day0                  empty day           missing             day0+3              day0+4
		"open":          {nan, 100, 110, 80 /**/, 70, 70, 70, 70 /**/, nan, nan, nan, nan /**/, nan, 50, 50, 50 /**/, 60, 60, 60, 40},
		"high":          {nan, 110, 110, 80 /**/, 70, 70, 70, 70 /**/, nan, nan, nan, nan /**/, nan, 50, 50, 50 /**/, 60, 60, 60, 40},
		"low":           {nan, 90, 110, 70 /* */, 70, 70, 70, 70 /**/, nan, nan, nan, nan /**/, nan, 50, 50, 50 /**/, 60, 60, 60, 40},
		"close":         {nan, 110, 110, 70 /**/, 70, 70, 70, 70 /**/, nan, nan, nan, nan /**/, nan, 50, 50, 50 /**/, 60, 60, 60, 40},
		"volume":        {nan, 6, 0, 4 /*     */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 1, 0, 0 /*  */, 1, 0, 0, 2},
		"turnover":      {nan, 620, 0, 280 /* */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 50, 0, 0 /* */, 60, 0, 0, 80},
		"vwap":          {nan, 620. / 6, nan, 70, nan, nan, nan, nan, nan, nan, nan, nan /* */, nan, 50, nan, nan /**/, 60, nan, nan, 40},
		"buy_turnover":  {nan, 200, 0, 0 /*   */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 50, 0, 0 /* */, 0, 0, 0, 0},
		"sell_turnover": {nan, 90, 0, 280 /*  */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 0, 0, 0 /*  */, 0, 0, 0, 0},
		"trades":        {nan, 3, 0, 2 /*     */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 1, 0, 0 /*  */, 1, 0, 0, 1},
		"buy_trades":    {nan, 1, 0, 0 /*     */, 0, 0, 0, 0 /*    */, nan, nan, nan, nan /**/, nan, 1, 0, 0 /*  */, 0, 0, 0, 0},
		// The last two: −90 and unknown; the 0 and −280. After the missing day anew: 50 and unknown; two unknown.
		"ofi_2t": {nan, -1, -1, -1, -1, -1, -1, -1, nan, nan, nan, nan, nan, nan, nan, nan, 1, 1, 1, nan},
		// The last three: +200 −90 and unknown; unknown, 0, −280; 50 and two unknown.
		"ofi_3t": {nan, 110. / 290, 110. / 290, -1, -1, -1, -1, -1, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, 1},
	} {
		wantCells(t, got, name, want)
	}
	presence := []Presence{Present, Empty, Missing, Present, Present}
	for i, d := range got.Days {
		if want := (DayStatus{datasets.Trades, day0 + datasets.Day(i), presence[i]}); d != want {
			t.Errorf("Days[%d] = %v, want %v", i, d, want)
		}
	}
	if len(got.Days) != 5 || len(got.Sources) != 4 {
		t.Errorf("%d days and %d sources, want 5 and 4", len(got.Days), len(got.Sources))
	}
}

// The CRV-USD bar of the vendor's own test, by our rules: the close is the last row's in file order.
func TestVendorBar(t *testing.T) {
	minute := time.Date(2024, 6, 23, 3, 5, 0, 0, time.UTC).UnixMicro()
	day := datasets.DayOf(minute)
	in := datasets.Instrument{Exchange: "dydx", Symbol: "CRV-USD"}
	s := newMemStore()
	late := func(ts int64, price, amount float64) []any {
		return []any{ts, minute + 70_000_000, nil, "sell", price, amount}
	}
	s.put(datasets.Trades, in, day,
		late(minute+59_988_000, 0.3394, 1273),
		late(minute+59_981_000, 0.3387, 65),
		late(minute+61_981_000, 0.3387, 65),
	)
	q := Request{Instrument: in, Contract: linear, First: day, End: day + 1,
		Spec: Spec{Kind: TimeBars, Every: time.Minute, Clock: Exchange}}
	got := mustBuild(t, s, q, Options{})
	at := (3*60 + 6) - 1 // the bar labelled 03:06
	for name, want := range map[string]float64{"open": 0.3394, "high": 0.3394, "low": 0.3387, "close": 0.3387,
		"volume": 1338, "trades": 2, "vwap": 0.3393659940209267} {
		if v := cells(t, got, name)[at]; v != want {
			t.Errorf("%s = %v, want %v", name, v, want)
		}
	}
}

func TestInverseContract(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0, tradeAt(hms(day0, 0, 0, 0), "buy", 20, 10), tradeAt(hms(day0, 0, 0, 1), "sell", 40, 10))
	q := Request{Instrument: btc, Contract: datasets.Contract{Inverse: true, Multiplier: 100}, First: day0, End: day0 + 1,
		Spec: Spec{Kind: TimeBars, Every: 24 * time.Hour}}
	got := mustBuild(t, s, q, Options{})
	for name, want := range map[string]float64{"volume": 75, "turnover": 2000, "buy_turnover": 1000, "vwap": 2000. / 75} {
		wantCells(t, got, name, []float64{want})
	}
}

// By the exchange's clock a trade may stand in the file of the day before or after its own.
func TestExchangeClockAcrossMidnight(t *testing.T) {
	s := newMemStore()
	row := func(ts, local int64, price float64) []any { return []any{ts, local, nil, "buy", price, 1.0} }
	next := day0 + 1
	s.put(datasets.Trades, btc, day0,
		row(hms(day0-1, 23, 59, 59), hms(day0, 0, 0, 1), 1), // its bar is outside the span, its price carries
		row(hms(day0, 20, 0, 0), hms(day0, 20, 0, 1), 2))
	s.put(datasets.Trades, btc, next,
		row(hms(day0, 23, 59, 59), hms(next, 0, 0, 1), 3), // still in the bar in progress
		row(hms(next, 0, 0, 0), hms(next, 0, 0, 2), 4),
		row(hms(day0, 23, 59, 59), hms(next, 0, 0, 3), 5),   // late
		row(hms(next+400, 0, 0, 0), hms(next, 0, 0, 4), 6),  // not believed
		row(hms(next+1, 0, 0, 1), hms(next, 23, 59, 59), 7)) // after the span
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 2,
		Spec: Spec{Kind: TimeBars, Every: 12 * time.Hour, Clock: Exchange, TickWindows: []int{1}}}
	got := mustBuild(t, s, q, Options{})
	wantCells(t, got, "open", []float64{1, 2, 4, 6})
	wantCells(t, got, "close", []float64{1, 3, 6, 6})
	wantCells(t, got, "trades", []float64{0, 2, 3, 0})
	wantCells(t, got, "ofi_1t", []float64{1, 1, 1, 1})
}

func TestNoTradesNamesTheCommand(t *testing.T) {
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 2, Spec: Spec{Every: time.Minute}}
	_, err := Build(context.Background(), newMemStore(), q, Options{})
	if !errors.Is(err, datasets.ErrNotFound) || !strings.Contains(err.Error(),
		"qf fetch --exchange binance-futures --symbols BTCUSDT --types trades --from 2024-03-10 --to 2024-03-12") {
		t.Errorf("error %v", err)
	}
}

// A cached day is used as long as its day-file is the same, and replaced when it is not.
func TestCacheFollowsTheFile(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0, tradeAt(hms(day0, 0, 0, 0), "buy", 20, 10))
	s.put(datasets.Trades, btc, day0+1, tradeAt(hms(day0+1, 0, 0, 0), "buy", 30, 10))
	q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 2, Spec: Spec{Every: time.Hour}}
	cold := mustBuild(t, s, q, Options{})
	warm := mustBuild(t, s, q, Options{})
	wantSame(t, warm, cold, "warm cache")
	if s.scans != 2 || s.reads != 1 || len(s.tables) != 1 {
		t.Errorf("%d scans, %d cache reads, %d tables; want 2, 1, 1", s.scans, s.reads, len(s.tables))
	}
	s.put(datasets.Trades, btc, day0+1, tradeAt(hms(day0+1, 0, 0, 0), "buy", 40, 10))
	changed := mustBuild(t, s, q, Options{})
	if c := cells(t, changed, "close"); c[47] != 40 || s.scans != 3 || len(s.tables) != 1 {
		t.Errorf("close %v, %d scans, %d tables; want 40, 3, 1", c[47], s.scans, len(s.tables))
	}
	q.Contract.Multiplier = 2 // another definition
	mustBuild(t, s, q, Options{})
	if s.scans != 5 || len(s.tables) != 2 {
		t.Errorf("%d scans, %d tables; want 5, 2", s.scans, len(s.tables))
	}
	mustBuild(t, s, q, Options{NoCache: true})
	if s.scans != 7 {
		t.Errorf("%d scans, want 7", s.scans)
	}
}

// Every fold of every feed comes back from the cache, on bars of either sort.
func TestCacheHoldsEveryFeed(t *testing.T) {
	s := newMemStore()
	s.put(datasets.Trades, btc, day0, tradeAt(hms(day0, 1, 0, 0), "buy", 20, 10), tradeAt(hms(day0, 3, 0, 0), "sell", 20, 10))
	s.put(datasets.Quotes, btc, day0, quoteAt(hms(day0, 2, 0, 0), 10, 1, 11, 2))
	s.put(datasets.BookSnapshot25, btc, day0, snapshotAt(hms(day0, 2, 0, 0), 25, [][2]float64{{10, 1}}, nil))
	s.put(datasets.DerivativeTicker, btc, day0, tickerAt(hms(day0, 2, 0, 0), float64(hms(day0, 8, 0, 0)), 0.1, 10))
	s.put(datasets.Liquidations, btc, day0, tradeAt(hms(day0, 2, 0, 0), "sell", 20, 10))
	for _, spec := range []Spec{{Every: time.Hour}, {Kind: VolumeBars, Size: 5}} {
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 1, Spec: spec, Feeds: []datasets.DataType{
			datasets.Quotes, datasets.BookSnapshot25, datasets.DerivativeTicker, datasets.Liquidations}}
		cold := mustBuild(t, s, q, Options{})
		before := s.scans
		wantSame(t, mustBuild(t, s, q, Options{}), cold, "warm cache")
		if s.scans != before {
			t.Errorf("%v: %d scans with a warm cache", spec, s.scans-before)
		}
		// A table that does not read as it was written is not used.
		for path, table := range s.tables {
			table.meta[metaDays] = strings.Replace(table.meta[metaDays], `"rows":`, `"rows":1`, 1)
			s.tables[path] = table
		}
		wantSame(t, mustBuild(t, s, q, Options{}), cold, "damaged cache")
		if s.scans == before {
			t.Errorf("%v: no scan with a damaged cache", spec)
		}
	}
	// New trades make new labels, so that the other feeds are folded anew.
	before := s.scans
	s.put(datasets.Trades, btc, day0, tradeAt(hms(day0, 1, 0, 0), "buy", 20, 10))
	mustBuild(t, s, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 1, Spec: Spec{Kind: VolumeBars, Size: 5},
		Feeds: []datasets.DataType{datasets.Liquidations}}, Options{})
	if s.scans != before+2 {
		t.Errorf("%d scans after new trades, want 2", s.scans-before)
	}
}

// Any input, by the definitions: one pass over all rows with every trade kept. Prices and amounts are
// whole numbers, so that sums are exact in any order and equality is to the bit.
func TestTimeBarsAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + datasets.Day(rapid.IntRange(1, 5).Draw(t, "days"))}
		q.Contract.Multiplier = rapid.SampledFrom([]float64{1, 2}).Draw(t, "multiplier")
		q.Spec = Spec{
			Every:       rapid.SampledFrom([]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}).Draw(t, "every"),
			Clock:       rapid.SampledFrom([]Clock{Arrival, Exchange}).Draw(t, "clock"),
			TickWindows: rapid.SampledFrom([][]int{{1}, {2, 5}, {3, 7, 40}}).Draw(t, "windows"),
		}
		var held bool
		for d := q.First; d < q.End; d++ {
			held = drawTrades(t, s, d) || held
		}
		if !held {
			s.put(datasets.Trades, btc, q.First)
		}
		want := naiveTimeBars(s, q)
		var first *Series
		for _, workers := range []int{1, 2, 8, 0} { // the last three from the cache
			got, err := Build(context.Background(), s, q, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range want {
				wantCells(t, got, name, w)
			}
			if first == nil {
				first = got
			}
			wantSame(t, got, first, "workers")
		}
	})
}

// drawTrades puts a day of random trades, or none; it reports whether there is a file.
func drawTrades(t *rapid.T, s *memStore, d datasets.Day) bool {
	n := rapid.SampledFrom([]int{-1, 0, 1, 3, 10, 30, 60}).Draw(t, "rows")
	if n < 0 {
		return false
	}
	var rows [][]any
	at := d.Start()
	for range n {
		// whole quarters of an hour, so that rows meet labels and each other
		step := rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 5, 30}).Draw(t, "step")
		at = min(at+step*900_000_000, (d+1).Start()-1)
		skew := rapid.SampledFrom([]int64{0, 0, -1, -9, 3}).Draw(t, "skew")
		rows = append(rows, []any{at + skew*900_000_000, at, nil,
			rapid.SampledFrom([]string{"buy", "sell", "unknown"}).Draw(t, "side"),
			float64(rapid.IntRange(1, 9).Draw(t, "price")), float64(rapid.IntRange(0, 5).Draw(t, "amount"))})
	}
	s.put(datasets.Trades, btc, d, rows...)
	return true
}

type naiveTrade struct{ price, base, notional, buy, sell, isBuy float64 }

func naiveTimeBars(s *memStore, q Request) map[string][]float64 {
	every := q.Spec.Every.Microseconds()
	byLabel := map[int64][]naiveTrade{}
	upTo := map[int64][]naiveTrade{} // all trades since the last missing day, up to the bar's last
	var run []naiveTrade
	var current int64
	missing := map[datasets.Day]bool{}
	for d := q.First; d < q.End; d++ {
		rows, ok := s.files[datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: d}]
		if !ok {
			missing[d], run = true, nil
		}
		for _, r := range rows {
			at := r[1].(int64)
			if q.Spec.Clock == Exchange {
				at = r[0].(int64)
			}
			current = max(current, at/every*every+every)
			price, base := r[4].(float64), r[5].(float64)*q.Contract.Multiplier
			x := naiveTrade{price: price, base: base, notional: price * base}
			switch r[3] {
			case "buy":
				x.buy, x.isBuy = x.notional, 1
			case "sell":
				x.sell = x.notional
			}
			run = append(run, x)
			byLabel[current] = append(byLabel[current], x)
			upTo[current] = run[:len(run):len(run)]
		}
	}
	want := map[string][]float64{}
	put := func(name string, v float64) { want[name] = append(want[name], v) }
	var last float64
	var known []naiveTrade
	for label := q.First.Start() - 10*datasets.MicrosPerDay; label <= q.End.Start(); label += every {
		trades := byLabel[label]
		inGrid := label > q.First.Start()
		day := datasets.DayOf(label - 1)
		if missing[day] {
			known, trades = nil, nil
		}
		if len(trades) > 0 {
			last, known = trades[len(trades)-1].price, upTo[label]
		}
		if !inGrid {
			continue
		}
		if known == nil {
			for _, n := range tradeNames(q.Spec.TickWindows) {
				put(n, nan)
			}
			continue
		}
		open, high, low := last, last, last
		var volume, turnover, buy, sell, buys float64
		for i, x := range trades {
			if i == 0 {
				open = x.price
			}
			high, low = max(high, x.price), min(low, x.price)
			volume += x.base
			turnover += x.notional
			buy += x.buy
			sell += x.sell
			buys += x.isBuy
		}
		put("open", open)
		put("high", high)
		put("low", low)
		put("close", last)
		put("volume", volume)
		put("turnover", turnover)
		put("buy_turnover", buy)
		put("sell_turnover", sell)
		put("trades", float64(len(trades)))
		put("buy_trades", buys)
		if volume == 0 {
			put("vwap", nan)
		} else {
			put("vwap", turnover/volume)
		}
		for _, n := range q.Spec.TickWindows {
			name := fmt.Sprintf("ofi_%dt", n)
			if len(known) < n {
				put(name, nan)
				continue
			}
			var b, s float64
			for _, x := range known[len(known)-n:] {
				b += x.buy
				s += x.sell
			}
			put(name, (b-s)/(b+s))
		}
	}
	return want
}
