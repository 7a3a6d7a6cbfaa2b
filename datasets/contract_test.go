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
		got, ok := ContractOf(in)
		got.Base, got.Quote, got.Settle = "", "", ""
		if !ok || got != want {
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

// Base, quote and settlement currency, of instruments with and without an entry in the table.
func TestCurrencies(t *testing.T) {
	for name, want := range map[string]string{
		"binance:BTCUSDT": "BTC USDT USDT", "binance:ETHBTC": "ETH BTC BTC", "binance:ETHFDUSD": "ETH FDUSD FDUSD", "binance:ADAEUR": "ADA EUR EUR",
		"upbit:KRW-BTC": "BTC KRW KRW", "kraken:XBT-USD": "BTC USD USD", "coinbase:ETH-EUR": "ETH EUR EUR", "gate-io:BTC_USDT": "BTC USDT USDT",
		"bitfinex:BTCUST": "BTC USDT USDT", "bitfinex:DUSK-USD": "DUSK USD USD", "binance-us:BNBUSD": "  ", "binance-us:BTCUSD": "BTC USD USD",
		"binance-futures:1000PEPEUSDT": "1000PEPE USDT USDT", "binance-futures:BTCUSDT_240628": "BTC USDT USDT", "binance-futures:ETHBTC": "ETH BTC BTC",
		"binance-delivery:BTCUSD_PERP": "BTC USD BTC", "binance-delivery:ETHUSD_240628": "ETH USD ETH",
		"bybit:BTCUSD": "BTC USD BTC", "bybit:ETHUSDH24": "ETH USD ETH", "bybit:BTCPERP": "BTC USDC USDC", "bybit:SHIB1000USDT": "SHIB1000 USDT USDT",
		"okex-swap:BTC-USD-SWAP": "BTC USD BTC", "okex-swap:PEPE-USDT-SWAP": "PEPE USDT USDT", "okex:ETH-BTC": "ETH BTC BTC",
		"deribit:BTC-PERPETUAL": "BTC USD BTC", "deribit:BTC-27SEP24": "BTC USD BTC", "deribit:SOL_USDC-PERPETUAL": "SOL USDC USDC", "deribit:ETH_BTC": "ETH BTC BTC",
		"bitmex:XBTUSD": "BTC USD BTC", "bitmex:XBTH24": "BTC USD BTC", "bitmex:XBTUSDT": "BTC USDT USDT",
		"woo-x:BTCUSDT": "BTC USDT USDT", "woo-x:PERP_BTC_USDT": "  ", "nowhere:BTCDOGE": "  ",
	} {
		in, err := ParseInstrument(name)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := ContractOf(in)
		c.SetCurrencies(in)
		if got := c.Base + " " + c.Quote + " " + c.Settle; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestContractValidate(t *testing.T) {
	for _, c := range []struct {
		contract Contract
		want     string
	}{
		{Contract{Multiplier: 1}, ""},
		{Contract{Multiplier: 1, Base: "BTC", Quote: "USDT", Settle: "USDT"}, ""},
		{Contract{Multiplier: 1, Inverse: true, Base: "BTC", Quote: "USD", Settle: "BTC"}, ""},
		{Contract{}, "multiplier 0"},
		{Contract{Multiplier: 1, Base: "ETH", Quote: "USD", Settle: "BTC"}, "quanto"},
		{Contract{Multiplier: 1, Inverse: true, Base: "ETH", Quote: "USD", Settle: "USDT"}, `settles in its base "ETH"`},
	} {
		if err := c.contract.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.contract, err, c.want)
		}
	}
}

func TestUntradable(t *testing.T) {
	for name, want := range map[string]string{
		"bitmex:ETHUSD": "quanto", "bitmex:XRPUSDH24": "quanto", "bitmex:ETHUSDM20": "quanto", "bitmex:XRPUSD": "quanto",
		"deribit:BTC-27SEP24-60000-C": "an option", "deribit:XRP_USDC-27SEP24-0D5-P": "an option", "bybit-options:BTC-1JAN24-1-C": "an option", "delta:C-BTC-60000-270924": "an option",
		"deribit:BTC-FS-28MAR25_PERP": "a combination", "okex-spreads:BTC-USDT_BTC-USDT-SWAP": "a combination",
		"polymarket:0X123": "a prediction", "bybit:SPOT": "a file of many symbols", "deribit:OPTIONS": "a file of many symbols", "okex-swap:PERPETUALS": "a file of many symbols",
		"bitmex:XBTUSD": "", "bitmex:XBTH24": "", "bitmex:ETHUSDT": "", "bitmex:ETHUSD_ETH": "", "deribit:BTC-PERPETUAL": "", "deribit:BTC-27SEP24": "", "deribit:BTC_USDC": "", "binance:BTCUSDT": "",
	} {
		in, err := ParseInstrument(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Untradable(in); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestDated(t *testing.T) {
	for name, want := range map[string]bool{
		"binance-futures:BTCUSDT_240628": true, "binance-delivery:BTCUSD_240628": true, "okex-futures:BTC-USD-240628": true, "deribit:BTC-27SEP24": true, "deribit:BTC_USDC-7JUN24": true,
		"bybit:ETHUSDH24": true, "bybit:BTC-29MAR24": true, "bitmex:XBTM24": true,
		"binance-futures:BTCUSDT": false, "deribit:BTC-PERPETUAL": false, "okex-swap:BTC-USDT-SWAP": false, "bitmex:XBTUSD": false, "binance:T23USDT": false, "bybit:BTCPERP": false,
	} {
		in, err := ParseInstrument(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Dated(); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCheckQuotes(t *testing.T) {
	for _, c := range []struct{ names, currency, warning, err string }{
		{"binance-futures:BTCUSDT binance-futures:ETHUSDT", "USDT", "", ""},
		{"upbit:KRW-BTC", "KRW", "", ""},
		{"nowhere:X", "", "", ""},
		{"deribit:BTC-PERPETUAL bybit:BTCUSD", "USD", "", ""},
		{"binance-futures:BTCUSDT deribit:BTC-PERPETUAL deribit:BTC_USDC-PERPETUAL", "USD",
			"quote currencies are taken as one dollar each: USDT (binance-futures:BTCUSDT), USD (deribit:BTC-PERPETUAL), USDC (deribit:BTC_USDC-PERPETUAL)", ""},
		{"binance:BTCUSDT binance:ETHBTC upbit:KRW-BTC", "", "",
			"one capital cannot hold different quote currencies: USDT (binance:BTCUSDT), BTC (binance:ETHBTC), KRW (upbit:KRW-BTC); study one currency at a time"},
		{"binance:ETHEUR binance:BTCEUR binance:BTCUSDT", "", "", "EUR (binance:ETHEUR, binance:BTCEUR)"},
		{"binance:BTCUSDT nowhere:X", "USDT", "the quote currency of nowhere:X is not known", ""},
	} {
		var ins []Instrument
		var contracts []Contract
		for name := range strings.FieldsSeq(c.names) {
			in, err := ParseInstrument(name)
			if err != nil {
				t.Fatal(err)
			}
			contract, _ := ContractOf(in)
			contract.SetCurrencies(in)
			ins, contracts = append(ins, in), append(contracts, contract)
		}
		currency, warnings, err := CheckQuotes(ins, contracts)
		if currency != c.currency || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) ||
			(len(warnings) == 0) != (c.warning == "") || len(warnings) == 1 && !strings.Contains(warnings[0].Error(), c.warning) {
			t.Errorf("%s: %q, %v, %v", c.names, currency, warnings, err)
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
		"PEPE-USDT-PERPETUAL@binance,bybit,okx":          "binance-futures:1000PEPEUSDT bybit:1000PEPEUSDT okex-swap:PEPE-USDT-SWAP",
		"1000pepe-usdt-perpetual@okx,binance":            "okex-swap:PEPE-USDT-SWAP binance-futures:1000PEPEUSDT",
		"SHIB-USDT-PERPETUAL@binance,bybit":              "binance-futures:1000SHIBUSDT bybit:SHIB1000USDT",
		"SHIB1000-USDT-PERPETUAL@binance,bybit,okx":      "binance-futures:1000SHIBUSDT bybit:SHIB1000USDT okex-swap:SHIB-USDT-SWAP",
		"SATS-USDT-PERPETUAL@binance,bybit":              "binance-futures:1000SATSUSDT bybit:10000SATSUSDT",
		"1INCH-USDT-PERPETUAL@binance,bybit":             "binance-futures:1INCHUSDT bybit:1INCHUSDT",
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
