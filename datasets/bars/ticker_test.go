package bars

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
)

// tickerAt is a row of derivative_ticker; NaN is an empty cell.
func tickerAt(at int64, fundingTime, rate, mark float64) []any {
	row := []any{at, at, nil, nil, nil, nil, nil, nil, nil}
	if !math.IsNaN(fundingTime) {
		row[2] = int64(fundingTime)
	}
	if !math.IsNaN(rate) {
		row[3] = rate
	}
	if !math.IsNaN(mark) {
		row[8] = mark
	}
	return row
}

// tickerRequest asks for days [day0, day0+n) of six-hour bars, and puts the trades that every request needs.
func tickerRequest(s *memStore, n datasets.Day) Request {
	s.put(datasets.Trades, btc, day0)
	return Request{Instrument: btc, Contract: linear, First: day0, End: day0 + n,
		Spec: Spec{Every: 6 * time.Hour}, Feeds: []datasets.DataType{datasets.DerivativeTicker}}
}

func TestTickerCarriesEachColumn(t *testing.T) {
	s := newMemStore()
	q := tickerRequest(s, 4)
	s.put(datasets.DerivativeTicker, btc, day0,
		tickerAt(hms(day0, 7, 0, 0), nan, 0.5, nan),
		tickerAt(hms(day0, 8, 0, 0), nan, nan, 100),
		tickerAt(hms(day0, 9, 0, 0), nan, 0.25, nan),
		tickerAt(hms(day0, 18, 0, 0), nan, nan, 101), // at the label: the last bar
	)
	s.put(datasets.DerivativeTicker, btc, day0+1) // known empty; the next is missing
	s.put(datasets.DerivativeTicker, btc, day0+3, tickerAt(hms(day0+3, 12, 0, 0), nan, nan, 102))
	got := mustBuild(t, s, q, Options{})
	wantCells(t, got, "mark_price", []float64{nan, 100, 100, 101, 101, 101, 101, 101, nan, nan, nan, nan, nan, nan, 102, 102})
	wantCells(t, got, "funding_rate", []float64{nan, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, nan, nan, nan, nan, nan, nan, nan, nan})
	wantCells(t, got, "open_interest", filled(16))
	if len(got.Settlements) != 0 {
		t.Errorf("settlements %v without a funding_timestamp", got.Settlements)
	}
}

// A feed that the lake does not hold leaves its columns out.
func TestTickerAbsent(t *testing.T) {
	s := newMemStore()
	got := mustBuild(t, s, tickerRequest(s, 1), Options{})
	if got.Record.Schema().HasField("mark_price") || !slices.Contains(got.Days, DayStatus{datasets.DerivativeTicker, day0, Missing}) {
		t.Errorf("schema %v, days %v", got.Record.Schema(), got.Days)
	}
}

