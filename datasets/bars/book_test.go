package bars

import (
	"context"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
)

// quoteAt is a row of quotes or book_ticker; NaN is an empty cell.
func quoteAt(at int64, bid, bidAmount, ask, askAmount float64) []any {
	row := []any{at, at}
	for _, v := range []float64{askAmount, ask, bid, bidAmount} {
		if math.IsNaN(v) {
			row = append(row, nil)
		} else {
			row = append(row, v)
		}
	}
	return row
}

func bookRequest(s *memStore, days datasets.Day, every time.Duration, feeds ...datasets.DataType) Request {
	s.put(datasets.Trades, btc, day0)
	return Request{Instrument: btc, Contract: linear, First: day0, End: day0 + days, Spec: Spec{Every: every}, Feeds: feeds}
}

// Six-hour bars of quotes: spreads 2/100 and 4/100 by the hours that they stood, a one-sided hour left
// out, an idle bar, midnight, a known-empty day and a missing one.
func TestQuoteColumnsByHand(t *testing.T) {
	s := newMemStore()
	q := bookRequest(s, 4, 6*time.Hour, datasets.Quotes)
	s.put(datasets.Quotes, btc, day0,
		quoteAt(hms(day0, 2, 0, 0), 99, 10, 101, 30), // 2/100 for 1 h
		quoteAt(hms(day0, 3, 0, 0), 98, 5, 102, 10),  // 4/100 for 2 h: −10 +30
		quoteAt(hms(day0, 5, 0, 0), 98, 7, nan, nan), // one-sided for 1 h: +7 −5 +10
		quoteAt(hms(day0, 6, 0, 0), 99, 1, 101, 3),   // the second bar: +1 −3; 2/100 for 6 h
		quoteAt(hms(day0, 21, 0, 0), 102, 1, 101, 1), // crossed for 3 h, after 3 h of 2/100: +1 −1 +3
	)
	s.put(datasets.Quotes, btc, day0+1)
	// day0+2 is missing
	s.put(datasets.Quotes, btc, day0+3, quoteAt(hms(day0+3, 12, 0, 0), 99, 10, 101, 30))
	got := mustBuild(t, s, q, Options{})
	for name, want := range map[string][]float64{
		"bid":        {98, 99, 99, 102 /**/, 102, 102, 102, 102 /**/, nan, nan, nan, nan /**/, nan, nan, 99, 99},
		"ask":        {nan, 101, 101, 101 /**/, 101, 101, 101, 101 /**/, nan, nan, nan, nan /**/, nan, nan, 101, 101},
		"bid_amount": {7, 1, 1, 1 /**/, 1, 1, 1, 1 /**/, nan, nan, nan, nan /**/, nan, nan, 10, 10},
		"ask_amount": {nan, 3, 3, 1 /**/, 1, 1, 1, 1 /**/, nan, nan, nan, nan /**/, nan, nan, 30, 30},
		"spread":     {(0.02*1 + 0.04*2) / 3, 0.02, 0.02, 0.02 /**/, nan, nan, nan, nan /**/, nan, nan, nan, nan /**/, nan, nan, 0.02, 0.02},
		"microprice": {nan, 99.5, 99.5, 101.5 /**/, 101.5, 101.5, 101.5, 101.5 /**/, nan, nan, nan, nan /**/, nan, nan, 99.5, 99.5},
		// Second row: the bid fell (−10) and the ask rose (+30). Third: same bid (+7 −5), the ask went (+10).
		// Fourth: the bid rose (+1), an ask came (−3). Fifth: the bid rose (+1), same ask (−1 +3).
		"book_ofi":   {20 + 12, -2, 0, 3 /**/, 0, 0, 0, 0 /**/, nan, nan, nan, nan /**/, nan, nan, 0, 0},
		"book_depth": {(20 + 7.5) / 2, 2, 2, 1 /**/, 1, 1, 1, 1 /**/, nan, nan, nan, nan /**/, nan, nan, 20, 20},
	} {
		gotCells := cells(t, got, name)
		for i, v := range gotCells {
			if math.Abs(v-want[i]) > 1e-15 || math.IsNaN(v) != math.IsNaN(want[i]) {
				t.Errorf("%s = %v, want %v", name, gotCells, want)
				break
			}
		}
	}
}

