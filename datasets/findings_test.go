package datasets

import (
	"fmt"
	"strings"
	"testing"
)

// What is odd in a span's days is summed up from the footers, and from the rows where there is no record.
func TestFindings(t *testing.T) {
	const head = "exchange,symbol,timestamp,local_timestamp,"
	l := newLake(t)
	// trades writes a trade a minute at the prices given.
	write := func(p Partition, columns string, cells ...string) {
		t.Helper()
		text := head + columns + "\n"
		for i, c := range cells {
			at := p.Day.Start() + int64(i+1)*60_000_000
			text += fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,%s\n", at, at, c)
		}
		put(t, l, p, parseCSV(t, p.Type, text), 3)
	}
	trades := func(day string, prices ...float64) {
		var cells []string
		for i, p := range prices {
			cells = append(cells, fmt.Sprintf("%d,buy,%v,1", i, p))
		}
		write(part(Trades, btc, day), "id,side,price,amount", cells...)
	}
	trades("2024-01-01", 100, 101, 0.1, 101, 100, -5, 0)              // a lone print, two that are no prices
	trades("2024-01-02", 100, 130, 131, 132, 99, 90)                  // back after three: lone prints
	trades("2024-01-03", 0.1, 0.1, 0.1)                               // ÷ 1000 overnight
	trades("2024-01-04", 100, 100, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1) // and back, and within the day
	trades("2024-01-05", 50, 50)                                      // up again, flat
	trades("2024-01-06", 50, 50, 50)                                  // flat
	write(part(Quotes, btc, "2024-01-02"), "ask_amount,ask_price,bid_price,bid_amount", "1,100,101,1", "1,100,99,1", "1,,99,1")
	files, err := l.All()
	if err != nil {
		t.Fatal(err)
	}
	var infos []Info
	for _, p := range files {
		info, err := l.Stat(p)
		if err != nil || !info.Look.Known {
			t.Fatalf("%v: %+v, %v", p, info, err)
		}
		infos = append(infos, info)
	}
	want := []string{
		"quotes of binance-futures:BTCUSDT: 1 rows have the bid above the ask, on 2024-01-02",
		"trades of binance-futures:BTCUSDT: 2 prices are zero or negative and left out, on 2024-01-01",
		"trades of binance-futures:BTCUSDT: 4 trades are lone prints, 20 % or more off for up to five trades, on 2 days, the first 2024-01-01",
		"trades of binance-futures:BTCUSDT: 4 times the price is twice or half of that before, and more, on 3 days, the first 2024-01-03",
		"trades of binance-futures:BTCUSDT: all 5 of 2024-01-05 to 2024-01-06 are at 50",
		"trades of binance-futures:BTCUSDT end on 2024-01-06, 47 hours before the span does: what is held then cannot be closed",
	}
	for _, recorded := range []bool{true, false} {
		for i := range infos {
			if !recorded {
				infos[i].Look = Look{}
			}
		}
		found, err := Findings(t.Context(), l, infos, day("2024-01-08"), 2)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Text)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("recorded: %v\n got\n%s\nwant\n%s", recorded, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