func TestSettlements(t *testing.T) {
	const minute, hour = 60_000_000, 3600_000_000
	at := func(d datasets.Day, offset int64) int64 { return d.Start() + offset }
	T := func(d datasets.Day, offset int64) float64 { return float64(at(d, offset)) }
	for _, c := range []struct {
		name string
		days datasets.Day
		rows map[datasets.Day][][]any // by offset from day0; nil is a missing day
		want []Settlement
	}{
		{"the last row that carries T, even after it; the mark as known at T", 1, map[datasets.Day][][]any{0: {
			tickerAt(at(day0, 1*hour), T(day0, 8*hour), 0.1, 100),
			tickerAt(at(day0, 8*hour-1), T(day0, 8*hour), 0.2, 101),
			tickerAt(at(day0, 8*hour), T(day0, 8*hour), 0.3, 102),
			tickerAt(at(day0, 8*hour+10_000), T(day0, 8*hour), 0.4, 103),
			tickerAt(at(day0, 8*hour+20_000), T(day0, 16*hour), 0.5, 104),
			tickerAt(at(day0, 9*hour), T(day0+5, 0), 0.6, 105), // announced, and settles beyond the span
		}}, []Settlement{{at(day0, 8*hour), 0.4, 102}, {at(day0, 16*hour), 0.5, 105}}},

		{"midnight settles in the next day's file", 2, map[datasets.Day][][]any{
			0: {tickerAt(at(day0, 23*hour), T(day0+1, 0), 0.1, 100)},
			1: {
				tickerAt(at(day0+1, 10_000), T(day0+1, 0), 0.2, 101),
				tickerAt(at(day0+1, 20_000), T(day0+1, 8*hour), 0.3, 102),
			},
		}, []Settlement{{at(day0+1, 0), 0.2, 100}, {at(day0+1, 8*hour), 0.3, 102}}},

		{"the span's end takes the day after, its beginning the day before", 1, map[datasets.Day][][]any{
			-1: {tickerAt(at(day0-1, 23*hour), T(day0, 0), 0.1, 99), tickerAt(at(day0-1, 23*hour+1), nan, nan, 100)},
			0:  {tickerAt(at(day0, 1), T(day0, 0), 0.2, 101), tickerAt(at(day0, 23*hour), T(day0+1, 0), 0.3, 102)},
			1:  {tickerAt(at(day0+1, 0), T(day0+1, 0), 0.4, 103), tickerAt(at(day0+1, 1), T(day0+1, 8*hour), 0.5, 104)},
		}, []Settlement{{at(day0, 0), 0.2, 100}, {at(day0+1, 0), 0.4, 103}}},

		{"without the day before nothing is known at the span's beginning", 1, map[datasets.Day][][]any{
			0: {tickerAt(at(day0, 1), T(day0, 0), 0.2, 101), tickerAt(at(day0, 23*hour), T(day0+1, 0), 0.3, 102)},
		}, []Settlement{{at(day0+1, 0), 0.3, 102}}},

		{"a known-empty day carries the mark, a missing day shows nothing", 4, map[datasets.Day][][]any{
			0: {tickerAt(at(day0, 12*hour), T(day0+1, 8*hour), 0.1, 100), tickerAt(at(day0, 13*hour), T(day0+2, 0), 0.2, 101),
				tickerAt(at(day0, 14*hour), T(day0+2, 8*hour), 0.3, 102)},
			1: {},
			3: {tickerAt(at(day0+3, 1*hour), T(day0+3, 0), 0.4, 103)},
		}, []Settlement{{at(day0+1, 8*hour), 0.1, 102}, {at(day0+2, 0), 0.2, 102}, {at(day0+2, 8*hour), nan, nan}, {at(day0+3, 0), nan, nan}}},

		{"a funding_timestamp in the past, as OKX sends, and one that goes back", 2, map[datasets.Day][][]any{
			0: {tickerAt(at(day0, 5*minute), nan, nan, 100), tickerAt(at(day0, 8*hour), nan, nan, 101)},
			1: {
				tickerAt(at(day0+1, 8*hour), T(day0, 8*hour), 0.1, 102),
				tickerAt(at(day0+1, 9*hour), T(day0+1, 16*hour), 0.2, 103),
				tickerAt(at(day0+1, 10*hour), T(day0, 8*hour), 0.3, 104),
				tickerAt(at(day0+1, 17*hour), T(day0+1, 16*hour), nan, 105),
			},
		}, []Settlement{{at(day0, 8*hour), 0.3, 101}, {at(day0+1, 16*hour), 0.2, 104}}},

		{"an instant between minutes has a mark when it was announced before it passed", 1, map[datasets.Day][][]any{0: {
			tickerAt(at(day0, 1*hour), T(day0, 8*hour+5_000), 0.1, 100),
			tickerAt(at(day0, 8*hour+5_000), T(day0, 8*hour+5_000), 0.2, 101),
			tickerAt(at(day0, 8*hour+5_001), T(day0, 8*hour+3), 0.3, 102),
		}}, []Settlement{{at(day0, 8*hour+3), 0.3, nan}, {at(day0, 8*hour+5_000), 0.2, 101}}},

		{"a rate that is never shown is not zero", 1, map[datasets.Day][][]any{0: {
			tickerAt(at(day0, 1*hour), T(day0, 8*hour), nan, nan),
		}}, []Settlement{{at(day0, 8*hour), nan, nan}}},
	} {
		s := newMemStore()
		q := tickerRequest(s, c.days)
		for d, rows := range c.rows {
			s.put(datasets.DerivativeTicker, btc, day0+d, rows...)
		}
		for _, what := range []string{"cold", "warm"} {
			got := mustBuild(t, s, q, Options{})
			if g, w := fmt.Sprint(got.Settlements), fmt.Sprint(c.want); g != w {
				t.Errorf("%s (%s cache):\n got %s\nwant %s", c.name, what, g, w)
			}
		}
	}
}

// A settlement never comes from the clock: rows out of order by the exchange's time are late rows.
func TestSettlementsByExchangeClock(t *testing.T) {
	s := newMemStore()
	q := tickerRequest(s, 1)
	q.Spec.Clock = Exchange
	row := func(ts, local int64, mark float64) []any {
		r := tickerAt(local, float64(hms(day0, 8, 0, 0)), 0.1, mark)
		r[0] = ts
		return r
	}
	s.put(datasets.DerivativeTicker, btc, day0,
		row(hms(day0, 7, 59, 58), hms(day0, 8, 0, 1), 100),
		row(hms(day0, 7, 59, 57), hms(day0, 8, 0, 2), 101),
		row(hms(day0, 8, 0, 1), hms(day0, 8, 0, 3), 102),
		row(hms(day0, 7, 59, 59), hms(day0, 8, 0, 4), 103), // late
	)
	got := mustBuild(t, s, q, Options{})
	if want := (Settlement{hms(day0, 8, 0, 0), 0.1, 101}); len(got.Settlements) != 1 || got.Settlements[0] != want {
		t.Errorf("settlements %v, want %v", got.Settlements, want)
	}
}

