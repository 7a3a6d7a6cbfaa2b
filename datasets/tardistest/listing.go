package tardistest

import (
	"math"
	"regexp"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// listing is what the simulation needs to know of an instrument: prices and amounts are whole
// multiples of a tick and a lot, each written as units·10^-decimals.
type listing struct {
	datasets.Contract
	kind     kind
	coin     string  // base coin
	price    float64 // on the first day, quote currency
	notional float64 // mean of a fill at volatility 1, quote currency
	interest float64 // mean open interest, quote currency

	tick, tickDecimals int
	lot, lotDecimals   int

	textID bool // the venue's trade identifiers are UUIDs, not numbers
}

// kind is what the vendor groups instruments by.
type kind uint8

const (
	perpetual kind = iota
	future
	spot
)

// kinds are the grouped symbols that hold whole instruments.
var kinds = map[string]kind{"PERPETUALS": perpetual, "FUTURES": future, "SPOT": spot}

// dated matches a symbol that ends in an expiry: BTCUSDT_240329, BTC-29MAR24, XBTH24.
var dated = regexp.MustCompile(`([_-]\d{6}|-\d{1,2}[A-Z]{3}\d\d|[FGHJKMNQUVXZ]\d\d)$`)

// listingOf gives the instrument's listing: prices by its coin, units by its contract; where that
// is unknown, amounts are in coins.
func listingOf(in datasets.Instrument) listing {
	l := listing{coin: coinOf(in.Symbol), tick: 1}
	switch l.coin {
	case "BTC":
		l.price, l.notional, l.interest, l.tickDecimals, l.lotDecimals = 60000, 6000, 5e9, 1, 3
	case "ETH":
		l.price, l.notional, l.interest, l.tickDecimals, l.lotDecimals = 3000, 4000, 3e9, 2, 3
	default:
		l.price, l.notional, l.interest, l.tickDecimals, l.lotDecimals = 20, 1500, 2e8, 3, 1
	}
	var known bool
	if l.Contract, known = datasets.ContractOf(in); !known {
		l.Contract = datasets.Contract{Multiplier: 1}
	}
	switch {
	case l.Inverse:
		l.lot, l.lotDecimals = int(max(1, 10/l.Multiplier)), 0
	default: // about the same lot in coins, whatever the contract's size
		decimals := l.lotDecimals + int(math.Round(math.Log10(l.Multiplier)))
		l.lot, l.lotDecimals = 1, max(0, decimals)
		if decimals < 0 {
			l.lot = int(pow10[-decimals])
		}
	}
	switch {
	case l.Spot:
		l.kind = spot
	case dated.MatchString(in.Symbol):
		l.kind = future
	}
	l.textID = in.Exchange == "bitmex" || in.Exchange == "bybit"
	return l
}

// coinOf is the base coin of a symbol such as BTCUSDT, XBTUSD, BTC-PERPETUAL or ETH_USDC-PERPETUAL.
func coinOf(symbol string) string {
	coin, _, _ := strings.Cut(symbol, "-")
	coin, _, _ = strings.Cut(coin, "_")
	if i := strings.LastIndex(coin, "USD"); i > 0 {
		coin = coin[:i]
	}
	if strings.HasPrefix(coin, "XBT") {
		return "BTC"
	}
	return coin
}

// ticks is the price in units of 10^-tickDecimals, rounded down to a whole tick.
func (l listing) ticks(price float64) int64 {
	scale := pow10[l.tickDecimals]
	return int64(math.Floor(price*float64(scale)/float64(l.tick))) * int64(l.tick)
}

// lots is the amount that has the notional at the first day's price, in units of 10^-lotDecimals
// and whole lots, at least one.
func (l listing) lots(notional float64) int64 {
	amount := notional / l.Notional(l.price, 1)
	n := math.Round(amount * float64(pow10[l.lotDecimals]) / float64(l.lot))
	return int64(max(n, 1)) * int64(l.lot)
}

var pow10 = [...]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}
