package portfolio

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// fundedMarket is a market at 100 on one-hour bars, long 1,000 units of it from the open of the second on: with a rate of
// 1e-4 a settlement costs 10.
func fundedMarket(hours int, settled []bars.Settlement, gaps ...bars.FundingGap) (*testMarket, study.Span, study.ExecutionConfig) {
	closes := fill(hours, 100)
	m, span := stretched(time.Hour, closes, closes, fill(hours, 1))
	m.Market.Settlements, m.Market.Gaps = [][]bars.Settlement{settled}, [][]bars.FundingGap{gaps}
	e := execution()
	e.InitialCapital, e.Funding = 1e5, true
	return m, span, e
}

func every(hours ...float64) (list []bars.Settlement) {
	for _, h := range hours {
		list = append(list, bars.Settlement{Time: hour(h), Rate: 1e-4, Mark: 100})
	}
	return list
}

func hour(h float64) int64 { return int64(h * 60 * float64(minute)) }

// What the feed names is paid, and over what it does not say net PnL is unknown: from the first instant of it at which
// the position is held.
func TestFundingThatTheDataDoesNotShow(t *testing.T) {
	held := func(at func(int) bool) func(int) float64 {
		return func(row int) float64 {
			if at(row) {
				return 1
			}
			return 0
		}
	}
	silent := bars.FundingGap{From: hour(7.5), To: hour(16.5), Reason: "silence"}
	for _, c := range []struct {
		name    string
		hours   int
		settled []bars.Settlement
		gaps    []bars.FundingGap
		funding float64
		from    int64 // −1: all is known
		target  func(row int) float64
	}{
		{name: "all shown", hours: 48, settled: every(0, 8, 16, 24, 32, 40), funding: -50, from: -1},
		{name: "silent 07:30 to 16:30", hours: 48, settled: every(0, 24, 32, 40), gaps: []bars.FundingGap{silent}, funding: -30, from: hour(7.5) + 1},
		{name: "and so −40 of five events", hours: 48, settled: every(0, 8, 24, 32, 40), gaps: []bars.FundingGap{{From: hour(8.5), To: hour(16.5), Reason: "silence"}}, funding: -40, from: hour(8.5) + 1},
		{name: "an event that was moved, with its replacement: nine of ten", hours: 80, settled: every(8, 16, 20, 32, 40, 48, 56, 64, 72), funding: -90, from: -1},
		{name: "a late row changes nothing: five", hours: 48, settled: every(8, 16, 24, 32, 40), funding: -50, from: -1},
		{name: "flat while it is silent", hours: 48, settled: every(0, 24, 32, 40), gaps: []bars.FundingGap{silent}, funding: -30, from: -1,
			target: held(func(row int) bool { return row < 5 || row >= 16 })},
		{name: "bought into the silence", hours: 48, settled: every(0, 24, 32, 40), gaps: []bars.FundingGap{silent}, funding: -30, from: hour(9) + 1,
			target: held(func(row int) bool { return row >= 8 })},
		{name: "sold at its first instant", hours: 48, settled: every(0), gaps: []bars.FundingGap{{From: hour(8) - 1, To: hour(9)}}, from: hour(8),
			target: held(func(row int) bool { return row < 7 })},
		{name: "sold before its first instant", hours: 48, settled: every(0), gaps: []bars.FundingGap{{From: hour(8), To: hour(9)}}, from: -1,
			target: held(func(row int) bool { return row < 7 })},
		{name: "a feed that begins at 10:00", hours: 24, settled: every(16), gaps: []bars.FundingGap{{From: hour(0) - 1, To: hour(10)}}, funding: -10, from: hour(1) + 1},
		{name: "a feed that ends at 10:00", hours: 24, settled: every(8), gaps: []bars.FundingGap{{From: hour(10), To: hour(24)}}, funding: -10, from: hour(10) + 1},
		{name: "a perpetual without any", hours: 24, gaps: []bars.FundingGap{{From: -1, To: hour(24)}}, from: hour(1) + 1},
		{name: "no mark", hours: 24, settled: []bars.Settlement{{Time: hour(8), Rate: 1e-4, Mark: nan}}, from: hour(8)},
		{name: "no rate", hours: 24, settled: []bars.Settlement{{Time: hour(8), Rate: nan, Mark: 100}}, from: hour(8)},
	} {
		m, span, e := fundedMarket(c.hours, c.settled, c.gaps...)
		target := fill(c.hours, 1)
		for row := range target {
			if c.target != nil {
				target[row] = c.target(row)
			}
		}
		r, err := simulate(m, newTarget(m, target), span, e)
		if err != nil {
			t.Fatal(err)
		}
		from := int64(-1)
		if u := r.Account.Unknown; u != nil {
			from = u.From
			if u != r.UnknownOf[0] || !r.Known(from) || r.Known(from+1) || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), stamp(from)) {
				t.Errorf("%s: %+v, warnings %v", c.name, u, r.Warnings)
			}
		} else if !r.Known(math.MaxInt64) {
			t.Errorf("%s: not known", c.name)
		}
		if math.Abs(r.Total.Funding-c.funding) > 1e-9 || from != c.from {
			t.Errorf("%s: funding %v, unknown from %d, want %v and %d", c.name, r.Total.Funding, from, c.funding, c.from)
		}
	}
}