// Bars and settlements of any ticker rows, by the definitions, from one pass over all rows kept.
func TestTickerAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := tickerRequest(s, datasets.Day(rapid.IntRange(1, 4).Draw(t, "days")))
		q.Spec.Clock = rapid.SampledFrom([]Clock{Arrival, Exchange}).Draw(t, "clock")
		some := func(v float64) float64 {
			if rapid.Bool().Draw(t, "empty") {
				return nan
			}
			return v
		}
		for d := q.First - 1; d <= q.End; d++ {
			n := rapid.SampledFrom([]int{-1, 0, 1, 5, 20}).Draw(t, "rows")
			if n < 0 {
				continue
			}
			var rows [][]any
			at := d.Start()
			for range n {
				at = min(at+rapid.SampledFrom([]int64{0, 0, 1, 2, 9}).Draw(t, "step")*3600_000_000, (d+1).Start()-1)
				T := at/28_800_000_000*28_800_000_000 + rapid.SampledFrom([]int64{-3, 0, 1, 1, 1, 2, 4}).Draw(t, "T")*28_800_000_000
				rows = append(rows, tickerAt(at, some(float64(T)), some(float64(rapid.IntRange(1, 9).Draw(t, "rate"))), some(float64(rapid.IntRange(1, 99).Draw(t, "mark")))))
			}
			s.put(datasets.DerivativeTicker, btc, d, rows...)
		}
		wantMark, wantSettled := naiveTicker(s, q)
		var first *Series
		for _, workers := range []int{1, 2, 8} {
			got, err := build(context.Background(), s, q, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if got.Record.Schema().HasField("mark_price") {
				wantCells(t, got, "mark_price", wantMark)
			}
			if g, w := fmt.Sprint(got.Settlements), fmt.Sprint(wantSettled); g != w {
				t.Fatalf("settlements\n got %s\nwant %s", g, w)
			}
			if first == nil {
				first = got
			}
			wantSame(t, got, first, "workers")
		}
	})
}

func naiveTicker(s *memStore, q Request) (mark []float64, settled []Settlement) {
	type row struct{ at, T, rate, mark float64 }
	num := func(v any) float64 {
		switch v := v.(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		}
		return nan
	}
	missing := map[datasets.Day]bool{}
	days := map[datasets.Day][]row{}
	for d := q.First - 1; d <= q.End; d++ {
		rows, ok := s.files[datasets.Partition{Instrument: btc, Type: datasets.DerivativeTicker, Day: d}]
		missing[d] = !ok
		for _, r := range rows {
			days[d] = append(days[d], row{num(r[1]), num(r[2]), num(r[3]), num(r[8])})
		}
	}
	// markBefore is the last mark of rows for which known holds, since the last missing day before t.
	markBefore := func(from datasets.Day, t int64, known func(at float64) bool) float64 {
		m := nan
		for d := from; d <= q.End; d++ {
			if missing[d] && d.Start() < t {
				m = nan
			}
			for _, r := range days[d] {
				if known(r.at) && !math.IsNaN(r.mark) {
					m = r.mark
				}
			}
		}
		return m
	}
	every := q.Spec.Every.Microseconds()
	for label := q.First.Start() + every; label <= q.End.Start(); label += every {
		mark = append(mark, markBefore(q.First, label, func(at float64) bool { return at < float64(label) }))
	}
	held := false // a feed that the span does not have settles nothing
	for d := q.First; d < q.End; d++ {
		held = held || !missing[d]
	}
	for t := q.First.Start(); held && t <= q.End.Start(); t += 3600_000_000 {
		rate, found := nan, false
		for d := q.First - 1; d <= q.End; d++ {
			for _, r := range days[d] {
				if r.T == float64(t) {
					found = true
					if !math.IsNaN(r.rate) {
						rate = r.rate
					}
				}
			}
		}
		switch {
		case !found:
		case !missing[datasets.DayOf(t-1)]:
			settled = append(settled, Settlement{t, rate, markBefore(q.First-1, t, func(at float64) bool { return at <= float64(t) })})
		case t > q.First.Start():
			settled = append(settled, Settlement{t, nan, nan})
		}
	}
	return mark, settled
}
