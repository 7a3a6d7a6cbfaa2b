package datasets

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// exchanges are the vendor's exchange ids as of 2026; the list grows with its releases.
var exchanges = strings.Fields(`
	ascendex aster aster-futures binance binance-delivery binance-dex binance-european-options
	binance-futures binance-jersey binance-us bitfinex bitfinex-derivatives bitflyer bitget
	bitget-futures bitmex bitnomial bitstamp blockchain-com bullish bybit bybit-options bybit-spot
	coinbase coinbase-international coinflex crypto-com cryptofacilities delta deribit dydx dydx-v4
	ftx ftx-us gate-io gate-io-futures gemini hitbtc huobi huobi-dm huobi-dm-linear-swap
	huobi-dm-options huobi-dm-swap hyperliquid kraken kucoin kucoin-futures lighter mango mexc
	mexc-futures okcoin okex okex-futures okex-options okex-spreads okex-swap phemex poloniex
	polymarket serum star-atlas upbit woo-x`)

// KnownExchange reports whether the vendor is known to have that exchange. It serves a warning
// only: a new exchange is not an error.
func KnownExchange(id string) bool { return slices.Contains(exchanges, id) }

// Exchanges lists the known exchange ids, sorted.
func Exchanges() []string { return slices.Clone(exchanges) }

// perpetual is the ending of the shorthand for one perpetual on several venues.
const perpetual = "-PERPETUAL"

// ResolveInstruments reads what names one instrument, exchange:SYMBOL, or one perpetual on several
// venues, as in BTC-USDT-PERPETUAL@binance,bybit,okx, which stands for the symbols that those venues
// call it by, in the order given. binance and okx stand for the exchange ids on which their
// perpetuals trade. A base of which a venue counts thousands, PEPE or 1000PEPE, gets that venue's name for
// them: 1000PEPEUSDT, SHIB1000USDT, PEPE-USDT-SWAP. A venue that has no such perpetual is an error that names the nearest.
func ResolveInstruments(s string) ([]Instrument, error) { return (*Catalog)(nil).Resolve(s) }

