package datasets

import (
	"fmt"
	"regexp"
)

// Contract says what an instrument's amount means, in which currencies it is priced and settled, and how a position
// in it earns, so that notional and PnL are never guessed. The zero Contract is not valid.
type Contract struct {
	Spot    bool // the asset itself: no funding, no short position without borrowing
	Inverse bool // amounts are in quote currency and PnL accrues in the base coin
	// Multiplier turns one unit of amount into base coins (spot, linear) or into quote currency
	// (inverse). Positive.
	Multiplier float64
	// ContinuousFunding marks venues whose rate is per 8 hours and accrues at every instant
	// (Deribit) instead of settling at a funding_timestamp.
	ContinuousFunding bool
	// Base, Quote and Settle are the currencies of the amount, the price and the PnL, as the venue spells
	// them but for XBT, which is BTC: BTC, USDT and USDT of a linear contract, BTC, USD and BTC of an
	// inverse one. Base is what one price is for: 1000PEPE where that is a thousand of them. "" where it is not known.
	Base, Quote, Settle string
}

// Validate reports why no position in the contract can be accounted for, or nil: its multiplier is not positive, or it
// settles in a currency that is neither its base nor its quote, which is a quanto contract.
func (c Contract) Validate() error {
	switch {
	case !(c.Multiplier > 0):
		return fmt.Errorf("multiplier %v, want more than 0", c.Multiplier)
	case c.Inverse && c.Settle != c.Base:
		return fmt.Errorf("an inverse contract settles in its base %q, not in %q", c.Base, c.Settle)
	case !c.Inverse && c.Settle != c.Quote:
		return fmt.Errorf("a contract priced in %q that settles in %q is a quanto or an inverse one; qf trades inverse contracts with inverse: true, and no quanto", c.Quote, c.Settle)
	}
	return nil
}

// Notional is the value in quote currency of amount units at price:
//
//	price · amount · Multiplier   (spot, linear)
//	        amount · Multiplier   (inverse)
func (c Contract) Notional(price, amount float64) float64 {
	if c.Inverse {
		return amount * c.Multiplier
	}
	return price * amount * c.Multiplier
}

// ContractOf is the built-in table of what amounts mean, by venue. It reports false for an
// instrument whose unit it does not know for certain and for what is Untradable.
//
// Units: https://docs.tardis.dev/downloadable-csv-files/data-types; contract sizes are the venues' own.
func ContractOf(in Instrument) (Contract, bool) {
	if Untradable(in) != nil {
		return Contract{}, false
	}
	for _, v := range contracts {
		if v.exchange == in.Exchange && v.symbol.MatchString(in.Symbol) {
			c := v.contract
			c.SetCurrencies(in)
			return c, true
		}
	}
	return Contract{}, false
}

var (
	spot    = Contract{Spot: true, Multiplier: 1}
	linear  = Contract{Multiplier: 1} // amounts in base coins
	inverse = Contract{Inverse: true, Multiplier: 1}
)

// contracts is searched from the top; symbol has to match the whole symbol.
var contracts = []struct {
	exchange string
	symbol   *regexp.Regexp
	contract Contract
}{
	{"binance", anySymbol, spot},
	{"binance-us", anySymbol, spot},
	{"binance-jersey", anySymbol, spot},
	{"bybit-spot", anySymbol, spot},
	{"okex", anySymbol, spot},
	{"okcoin", anySymbol, spot},
	{"coinbase", anySymbol, spot},
	{"kraken", anySymbol, spot},
	{"bitstamp", anySymbol, spot},
	{"bitfinex", anySymbol, spot},
	{"gate-io", anySymbol, spot},
	{"gemini", anySymbol, spot},
	{"kucoin", anySymbol, spot},
	{"huobi", anySymbol, spot},
	{"upbit", anySymbol, spot},

	{"binance-futures", anySymbol, linear},
	{"binance-delivery", form(`BTCUSD_(PERP|\d{6})`), Contract{Inverse: true, Multiplier: 100}},
	{"binance-delivery", form(`[A-Z0-9]+USD_(PERP|\d{6})`), Contract{Inverse: true, Multiplier: 10}},

	{"bybit", form(`[A-Z0-9]+(USDT|PERP)`), linear},
	{"bybit", form(`[A-Z0-9]+USD([FGHJKMNQUVXZ]\d\d)?`), inverse},

	{"okex-swap", form(`BTC-USDT-SWAP`), Contract{Multiplier: 0.01}},
	{"okex-swap", form(`ETH-USDT-SWAP`), Contract{Multiplier: 0.1}},
	{"okex-swap", form(`SOL-USDT-SWAP`), Contract{Multiplier: 1}},
	{"okex-swap", form(`ADA-USDT-SWAP`), Contract{Multiplier: 100}},
	{"okex-swap", form(`DOGE-USDT-SWAP`), Contract{Multiplier: 1000}},
	{"okex-swap", form(`BTC-USD-SWAP`), Contract{Inverse: true, Multiplier: 100}},
	{"okex-swap", form(`(ETH|LTC|BCH|BSV|EOS|ETC|XRP|TRX|ADA|DOT|LINK|SOL|DOGE|AVAX|UNI|FIL)-USD-SWAP`), Contract{Inverse: true, Multiplier: 10}},

	{"deribit", form(`(BTC|ETH)-PERPETUAL`), Contract{Inverse: true, Multiplier: 1, ContinuousFunding: true}},
	{"deribit", form(`(BTC|ETH)-\d{1,2}[A-Z]{3}\d\d`), inverse},
	{"deribit", form(`[A-Z0-9]+_USDC-PERPETUAL`), Contract{Multiplier: 1, ContinuousFunding: true}},
	{"deribit", form(`[A-Z0-9]+_(USDC|USDT|BTC)`), spot},

	{"bitmex", form(`XBT(USD|[FGHJKMNQUVXZ]\d\d)`), inverse},
	{"bitmex", form(`XBTUSDT`), Contract{Multiplier: 0.000001}},
}

var anySymbol = form(`.+`)

func form(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
