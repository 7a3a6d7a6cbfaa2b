package bars

import (
	"context"
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

// Bars of any ticker rows, by the definition, from one pass over all rows kept.
func TestTickerAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := tickerRequest(s, datasets.Day(rapid.IntRange(1, 4).Draw(t, "days")))
		drawTickers(t, s, q)
		wantMark := naiveMark(s, q)
		var first *Series
		for _, workers := range []int{1, 2, 8} {
			got, err := Build(context.Background(), s, q, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			if got.Record.Schema().HasField("mark_price") {
				wantCells(t, got, "mark_price", wantMark)
			}
			if first == nil {
				first = got
			}
			wantSame(t, got, first, "workers")
		}
	})
}

// drawTickers puts derivative_ticker files of the span's days and those around it.
func drawTickers(t *rapid.T, s *memStore, q Request) {
	some := func(v float64) float64 {
		if rapid.IntRange(0, 3).Draw(t, "empty") == 0 {
			return nan
		}
		return v
	}
	const second, hour = int64(1_000_000), int64(3600_000_000)
	for d := q.First - 1; d <= q.End; d++ {
		n := rapid.SampledFrom([]int{-1, 0, 1, 5, 40}).Draw(t, "rows")
		if n < 0 {
			continue
		}
		var rows [][]any
		at := d.Start()
		for range n {
			at = min(at+rapid.SampledFrom([]int64{0, 1, 20 * second, 240 * second, 600 * second, hour, hour + 1, 4 * hour, 9 * hour}).Draw(t, "step"), (d+1).Start()-1)
			spacing := rapid.SampledFrom([]int64{1, 4, 8}).Draw(t, "spacing") * hour
			T := (at+20*second)/spacing*spacing + rapid.SampledFrom([]int64{-3, 0, 0, 1, 1, 1, 1, 2, 4}).Draw(t, "T")*spacing
			rows = append(rows, tickerAt(at, some(float64(T)), some(float64(rapid.IntRange(1, 9).Draw(t, "rate"))), some(float64(rapid.IntRange(1, 99).Draw(t, "mark")))))
		}
		s.put(datasets.DerivativeTicker, btc, d, rows...)
	}
}

// tickerRow is a row of drawTickers; NaN is an empty cell.
type tickerRow struct{ at, T, rate, mark float64 }

// tickerRows are the rows of the days around a request, and the days without a file.
func tickerRows(s *memStore, q Request) (days map[datasets.Day][]tickerRow, missing map[datasets.Day]bool) {
	num := func(v any) float64 {
		switch v := v.(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		}
		return nan
	}
	missing, days = map[datasets.Day]bool{}, map[datasets.Day][]tickerRow{}
	for d := q.First - 1; d <= q.End; d++ {
		rows, ok := s.files[datasets.Partition{Instrument: btc, Type: datasets.DerivativeTicker, Day: d}]
		missing[d] = !ok
		for _, r := range rows {
			days[d] = append(days[d], tickerRow{num(r[1]), num(r[2]), num(r[3]), num(r[8])})
		}
	}
	return days, missing
}

// naiveMarkBefore is the last mark of rows from a day on for which known holds, since the last missing day before t.
func naiveMarkBefore(s *memStore, q Request, from datasets.Day, t int64, known func(at float64) bool) float64 {
	days, missing := tickerRows(s, q)
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

func naiveMark(s *memStore, q Request) (mark []float64) {
	every := q.Spec.Every.Microseconds()
	for label := q.First.Start() + every; label <= q.End.Start(); label += every {
		mark = append(mark, naiveMarkBefore(s, q, q.First, label, func(at float64) bool { return at < float64(label) }))
	}
	return mark
}