// Resolve reads what ResolveInstruments reads. Venues of which there is metadata are asked for their perpetual by its base and quote
// currency; any exchange id may then stand behind the @.
func (c *Catalog) Resolve(s string) ([]Instrument, error) {
	name, venues, ok := strings.Cut(s, "@")
	if strings.Contains(name, ":") { // exchange:SYMBOL, whose symbol may hold an @
		ok = false
	}
	if !ok {
		in, err := c.Instrument(s)
		if err != nil {
			return nil, err
		}
		return []Instrument{in}, nil
	}
	pair, ok := strings.CutSuffix(strings.ToUpper(name), perpetual)
	base, quote, okPair := strings.Cut(pair, "-")
	if !ok || !okPair || base == "" || quote == "" || strings.Contains(quote, "-") {
		return nil, fmt.Errorf("instrument %q: want BASE-QUOTE-PERPETUAL before the @, as in BTC-USDT-PERPETUAL@binance,bybit,okx", s)
	}
	var out []Instrument
	var errs []error
	for venue := range strings.SplitSeq(venues, ",") {
		in, err := c.perpetualOn(strings.ToLower(strings.TrimSpace(venue)), base, quote)
		if err == nil {
			err = in.Validate()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("instrument %q: %w", s, err))
			continue
		}
		out = append(out, in)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// shorthands are the exchange ids on which a venue's perpetuals trade, where they are not its name.
var shorthands = map[string][]string{
	"binance": {"binance-futures", "binance-delivery"},
	"okx":     {"okex-swap"},
	"okex":    {"okex-swap"},
}

// perpetualOn is the venue's perpetual of base against quote: as the metadata says, else as the venue spells its symbols.
func (c *Catalog) perpetualOn(venue, base, quote string) (Instrument, error) {
	ids, ok := shorthands[venue]
	if !ok {
		ids = []string{venue}
	}
	var near []string
	known := false
	for _, id := range ids {
		v := c.Venue(id)
		if v == nil {
			continue
		}
		known = true
		if symbol, ok := v.perpetualOf(base, quote); ok {
			return Instrument{id, symbol}, nil
		}
		for _, l := range v.Listings {
			if l.Type == "perpetual" && l.AliasFor == "" && l.Of(base) {
				near = append(near, id+":"+l.Symbol)
			}
		}
	}
	in, err := perpetualOn(venue, base, quote)
	if !known || err == nil && c.Venue(in.Exchange) == nil { // the table speaks for an exchange of which nothing is told
		return in, err
	}
	if len(near) > 0 {
		return Instrument{}, fmt.Errorf("%s has no %s-%s perpetual; the nearest are %s", venue, base, quote, strings.Join(near, ", "))
	}
	return Instrument{}, fmt.Errorf("%s has no perpetual of %s: qf instruments --exchange %s --type perpetual lists what it has", venue, base, ids[0])
}

// perpetualOn spells the perpetual of base against quote as the venue does.
func perpetualOn(venue, base, quote string) (Instrument, error) {
	none := func(nearest string) (Instrument, error) {
		return Instrument{}, fmt.Errorf("%s has no %s-%s perpetual; %s", venue, base, quote, nearest)
	}
	coin := unscaled(base)
	switch venue {
	case "binance", "binance-futures", "binance-delivery":
		if quote == "USD" {
			return Instrument{"binance-delivery", base + "USD_PERP"}, nil
		}
		return Instrument{"binance-futures", scaled(coin, scaledOnBinance) + quote}, nil
	case "bybit":
		switch quote {
		case "USDT":
			if coin == "SHIB" {
				return Instrument{"bybit", "SHIB1000USDT"}, nil
			}
			return Instrument{"bybit", scaled(coin, scaledOnBybit) + quote}, nil
		case "USD":
			return Instrument{"bybit", base + quote}, nil
		case "USDC":
			return Instrument{"bybit", scaled(coin, scaledOnBybit) + "PERP"}, nil
		}
		return none("its perpetuals are against USDT, USDC (PERP) or USD")
	case "okx", "okex", "okex-swap":
		return Instrument{"okex-swap", coin + "-" + quote + "-SWAP"}, nil
	case "deribit":
		switch quote {
		case "USD":
			return Instrument{"deribit", base + "-PERPETUAL"}, nil
		case "USDC":
			return Instrument{"deribit", base + "_USDC-PERPETUAL"}, nil
		}
		return none(fmt.Sprintf("the nearest are deribit:%s_USDC-PERPETUAL (linear, USDC) and deribit:%s-PERPETUAL (inverse, USD)", base, base))
	case "bitmex":
		if base == "BTC" {
			base = "XBT"
		}
		if quote == "USD" || quote == "USDT" {
			return Instrument{"bitmex", base + quote}, nil
		}
		return none("its perpetuals are against USD or USDT")
	}
	return Instrument{}, fmt.Errorf("venue %q: the shorthand knows binance, bybit, okx, deribit and bitmex; name the instrument as exchange:SYMBOL", venue)
}

// scaledOnBinance and scaledOnBybit are the bases of USDT and USDC perpetuals of which an amount counts thousands or
// more, as the venues name them.
var (
	scaledOnBinance = strings.Fields("1000BONK 1000CAT 1000CHEEMS 1000FLOKI 1000LUNC 1000PEPE 1000RATS 1000SATS 1000SHIB 1000WHY 1000X 1000XEC " +
		"1000000BOB 1000000MOG 1MBABYDOGE")
	scaledOnBybit = strings.Fields("1000APU 1000BONK 1000BTT 1000CAT 1000CATS 1000FLOKI 1000LUNC 1000MUMU 1000NEIROCTO 1000PEPE 1000RATS " +
		"1000TURBO 1000X 1000XEC 10000COQ 10000ELON 10000LADYS 10000QUBIC 10000SATS 10000WEN 10000WHY 1000000BABYDOGE 1000000CHEEMS 1000000MOG 1000000PEIPEI")
)

// scale is what stands before or behind a coin's name where its amounts count thousands.
var scale = regexp.MustCompile(`^1(?:0{3,7}|M)([A-Z].*)$|^([A-Z]+)10{3,7}$`)

// unscaled is the coin of a base that may be so many of it.
func unscaled(base string) string {
	if m := scale.FindStringSubmatch(base); m != nil {
		return m[1] + m[2]
	}
	return base
}

// scaled is the venue's base of a coin.
func scaled(coin string, bases []string) string {
	for _, base := range bases {
		if unscaled(base) == coin {
			return base
		}
	}
	return coin
}
