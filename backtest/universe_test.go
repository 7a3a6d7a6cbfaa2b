package backtest

import (
	"fmt"
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/universe"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// coins is a study of a universe of which some die, one is renamed, one is listed again and one begins inside the span.
const coins = `
version: 1
name: coins
data:
  universe: {exchange: binance-futures, type: perpetual, quote: USDT, window: 2d, top: 3, every: 2d, min_age: 1d}
  from: 2024-01-01
  to: 2024-01-11
bars: {kind: time, every: 1h}
factors:
  - {name: mom, kind: momentum, window: 6h}
  - {name: place, expr: "rank(delta(log(close), 4h))"}
composite:
  normalize: {method: cross_section}
  components: [{factor: mom, weight: 0.5}, {factor: place, weight: 0.5}]
execution: {funding: true}
evaluation: {horizons: [1h, 4h], primary_horizon: 4h, bootstrap: 0, ledger: off}
`

// coinLake is a lake of its market, with the vendor's metadata where told.
func coinLake(t *testing.T, told bool) (*datasets.Lake, *study.Study) {
	t.Helper()
	start, err := datasets.ParseDay("2023-12-28")
	if err != nil {
		t.Fatal(err)
	}
	end := start + 14
	m := &tardistest.Market{Seed: 3, Start: start, TradesPerDay: 500, TickerEvery: 600}
	for _, s := range []string{"AUSDT", "BUSDT", "DEADUSDT", "OLDUSDT", "NEWUSDT", "BACKUSDT", "LATEUSDT"} {
		m.Instruments = append(m.Instruments, datasets.Instrument{Exchange: "binance-futures", Symbol: s})
	}
	live := func(k int, from, to datasets.Day) {
		m.Lives = append(m.Lives, tardistest.Life{Instrument: m.Instruments[k], From: from, To: to})
	}
	live(2, start, start+8)
	live(3, start, start+9)
	live(4, start+9, 0)
	live(5, start, start+7)
	live(5, start+10, 0)
	live(6, start+6, 0)
	lake, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var want []datasets.Partition
	for _, in := range m.Instruments {
		for _, feed := range []datasets.DataType{datasets.Trades, datasets.DerivativeTicker} {
			for d := start; d <= end; d++ {
				for _, l := range append(m.Lives, tardistest.Life{Instrument: m.Instruments[0], From: start}, tardistest.Life{Instrument: m.Instruments[1], From: start}) {
					if l.Instrument == in && l.From <= d && (l.To == 0 || d < l.To) {
						want = append(want, datasets.Partition{Instrument: in, Type: feed, Day: d})
					}
				}
			}
		}
	}
	report, err := datasets.Fetch(t.Context(), dayFiles{m}, lake, want, datasets.FetchOptions{})
	if err != nil || report.Count(datasets.Fetched) != len(want) {
		t.Fatalf("%d of %d days fetched, %v", report.Count(datasets.Fetched), len(want), err)
	}
	if told {
		v := &datasets.Venue{Exchange: "binance-futures", Asked: end + 30}
		for _, in := range m.Instruments {
			lives := 0
			for _, l := range append(m.Lives, tardistest.Life{Instrument: in, From: start}) {
				if l.Instrument != in || l.To == 0 && lives > 0 && l.From == start {
					continue
				}
				lives++
				x := datasets.Listing{Symbol: in.Symbol, Type: "perpetual", Quote: "USDT", Terms: true, Multiplier: 1, From: l.From.Time()}
				x.Base = in.Symbol[:len(in.Symbol)-len("USDT")]
				if l.To != 0 {
					x.To = l.To.Time()
				}
				v.Listings = append(v.Listings, x)
			}
		}
		if err := lake.KeepVenue(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	s, err := study.ParseKnown("coins", []byte(coins), nil, lake.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	return lake, s
}

// TestUniverse: only who was listed at the time is a member, what is held of the dead is settled, books balance, nothing looks ahead;
// and a universe of who is there at the end is caught.
func TestUniverse(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("metadata %v", told), func(t *testing.T) {
			lake, s := coinLake(t, told)
			if n := len(s.Data.Instruments); n != 7 {
				t.Fatalf("%d candidates, want 7", n)
			}
			r, c := auditedBy(t, production, lake, s, Options{})
			clean(t, c)
			u := r.Universe
			if u == nil || len(u.Changes) == 0 {
				t.Fatal("there is no membership")
			}
			for _, m := range u.Changes {
				for _, in := range m.Members {
					for symbol, life := range map[string][2]string{"DEADUSDT": {"", "2024-01-05"}, "OLDUSDT": {"", "2024-01-06"}, "NEWUSDT": {"2024-01-07", ""}, "LATEUSDT": {"2024-01-04", ""}} {
						if d := m.Day.String(); in.Symbol == symbol && (life[0] != "" && d < life[0] || life[1] != "" && d >= life[1]) {
							t.Errorf("%s is a member on %s", symbol, d)
						}
					}
				}
			}
			seen := map[string]bool{}
			for _, v := range r.Figures.Variants {
				seen[v.Variant] = true
				if v.Variant == evaluate.Survivors && !(v.TotalReturn != r.Figures.PnL[0].Of("total_return")) {
					t.Errorf("the members of the end return %v, as the study does", v.TotalReturn)
				}
			}
			if !seen[evaluate.Survivors] {
				t.Error("the survivors were not traded")
			}
			// Nobody is held who is no member, one bar later at the latest.
			member := make(map[string]bool)
			k := 0
			err := r.Rows(func(x *RunRows) error {
				for row, at := range x.TS {
					for k < len(u.Changes) && u.Changes[k].Day.Start() <= at-3600e6 {
						clear(member)
						for _, in := range u.Changes[k].Members {
							member[in.Symbol] = true
						}
						k++
					}
					for i, in := range r.Grid.Instruments {
						if x.Quantity[i][row] != 0 && !member[in.Symbol] {
							t.Errorf("%v of %s are held at %s", x.Quantity[i][row], in.Symbol, stamp(at))
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			peek := production
			peek.choose = func(d *universe.Days, c study.UniverseConfig, instants []datasets.Day) universe.Schedule {
				return universe.Fixed(d.Rank(c, s.Data.To))
			}
			_, c = auditedBy(t, peek, lake, s, Options{})
			if len(c.Violations) == 0 || c.Violations[0].Panel != "member" {
				t.Errorf("a universe of the span's end was not caught: %+v", c.Violations)
			}
		})
	}
}

// TestUniverseBlocks: blocks of any length give the same figures.
func TestUniverseBlocks(t *testing.T) {
	lake, s := coinLake(t, true)
	var before string
	for _, n := range []int{0, 7, 24} {
		r, err := Backtest(t.Context(), lake, s, Options{block: n})
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(r.Figures.PnL, r.Figures.IC, r.Figures.Variants, r.Universe.Changes)
		if before != "" && text != before {
			t.Errorf("blocks of %d give other figures", n)
		}
		before = text
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
