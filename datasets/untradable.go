package datasets

import (
	"fmt"
	"regexp"
)

// Untradable says why qf trades no position in the instrument whatever is known of its amounts, or nil: it is a group
// of symbols, an option, a combination, a prediction, or a quanto contract, whose PnL is in a currency that is neither
// that of its amount nor that of its price.
func Untradable(in Instrument) error {
	if in.Grouped() {
		return fmt.Errorf("%v is a file of many symbols, not an instrument: name one of its symbols, as qf ls lists them", in)
	}
	for _, u := range untradable {
		if u.exchange.MatchString(in.Exchange) && u.symbol.MatchString(in.Symbol) {
			return fmt.Errorf("%v is %s", in, u.what)
		}
	}
	return nil
}

const (
	anOption     = "an option: qf trades spot, perpetuals and futures"
	aCombination = "a combination of contracts: qf trades spot, perpetuals and futures"
	aPrediction  = "a prediction market's outcome: qf trades spot, perpetuals and futures"
	aQuanto      = "a quanto contract, priced in USD and settled in BTC at a fixed rate: no multiplier makes that linear or inverse, and qf does not trade it"
)

var untradable = []struct {
	exchange, symbol *regexp.Regexp
	what             string
}{
	{form(`okex-options|bybit-options|binance-european-options|huobi-dm-options`), anySymbol, anOption},
	{form(`deribit`), form(`.+-[CP]`), anOption}, // BTC-27SEP24-60000-C, XRP_USDC-27SEP24-0D5-P
	{form(`delta`), form(`(C|P|MV)-.+`), anOption},
	{form(`okex-spreads`), anySymbol, aCombination},
	{form(`deribit`), form(`[A-Z0-9_]+-(FS|CS|PS|STRD|STRG|RR|CCAL|PCAL|CDIAG|PDIAG|CBUT|PBUT|CCOND|PCOND|ICOND|IBUT|BOX|JR|CSR|PSR|CLAD|PLAD|CUSTOM)-.+`), aCombination},
	{form(`polymarket`), anySymbol, aPrediction},
	// All of BitMEX's contracts against the dollar but bitcoin's, perpetual or dated; ETHUSD_ETH and the like settle in the coin.
	{form(`bitmex`), form(`(?:[A-WYZ][A-Z0-9]*|X[AC-Z][A-Z0-9]*|XB[A-SU-Z][A-Z0-9]*)USD([FGHJKMNQUVXZ]\d\d)?`), aQuanto},
}

// Dated reports whether a symbol names a future with an end, which pays no funding: BTCUSDT_240628, BTC-27SEP24,
// BTC-USD-240628, XBTH24.
func (in Instrument) Dated() bool {
	return datedSymbol.MatchString(in.Symbol) || (in.Exchange == "bybit" || in.Exchange == "bitmex") && monthCode.MatchString(in.Symbol)
}

var datedSymbol = regexp.MustCompile(`[-_]\d{6}$|-\d{1,2}[A-Z]{3}\d\d$`)
