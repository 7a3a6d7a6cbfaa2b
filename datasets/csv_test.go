package datasets

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"
)

func TestNumbersPrintAsInJavaScript(t *testing.T) {
	// The right-hand sides are ECMA-262's Number::toString on the left-hand ones.
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "1": "1", "-1.5": "-1.5", "0.1": "0.1", "9682": "9682", "64.10": "64.1",
		"0.000001": "0.000001", "0.0000015": "0.0000015", "0.0000001": "1e-7", "1.25e-7": "1.25e-7", "-1e-10": "-1e-10",
		"5e-324": "5e-324", "1e20": "100000000000000000000", "1e21": "1e+21", "1.5e21": "1.5e+21", "123456789012345680000": "123456789012345680000",
		"1.7976931348623157e308": "1.7976931348623157e+308", "0.30000000000000004": "0.30000000000000004",
	} {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendNumber(nil, x)); got != want {
			t.Errorf("%s prints as %s, want %s", text, got, want)
		}
	}
}

func TestNumbersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		if back, err := strconv.ParseFloat(string(appendNumber(nil, x)), 64); err != nil || back != x {
			t.Fatalf("%v reads back as %v, %v", x, back, err)
		}
	})
}

func TestCSVComesOutAsItWentIn(t *testing.T) {
	const trades = `exchange,symbol,timestamp,local_timestamp,id,side,price,amount
binance-futures,BTCUSDT,1704067199999000,1704067200000000,1,buy,42313.9,0.001
binance-futures,BTCUSDT,1704067200010000,1704067200020999,,unknown,42313.8,1e-7
binance-futures,BTCUSDT,1704067200010001,1704067200020998,a-b,sell,0.000001,12
`
	const ticker = `exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price
binance-futures,BTCUSDT,1704067200000000,1704067200000001,,,,,42313.9,,
binance-futures,BTCUSDT,1704067200000000,1704067200000002,1704096000000000,-0.00012,,81234.567,42313.9,42310,42312.12345678
`
	const book = `exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
binance-futures,BTCUSDT,1704067200000000,1704067200000001,true,bid,42313.9,0
binance-futures,BTCUSDT,1704067200000000,1704067200000001,false,ask,42314,1.5
`
	for dt, text := range map[DataType]string{Trades: trades, DerivativeTicker: ticker, IncrementalBookL2: book} {
		l := newLake(t)
		p := part(dt, btc, "2024-01-01")
		put(t, l, p, parseCSV(t, dt, text), 2)
		rr, err := l.Scan(context.Background(), dt, btc, DayRange(p.Day, p.Day))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := WriteCSV(&got, dt, btc, rr); err != nil {
			t.Fatal(err)
		}
		rr.Release()
		if got.String() != text {
			t.Errorf("%s:\n%s\nwant\n%s", dt, got.String(), text)
		}
	}
}

// parseCSV is the shortest reading of the vendor's form.
func parseCSV(t *testing.T, dt DataType, text string) arrow.Record {
	schema, err := dt.Schema()
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		for i, cell := range strings.Split(line, ",")[2:] {
			f, isTime := b.Field(i).(*array.TimestampBuilder)
			switch {
			case cell == "":
				b.Field(i).AppendNull()
			case isTime:
				us, err := strconv.ParseInt(cell, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				f.Append(arrow.Timestamp(us))
			default:
				if err := b.Field(i).AppendValueFromString(cell); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return b.NewRecord()
}

func TestCSVQuotesWhatWouldBreakALine(t *testing.T) {
	for text, want := range map[string]string{"plain": "plain", `a,b`: `"a,b"`, `a"b`: `"a""b"`, "a\nb": "\"a\nb\""} {
		if got := string(appendText(nil, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCSVErrors(t *testing.T) {
	p := part(Trades, btc, "2024-01-01")
	rec := record(p, 10, 1)
	rr, err := array.NewRecordReader(rec.Schema(), []arrow.Record{rec})
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	if err := WriteCSV(&bytes.Buffer{}, Quotes, btc, rr); err == nil || !strings.Contains(err.Error(), "column 2 is id") {
		t.Errorf("another feed's rows: %v", err)
	}
	full, err := array.NewRecordReader(rec.Schema(), []arrow.Record{rec})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Release()
	if err := WriteCSV(failing{}, Trades, btc, full); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("no space left on device")

// failing is a writer on a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }
