package datasets

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestContractOf(t *testing.T) {
	perp := func(m float64) Contract { return Contract{Multiplier: m} }
	inv := func(m float64) Contract { return Contract{Inverse: true, Multiplier: m} }
	for name, want := range map[string]Contract{
		"binance:BTCUSDT":                {Spot: true, Multiplier: 1},
		"kraken:XBT-USD":                 {Spot: true, Multiplier: 1},
		"binance-futures:ETHUSDT":        perp(1),
		"binance-delivery:BTCUSD_PERP":   inv(100),
		"binance-delivery:BTCUSD_240628": inv(100),
		"binance-delivery:ETHUSD_PERP":   inv(10),
		"bybit:BTCUSDT":                  perp(1),
		"bybit:BTCPERP":                  perp(1),
		"bybit:BTCUSD":                   inv(1),
		"bybit:ETHUSDH24":                inv(1),
		"okex-swap:BTC-USDT-SWAP":        perp(0.01),
		"okex-swap:ETH-USDT-SWAP":        perp(0.1),
		"okex-swap:BTC-USD-SWAP":         inv(100),
		"okex-swap:ETH-USD-SWAP":         inv(10),
		"deribit:BTC-PERPETUAL":          {Inverse: true, Multiplier: 1, ContinuousFunding: true},
		"deribit:BTC-27SEP24":            inv(1),
		"deribit:BTC_USDC-PERPETUAL":     {Multiplier: 1, ContinuousFunding: true},
		"deribit:BTC_USDC":               {Spot: true, Multiplier: 1},
		"bitmex:XBTUSD":                  inv(1),
		"bitmex:XBTUSDT":                 perp(0.000001),
	} {
		in, err := ParseInstrument(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ContractOf(in); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{"okex-swap:PEPE-USDT-SWAP", "okex-swap:PEPE-USD-SWAP", "bitmex:ETHUSD", "deribit:BTC-27SEP24-60000-C",
		"deribit:BTC-FS-28MAR25_PERP", "bybit:SPOT", "binance:SPOT", "nowhere:BTCUSDT", "bybit-options:BTC-1JAN24-1-C", "binance-delivery:BTCUSD"} {
		in, err := ParseInstrument(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ContractOf(in); ok {
			t.Errorf("%s: %+v for what is not known", name, got)
		}
	}
}

func TestNotional(t *testing.T) {
	if got := (Contract{Multiplier: 0.01}).Notional(50_000, 3); got != 1500 { // 3 contracts of 0.01 BTC
		t.Error(got)
	}
	if got := (Contract{Inverse: true, Multiplier: 100}).Notional(50_000, 3); got != 300 { // 3 contracts of 100 USD
		t.Error(got)
	}
}

func TestResolveInstruments(t *testing.T) {
	for s, want := range map[string]string{
		"binance-futures:btcusdt":                        "binance-futures:BTCUSDT",
		"Deribit:BTC-PERPETUAL":                          "deribit:BTC-PERPETUAL",
		"BTC-USDT-PERPETUAL@binance,bybit,okx":           "binance-futures:BTCUSDT bybit:BTCUSDT okex-swap:BTC-USDT-SWAP",
		"eth-usdt-perpetual@okex-swap, binance-futures":  "okex-swap:ETH-USDT-SWAP binance-futures:ETHUSDT",
		"BTC-USDC-PERPETUAL@deribit,bybit":               "deribit:BTC_USDC-PERPETUAL bybit:BTCPERP",
		"BTC-USD-PERPETUAL@binance,deribit,bitmex,bybit": "binance-delivery:BTCUSD_PERP deribit:BTC-PERPETUAL bitmex:XBTUSD bybit:BTCUSD",
	} {
		ins, err := ResolveInstruments(s)
		var got []string
		for _, in := range ins {
			got = append(got, in.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v; want %s", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"BTCUSDT":                    `instrument "BTCUSDT": want exchange:SYMBOL, as in binance-futures:BTCUSDT`,
		"BTC-USDT@binance":           `want BASE-QUOTE-PERPETUAL before the @`,
		"BTC-PERPETUAL@binance":      `want BASE-QUOTE-PERPETUAL before the @`,
		"BTC-USDT-PERPETUAL@kraken":  `venue "kraken": the shorthand knows`,
		"BTC-USDT-PERPETUAL@":        `venue ""`,
		"../-USDT-PERPETUAL@binance": `".." is not allowed`,
		"BTC-USDT-PERPETUAL@binance,deribit": "instrument \"BTC-USDT-PERPETUAL@binance,deribit\": deribit has no BTC-USDT perpetual; " +
			"the nearest are deribit:BTC_USDC-PERPETUAL (linear, USDC) and deribit:BTC-PERPETUAL (inverse, USD)",
	} {
		if ins, err := ResolveInstruments(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %s", s, ins, err, want)
		}
	}
}

func TestKnownExchange(t *testing.T) {
	if !KnownExchange("okex-swap") || KnownExchange("okx") || len(Exchanges()) != 64 || !slices.IsSorted(Exchanges()) {
		t.Errorf("%d exchanges", len(Exchanges()))
	}
}

func TestCoverage(t *testing.T) {
	l := newLake(t)
	eth := Instrument{"binance-futures", "ETHUSDT"}
	var rows, bytes, violations int64
	for _, d := range []string{"2024-01-01", "2024-01-02", "2024-01-05"} {
		p := part(Trades, btc, d)
		n := 500
		if d == "2024-01-02" {
			n = 0
		}
		i := put(t, l, p, record(p, n, 1), 100)
		rows, bytes, violations = rows+i.Rows, bytes+i.Bytes, violations+i.OrderViolations
	}
	p := part(Quotes, eth, "2024-01-03")
	q := put(t, l, p, record(p, 10, 1), 100)
	got, err := l.Coverage()
	want := []Coverage{
		{Type: Quotes, Exchange: "binance-futures", Symbol: "ETHUSDT", From: day("2024-01-03"), To: day("2024-01-04"), Days: 1,
			MissingDays: []Day{}, Rows: q.Rows, Bytes: q.Bytes, OrderViolations: q.OrderViolations},
		{Type: Trades, Exchange: "binance-futures", Symbol: "BTCUSDT", From: day("2024-01-01"), To: day("2024-01-06"), Days: 3, EmptyDays: 1, Empty: []Day{day("2024-01-02")},
			MissingDays: []Day{day("2024-01-03"), day("2024-01-04")}, Rows: rows, Bytes: bytes, OrderViolations: violations},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
}
