package factors

import (
	"strconv"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// fields says which feeds carry the market fields of package bars; any one of a field's feeds will
// do, the cheapest first. Names that are not listed come from trades.
var fields = []struct {
	names []string
	feeds []datasets.DataType
}{
	{
		[]string{"bid", "ask", "bid_amount", "ask_amount", "spread", "microprice", "book_ofi", "book_depth"},
		[]datasets.DataType{datasets.Quotes, datasets.BookTicker, datasets.BookSnapshot5, datasets.BookSnapshot25},
	},
	{
		[]string{"bid_depth_5", "ask_depth_5"},
		[]datasets.DataType{datasets.BookSnapshot5, datasets.BookSnapshot25},
	},
	{
		[]string{"bid_depth_25", "ask_depth_25", "bid_depth_10bps", "ask_depth_10bps"},
		[]datasets.DataType{datasets.BookSnapshot25},
	},
	{
		[]string{"mark_price", "index_price", "funding_rate", "predicted_funding_rate", "funding_timestamp", "open_interest", SettledFunding},
		[]datasets.DataType{datasets.DerivativeTicker},
	},
	{
		[]string{"liquidated_long", "liquidated_short"},
		[]datasets.DataType{datasets.Liquidations},
	},
}

// SettledFunding is the field that Load makes of a series' settlements: the sum of the rates that
// settled in the bar.
const SettledFunding = "settled_funding"

// UTCDay is a field that no feed carries: the number of the UTC day that each row covers, which a Plan makes of the rows'
// labels.
const UTCDay = "utc_day"

// FieldFeeds lists the feeds that carry a market field. Any one of them will do; the first is the
// one to fetch where the lake has none.
func FieldFeeds(field string) []datasets.DataType {
	for _, f := range fields {
		for _, n := range f.names {
			if n == field {
				return f.feeds
			}
		}
	}
	return []datasets.DataType{datasets.Trades}
}

// OtherFields names the market fields that other feeds than trades carry.
func OtherFields() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.names...)
	}
	return names
}

// TickField names the column of the order-flow imbalance of the last n trades: "ofi_100t".
func TickField(n int) string { return "ofi_" + strconv.Itoa(n) + "t" }

// TickWindow is the n of a field that TickField named.
func TickWindow(field string) (n int, ok bool) {
	s, ok := strings.CutPrefix(field, "ofi_")
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, "t"); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}
