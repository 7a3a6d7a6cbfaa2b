package bars

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// csvRows reads a vendor file of trades as rows of a memStore; it skips the test where there is none.
func csvRows(t *testing.T, path string) [][]any {
	t.Helper()
	shared := os.Getenv("QF_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	file, err := os.Open(filepath.Join(shared, path))
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(plain).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for _, r := range records[1:] {
		ts, err1 := strconv.ParseInt(r[2], 10, 64)
		local, err2 := strconv.ParseInt(r[3], 10, 64)
		price, err3 := strconv.ParseFloat(r[6], 64)
		amount, err4 := strconv.ParseFloat(r[7], 64)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatalf("row %q", r)
		}
		rows = append(rows, []any{ts, local, r[4], r[5], price, amount})
	}
	return rows
}

// Genuine trades of two hours, on both clocks, by the definitions; real amounts round, so sums in
// another order agree to a rounding error.
func TestGenuineTrades(t *testing.T) {
	const tolerance = 1e-12
	rows := csvRows(t, "data/samples/binance-futures_trades_2020-02-22_BTCUSDT.csv.gz")
	day := datasets.DayOf(rows[0][1].(int64))
	s := newMemStore()
	s.batch = 1000
	s.put(datasets.Trades, btc, day, rows...)
	for _, clock := range []Clock{Arrival, Exchange} {
		q := Request{Instrument: btc, Contract: linear, First: day, End: day + 1,
			Spec: Spec{Every: time.Minute, Clock: clock, TickWindows: []int{100, 1000}}}
		got := mustBuild(t, s, q, Options{})
		for name, want := range naiveTimeBars(s, q) {
			for i, g := range cells(t, got, name) {
				if w := want[i]; math.IsNaN(g) != math.IsNaN(w) || math.Abs(g-w) > tolerance*max(1, math.Abs(w)) {
					t.Fatalf("%s[%d] = %v, want %v", name, i, g, w)
				}
			}
		}
	}
}

// Five-minute bars of the mirror are exchange klines, each replayed as four prints of a quarter of its
// volume, on either clock the same.
func TestMirrorKlines(t *testing.T) {
	in := datasets.Instrument{Exchange: "binance", Symbol: "BTCUSDT"}
	s := newMemStore()
	for d, date := range []string{"01", "02", "03"} {
		rows := csvRows(t, "data/mirror/v1/binance/trades/2024/01/"+date+"/BTCUSDT.csv.gz")
		s.put(datasets.Trades, in, datasets.DayOf(rows[0][1].(int64)), rows...)
		if d == 0 && len(rows) != 4*288 {
			t.Fatalf("%d rows, want four a kline", len(rows))
		}
	}
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Instrument: in, Contract: datasets.Contract{Spot: true, Multiplier: 1}, First: first, End: first + 3, Spec: Spec{Every: 5 * time.Minute}}
	arrival := mustBuild(t, s, q, Options{})
	q.Spec.Clock = Exchange
	wantSame(t, mustBuild(t, s, q, Options{}), arrival, "exchange's clock")
	for i, n := range cells(t, arrival, "trades") {
		if n != 4 {
			t.Fatalf("bar %d has %v prints, want 4", i, n)
		}
	}
	open, high, low, closing := cells(t, arrival, "open"), cells(t, arrival, "high"), cells(t, arrival, "low"), cells(t, arrival, "close")
	for d := range datasets.Day(3) {
		rows := s.files[datasets.Partition{Instrument: in, Type: datasets.Trades, Day: first + d}]
		for k := 0; k < len(rows); k += 4 {
			price := func(i int) float64 { return rows[k+i][4].(float64) }
			bar := int(d)*288 + k/4
			want := [4]float64{price(0), max(price(1), price(2)), min(price(1), price(2)), price(3)}
			if got := [4]float64{open[bar], high[bar], low[bar], closing[bar]}; got != want {
				t.Fatalf("bar %d = %v, want %v", bar, got, want)
			}
		}
	}
}
