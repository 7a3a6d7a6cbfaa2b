package tardis

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// TestFeeds reads two rows of every feed, made up for this test, and compares every cell: nulls,
// every enum value that the row can show, exponents, signs, numbers of many digits.
func TestFeeds(t *testing.T) {
	levels := func(n int) (cells string, values []any) { // a one-sided book from level 1 on
		for i := range n {
			ask, bid := 100.5+float64(i), 100.25-float64(i)
			if i == 0 {
				cells += ",100.5,1e-7,100.25,12345678.875"
				values = append(values, ask, 1e-7, bid, 12345678.875)
				continue
			}
			cells += fmt.Sprintf(",%v,0.%03d,,", ask, i)
			values = append(values, ask, float64(i)/1000, nil, nil)
		}
		return cells, values
	}
	five, fiveValues := levels(5)
	twentyFive, twentyFiveValues := levels(25)
	nulls := func(n int) []any { return make([]any, n) }
	expiry := noon + 30*datasets.MicrosPerDay

	for _, c := range []struct {
		feed  datasets.DataType
		cells [2]string // behind local_timestamp
		want  [2][]any
	}{
		{datasets.Trades,
			[2]string{",0b1a7d3e-55f1-4c1e-9a53-0123456789ab,unknown,63944.1,0.00012", ",,sell,1.5e-7,3E+2"},
			[2][]any{{"0b1a7d3e-55f1-4c1e-9a53-0123456789ab", "unknown", 63944.1, 0.00012}, {nil, "sell", 1.5e-7, 300.0}}},
		{datasets.Liquidations,
			[2]string{",,buy,0.500280739469,143.330431857868", ",77,sell,2,1"},
			[2][]any{{nil, "buy", 0.500280739469, 143.330431857868}, {"77", "sell", 2.0, 1.0}}},
		{datasets.IncrementalBookL2,
			[2]string{",true,bid,6421.5,18640", ",false,ask,0.00001255,0"},
			[2][]any{{true, "bid", 6421.5, 18640.0}, {false, "ask", 0.00001255, 0.0}}},
		{datasets.Quotes,
			[2]string{",0.095,63944,63943.9,46.371", ",,,63943.9,46.371"},
			[2][]any{{0.095, 63944.0, 63943.9, 46.371}, {nil, nil, 63943.9, 46.371}}},
		{datasets.BookTicker,
			[2]string{",0.095,63944,63943.9,46.371", ",5,6,,"},
			[2][]any{{0.095, 63944.0, 63943.9, 46.371}, {5.0, 6.0, nil, nil}}},
		{datasets.DerivativeTicker,
			[2]string{fmt.Sprintf(",%d,-0.00001234,,8572031.1,0.4706,0.47080586,0.4705", noon-datasets.MicrosPerDay), ",,-1.2e-7,3e-05,,,,"},
			[2][]any{{noon - datasets.MicrosPerDay, -0.00001234, nil, 8572031.1, 0.4706, 0.47080586, 0.4705}, {nil, -1.2e-7, 3e-05, nil, nil, nil, nil}}},
		{datasets.OptionsChain,
			[2]string{
				fmt.Sprintf(",put,9875,%d,0.1,0.0295,0.0205,15.1,55.91,0.0235,15.2,68.94,0.02210436,62.89,SYN.BTC-9JUN20,9756.36,-0.61752,0.00103,2.24964,-53.05655,-0.22796", expiry),
				fmt.Sprintf(",call,1e4,%d,,,,,,,,,,,,,,,,,", expiry)},
			[2][]any{
				{"put", 9875.0, expiry, 0.1, 0.0295, 0.0205, 15.1, 55.91, 0.0235, 15.2, 68.94, 0.02210436, 62.89, "SYN.BTC-9JUN20", 9756.36, -0.61752, 0.00103, 2.24964, -53.05655, -0.22796},
				append([]any{"call", 10000.0, expiry}, nulls(17)...)}},
		{datasets.BookSnapshot5,
			[2]string{five, strings.Repeat(",", 20)},
			[2][]any{fiveValues, nulls(20)}},
		{datasets.BookSnapshot25,
			[2]string{twentyFive, strings.Repeat(",", 100)},
			[2][]any{twentyFiveValues, nulls(100)}},
	} {
		times := []any{noon - 1, noon}
		want := [][]any{slices.Concat(times, c.want[0]), slices.Concat(times, c.want[1])}
		text := header(c.feed)
		grouped := text
		for i, cells := range c.cells {
			text += fmt.Sprintf("binance-futures,BTCUSDT,%d,%d%s\n", noon-1, noon, cells)
			grouped += fmt.Sprintf("binance-futures,OF-%d,%d,%d%s\n", i, noon-1, noon, cells)
		}
		p := part(c.feed, "BTCUSDT")
		rows, _, err := decode(text, p, 0)
		if err != nil {
			t.Errorf("%s: %v", c.feed, err)
			continue
		}
		sameRows(t, p, rows, want)

		p = part(c.feed, "FUTURES")
		if rows, _, err = decode(grouped, p, 0); err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		sameRows(t, p, rows, [][]any{slices.Concat([]any{"OF-0"}, want[0]), slices.Concat([]any{"OF-1"}, want[1])})
	}
}

// TestHeaders pins the header of every feed as the vendor documents it, since every other test
// writes its headers from the schema table.
func TestHeaders(t *testing.T) {
	const lead = "exchange,symbol,timestamp,local_timestamp,"
	for feed, want := range map[datasets.DataType]string{
		datasets.Trades:            "id,side,price,amount",
		datasets.Liquidations:      "id,side,price,amount",
		datasets.IncrementalBookL2: "is_snapshot,side,price,amount",
		datasets.Quotes:            "ask_amount,ask_price,bid_price,bid_amount",
		datasets.BookTicker:        "ask_amount,ask_price,bid_price,bid_amount",
		datasets.DerivativeTicker:  "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price",
		datasets.OptionsChain: "type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv," +
			"mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho",
		datasets.BookSnapshot5: "asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,asks[1].amount,bids[1].price,bids[1].amount," +
			"asks[2].price,asks[2].amount,bids[2].price,bids[2].amount,asks[3].price,asks[3].amount,bids[3].price,bids[3].amount," +
			"asks[4].price,asks[4].amount,bids[4].price,bids[4].amount",
	} {
		if got := strings.TrimSpace(header(feed)); got != lead+want {
			t.Errorf("%s: %s", feed, got)
		}
	}
	if h := header(datasets.BookSnapshot25); !strings.HasPrefix(h, strings.TrimSpace(header(datasets.BookSnapshot5))+",asks[5].price,") ||
		!strings.HasSuffix(h, ",asks[24].price,asks[24].amount,bids[24].price,bids[24].amount\n") {
		t.Errorf("book_snapshot_25: %s", h)
	}
}
