package portfolio

import (
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// lake lists the days of trades that a lake has, of so many.
func lake(days int, missing ...datasets.Day) (list []bars.DayStatus) {
	for d := range datasets.Day(days) {
		x := bars.DayStatus{Type: datasets.Trades, Day: d, Presence: bars.Present}
		for _, gone := range missing {
			if gone == d {
				x.Presence = bars.Missing
			}
		}
		list = append(list, x, bars.DayStatus{Type: datasets.DerivativeTicker, Day: d})
	}
	return list
}

// Half-day bars, 10 units held from the open of bar 1 on; days 1 and 2 are not there, and day 5.
//
//	day     0      1  2   3      4      5
//	close   100 110  –  –   120 132  132 125  –
//	equity  1000 1100       1200 1320  1320 1250
//
// Day 0 returned 10 %. The 20 % from its end to that of day 3 are of three days. Day 4 lost 70/1320. Day 5 says nothing.
func TestHoleIsOneObservation(t *testing.T) {
	closes := []float64{100, 110, nan, nan, nan, nan, 120, 132, 132, 125, nan, nan}
	open := []float64{100, 100, nan, nan, nan, nan, 120, 132, 132, 125, nan, nan}
	target := fill(12, 1)
	m, span := stretched(12*time.Hour, open, closes, target)
	m.Market.Days = [][]bars.DayStatus{lake(6, 1, 2, 5)}
	r, err := simulate(m, newTarget(m, target), span, execution())
	if err != nil {
		t.Fatal(err)
	}
	want := []Day{{Day: 0, Return: 0.1, PnL: 100, Held: true}, {Day: 3, Hole: 2, Return: 0.2, PnL: 220, Held: true}, {Day: 4, Return: -70. / 1320, PnL: -70, Held: true}, {Day: 5, Hole: 1, Held: true}}
	if len(r.Account.Days) != len(want) {
		t.Fatalf("days %+v", r.Account.Days)
	}
	for k, d := range r.Account.Days {
		w := want[k]
		wantSeries(t, "day", []float64{d.Return, d.PnL}, []float64{w.Return, w.PnL})
		if d.Day != w.Day || d.Hole != w.Hole || d.Held != w.Held {
			t.Errorf("day %+v, want %+v", d, w)
		}
	}
	returns, held := r.Daily()
	wantSeries(t, "daily", returns, []float64{0.1, -70. / 1320})
	if len(held) != 2 {
		t.Errorf("held on %v", held)
	}
}

// Three free days, the first of three months: one daily return, and two holes.
func TestThreeFreeDays(t *testing.T) {
	const n = 61
	closes := fill(n, nan)
	closes[0], closes[31], closes[60] = 100, 110, 121
	var missing []datasets.Day
	for d := range datasets.Day(n) {
		if closes[d] != closes[d] {
			missing = append(missing, d)
		}
	}
	m, span := stretched(24*time.Hour, closes, closes, fill(n, 1))
	m.Market.Days = [][]bars.DayStatus{lake(n, missing...)}
	r, err := simulate(m, newTarget(m, fill(n, 1)), span, execution())
	if err != nil {
		t.Fatal(err)
	}
	returns, _ := r.Daily()
	wantSeries(t, "daily", returns, []float64{0})
	days := r.Account.Days
	if len(days) != 3 || days[1].Hole != 30 || days[2].Hole != 28 {
		t.Errorf("days %+v", days)
	}
}

// A day without one instrument is a hole only while that one is held and comes back; what two portfolios are compared by
// are the days that are single ones of both.
func TestHolesOfInstruments(t *testing.T) {
	a := []float64{100, 100, 100, nan, 110, 110, nan, nan}
	b := []float64{100, 100, 100, 100, 100, 100, 100, 100}
	m, _, span := market(table{contract: linear, columns: map[string][]float64{"close": a}, target: fill(8, 1)},
		table{contract: linear, columns: map[string][]float64{"close": b}, target: fill(8, 1)})
	m.Market.Grid.Every = 24 * time.Hour
	for k := range m.Close {
		m.Close[k] = int64(k+1) * datasets.MicrosPerDay
	}
	span.To = m.Close[7]
	m.Market.Days = [][]bars.DayStatus{lake(8, 3, 6, 7), lake(8)}
	holes := func(target ...[]float64) (list []int, account *Account) {
		r, err := simulate(m, newTarget(m, target...), span, execution())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Account.Days {
			list = append(list, d.Hole)
		}
		return list, r.Account
	}
	both, x := holes(fill(8, 1), fill(8, 1))
	one, y := holes(fill(8, 0), fill(8, 1))
	if len(both) != 7 || both[3] != 1 || len(one) != 8 {
		t.Errorf("holes %v with both held, %v with one", both, one)
	}
	p, q := x.Paired(y)
	if len(p) != 6 || len(q) != 6 {
		t.Errorf("%d and %d days are paired, want 6", len(p), len(q))
	}
}