// The formula of Cont, Kukanov and Stoikov, case by case.
func TestFlow(t *testing.T) {
	p := quote{bid: 10, bidAmount: 3, ask: 12, askAmount: 5}
	for _, c := range []struct {
		q    quote
		want float64
	}{
		{quote{bid: 10, bidAmount: 4, ask: 12, askAmount: 5}, 1},
		{quote{bid: 10, bidAmount: 3, ask: 12, askAmount: 7}, -2},
		{quote{bid: 11, bidAmount: 4, ask: 12, askAmount: 5}, 4},
		{quote{bid: 9, bidAmount: 4, ask: 12, askAmount: 5}, -3},
		{quote{bid: 10, bidAmount: 3, ask: 11, askAmount: 2}, -2},
		{quote{bid: 10, bidAmount: 3, ask: 13, askAmount: 2}, 5},
		{quote{bid: 11, bidAmount: 4, ask: 13, askAmount: 2}, 9},
		{quote{bid: 9, bidAmount: 4, ask: 11, askAmount: 2}, -5},
		{noQuote, 0},
	} {
		if got := c.q.flow(p); got != c.want {
			t.Errorf("flow from %v to %v = %v, want %v", p, c.q, got, c.want)
		}
	}
	if got := p.flow(noQuote); got != 0 {
		t.Errorf("flow from nothing = %v, want 0", got)
	}
}

// Quotes are taken before book_ticker and snapshots, whatever the order asked in; depth from the
// deepest snapshot. A feed that is not there is passed over.
func TestFeedPrecedence(t *testing.T) {
	s := newMemStore()
	q := bookRequest(s, 1, 24*time.Hour, datasets.BookSnapshot5, datasets.BookSnapshot25, datasets.BookTicker, datasets.Quotes)
	s.put(datasets.BookTicker, btc, day0, quoteAt(hms(day0, 1, 0, 0), 20, 1, 21, 1))
	s.put(datasets.BookSnapshot5, btc, day0, snapshotAt(hms(day0, 1, 0, 0), 5, [][2]float64{{30, 1}}, [][2]float64{{31, 1}}))
	got := mustBuild(t, s, q, Options{})
	wantCells(t, got, "bid", []float64{20})
	wantCells(t, got, "bid_depth_5", []float64{30})
	if got.Record.Schema().HasField("bid_depth_25") {
		t.Error("depth of 25 levels from a snapshot of 5")
	}
	if len(got.Sources) != 3 || len(got.Days) != 5 {
		t.Errorf("%d sources and %d days, want 3 and 5", len(got.Sources), len(got.Days))
	}
	s.put(datasets.Quotes, btc, day0, quoteAt(hms(day0, 1, 0, 0), 10, 1, 11, 1))
	wantCells(t, mustBuild(t, s, q, Options{}), "bid", []float64{10})
}

// snapshotAt is a row of a book snapshot with the given {price, amount}, best first.
func snapshotAt(at int64, levels int, bids, asks [][2]float64) []any {
	row := []any{at, at}
	for i := range levels {
		for _, side := range [][][2]float64{asks, bids} {
			if i < len(side) {
				row = append(row, side[i][0], side[i][1])
			} else {
				row = append(row, nil, nil)
			}
		}
	}
	return row
}

// Notional by level: five and all levels, and what stands within 10 bps of a mid of 1000.
func TestDepthByHand(t *testing.T) {
	s := newMemStore()
	q := bookRequest(s, 2, 12*time.Hour, datasets.BookSnapshot25)
	q.Contract.Multiplier = 2
	bids := [][2]float64{{999.5, 1}, {999, 2}, {998.99, 4}, {998, 8}, {997, 16}, {996, 32}}
	asks := [][2]float64{{1000.5, 1}, {1001, 2}, {1001.01, 4}}
	s.put(datasets.BookSnapshot25, btc, day0,
		snapshotAt(hms(day0, 0, 0, 0), 25, asks, bids), // overwritten within the bar
		snapshotAt(hms(day0, 1, 0, 0), 25, bids, asks),
		snapshotAt(hms(day0, 12, 0, 0), 25, bids[:1], nil))
	got := mustBuild(t, s, q, Options{})
	five := 2 * (999.5 + 999*2 + 998.99*4 + 998*8 + 997*16)
	for name, want := range map[string][]float64{
		"bid_depth_5":     {five, 1999, nan, nan},
		"bid_depth_25":    {five + 2*996*32, 1999, nan, nan},
		"ask_depth_5":     {2 * (1000.5 + 1001*2 + 1001.01*4), 0, nan, nan},
		"ask_depth_25":    {2 * (1000.5 + 1001*2 + 1001.01*4), 0, nan, nan},
		"bid_depth_10bps": {2 * (999.5 + 999*2), nan, nan, nan},
		"ask_depth_10bps": {2 * (1000.5 + 1001*2), nan, nan, nan},
		"bid":             {999.5, 999.5, nan, nan},
		"ask":             {1000.5, nan, nan, nan},
	} {
		gotCells := cells(t, got, name)
		for i, v := range gotCells {
			if math.Abs(v-want[i]) > 1e-9 || math.IsNaN(v) != math.IsNaN(want[i]) {
				t.Errorf("%s = %v, want %v", name, gotCells, want)
				break
			}
		}
	}
}

