package datasets

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// SetCurrencies fills those of Base, Quote and Settle that are empty from the symbol's spelling, as far as that tells.
func (c *Contract) SetCurrencies(in Instrument) {
	base, quote := currencies(in)
	set := func(into *string, v string) {
		if *into == "" {
			*into = v
		}
	}
	set(&c.Base, base)
	set(&c.Quote, quote)
	if c.Inverse {
		set(&c.Settle, c.Base)
	} else {
		set(&c.Settle, c.Quote)
	}
}

// currencies reads the base and quote currency off a symbol: it is in two parts, or one word that ends in a currency
// in which the venue quotes. Both are "" where that is not certain.
func currencies(in Instrument) (base, quote string) {
	symbol := in.Symbol
	for _, e := range endings {
		symbol = e.ReplaceAllString(symbol, "")
	}
	switch parts := strings.FieldsFunc(symbol, func(r rune) bool { return r == '-' || r == '_' }); len(parts) {
	case 1:
	case 2:
		if in.Exchange == "upbit" { // KRW-BTC is bitcoin in won
			return currency(in, parts[1]), currency(in, parts[0])
		}
		return currency(in, parts[0]), currency(in, parts[1])
	default:
		return "", ""
	}
	switch in.Exchange {
	case "deribit": // BTC-PERPETUAL, BTC-27SEP24
		return currency(in, symbol), "USD"
	case "bybit":
		if base, ok := strings.CutSuffix(symbol, "PERP"); ok {
			return base, "USDC"
		}
		symbol = monthCode.ReplaceAllString(symbol, "")
	case "bitmex":
		if symbol = monthCode.ReplaceAllString(symbol, ""); symbol == "XBT" {
			return "BTC", "USD"
		}
	}
	quoted, ok := quotes[in.Exchange]
	if !ok {
		quoted = "USDT USDC"
	}
	for q := range strings.FieldsSeq(quoted) {
		q, unsure := strings.CutSuffix(q, "?")
		if base, ok := strings.CutSuffix(symbol, q); ok && base != "" {
			if unsure {
				return "", ""
			}
			return currency(in, base), currency(in, q)
		}
	}
	return "", ""
}

// endings say when a contract ends or that it does not.
var endings = []*regexp.Regexp{
	regexp.MustCompile(`_PERP$|-SWAP$|-PERPETUAL$`),
	regexp.MustCompile(`[-_]\d{6}$`),
	regexp.MustCompile(`-\d{1,2}[A-Z]{3}\d\d$`),
}

// monthCode is the month and year of a future, as in ETHUSDH24.
var monthCode = regexp.MustCompile(`[FGHJKMNQUVXZ]\d\d$`)

// quotes are, by venue, the currencies in which symbols of one word end, to be tried in this order. A question
// mark stands behind an ending that may also be another currency after the last letter of the base: BNBUSD.
var quotes = map[string]string{
	"binance": "USDT FDUSD TUSD BUSD USDC USDP USDS PAX DAI BIDR IDRT BKRW BVND VAI UST USD1 EURI EUR GBP AUD BRL TRY RUB UAH NGN ZAR PLN RON " +
		"ARS JPY MXN CZK COP BTC ETH BNB XRP TRX DOGE DOT SOL",
	"binance-us":       "USDT USDC DAI USD4 BUSD? TUSD? USD BTC ETH BNB",
	"binance-jersey":   "EUR GBP BTC ETH BNB",
	"binance-futures":  "USDT BUSD USDC USD1 BTC",
	"binance-delivery": "USD",
	"bybit-spot":       "USDT USDC USDE DAI EUR BRL PLN TRY BTC ETH SOL MNT",
	"bybit":            "USDT USD",
	"bitmex":           "USDT USDC USD",
	"bitstamp":         "USDT USDC PAX USD EUR GBP BTC ETH",
	"bitfinex":         "USD UST EUR GBP JPY BTC ETH",
	"gemini":           "USDT USDC DAI GUSD? USD EUR GBP SGD BTC ETH BCH LTC FIL",
	"huobi":            "USDT USDC USDD HUSD EUR BTC ETH HT TRX",
	"bitget":           "USDT USDC BTC ETH EUR",
	"mexc":             "USDT USDC BTC ETH",
}

// currency spells a currency as elsewhere.
func currency(in Instrument, s string) string {
	switch {
	case s == "XBT":
		return "BTC"
	case s == "UST" && in.Exchange == "bitfinex":
		return "USDT"
	}
	return s
}

// dollars are the currencies that one capital may hold side by side, with a warning: none of them strayed from the
// dollar by more than some per cent for long.
var dollars = strings.Fields("USD USDT USDC BUSD FDUSD TUSD USDP PAX DAI GUSD HUSD USD1")

// CheckQuotes says in which currency a capital stands that trades the instruments: their quote currency. Different
// ones cannot be added up, which is an error; the dollar and coins that stand for it are taken as equal, which is a
// warning, and make USD. Where a quote currency is not known, that is a warning too, unless there is one instrument
// only; the currency is "" where none is known.
func CheckQuotes(ins []Instrument, contracts []Contract) (currency string, warnings []error, err error) {
	var found []string // quote currencies, in order of appearance
	names := map[string][]string{}
	for i, in := range ins {
		q := contracts[i].Quote
		if names[q] == nil && q != "" {
			found = append(found, q)
		}
		names[q] = append(names[q], in.String())
	}
	list := func(q string) string {
		const shown = 3
		n := names[q]
		if len(n) > shown {
			return fmt.Sprintf("%s and %d more", strings.Join(n[:shown], ", "), len(n)-shown)
		}
		return strings.Join(n, ", ")
	}
	if len(ins) > 1 && len(names[""]) > 0 {
		warnings = append(warnings, fmt.Errorf("the quote currency of %s is not known: the report adds up what may be different currencies; name it as quote: in data.instruments", list("")))
	}
	if len(found) == 0 {
		return "", warnings, nil
	}
	if len(found) == 1 {
		return found[0], warnings, nil
	}
	var parts []string
	for _, q := range found {
		parts = append(parts, fmt.Sprintf("%s (%s)", q, list(q)))
	}
	all := strings.Join(parts, ", ")
	if slices.ContainsFunc(found, func(q string) bool { return !slices.Contains(dollars, q) }) {
		return "", warnings, fmt.Errorf("one capital cannot hold different quote currencies: %s; study one currency at a time", all)
	}
	return "USD", append(warnings, fmt.Errorf("quote currencies are taken as one dollar each: %s", all)), nil
}
