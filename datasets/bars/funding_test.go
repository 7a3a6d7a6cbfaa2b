package bars

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
)

const (
	second = 1_000_000
	minute = 60 * second
	hour   = 60 * minute
)

// feed is a row each ten minutes of [from, to), hours after day0, that carries the next T of those given, the one at
// the row's own time included, with rate 0.0001 and mark 100.
func feed(from, to float64, T ...float64) [][]any {
	var rows [][]any
	for at := from * hour; at < to*hour; at += 10 * minute {
		for _, next := range T {
			if next*hour >= at {
				rows = append(rows, tickerAt(day0.Start()+int64(at), float64(day0.Start())+next*hour, 0.0001, 100))
				break
			}
		}
	}
	return rows
}

// row is one row, by hours after day0.
func row(at, T, rate float64) [][]any {
	return [][]any{tickerAt(day0.Start()+int64(at*hour), float64(day0.Start())+T*hour, rate, 100)}
}

func rows(of ...[][]any) [][]any {
	all := slices.Concat(of...)
	slices.SortStableFunc(all, func(a, b []any) int { return int(a[1].(int64) - b[1].(int64)) })
	return all
}

// putFeed spreads rows over the files of days; those in empty are known empty and those in missing have none.
func putFeed(s *memStore, days datasets.Day, of [][]any, missing ...datasets.Day) {
	for d := day0 - 1; d <= day0+days; d++ {
		var in [][]any
		for _, r := range of {
			if datasets.DayOf(r[1].(int64)) == d {
				in = append(in, r)
			}
		}
		if !slices.Contains(missing, d-day0) && (in != nil || d >= day0 && d < day0+days) {
			s.put(datasets.DerivativeTicker, btc, d, in...)
		}
	}
}

// inHours writes settlements and gaps by hours after day0: "8: 0.0001" and "(7.5, 16.5]"; a gap from 08:00 on begins a
// microsecond before, which is written [8.
func inHours(settled []Settlement, gaps []FundingGap) string {
	var out []string
	at := func(t int64) string {
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", float64(t-day0.Start())/hour), "0"), ".")
	}
	for _, x := range settled {
		out = append(out, fmt.Sprintf("%s: %v", at(x.Time), x.Rate))
	}
	for _, g := range gaps {
		from, to := "("+at(g.From), at(g.To)+"]"
		if (g.From+1)%(minute) == 0 {
			from = "[" + at(g.From+1)
		}
		if (g.To+1)%(minute) == 0 {
			to = at(g.To+1) + ")"
		}
		out = append(out, from+", "+to)
	}
	return strings.Join(out, "  ")
}

