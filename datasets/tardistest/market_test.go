package tardistest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func (m *Market) text(t testing.TB, in datasets.Instrument, feed datasets.DataType, day int) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.WriteDay(&b, datasets.Partition{Instrument: in, Type: feed, Day: m.Start + datasets.Day(day)}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// table reads a feed's day back: cells by row, and the columns' positions.
func (m *Market) table(t testing.TB, in datasets.Instrument, feed datasets.DataType, day int) (rows [][]string, column map[string]int) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(m.text(t, in, feed, day))).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", feed, err)
	}
	column = make(map[string]int)
	for i, name := range rows[0] {
		column[name] = i
	}
	return rows[1:], column
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func integer(t testing.TB, s string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// thin leaves few rows a day, for tests that look at every cell.
func thin(m *Market) {
	m.TradesPerDay, m.QuotesPerDay, m.BookUpdatesPerDay = 1000, 1000, 1000
	m.TickerEvery, m.SnapshotEvery, m.OptionsEvery = 300, 300, 7200
}

// shortest reports whether a cell is a number in JavaScript's form: no exponent from 1e-6 on, and no
// more digits than tell it from its neighbours.
func shortest(cell string) bool {
	v, err := strconv.ParseFloat(cell, 64)
	if a := math.Abs(v); a > 0 && a < 1e-6 {
		mantissa, exponent, ok := strings.Cut(cell, "e-")
		return ok && !strings.HasPrefix(exponent, "0") && !strings.HasSuffix(mantissa, "0")
	}
	return err == nil && cell == strconv.FormatFloat(v, 'f', -1, 64)
}

// Every feed has the vendor's header and, in each cell, the vendor's spelling; rows are in order of
// arrival within their day.
func TestFormat(t *testing.T) {
	m := testMarket(1, DefaultSignal)
	thin(m)
	m.Instruments = []datasets.Instrument{btc, inverse, {Exchange: "okex-swap", Symbol: "SOL-USDT-SWAP"}, {Exchange: "bybit", Symbol: "BTCUSD"}}
	for _, in := range m.Instruments {
		for feed := range feeds {
			in := in
			if feed == datasets.OptionsChain {
				in.Symbol = "OPTIONS"
			}
			text := m.text(t, in, feed, 1)
			if text == "" && feed == datasets.Liquidations {
				continue // a calm day
			}
			rows, column := m.table(t, in, feed, 1)
			header, _, _ := strings.Cut(text, "\n")
			want := "exchange,symbol"
			columns := feed.Columns()
			for _, c := range columns {
				want += "," + c.Name
			}
			if header != want {
				t.Errorf("%s: header %s, want %s", feed, header, want)
			}
			if len(rows) < 200 && feed != datasets.Liquidations {
				t.Errorf("%s %s: %d rows", in, feed, len(rows))
			}
			day := m.Start + 1
			last := day.Start()
			for n, row := range rows {
				if row[0] != in.Exchange || row[1] != in.Symbol && in.Symbol != "OPTIONS" {
					t.Fatalf("%s row %d: %v", feed, n, row)
				}
				ts, local := integer(t, row[column["timestamp"]]), integer(t, row[column["local_timestamp"]])
				if local < last || local >= (day+1).Start() || ts >= local || local-ts > 2_000_000 {
					t.Fatalf("%s row %d: timestamp %d, local_timestamp %d after %d", feed, n, ts, local, last)
				}
				last = local
				for _, c := range columns {
					cell := row[column[c.Name]]
					switch {
					case cell == "" && c.Nullable:
					case c.Kind == datasets.Number && !shortest(cell),
						c.Kind == datasets.Time && len(cell) != 16,
						c.Kind == datasets.Enum && !slices.Contains(c.Values, cell),
						c.Kind == datasets.Bool && cell != "true" && cell != "false":
						t.Fatalf("%s row %d: %s is %q", feed, n, c.Name, cell)
					}
				}
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		units    int64
		decimals int
		want     string
	}{{0, 3, "0"}, {5, 3, "0.005"}, {50, 3, "0.05"}, {1000, 3, "1"}, {1234567, 1, "123456.7"}, {10, 0, "10"}, {100203, 4, "10.0203"}} {
		o := new(csvWriter)
		o.decimal(c.units, c.decimals)
		if got := string(o.buf[1:]); got != c.want {
			t.Errorf("%d·10^-%d is written %s, want %s", c.units, c.decimals, got, c.want)
		}
	}
	for v, want := range map[float64]string{1e-6: "0.000001", 1.5e-7: "1.5e-7", -2e-8: "-2e-8", 1e-10: "1e-10", 60000: "60000", 0.0001: "0.0001", 0: "0"} {
		o := new(csvWriter)
		o.number(v)
		if got := string(o.buf[1:]); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

// A day's bytes do not depend on what was asked for before, by whom, or which other instruments there are.
func TestDeterminism(t *testing.T) {
	type key struct {
		feed datasets.DataType
		day  int
	}
	want := map[key]string{}
	m := testMarket(7, DefaultSignal)
	thin(m)
	symbol := func(feed datasets.DataType) datasets.Instrument {
		if feed == datasets.OptionsChain {
			return datasets.Instrument{Exchange: btc.Exchange, Symbol: "OPTIONS"}
		}
		return btc
	}
	m.Instruments = m.Instruments[:1]
	for _, day := range []int{0, 1, 5} {
		for feed := range feeds {
			want[key{feed, day}] = m.text(t, symbol(feed), feed, day)
		}
	}
	other := testMarket(7, DefaultSignal)
	other.Instruments = []datasets.Instrument{inverse, btc}
	thin(other)
	var wg sync.WaitGroup
	for k, text := range want {
		wg.Go(func() {
			var got bytes.Buffer
			p := datasets.Partition{Instrument: symbol(k.feed), Type: k.feed, Day: other.Start + datasets.Day(k.day)}
			if err := other.WriteDay(&got, p); err != nil || got.String() != text {
				t.Errorf("%s differs in another order (error %v)", p, err)
			}
		})
	}
	wg.Wait()
	if another := testMarket(8, DefaultSignal); another.text(t, btc, datasets.Trades, 0) == want[key{datasets.Trades, 0}] {
		t.Error("another seed gives the same trades")
	}
	if want[key{datasets.Trades, 0}] == want[key{datasets.Trades, 1}] {
		t.Error("two days are the same")
	}
}

// The twin market has the same trades at other prices.
func TestTwin(t *testing.T) {
	planted, _ := testMarket(3, DefaultSignal).table(t, btc, datasets.Trades, 2)
	twin, column := testMarket(3, 0).table(t, btc, datasets.Trades, 2)
	if len(planted) != len(twin) {
		t.Fatalf("%d trades, the twin has %d", len(planted), len(twin))
	}
	same := 0
	price := column["price"]
	for i := range twin {
		if planted[i][price] == twin[i][price] {
			same++
		}
		planted[i][price], twin[i][price] = "", ""
		if !slices.Equal(planted[i], twin[i]) {
			t.Fatalf("row %d: %v, the twin has %v", i, planted[i], twin[i])
		}
	}
	if same > len(twin)/10 {
		t.Errorf("%d of %d prices are the twin's", same, len(twin))
	}
}

func TestNotFound(t *testing.T) {
	m := testMarket(1, 0)
	m.End = m.Start + 10
	ok := datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: m.Start}
	for name, change := range map[string]func(*datasets.Partition){
		"symbol":       func(p *datasets.Partition) { p.Symbol = "NOUSDT" },
		"exchange":     func(p *datasets.Partition) { p.Exchange = "binance" },
		"type":         func(p *datasets.Partition) { p.Type = "bars" },
		"before start": func(p *datasets.Partition) { p.Day-- },
		"at the end":   func(p *datasets.Partition) { p.Day += 10 },
	} {
		p := ok
		change(&p)
		if err := m.WriteDay(io.Discard, p); !errors.Is(err, datasets.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	broken := errors.New("disk full")
	if err := m.WriteDay(failing{broken}, ok); !errors.Is(err, broken) {
		t.Errorf("a failing writer gives %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The trade flow has what real flow has: both sides alike in the long run, sides that persist,
// arrivals in bursts, and as many trades as asked for.
func TestTradeStatistics(t *testing.T) {
	m := testMarket(2, DefaultSignal)
	const days = 10
	var sides []float64
	counts := make([]float64, 0, days*minutes)
	lastID := int64(0)
	for day := range days {
		rows, column := m.table(t, btc, datasets.Trades, day)
		perMinute := make([]float64, minutes)
		for _, row := range rows {
			s := -1.0
			if row[column["side"]] == "buy" {
				s = 1
			}
			sides = append(sides, s)
			perMinute[(integer(t, row[column["local_timestamp"]])-(m.Start+datasets.Day(day)).Start())/60_000_000]++
			id := integer(t, row[column["id"]])
			if id <= lastID {
				t.Fatalf("id %d follows %d", id, lastID)
			}
			lastID = id
		}
		for i := range perMinute { // the season apart
			perMinute[i] /= season[i]
		}
		counts = append(counts, perMinute...)
	}
	if perDay := float64(len(sides)) / days; math.Abs(perDay/14_400-1) > 0.05 {
		t.Errorf("%.0f trades a day, want 14,400", perDay)
	}
	if mean, _ := moments(sides); math.Abs(mean) > 0.05 {
		t.Errorf("mean side %.3f, want about 0", mean)
	}
	for lag, least := range map[int]float64{1: 0.3, 10: 0.1, 100: 0.1, 500: 0.05} {
		if a := autocorrelation(sides, lag); a < least {
			t.Errorf("autocorrelation of sides at lag %d is %.3f, want at least %v", lag, a, least)
		}
	}
	// Poisson arrivals, one by one, would have a variance-to-mean ratio of 1.
	if mean, variance := moments(counts); variance/mean < 3 {
		t.Errorf("variance over mean of trades a minute is %.1f, want bursts", variance/mean)
	}
}

// Volatility has regimes that last for weeks, instruments move together, and the twin's returns
// follow from nothing that was visible.
func TestPath(t *testing.T) {
	const days = 250
	for _, signal := range []float64{0, DefaultSignal} {
		m := testMarket(5, signal)
		var vol []float64 // log realised volatility by day
		var a, b []float64
		var flow, next []float64
		for n := range days {
			x, y := m.day(btc, m.Start+datasets.Day(n)), m.day(eth, m.Start+datasets.Day(n))
			var q float64
			for t := range minutes {
				r := x.price[t+1] - x.price[t]
				q += r * r
				a, b = append(a, r/x.vol[t]), append(b, (y.price[t+1]-y.price[t])/y.vol[t])
			}
			for t := 0; t < minutes; t += 60 {
				flow, next = append(flow, x.flow[t]), append(next, (x.price[t+60]-x.price[t])/x.vol[t])
			}
			vol = append(vol, math.Log(q)/2)
		}
		if c := correlation(a, b); math.Abs(c-commonShare) > 0.02 {
			t.Errorf("signal %v: correlation between instruments %.3f, want %v", signal, c, commonShare)
		}
		if c := correlation(flow, next); math.Abs(c-signal) > 0.03 {
			t.Errorf("signal %v: correlation of the flow state with the next hour %.3f", signal, c)
		}
		if c := autocorrelation(a, 1); signal == 0 && math.Abs(c) > 0.006 {
			t.Errorf("autocorrelation of the twin's returns %.4f", c)
		}
		if c := autocorrelation(vol, 5); c < 0.4 {
			t.Errorf("autocorrelation of daily volatility at 5 days is %.2f, want regimes", c)
		}
	}
}

// Funding settles three times a day; the row that carries a settlement's final rate comes after it,
// for midnight in the next day's file, and equals the last estimate before.
func TestFunding(t *testing.T) {
	m := testMarket(4, DefaultSignal)
	final := map[int64]float64{} // by settlement: the last rate under that funding_timestamp
	last := map[int64]int64{}
	for day := range 3 {
		rows, column := m.table(t, btc, datasets.DerivativeTicker, day)
		if len(rows) != minutes+3 {
			t.Errorf("%d rows, want one a minute and one a settlement", len(rows))
		}
		for _, row := range rows {
			at := integer(t, row[column["funding_timestamp"]])
			final[at], last[at] = number(t, row[column["funding_rate"]]), integer(t, row[column["timestamp"]])
			mark, index := number(t, row[column["mark_price"]]), number(t, row[column["index_price"]])
			if math.Abs(mark/index-1) > 0.01 {
				t.Fatalf("mark %v, index %v", mark, index)
			}
			if row[column["predicted_funding_rate"]] != "" {
				t.Fatal("a predicted rate")
			}
		}
	}
	for n := range 10 {
		at := m.Start.Start() + int64(n)*fundingEvery
		rate, ok := final[at]
		if n == 9 {
			if !ok || last[at] >= at {
				t.Error("the last settlement's final row is not for this file")
			}
			continue
		}
		if !ok || last[at] != at+10_000 {
			t.Errorf("settlement %d: last row at %d µs after it", n, last[at]-at)
		}
		if rate < -0.003 || rate > 0.003 || rate == 0 {
			t.Errorf("settlement %d: rate %v", n, rate)
		}
	}
}

// Books are uncrossed and sorted, amounts positive, and quotes enclose the trades' mid.
func TestBooks(t *testing.T) {
	m := testMarket(6, 0)
	m.SnapshotEvery = 60
	rows, column := m.table(t, eth, datasets.BookSnapshot25, 0)
	for n, row := range rows {
		last := [2]float64{}
		for level := range depth {
			for s, side := range []string{"asks", "bids"} {
				name := fmt.Sprintf("%s[%d]", side, level)
				price, amount := number(t, row[column[name+".price"]]), number(t, row[column[name+".amount"]])
				if amount <= 0 || price <= 0 || level > 0 && (price-last[s])*float64(1-2*s) <= 0 {
					t.Fatalf("row %d: %s is %v × %v after %v", n, name, price, amount, last[s])
				}
				last[s] = price
			}
			if level == 0 && last[0] <= last[1] {
				t.Fatalf("row %d: ask %v, bid %v", n, last[0], last[1])
			}
		}
	}
	rows, column = m.table(t, eth, datasets.Quotes, 0)
	for n, row := range rows {
		if ask, bid := number(t, row[column["ask_price"]]), number(t, row[column["bid_price"]]); ask <= bid {
			t.Fatalf("quote %d: ask %v, bid %v", n, ask, bid)
		}
	}
}

func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, variance
}

func correlation(x, y []float64) float64 {
	mx, vx := moments(x)
	my, vy := moments(y)
	var c float64
	for i := range x {
		c += (x[i] - mx) * (y[i] - my) / float64(len(x))
	}
	return c / math.Sqrt(vx*vy)
}

func autocorrelation(x []float64, lag int) float64 { return correlation(x[lag:], x[:len(x)-lag]) }