// With fills at the close the position is carried through the bar that closes it, and not through the one that opens it.
func TestUnknownFundingWithFillsAtTheClose(t *testing.T) {
	for _, c := range []struct{ gap, from int64 }{{hour(1) + 5, -1}, {hour(2) - 2, -1}, {hour(2) - 1, hour(2)}, {hour(4) - 2, hour(4) - 1}, {hour(4) - 1, -1}} {
		m, span, e := fundedMarket(6, nil, bars.FundingGap{From: c.gap, To: c.gap + 1, Reason: "silence"})
		e.Price = "close" // bought at 02:00, sold at 04:00
		r, err := simulate(m, newTarget(m, []float64{1, 1, 0, 0, 0, 0}), span, e)
		if err != nil {
			t.Fatal(err)
		}
		if u := r.Account.Unknown; (u == nil) != (c.from < 0) || u != nil && u.From != c.from {
			t.Errorf("nothing known of %d: unknown %+v, want from %d", c.gap+1, u, c.from)
		}
	}
}

// Each instrument knows from when on its own is unknown; the portfolio is from the first of them.
func TestUnknownOfInstruments(t *testing.T) {
	x := func() table {
		return table{contract: linear, columns: map[string][]float64{"close": fill(10, 100)}, target: fill(10, 1)}
	}
	m, target, span := market(x(), x(), x())
	m.Market.Gaps = [][]bars.FundingGap{{{From: 7 * minute, To: 8 * minute}, {From: 8*minute + 1, To: 9 * minute}}, nil, {{From: 3 * minute, To: 4 * minute, Reason: "silence"}}}
	e := execution()
	e.Funding = true
	r, err := simulate(m, target, span, e)
	if err != nil {
		t.Fatal(err)
	}
	a := r.Account
	if a.Unknown != a.UnknownOf[2] || *a.Unknown != (Unknown{From: 3*minute + 1, Instrument: 2, Reason: "silence", Count: 1}) || a.UnknownOf[1] != nil ||
		*a.UnknownOf[0] != (Unknown{From: 7*minute + 1, Count: 2}) || len(a.Warnings) != 2 || !strings.HasPrefix(a.Warnings[1].Error(), "test:C was held at 1970-01-01 00:03") {
		t.Errorf("unknown %+v, of each %+v, warnings %v", a.Unknown, a.UnknownOf, a.Warnings)
	}
}

func TestWithoutFundingFeed(t *testing.T) {
	m, span, e := fundedMarket(4, nil)
	m.Market.Days = [][]bars.DayStatus{{{Type: datasets.Trades, Presence: bars.Present}}}
	if _, err := simulate(m, newTarget(m, fill(4, 1)), span, e); err == nil || !strings.Contains(err.Error(), "has no funding feed") {
		t.Errorf("error %v, want that there is no funding feed", err)
	}
}
