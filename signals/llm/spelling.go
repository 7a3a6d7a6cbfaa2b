package llm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// spelling is one way to name an instrument.
type spelling struct {
	what  string
	first byte           // of the name, in lower case
	form  *regexp.Regexp // of the name at the beginning of a text; the first group is the name
}

// longestName bounds a name in bytes, with its separators.
const longestName = 300

// findName is the first name in a text, "" for none, with what it is.
func findName(text string, names []spelling) (name, what string) {
	for i := range words(text) {
		for _, s := range names {
			if lower(text[i]) != s.first {
				continue
			}
			if found := s.form.FindStringSubmatch(text[i:min(len(text), i+longestName)]); found != nil {
				return found[1], s.what
			}
		}
	}
	return "", ""
}

// lower is an ASCII letter in lower case.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// quotes are the currencies that end a symbol, the longer before what ends them.
var quotes = strings.Fields("USDT USDC FDUSD BUSD TUSD USD EUR GBP JPY KRW TRY BRL DAI BTC ETH BNB PERP")

// coinNames are what coins are called beside their ticker, in any case.
var coinNames = map[string]string{
	"BTC": "btc xbt bitcoin", "XBT": "btc xbt bitcoin", "ETH": "eth ether ethereum", "SOL": "solana", "XRP": "xrp ripple",
	"DOGE": "doge dogecoin", "ADA": "cardano", "BNB": "bnb", "LTC": "ltc litecoin", "DOT": "polkadot", "LINK": "chainlink",
	"AVAX": "avax avalanche", "MATIC": "matic polygon", "POL": "polygon", "TRX": "trx tron", "BCH": "bch", "ATOM": "cosmos",
	"UNI": "uniswap", "SHIB": "shib shiba", "PEPE": "pepe", "TON": "toncoin", "APT": "aptos", "ARB": "arbitrum",
}

// englishVenues are exchanges whose name is a word that a prompt may well hold.
var englishVenues = strings.Fields("bullish crypto delta gate lighter mango serum star woo")

// venueNames are what exchanges are called beside the first part of their id.
var venueNames = map[string]string{"okex": "okx", "huobi": "htx"}

// spellings lists the ways to name an instrument: its symbol with any separators or none; its base
// coin as a word, in capitals or by name; its exchange.
func spellings(in datasets.Instrument) []spelling {
	var out []spelling
	add := func(what, flags, name string) {
		if name != "" {
			first := lower(strings.TrimPrefix(name, `\`)[0])
			out = append(out, spelling{what, first, regexp.MustCompile(flags + `^(` + name + `)(?:$|[^\pL\d])`)})
		}
	}
	base, rest := splitSymbol(in.Symbol)
	coin := regexp.QuoteMeta(base)
	add("the symbol", `(?i)`, apart(in.Symbol))
	if rest != "" {
		add("the symbol", `(?i)`, coin+separators+apart(rest))
	}
	if parts := split(rest); len(parts) > 1 && slices.Contains(quotes, parts[0]) {
		add("the symbol", `(?i)`, coin+separators+parts[0])
	}
	for _, coin := range []string{base, strings.TrimLeft(base, "0123456789")} {
		if len(coin) > 1 {
			add("the symbol's coin", ``, regexp.QuoteMeta(coin))
		}
		for _, name := range strings.Fields(coinNames[coin]) {
			add("the symbol's coin", `(?i)`, name)
		}
	}
	venue, _, _ := strings.Cut(in.Exchange, "-")
	for _, name := range []string{venue, venueNames[venue], in.Exchange} {
		if !slices.Contains(englishVenues, name) {
			add("the exchange", `(?i)`, apart(name))
		}
	}
	return out
}

// separators may stand, or not, between the parts of a symbol.
const separators = `[-_/:. ]?`

// apart matches the parts of a name with any separators or none.
func apart(name string) string {
	parts := split(name)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(parts, separators)
}

func split(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_/:. ", r) })
}

var (
	kindPrefix = regexp.MustCompile(`^[PF][IFV]_`)                 // of Kraken's futures, as in PI_XBTUSD
	expiryCode = regexp.MustCompile(`^(.{2,})[FGHJKMNQUVXZ]\d\d$`) // of BitMEX's futures, as in XBTH24
)

// splitSymbol cuts a symbol after its base coin: BTC|USDT, BTC|-PERPETUAL, XBT|USD. Of several coins
// that it may be it is a known one.
func splitSymbol(symbol string) (base, rest string) {
	s := kindPrefix.ReplaceAllString(symbol, "")
	first := s
	if i := strings.IndexAny(s, "-_/:."); i > 0 {
		first = s[:i]
	}
	if code := expiryCode.FindStringSubmatch(first); code != nil {
		first = code[1]
	}
	base = first
	for _, quote := range quotes {
		b, ok := strings.CutSuffix(first, quote)
		if !ok || len(b) < 2 {
			continue
		}
		if coinNames[b] != "" {
			base = b
			break
		}
		if base == first {
			base = b
		}
	}
	return base, s[len(base):]
}
