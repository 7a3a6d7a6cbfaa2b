package tardistest

import (
	"math"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// listing is what the simulation needs to know of an instrument: prices and amounts are whole
// multiples of a tick and a lot, each written as units·10^-decimals.
type listing struct {
	price    float64 // on the first day, quote currency
	notional float64 // mean of a trade, quote currency

	tick, tickDecimals int
	lot, lotDecimals   int

	multiplier float64 // base coins (linear) or quote currency (inverse) in one unit of amount
	inverse    bool
	interest   float64 // mean open interest, quote currency
	accrues    bool    // funding accrues continuously: no funding_timestamp
}

// listingOf gives the instrument's listing by its base coin, with the units of its venue.
func listingOf(in datasets.Instrument) listing {
	var l listing
	switch {
	case strings.HasPrefix(in.Symbol, "BTC"), strings.HasPrefix(in.Symbol, "XBT"):
		l = listing{price: 60000, notional: 6000, tick: 1, tickDecimals: 1, lot: 1, lotDecimals: 3, interest: 5e9}
	case strings.HasPrefix(in.Symbol, "ETH"):
		l = listing{price: 3000, notional: 4000, tick: 1, tickDecimals: 2, lot: 1, lotDecimals: 3, interest: 3e9}
	default:
		l = listing{price: 20, notional: 1500, tick: 1, tickDecimals: 3, lot: 1, lotDecimals: 1, interest: 2e8}
	}
	l.multiplier = 1
	switch in.Exchange {
	case "okex-swap":
		l.multiplier, l.lot, l.lotDecimals = 0.01, 1, 1
	case "deribit":
		if !strings.Contains(in.Symbol, "_") {
			l.inverse, l.lot, l.lotDecimals, l.tick, l.tickDecimals = true, 10, 0, 5, 1
		}
		l.accrues = true
	case "bitmex":
		l.inverse, l.lot, l.lotDecimals, l.tick, l.tickDecimals = true, 100, 0, 5, 1
	}
	return l
}

// ticks is the price in units of 10^-tickDecimals, rounded down to a whole tick.
func (l listing) ticks(price float64) int64 {
	scale := pow10[l.tickDecimals]
	return int64(math.Floor(price*float64(scale)/float64(l.tick))) * int64(l.tick)
}

// lots is what notional buys at the first day's price, in units of 10^-lotDecimals and whole lots,
// at least one.
func (l listing) lots(notional float64) int64 {
	amount := notional / l.multiplier
	if !l.inverse {
		amount /= l.price
	}
	n := math.Round(amount * float64(pow10[l.lotDecimals]) / float64(l.lot))
	return int64(max(n, 1)) * int64(l.lot)
}

var pow10 = [...]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}
