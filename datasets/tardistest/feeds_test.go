package tardistest

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// The five levels are the top of the twenty-five.
func TestSnapshotsAgree(t *testing.T) {
	m := testMarket(1, 0)
	m.SnapshotEvery = 600
	five, _ := m.table(t, btc, datasets.BookSnapshot5, 0)
	all, _ := m.table(t, btc, datasets.BookSnapshot25, 0)
	for i := range all {
		if !slices.Equal(five[i], all[i][:len(five[i])]) {
			t.Fatalf("row %d: %v and %v", i, five[i], all[i])
		}
	}
}

// Replaying the updates gives an uncrossed book of 25 levels a side after each message; the day and
// what follows a gap start with a snapshot.
func TestUpdatesReplay(t *testing.T) {
	m := testMarket(1, 0)
	m.BookUpdatesPerDay = 3000
	noon := m.Start.Time().Add(12 * time.Hour)
	m.Gaps = []Gap{{Range: datasets.Range{From: noon, To: noon.Add(time.Hour)}, Type: datasets.IncrementalBookL2}}
	rows, column := m.table(t, btc, datasets.IncrementalBookL2, 0)
	book := map[string]map[float64]float64{}
	snapshots := 0
	for n, row := range rows {
		local := row[column["local_timestamp"]]
		snapshot := row[column["is_snapshot"]] == "true"
		if snapshot && (n == 0 || rows[n-1][column["is_snapshot"]] == "false") {
			snapshots++
			book = map[string]map[float64]float64{"bid": {}, "ask": {}}
		}
		side := book[row[column["side"]]]
		price, amount := number(t, row[column["price"]]), number(t, row[column["amount"]])
		if _, ok := side[price]; amount == 0 && !ok {
			t.Fatalf("row %d deletes %v, which is not there", n, price)
		}
		side[price] = amount
		if amount == 0 {
			delete(side, price)
		}
		if n+1 < len(rows) && rows[n+1][column["local_timestamp"]] == local {
			continue
		}
		bid, ask := math.Inf(-1), math.Inf(1)
		for p := range book["bid"] {
			bid = max(bid, p)
		}
		for p := range book["ask"] {
			ask = min(ask, p)
		}
		if bid >= ask || len(book["bid"]) != depth || len(book["ask"]) != depth {
			t.Fatalf("row %d: bid %v of %d, ask %v of %d", n, bid, len(book["bid"]), ask, len(book["ask"]))
		}
	}
	if snapshots != 2 {
		t.Errorf("%d snapshots, want one at midnight and one after the gap", snapshots)
	}
}

// Falling minutes liquidate longs, which are sold; rising ones shorts.
func TestLiquidations(t *testing.T) {
	m := testMarket(1, 0)
	n := 0
	for day := range 20 {
		d := m.day(btc, m.Start+datasets.Day(day))
		var b bytes.Buffer
		if err := m.WriteDay(&b, datasets.Partition{Instrument: btc, Type: datasets.Liquidations, Day: d.day}); err != nil {
			t.Fatal(err)
		}
		if b.Len() == 0 {
			continue // a calm day: an empty file
		}
		rows, column := m.table(t, btc, datasets.Liquidations, day)
		for _, row := range rows {
			minute := (integer(t, row[column["local_timestamp"]]) - d.day.Start()) / 60_000_000
			rose := d.price[minute+1] > d.price[minute]
			if side := row[column["side"]]; (side == "buy") != rose {
				t.Fatalf("%s in minute %d, which rose: %v", side, minute, rose)
			}
			n++
		}
	}
	if n < 100 || n > 20_000 {
		t.Errorf("%d liquidations in 20 days", n)
	}
}

