package datasets

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestCatalog: what the lake was told of a venue wins over the built-in table, and a difference is said; without metadata the table speaks.
func TestCatalog(t *testing.T) {
	lake, err := OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	swap := func(symbol, base, quote string, multiplier float64) Listing {
		return Listing{Symbol: symbol, Type: "perpetual", Base: base, Quote: quote, Terms: true, Multiplier: multiplier, From: time.Unix(0, 0)}
	}
	old := &Venue{Exchange: "okex-swap", Asked: 19000, Listings: []Listing{swap("BTC-USDT-SWAP", "BTC", "USDT", 1)}}
	now := &Venue{Exchange: "okex-swap", Asked: 19700, Listings: []Listing{
		swap("BTC-USDT-SWAP", "BTC", "USDT", 0.1), swap("ETH-USDT-SWAP", "ETH", "USDT", 0.1), swap("SHIB-USDT-SWAP", "SHIB", "USDT", 1e6),
	}}
	futures := &Venue{Exchange: "gate-io-futures", Asked: 19700, Listings: []Listing{swap("SHIB1000_USDT", "1000SHIB", "USDT", 1)}}
	for _, v := range []*Venue{old, now, futures} {
		if err := lake.KeepVenue(context.Background(), v); err != nil {
			t.Fatal(err)
		}
	}
	c := lake.Catalog()
	contract, _, differs, ok := c.Contract(Instrument{"okex-swap", "BTC-USDT-SWAP"})
	if !ok || contract.Multiplier != 0.1 || differs == nil || !strings.Contains(differs.Error(), "says multiplier 0.1, the built-in table multiplier 0.01") {
		t.Errorf("%+v, %v, %v", contract, differs, ok)
	}
	if contract, _, differs, ok = c.Contract(Instrument{"okex-swap", "ETH-USDT-SWAP"}); !ok || contract.Multiplier != 0.1 || differs != nil {
		t.Errorf("%+v, %v, %v", contract, differs, ok)
	}
	if contract, _, _, ok = c.Contract(Instrument{"okex-swap", "SHIB-USDT-SWAP"}); !ok || contract.Multiplier != 1e6 {
		t.Errorf("what the table does not have: %+v, %v", contract, ok)
	}
	if contract, _, _, ok = c.Contract(Instrument{"binance-futures", "BTCUSDT"}); !ok || contract.Multiplier != 1 {
		t.Errorf("without metadata: %+v, %v", contract, ok)
	}
	ins, err := c.Resolve("PEPE-USDT-PERPETUAL@binance")
	if err != nil || ins[0] != (Instrument{"binance-futures", "1000PEPEUSDT"}) {
		t.Errorf("by the table: %v, %v", ins, err)
	}
	ins, err = c.Resolve("SHIB-USDT-PERPETUAL@okx,gate-io-futures,binance")
	if err != nil || len(ins) != 3 || ins[0].Symbol != "SHIB-USDT-SWAP" || ins[1] != (Instrument{"gate-io-futures", "SHIB1000_USDT"}) || ins[2].Symbol != "1000SHIBUSDT" {
		t.Errorf("by metadata, and the table for binance: %v, %v", ins, err)
	}
	for name, want := range map[string]string{
		"okex-swap:BTC-USDT-SWOP":   "okex-swap has no BTC-USDT-SWOP, did you mean BTC-USDT-SWAP",
		"BTC-USDC-PERPETUAL@okx":    "okx has no BTC-USDC perpetual; the nearest are okex-swap:BTC-USDT-SWAP",
		"FOO-USDT-PERPETUAL@okx":    "okx has no perpetual of FOO",
		"BTC-USDT-PERPETUAL@kraken": "the shorthand knows",
	} {
		if _, err := c.Resolve(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	if in, err := c.Instrument("okex-swap:btc/usdt/swap"); err != nil || in.Symbol != "BTC-USDT-SWAP" {
		t.Errorf("%v, %v", in, err)
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
}
