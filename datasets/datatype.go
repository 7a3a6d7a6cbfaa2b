package datasets

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// DataType names one of the nine feeds that the vendor publishes as daily files.
type DataType string

// The nine feeds: https://docs.tardis.dev/downloadable-csv-files/data-types
const (
	Trades            DataType = "trades"
	IncrementalBookL2 DataType = "incremental_book_L2"
	BookSnapshot5     DataType = "book_snapshot_5"
	BookSnapshot25    DataType = "book_snapshot_25"
	Quotes            DataType = "quotes"
	BookTicker        DataType = "book_ticker"
	DerivativeTicker  DataType = "derivative_ticker"
	Liquidations      DataType = "liquidations"
	OptionsChain      DataType = "options_chain"
)

// ColumnKind says how a column's cells are written in CSV and held in Arrow.
type ColumnKind uint8

const (
	Time   ColumnKind = iota // integer Unix µs; Arrow timestamp[us, UTC]
	Number                   // decimal; Arrow float64, the nearest double
	Text                     // Arrow utf8
	Enum                     // one of Column.Values; Arrow dictionary<int8, utf8> whose dictionary is Column.Values
	Bool                     // true or false; Arrow boolean
)

// Column is one column of a feed, the same in the vendor's CSV and in the lake.
type Column struct {
	Name     string
	Kind     ColumnKind
	Nullable bool     // an empty cell is allowed and means null, never 0
	Values   []string // of an Enum: the codes 0, 1, … in this order
}

// The times that every feed starts with: the exchange's own, and the arrival at the recorder, by
// which files are split into days and ordered.
const (
	Timestamp      = "timestamp"
	LocalTimestamp = "local_timestamp"
)

// feeds is the one table that the CSV parser, the lake's schema, the round trip to CSV and the
// documentation are driven by. A new feed is a new entry. Leading exchange and symbol columns are
// not repeated: every CSV has them, and in the lake they live in the path.
var feeds = []struct {
	name    DataType
	columns []Column
}{
	{Trades, executions},
	{IncrementalBookL2, []Column{
		{Name: "is_snapshot", Kind: Bool},
		{Name: "side", Kind: Enum, Values: []string{"bid", "ask"}},
		{Name: "price", Kind: Number},
		{Name: "amount", Kind: Number},
	}},
	{BookSnapshot5, snapshot(5)},
	{BookSnapshot25, snapshot(25)},
	{Quotes, bestPrices},
	{BookTicker, bestPrices},
	{DerivativeTicker, append([]Column{
		{Name: "funding_timestamp", Kind: Time, Nullable: true},
	}, numbers("funding_rate", "predicted_funding_rate", "open_interest", "last_price", "index_price", "mark_price")...)},
	{Liquidations, executions},
	{OptionsChain, slices.Concat([]Column{
		{Name: "type", Kind: Enum, Values: []string{"put", "call"}},
		{Name: "strike_price", Kind: Number},
		{Name: "expiration", Kind: Time},
	}, numbers("open_interest", "last_price", "bid_price", "bid_amount", "bid_iv", "ask_price", "ask_amount", "ask_iv", "mark_price", "mark_iv"),
		[]Column{{Name: "underlying_index", Kind: Text, Nullable: true}},
		numbers("underlying_price", "delta", "gamma", "vega", "theta", "rho"))},
}

var executions = []Column{
	{Name: "id", Kind: Text, Nullable: true},
	{Name: "side", Kind: Enum, Values: []string{"buy", "sell", "unknown"}},
	{Name: "price", Kind: Number},
	{Name: "amount", Kind: Number},
}

var bestPrices = numbers("ask_amount", "ask_price", "bid_price", "bid_amount")

func numbers(names ...string) []Column {
	columns := make([]Column, len(names))
	for i, n := range names {
		columns[i] = Column{Name: n, Kind: Number, Nullable: true}
	}
	return columns
}