// What the rows of one day and more say of funding: known events with their rates, then the gaps, by hours.
//
// A position of 1,000 units at a mark of 100 that is held from the beginning pays 10 an event, nothing at day0 itself,
// and its net PnL is unknown from the first instant in a gap.
func TestFunding(t *testing.T) {
	eights := []float64{0, 8, 16, 24, 32, 40, 48, 56, 64, 72}
	whole := feed(0, 24, eights...)
	late := func(rate float64) [][]any { return row(9, 8, rate) }
	for _, c := range []struct {
		name    string
		days    datasets.Day
		rows    [][]any
		missing []datasets.Day
		want    string
	}{
		// Pays 20 on one day: 8 and 16.
		{"a whole day: its first row carries the event at the first instant", 1, whole, nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		{"a whole day between others", 1, feed(-24, 25, eights...), nil, "0: 0.0001  8: 0.0001  16: 0.0001  24: 0.0001"},
		// Unknown from 08:00, which the feed announced and was not heard at.
		{"silent 07:30–16:30", 1, rows(feed(0, 7.6, eights...), feed(16.5, 24, eights...)), nil, "0: 0.0001  [8, 16.5]"},
		{"silent 08:10–16:20, between two events: a hole longer than 8 h", 1, rows(feed(0, 8.2, eights...), feed(16.5, 24, eights...)), nil, "0: 0.0001  8: 0.0001  [16, 16.5]"},
		{"silent 02:00–09:00: 7 h, and heard again after the event", 1, rows(feed(0, 2, eights...), feed(9, 24, eights...)), nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		// A position held since 03:00 is unknown at once, one opened at 10:00 pays 10.
		{"begins at 10:00", 1, feed(10, 24, eights...), nil, "16: 0.0001  [0, 10]"},
		{"begins at 00:00:03, the event at 00:00 not named", 1, rows(row(3./3600, 8, 0.0001), feed(1./6, 24, eights...)), nil, "8: 0.0001  16: 0.0001  [0, 0.0008]"},
		// 0 was booked; nothing is known.
		{"a perpetual without any T", 1, [][]any{tickerAt(day0.Start()+hour, nan, 0.0001, 100), tickerAt(day0.Start()+20*hour, nan, 0.0001, 100)}, nil, "[0, 24)"},
		{"a T that is always past", 1, rows(row(1, -24, 0.0001), row(9, -16, 0.0001), row(17, -8, 0.0001)), nil, "[0, 24)"},
		// Pays 10 for 08:00, then unknown from 16:00.
		{"ends at 10:00", 1, feed(0, 10, eights...), nil, "0: 0.0001  8: 0.0001  [16, 24)"},
		{"ends at 10:00, the day after has no rows", 2, feed(0, 10, eights...), nil, "0: 0.0001  8: 0.0001  [16, 48)"},
		{"ends at 17:00 of the last day: 24:00 is announced, and is not in the span", 1, feed(0, 17, eights...), nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		// Pays 10 for each of 8 and 12, no more for 16, which did not come: 16 was replaced by 12 at 10:00.
		{"16:00 is moved to 12:00, and comes after it", 1, rows(feed(0, 10, eights...), feed(10, 24, 12, 16, 20, 24)), nil, "0: 0.0001  8: 0.0001  12: 0.0001  16: 0.0001  20: 0.0001"},
		{"16:00 is moved to 18:00 and does not come", 1, rows(feed(0, 10, eights...), feed(10, 24, 18, 24)), nil, "0: 0.0001  8: 0.0001  18: 0.0001"},
		// 1,000 was paid for the late row's rate.
		{"a late row carries 08:00 an hour after it", 1, rows(whole, late(0.01)), nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		{"a late row three seconds after its successor was announced", 1, rows(feed(0, 8, eights...), row(8, 16, 0.0001), row(8+3./3600, 8, 0.01), feed(8.5, 24, eights...)), nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		{"a late row as the last one before 9 h of silence", 1, rows(feed(0, 8.2, eights...), row(8.21, 8, 0.01), feed(17.5, 24, eights...)), nil, "0: 0.0001  8: 0.0001  [16, 17.5]"},
		// The settled rate comes after T: Binance's last row with 00:00 came 10 ms after it.
		{"the last row that still carries T comes after it", 1, rows(feed(0, 8, eights...), row(8, 8, 0.0002), row(8+10e-3/3600, 8, 0.0003), row(8+1./3600, 16, 0.0004), feed(8.5, 24, eights...)), nil, "0: 0.0001  8: 0.0003  16: 0.0001"},
		{"and midnight's in the next file", 2, rows(feed(0, 24, eights...), row(24+10e-3/3600, 24, 0.0003), feed(24.2, 48, eights...)), nil, "0: 0.0001  8: 0.0001  16: 0.0001  24: 0.0003  32: 0.0001  40: 0.0001"},
		{"the recorder's clock is behind: 16:00 is announced half a second before 08:00", 1, rows(feed(0, 8, eights...), row(8-0.5/3600, 16, 0.0001), feed(8.5, 24, eights...)), nil, "0: 0.0001  8: 0.0001  16: 0.0001"},
		// Four-hourly: a hole of five hours is too long, one of five hours among eights is not.
		{"silent for 5 h where funding is 4-hourly", 1, rows(feed(0, 9, 0, 4, 8, 12, 16, 20, 24), feed(14, 24, 0, 4, 8, 12, 16, 20, 24)), nil, "0: 0.0001  4: 0.0001  8: 0.0001  16: 0.0001  20: 0.0001  [12, 14]"},
		{"silent for 5 h over the change from 8 to 4-hourly", 1, rows(feed(0, 9, eights...), feed(14, 24, 16, 20, 24)), nil, "0: 0.0001  8: 0.0001  16: 0.0001  20: 0.0001  (8.8333, 14]"},
		{"hourly", 1, feed(20, 24, 20, 21, 22, 23, 24), nil, "20: 0.0001  21: 0.0001  22: 0.0001  23: 0.0001  [0, 20)"},
		// Missing and known-empty days are holes like any other.
		{"a missing day", 3, rows(feed(0, 24, eights...), feed(48, 72, eights...)), []datasets.Day{1}, "0: 0.0001  8: 0.0001  16: 0.0001  48: 0.0001  56: 0.0001  64: 0.0001  [24, 48)"},
		{"a known-empty day", 3, rows(feed(0, 24, eights...), feed(48.1, 72, eights...)), nil, "0: 0.0001  8: 0.0001  16: 0.0001  56: 0.0001  64: 0.0001  [24, 48.1]"},
		{"a rate that is never shown is not zero", 1, rows(row(0, 0, nan), feed(0.2, 5, eights...), row(5, 8, nan), row(9, 16, 0.0001)), nil, "0: NaN  8: 0.0001  [16, 24)"},
	} {
		s := newMemStore()
		q := tickerRequest(s, c.days)
		putFeed(s, c.days, c.rows, c.missing...)
		for _, what := range []string{"cold", "warm"} {
			got := mustBuild(t, s, q, Options{})
			if g := inHours(got.Settlements, got.FundingGaps); g != c.want {
				t.Errorf("%s (%s cache):\n got %s\nwant %s", c.name, what, g, c.want)
			}
		}
	}
}

// Marks are the last known at T; a T between minutes has one where it was announced before it passed.
func TestFundingMarks(t *testing.T) {
	at := func(offset int64) int64 { return day0.Start() + offset }
	T := func(offset int64) float64 { return float64(at(offset)) }
	for _, c := range []struct {
		name string
		rows [][]any
		want []Settlement
	}{
		{"at whole minutes", [][]any{
			tickerAt(at(0), T(8*hour), 0.1, 100), tickerAt(at(6*hour), T(8*hour), 0.1, nan), tickerAt(at(8*hour-1), nan, nan, 101),
			tickerAt(at(8*hour), nan, nan, 102), tickerAt(at(8*hour+1), T(8*hour), 0.2, 103), tickerAt(at(8*hour+2), T(16*hour), 0.3, -1)},
			[]Settlement{{at(8 * hour), 0.2, 102}}},
		{"between minutes", [][]any{
			tickerAt(at(7*hour), T(8*hour+5_000), 0.1, 100), tickerAt(at(8*hour+5_000), T(8*hour+5_000), 0.2, 101),
			tickerAt(at(8*hour+5_001), nan, nan, 102), tickerAt(at(8*hour+6_000), T(16*hour), 0.3, 103)},
			[]Settlement{{at(8*hour + 5_000), 0.2, 101}}},
		{"between minutes, named too late", [][]any{
			tickerAt(at(8*hour+5_001), T(8*hour+5_000), 0.1, 102), tickerAt(at(8*hour+6_000), T(16*hour), 0.3, 103)},
			[]Settlement{{at(8*hour + 5_000), 0.1, nan}}},
	} {
		s := newMemStore()
		q := tickerRequest(s, 1)
		s.put(datasets.DerivativeTicker, btc, day0, c.rows...)
		if got := mustBuild(t, s, q, Options{}); fmt.Sprint(got.Settlements) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got.Settlements, c.want)
		}
	}
}

// Contracts without settlements have neither events nor gaps.
func TestFundingOfOtherContracts(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"spot":       func(q *Request) { q.Contract.Spot = true },
		"continuous": func(q *Request) { q.Contract.ContinuousFunding = true },
		"dated":      func(q *Request) { q.Instrument.Symbol = "BTCUSDT_240628" },
	} {
		s := newMemStore()
		q := tickerRequest(s, 1)
		change(&q)
		s.put(datasets.Trades, q.Instrument, day0)
		s.put(datasets.DerivativeTicker, q.Instrument, day0, tickerAt(day0.Start(), nan, nan, 100))
		if got := mustBuild(t, s, q, Options{}); len(got.Settlements)+len(got.FundingGaps) > 0 {
			t.Errorf("%s: %v, %v", name, got.Settlements, got.FundingGaps)
		}
	}
}

func TestFundingGapReason(t *testing.T) {
	s := newMemStore()
	q := tickerRequest(s, 4)
	putFeed(s, 4, rows(feed(0, 10, 0, 8, 16, 24), feed(72, 80, 72, 80)), 1, 2)
	got := mustBuild(t, s, q, Options{})
	if len(got.FundingGaps) != 2 || got.FundingGaps[0].Reason != "the lake has no derivative_ticker of 2 days from 2024-03-11 on" ||
		got.FundingGaps[1].Reason != "derivative_ticker is silent, or names no funding_timestamp to come" {
		t.Errorf("%+v", got.FundingGaps)
	}
}

// Events and gaps of any rows, from one pass over all rows kept.
func TestFundingAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMemStore()
		s.batch = rapid.IntRange(1, 9).Draw(t, "batch")
		q := tickerRequest(s, datasets.Day(rapid.IntRange(1, 4).Draw(t, "days")))
		drawTickers(t, s, q)
		settled, gaps := naiveFunding(s, q)
		got, err := Build(context.Background(), s, q, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got.FundingGaps, gaps = mergeGaps(got.FundingGaps), mergeGaps(gaps)
		if g, w := fmt.Sprint(got.Settlements, got.FundingGaps), fmt.Sprint(settled, gaps); g != w {
			t.Fatalf("%s\n got %s\n     %s\nwant %s\n     %s", dumpFeed(s, q), g, inHours(got.Settlements, got.FundingGaps), w, inHours(settled, gaps))
		}
		end := q.First.Start() - 1
		for _, g := range got.FundingGaps {
			if g.From < end || g.To <= g.From || g.To >= q.End.Start() {
				t.Fatalf("gaps %v", got.FundingGaps)
			}
			end = g.To
			for _, x := range got.Settlements {
				if x.Time > g.From && x.Time <= g.To {
					t.Fatalf("settlement %v in the gap %v", x, g)
				}
			}
		}
	})
}