// Best prices on time and on tick bars, by the definitions: every quote with the time it stood.
func TestQuotesAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := bookRequest(s, datasets.Day(rapid.IntRange(1, 4).Draw(t, "days")), 6*time.Hour, datasets.BookTicker)
		if rapid.Bool().Draw(t, "tick bars") {
			q.Spec = Spec{Kind: TickBars, Size: 3}
		}
		for d := q.First; d < q.End; d++ {
			drawTrades(t, s, d)
			n := rapid.SampledFrom([]int{-1, 0, 1, 5, 40}).Draw(t, "quote rows")
			if n < 0 {
				continue
			}
			var rows [][]any
			at := d.Start()
			for range n {
				at = min(at+rapid.SampledFrom([]int64{0, 0, 1, 2, 9}).Draw(t, "step")*900_000_000, (d+1).Start()-1)
				cell := func(what string) float64 {
					if rapid.IntRange(0, 5).Draw(t, "empty") == 0 {
						return nan
					}
					return float64(rapid.IntRange(1, 6).Draw(t, what))
				}
				bid, ask := cell("bid"), cell("ask")+2
				rows = append(rows, quoteAt(at, bid, bid+3, ask, ask*2))
			}
			s.put(datasets.BookTicker, btc, d, rows...)
		}
		var first *Series
		for _, workers := range []int{1, 2, 8} {
			got, err := Build(context.Background(), s, q, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = got
				if got.Record.Schema().HasField("bid") {
					naiveQuotes(t, s, q, got)
				}
			}
			wantSame(t, got, first, "workers")
		}
	})
}

// naiveQuotes checks got's columns bar by bar, from all quotes at once.
func naiveQuotes(t *rapid.T, s *memStore, q Request, got *Series) {
	type stand struct {
		at   int64
		day  datasets.Day
		book quote
	}
	var all []stand
	missing := map[datasets.Day]bool{}
	for d := q.First; d < q.End; d++ {
		rows, ok := s.files[datasets.Partition{Instrument: btc, Type: datasets.BookTicker, Day: d}]
		missing[d] = !ok
		for _, r := range rows {
			b := noQuote
			if r[4] != nil {
				b.bid, b.bidAmount = r[4].(float64), r[5].(float64)
			}
			if r[3] != nil {
				b.ask, b.askAmount = r[3].(float64), r[2].(float64)
			}
			all = append(all, stand{r[1].(int64), d, b})
		}
	}
	tradeDay := map[int]datasets.Day{} // of tick bars
	if q.Spec.Kind == TickBars {
		bar := 0
		for d := q.First; d < q.End; d++ {
			n := len(s.files[datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: d}])
			for range (n + 2) / 3 {
				tradeDay[bar] = d
				bar++
			}
		}
	}
	from := q.First.Start()
	for i, to := range labels(got) {
		day := datasets.DayOf(to - 1)
		if q.Spec.Kind == TickBars {
			day = tradeDay[i]
		}
		var integral, weight, flow, depth, rows float64
		prev := stand{book: noQuote}
		seen := false
		at := from
		reset := q.First // the first day since the last missing one
		for d := q.First; d <= day; d++ {
			if missing[d] {
				reset = d + 1
			}
		}
		weigh := func(till int64) {
			if sp := prev.book.spread(); !math.IsNaN(sp) && till > at {
				integral += sp * float64(till-at)
				weight += float64(till - at)
			}
			at = max(at, till)
		}
		for _, x := range all {
			if x.day < reset || x.at >= to {
				continue
			}
			if x.at >= from {
				weigh(x.at)
				flow += x.book.flow(prev.book)
				if !math.IsNaN(x.book.depth()) {
					depth, rows = depth+x.book.depth(), rows+1
				}
				seen = true
			}
			prev = x
		}
		weigh(to)
		b := prev.book
		want := map[string]float64{"bid": b.bid, "ask": b.ask, "bid_amount": b.bidAmount, "ask_amount": b.askAmount,
			"microprice": b.microprice(), "book_ofi": flow, "book_depth": depth / rows, "spread": integral / weight}
		if rows == 0 {
			want["book_depth"] = b.depth()
		}
		if weight == 0 {
			want["spread"] = b.spread()
		}
		if !seen && b.empty() {
			want["book_ofi"] = nan
		}
		if math.IsInf(b.bid, 0) {
			want["bid"], want["bid_amount"] = nan, nan
		}
		if math.IsInf(b.ask, 0) {
			want["ask"], want["ask_amount"] = nan, nan
		}
		for _, name := range bestNames {
			w, g := want[name], cells(t, got, name)[i]
			if missing[day] {
				w = nan
			}
			if math.IsNaN(w) != math.IsNaN(g) || math.Abs(w-g) > 1e-12*math.Abs(w) {
				t.Fatalf("%s[%d] = %v, want %v", name, i, g, w)
			}
		}
		from = to
	}
}