func snapshot(levels int) []Column {
	var names []string
	for i := range levels {
		l := strconv.Itoa(i)
		names = append(names, "asks["+l+"].price", "asks["+l+"].amount", "bids["+l+"].price", "bids["+l+"].amount")
	}
	return numbers(names...)
}

// least is the smallest number that a column may hold: prices and amounts are not negative.
func (c Column) least() float64 {
	if c.isAmount() || c.isPrice() {
		return 0
	}
	return math.Inf(-1)
}

func (c Column) isAmount() bool { return c.named("amount") }
func (c Column) isPrice() bool  { return c.named("price") }

// named reports whether a number's name is the word, ask_word, or asks[0].word.
func (c Column) named(word string) bool {
	rest, ok := strings.CutSuffix(c.Name, word)
	return ok && c.Kind == Number && (rest == "" || strings.HasSuffix(rest, "_") || strings.HasSuffix(rest, "."))
}

// DataTypes lists the feeds in the order of the vendor's documentation.
func DataTypes() []DataType {
	types := make([]DataType, len(feeds))
	for i, f := range feeds {
		types[i] = f.name
	}
	return types
}

// ParseDataType checks a feed's name; the error lists the names there are.
func ParseDataType(s string) (DataType, error) {
	for _, f := range feeds {
		if string(f.name) == s {
			return f.name, nil
		}
	}
	var names []string
	for _, t := range DataTypes() {
		names = append(names, string(t))
	}
	return "", fmt.Errorf("data type %q: want one of %s", s, strings.Join(names, ", "))
}

// Columns lists the feed's lake columns: timestamp, local_timestamp, then its own, in the order of
// the vendor's header. It panics on a name that ParseDataType would refuse.
func (t DataType) Columns() []Column {
	for _, f := range feeds {
		if f.name == t {
			return append([]Column{{Name: Timestamp, Kind: Time}, {Name: LocalTimestamp, Kind: Time}}, f.columns...)
		}
	}
	panic("datasets: unknown data type " + string(t))
}

// Schema is the Arrow schema of the feed's record batches, with all columns or with those named.
func (t DataType) Schema(names ...string) (*arrow.Schema, error) {
	columns := t.Columns()
	if len(names) > 0 {
		all := columns
		columns = columns[:0:0]
		for _, n := range names {
			i := slices.IndexFunc(all, func(c Column) bool { return c.Name == n })
			if i < 0 {
				return nil, fmt.Errorf("%s has no column %q", t, n)
			}
			columns = append(columns, all[i])
		}
	}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.Field()
	}
	return arrow.NewSchema(fields, nil), nil
}

// SymbolColumn names the column that comes first in a grouped file.
const SymbolColumn = "symbol"

// GroupedSchema is the schema of a grouped file's record batches: the feed's, preceded by the row's
// symbol as dictionary<int32, utf8>. The dictionary grows from batch to batch; a code, once given,
// stays with its symbol for the whole file.
func (t DataType) GroupedSchema() *arrow.Schema {
	s, err := t.Schema()
	if err != nil {
		panic(err)
	}
	symbol := arrow.Field{Name: SymbolColumn, Type: &arrow.DictionaryType{
		IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}}
	return arrow.NewSchema(append([]arrow.Field{symbol}, s.Fields()...), nil)
}

// Field is the column as an Arrow field.
func (c Column) Field() arrow.Field {
	f := arrow.Field{Name: c.Name, Nullable: c.Nullable}
	switch c.Kind {
	case Time:
		f.Type = arrow.FixedWidthTypes.Timestamp_us
	case Number:
		f.Type = arrow.PrimitiveTypes.Float64
	case Text:
		f.Type = arrow.BinaryTypes.String
	case Enum:
		f.Type = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	case Bool:
		f.Type = arrow.FixedWidthTypes.Boolean
	default:
		panic("datasets: unknown column kind")
	}
	return f
}