// Black's values against the textbook put on a futures contract (Hull: futures 20, strike 20, four
// months, 25 %, discounted at 9 %, is 1.12), parity, and greeks against differences.
func TestBlack(t *testing.T) {
	near := func(name string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	put := black(20, 20, 4.0/12, 0.25, false)
	near("put at 9 % discount", put.value*math.Exp(-0.09*4/12), 1.12, 0.005)
	const f, k, y, v = 100, 110, 0.25, 0.6
	for _, call := range []bool{true, false} {
		w := black(f, k, y, v, call)
		const e = 1e-4
		near("delta", w.delta, (black(f+e, k, y, v, call).value-black(f-e, k, y, v, call).value)/(2*e), 1e-6)
		near("gamma", w.gamma, (black(f+e, k, y, v, call).delta-black(f-e, k, y, v, call).delta)/(2*e), 1e-6)
		near("vega", w.vega*100, (black(f, k, y, v+e, call).value-black(f, k, y, v-e, call).value)/(2*e), 1e-5)
		near("theta", w.theta*365, -(black(f, k, y+e, v, call).value-black(f, k, y-e, v, call).value)/(2*e), 1e-4)
	}
	near("parity", black(f, k, y, v, true).value-black(f, k, y, v, false).value, f-k, 1e-9)
}

func TestOptionsChain(t *testing.T) {
	m := testMarket(1, 0)
	m.Instruments = append(m.Instruments, inverse)
	options := datasets.Instrument{Exchange: "deribit", Symbol: "OPTIONS"}
	rows, column := m.table(t, options, datasets.OptionsChain, 0)
	if want := 144 * 42; len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	empty := map[string]int{}
	for n, row := range rows {
		cell := func(name string) string { return row[column[name]] }
		for name := range column {
			if cell(name) == "" {
				empty[name]++
			}
		}
		if want := "BTC-5JAN24-"; n == 0 && !strings.HasPrefix(cell("symbol"), want) {
			t.Errorf("first symbol %s, want %s…", cell("symbol"), want)
		}
		if cell("bid_price") != "" && number(t, cell("bid_price")) >= number(t, cell("ask_price")) {
			t.Fatalf("row %d: bid %s, ask %s", n, cell("bid_price"), cell("ask_price"))
		}
		if delta := number(t, cell("delta")); (cell("type") == "call") != (delta >= 0) && delta != 0 {
			t.Fatalf("row %d: %s with delta %v", n, cell("type"), delta)
		}
	}
	if empty["last_price"] == 0 || empty["bid_price"] == 0 || empty["bid_price"] != empty["bid_iv"] || empty["ask_price"] != 0 {
		t.Errorf("empty cells by column: %v", empty)
	}
}

// A grouped file has the rows of its members, by arrival.
func TestGroups(t *testing.T) {
	m := testMarket(1, 0)
	m.TradesPerDay = 500
	dated := datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT_240329"}
	spot := datasets.Instrument{Exchange: "binance", Symbol: "BTCUSDT"}
	m.Instruments = append(m.Instruments, dated, spot)
	for _, c := range []struct {
		exchange, group string
		members         []datasets.Instrument
	}{
		{"binance-futures", "PERPETUALS", []datasets.Instrument{btc, eth}},
		{"binance-futures", "FUTURES", []datasets.Instrument{dated}},
		{"binance", "SPOT", []datasets.Instrument{spot}},
	} {
		group := datasets.Instrument{Exchange: c.exchange, Symbol: c.group}
		rows, column := m.table(t, group, datasets.Trades, 0)
		var got, want []string
		last := ""
		for _, row := range rows {
			local := row[column["local_timestamp"]]
			if local < last {
				t.Fatalf("%s: %s after %s", c.group, local, last)
			}
			last = local
			got = append(got, strings.Join(row, ","))
		}
		for _, in := range c.members {
			alone, _ := m.table(t, in, datasets.Trades, 0)
			for _, row := range alone {
				want = append(want, strings.Join(row, ","))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %d rows, its members %d", c.group, len(got), len(want))
		}
	}
	for _, p := range []datasets.Partition{
		{Instrument: spot, Type: datasets.DerivativeTicker, Day: m.Start},
		{Instrument: btc, Type: datasets.OptionsChain, Day: m.Start},
		{Instrument: datasets.Instrument{Exchange: "binance", Symbol: "PERPETUALS"}, Type: datasets.Trades, Day: m.Start},
		{Instrument: datasets.Instrument{Exchange: "binance", Symbol: "SPOT"}, Type: datasets.DerivativeTicker, Day: m.Start},
	} {
		if err := m.WriteDay(io.Discard, p); !errors.Is(err, datasets.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", p, err)
		}
	}
	rows, column := m.table(t, dated, datasets.DerivativeTicker, 0)
	if row := rows[0]; row[column["funding_timestamp"]] != "" || row[column["funding_rate"]] != "" || row[column["mark_price"]] == "" {
		t.Errorf("a dated future's ticker: %v", row)
	}
}

// Gaps take away rows, whole days or files, and change nothing else.
func TestGaps(t *testing.T) {
	whole, m := testMarket(1, 0), testMarket(1, 0)
	hour := func(day, h int) time.Time {
		return (m.Start + datasets.Day(day)).Time().Add(time.Duration(h) * time.Hour)
	}
	m.Gaps = []Gap{
		{Range: datasets.Range{From: hour(0, 5), To: hour(0, 7)}},
		{Range: datasets.Range{From: hour(1, 0), To: hour(2, 0)}, Instrument: btc, Type: datasets.Trades},
		{Range: datasets.Range{From: hour(2, 3), To: hour(3, 3)}, NoFile: true},
	}
	rows, column := whole.table(t, btc, datasets.Trades, 0)
	want := slices.DeleteFunc(rows, func(row []string) bool {
		local := integer(t, row[column["local_timestamp"]])
		return local >= hour(0, 5).UnixMicro() && local < hour(0, 7).UnixMicro()
	})
	if got, _ := m.table(t, btc, datasets.Trades, 0); !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("%d rows, want the %d outside the gap", len(got), len(want))
	}
	if text := m.text(t, btc, datasets.Trades, 1); text != "" {
		t.Errorf("%d bytes on a day without rows", len(text))
	}
	if m.text(t, eth, datasets.Trades, 1) != whole.text(t, eth, datasets.Trades, 1) || m.text(t, btc, datasets.DerivativeTicker, 1) != whole.text(t, btc, datasets.DerivativeTicker, 1) {
		t.Error("a gap of one feed reaches another")
	}
	for day, missing := range []bool{false, false, true, true, false} {
		err := m.WriteDay(io.Discard, datasets.Partition{Instrument: btc, Type: datasets.Quotes, Day: m.Start + datasets.Day(day)})
		if errors.Is(err, datasets.ErrNotFound) != missing {
			t.Errorf("day %d: %v", day, err)
		}
	}
}

func TestListings(t *testing.T) {
	for _, c := range []struct {
		in     datasets.Instrument
		kind   kind
		amount string // of 3,000 in quote currency
	}{
		{btc, perpetual, "0.05"},
		{eth, perpetual, "1"},
		{inverse, perpetual, "3000"},
		{datasets.Instrument{Exchange: "okex-swap", Symbol: "BTC-USDT-SWAP"}, perpetual, "5"},
		{datasets.Instrument{Exchange: "binance-delivery", Symbol: "BTCUSD_PERP"}, perpetual, "30"},
		{datasets.Instrument{Exchange: "bitmex", Symbol: "XBTUSDT"}, perpetual, "50000"},
		{datasets.Instrument{Exchange: "deribit", Symbol: "BTC-29MAR24"}, future, "3000"},
		{datasets.Instrument{Exchange: "bitmex", Symbol: "XBTH24"}, future, "3000"},
		{datasets.Instrument{Exchange: "binance", Symbol: "BTCUSDT"}, spot, "0.05"},
		{datasets.Instrument{Exchange: "binance-futures", Symbol: "SOLUSDT"}, perpetual, "150"},
	} {
		l := listingOf(c.in)
		o := new(csvWriter)
		o.decimal(l.lots(3000), l.lotDecimals)
		if got := string(o.buf[1:]); l.kind != c.kind || got != c.amount {
			t.Errorf("%s: kind %d, 3000 is %s; want kind %d, %s", c.in, l.kind, got, c.kind, c.amount)
		}
	}
}
