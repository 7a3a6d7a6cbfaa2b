package datasets

import (
	"fmt"
	"strings"
)

// Instrument names one tradable series: a symbol on one exchange, both spelled as the data vendor
// spells them. It is comparable and serves as a map key. binance:BTCUSDT (spot) and
// binance-futures:BTCUSDT (perpetual) are two instruments.
type Instrument struct{ Exchange, Symbol string }

// maxName bounds a name, and maxEscaped its folder, below every file system's limit of 255 bytes.
const (
	maxName    = 120
	maxEscaped = 240
)

// hiveNull is how Hive partitions write a null.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// ParseInstrument reads "exchange:SYMBOL". The exchange is lowered, the symbol normalised as
// NormalizeSymbol does; what could not be a folder name is refused.
func ParseInstrument(s string) (Instrument, error) {
	exchange, symbol, ok := strings.Cut(s, ":")
	if !ok {
		return Instrument{}, fmt.Errorf("instrument %q: want exchange:SYMBOL, as in binance-futures:BTCUSDT", s)
	}
	in := Instrument{strings.ToLower(exchange), NormalizeSymbol(symbol)}
	return in, in.Validate()
}

// NormalizeSymbol gives a symbol in the spelling of the vendor's datasets: upper case, with "/"
// and ":" as "-".
func NormalizeSymbol(s string) string {
	return strings.ToUpper(strings.NewReplacer("/", "-", ":", "-").Replace(s))
}

// Validate reports why the instrument cannot name a folder of the lake, or nil.
func (in Instrument) Validate() error {
	if err := validName("exchange", in.Exchange); err != nil {
		return err
	}
	for _, r := range in.Exchange {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("exchange %q: want lower-case letters, digits and dashes, as in okex-swap", in.Exchange)
		}
	}
	return validName("symbol", in.Symbol)
}

func validName(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", what)
	case len(s) > maxName:
		return fmt.Errorf("%s %.40q… has %d bytes, want at most %d", what, s, len(s), maxName)
	case len(escape(s)) > maxEscaped:
		return fmt.Errorf("%s %q: too long once escaped for a folder name", what, s)
	case s == hiveNull:
		return fmt.Errorf("%s %q: readers of the lake would take it for a null", what, s)
	case strings.Contains(s, ".."):
		return fmt.Errorf("%s %q: \"..\" is not allowed", what, s)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '/' || r == '\\' || r == 0xfffd {
			return fmt.Errorf("%s %q: character %q is not allowed", what, s, r)
		}
	}
	return nil
}

// String is "exchange:SYMBOL".
func (in Instrument) String() string { return in.Exchange + ":" + in.Symbol }

// Compare orders instruments by exchange, then symbol.
func (in Instrument) Compare(o Instrument) int {
	if c := strings.Compare(in.Exchange, o.Exchange); c != 0 {
		return c
	}
	return strings.Compare(in.Symbol, o.Symbol)
}