// mergeGaps joins what touches, whatever the reasons.
func mergeGaps(gaps []FundingGap) (out []FundingGap) {
	for _, g := range gaps {
		g.Reason = ""
		if n := len(out); n > 0 && out[n-1].To == g.From {
			out[n-1].To = g.To
			continue
		}
		out = append(out, g)
	}
	return out
}

// naiveFunding goes from one row that says what comes next to the one after it.
func naiveFunding(s *memStore, q Request) (settled []Settlement, gaps []FundingGap) {
	days, missing := tickerRows(s, q)
	held := false // a feed that the span does not have says nothing of funding
	for d := q.First; d < q.End; d++ {
		held = held || !missing[d]
	}
	if !held {
		return nil, nil
	}
	type claim struct {
		at, T int64
		rate  float64
	}
	var claims []claim
	for d := q.First - 1; d <= q.End; d++ {
		for _, r := range days[d] {
			at, T := int64(r.at), int64(r.T)
			if math.IsNaN(r.T) || T < at-5*minute {
				continue
			}
			if n := len(claims); n > 0 && T <= at && claims[n-1].T > T && claims[n-1].at >= T-minute {
				continue
			}
			claims = append(claims, claim{at, T, r.rate})
		}
	}
	begin, end := q.First.Start(), q.End.Start()
	latest := int64(0)
	gap := func(from, to int64) {
		if from, to = max(from, begin-1, latest), min(to, end-1); from < to {
			gaps = append(gaps, FundingGap{From: from, To: to})
		}
	}
	if len(claims) == 0 {
		gap(begin-1, end-1)
		return nil, gaps
	}
	happened := func(k int) bool { // does claim k+1 say that the T of claim k came?
		a, b := claims[k], claims[k+1]
		return a.T <= a.at || a.T <= b.at || a.T-b.at <= minute && b.T > a.T
	}
	type space struct{ at, interval int64 }
	var spaces []space
	for k := range len(claims) - 1 {
		if a, b := claims[k], claims[k+1]; happened(k) && b.T > a.T && 2*(b.at-a.T) <= b.T-a.T {
			spaces = append(spaces, space{a.T, max(b.T-a.T, hour)})
		}
	}
	slices.SortStableFunc(spaces, func(a, b space) int { return int(min(1, max(-1, a.at-b.at))) })
	interval := func(from, to int64) int64 {
		out := int64(math.MaxInt64)
		for _, s := range spaces {
			if s.at <= from {
				out = s.interval
			}
		}
		for _, s := range spaces {
			if s.at > from && s.at >= to-5*minute {
				out = min(out, s.interval)
				break
			}
		}
		if out == math.MaxInt64 {
			return 8 * hour
		}
		return out
	}
	rates := map[int64]float64{}
	heard := func(T int64, rate float64) {
		latest = max(latest, T)
		if old, ok := rates[T]; !ok || !math.IsNaN(rate) {
			rates[T] = rate
		} else {
			rates[T] = old
		}
	}
	known := func(c claim) int64 {
		if c.T <= c.at {
			return c.T - 1
		}
		return c.at
	}
	unknown := func(c claim, interval int64) int64 {
		if c.T > c.at && c.T-c.at <= interval {
			return c.T - 1
		}
		return c.at
	}
	gap(begin-1, known(claims[0]))
	rate := nan // of the current T
	for k, c := range claims {
		if k == 0 || claims[k-1].T != c.T {
			rate = nan
		}
		if !math.IsNaN(c.rate) {
			rate = c.rate
		}
		if c.T <= c.at {
			heard(c.T, rate)
		}
		if k == len(claims)-1 {
			if i := interval(c.at, math.MaxInt64); c.T > c.at || end-c.at > i {
				gap(unknown(c, i), end-1)
			}
			break
		}
		next := claims[k+1]
		if i := interval(c.at, next.at); next.at-c.at > hour && next.at-c.at > i {
			gap(unknown(c, i), known(next))
			continue
		}
		if next.T != c.T && happened(k) {
			heard(c.T, rate)
		}
	}
	for T, rate := range rates {
		if T >= begin && T <= end {
			settled = append(settled, Settlement{T, rate, naiveMarkBefore(s, q, q.First-1, T, func(at float64) bool { return at <= float64(T) })})
		}
	}
	slices.SortFunc(settled, func(a, b Settlement) int { return int(min(1, max(-1, a.Time-b.Time))) })
	return settled, gaps
}

func dumpFeed(s *memStore, q Request) string {
	days, missing := tickerRows(s, q)
	out := ""
	for d := q.First - 1; d <= q.End; d++ {
		out += fmt.Sprintf("day %d missing %v:", d-day0, missing[d])
		for _, r := range days[d] {
			if math.IsNaN(r.T) {
				continue
			}
			out += fmt.Sprintf(" [%.7f %.4f %v]", (r.at-float64(day0.Start()))/hour, (r.T-float64(day0.Start()))/hour, r.rate)
		}
		out += "\n"
	}
	return out
}
