package tardis

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

// day is the day of the made-up rows, 2024-03-01; noon is an instant of it.
const (
	day  = datasets.Day(19783)
	noon = int64(19783)*datasets.MicrosPerDay + datasets.MicrosPerDay/2
)

func part(t datasets.DataType, symbol string) datasets.Partition {
	return datasets.Partition{Instrument: datasets.Instrument{Exchange: "binance-futures", Symbol: symbol}, Type: t, Day: day}
}

func header(t datasets.DataType) string {
	names := []string{"exchange", "symbol"}
	for _, c := range t.Columns() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ",") + "\n"
}

const tradesHeader = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"

func decode(text string, p datasets.Partition, maxBad int64) ([][]any, []datasets.BadRow, error) {
	d := NewDecoder(strings.NewReader(text), p, "t.csv", maxBad)
	d.Retain()
	defer d.Release()
	rows, err := readAll(d)
	return rows, d.BadRows(), err
}

func TestCells(t *testing.T) {
	at := func(cells string) string { // a trade at noon
		return fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,%s\n", noon-5, noon, cells)
	}
	for _, c := range []struct {
		row  string
		want []any // of id, side, price, amount
	}{
		{at("42377944,buy,9682,0.132"), []any{"42377944", "buy", 9682.0, 0.132}},
		{at(",sell,0.00001255,79.2"), []any{nil, "sell", 0.00001255, 79.2}},
		{at("e1a5cbd4-2ed1-4d6d-b3f1-26c4f5a2f3c8,unknown,1e-7,1.5E+3"), []any{"e1a5cbd4-2ed1-4d6d-b3f1-26c4f5a2f3c8", "unknown", 1e-7, 1500.0}},
		{at("ÄÖ #+(),buy,-0,-12.5"), []any{"ÄÖ #+()", "buy", -1 / posInf, -12.5}},
		{at("1,buy,123456789012345678901234567890,0.1234567890123456789"), []any{"1", "buy", 123456789012345678901234567890.0, 0.1234567890123456789}},
		{at("1,buy,9007199254740993,.5"), []any{"1", "buy", 9007199254740992.0, 0.5}},
		{at("1,buy,+7.,12345678.12345678"), []any{"1", "buy", 7.0, 12345678.12345678}},
		{at(`"42377944","buy","9682","0.132"`), []any{"42377944", "buy", 9682.0, 0.132}},
		{at(`"say ""no"", twice",buy,1,2`), []any{`say "no", twice`, "buy", 1.0, 2.0}},
		{at(`"",buy,1,"2"`), []any{nil, "buy", 1.0, 2.0}},
		{at("1,buy,1,2") + "\n", []any{"1", "buy", 1.0, 2.0}},
		{at("1,buy,1,2") + "\r\n\n\r", []any{"1", "buy", 1.0, 2.0}},
		{strings.TrimSuffix(at("1,buy,1,2"), "\n") + "\r\n", []any{"1", "buy", 1.0, 2.0}},
		{strings.TrimSuffix(at("1,buy,1,2"), "\n"), []any{"1", "buy", 1.0, 2.0}},
	} {
		rows, _, err := decode(tradesHeader+c.row, part(datasets.Trades, "BTCUSDT"), 0)
		if err != nil {
			t.Errorf("%q: %v", c.row, err)
			continue
		}
		sameRows(t, part(datasets.Trades, "BTCUSDT"), rows, [][]any{append([]any{noon - 5, noon}, c.want...)})
	}
}

// What spreadsheets and data frames make of a file: a byte order mark, quotes around everything, a blank last line.
func TestFormsOfOtherPrograms(t *testing.T) {
	header := `"` + strings.ReplaceAll(strings.TrimSuffix(tradesHeader, "\n"), ",", `","`) + "\"\n"
	row := fmt.Sprintf(`"binance-futures","BTCUSDT","%d","%d","7","buy","9682","0.132"`+"\n", noon, noon)
	want := []any{noon, noon, "7", "buy", 9682.0, 0.132}
	for _, text := range []string{"\ufeff" + tradesHeader + row, header + row, "\ufeff" + header + row + "\r\n\n", strings.ReplaceAll("\ufeff"+header+row, "\n", "\r\n")} {
		rows, _, err := decode(text, part(datasets.Trades, "BTCUSDT"), 0)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		sameRows(t, part(datasets.Trades, "BTCUSDT"), rows, [][]any{want})
	}
	// Blank lines before a row are bad rows, as many as there are, also where a block of text ends in them.
	many := tradesHeader + row + strings.Repeat("\n", 3*blockBytes) + row
	rows, bad, err := decode(many, part(datasets.Trades, "BTCUSDT"), 3*blockBytes)
	if err != nil || len(rows) != 2 || len(bad) != 3*blockBytes || bad[0].Line != 3 || bad[len(bad)-1].Line != 2+3*blockBytes {
		t.Errorf("%d rows, %d bad ones, %v", len(rows), len(bad), err)
	}
	if rows, _, err = decode(many[:len(many)-len(row)], part(datasets.Trades, "BTCUSDT"), 0); err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

var posInf = func() float64 { f, _ := strconv.ParseFloat("inf", 64); return f }()

func TestSyntaxErrors(t *testing.T) {
	good := fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,1,buy,9682,0.132\n", noon, noon)
	trade := func(old, new string) string { return tradesHeader + good + strings.Replace(good, old, new, 1) }
	long := strings.Repeat("9", 400)
	for _, c := range []struct{ text, want string }{
		{"exchange,symbol,timestamp,local_timestamp,id,side,price\n", "t.csv:1: column amount: missing in the header of a trades file"},
		{"exchange,symbol,timestamp,local_timestamp,id,side,price,amount,price\n", "t.csv:1: column price: stands in the header twice"},
		{"exchange,symbol,timestamp,local_timestamp,id,side,price,amount,fee\n", `t.csv:1: column "fee": not a column of trades`},
		{"<!DOCTYPE html>\n", `t.csv:1: column "<!DOCTYPE html>": not a column of trades`},
		{"\n", `t.csv:1: column "": not a column of trades`},
		{trade("binance-futures", "binance"), `t.csv:3: column exchange: "binance" in a file of "binance-futures"`},
		{trade("BTCUSDT", "ETHUSDT"), `t.csv:3: column symbol: "ETHUSDT" in a file of "BTCUSDT"`},
		{trade("BTCUSDT", ""), `t.csv:3: column symbol: "" in a file of "BTCUSDT"`},
		{trade("9682", "abc"), `t.csv:3: column price: "abc": not a decimal number`},
		{trade("9682", "inf"), `t.csv:3: column price: "inf": not a decimal number`},
		{trade("9682", "NaN"), `t.csv:3: column price: "NaN": not a decimal number`},
		{trade("9682", "0x1p-2"), `t.csv:3: column price: "0x1p-2": not a decimal number`},
		{trade("9682", "1_000"), `t.csv:3: column price: "1_000": not a decimal number`},
		{trade("9682", "."), `t.csv:3: column price: ".": not a decimal number`},
		{trade("9682", "-"), `t.csv:3: column price: "-": not a decimal number`},
		{trade("9682", "1e"), `t.csv:3: column price: "1e": not a decimal number`},
		{trade("9682", "1.2.3"), `t.csv:3: column price: "1.2.3": not a decimal number`},
		{trade("9682", "1e400"), `t.csv:3: column price: "1e400": too large for a float64`},
		{trade("9682", long), `t.csv:3: column price: "` + long[:40] + `"…: a number of 400 characters, want at most 128`},
		{trade("9682", ""), `t.csv:3: column price: empty cell in a column that is never empty`},
		{trade("buy", "bid"), `t.csv:3: column side: "bid": want one of ["buy" "sell" "unknown"]`},
		{trade("buy", "BUY"), `t.csv:3: column side: "BUY": want one of ["buy" "sell" "unknown"]`},
		{trade("buy", "buyer"), `t.csv:3: column side: "buyer": want one of ["buy" "sell" "unknown"]`},
		{trade("buy", ""), `t.csv:3: column side: empty cell in a column that is never empty`},
		{trade(",1,buy", ",\"1\"2,buy"), `t.csv:3: column id: a quote that is not around a whole cell`},
		{trade(",1,buy", ",1\"2,buy"), `t.csv:3: column id: a quote that is not around a whole cell`},
		{trade(",1,buy", ",\"1,buy"), `t.csv:3: column id: a quote that is not around a whole cell`},
		{trade("9682", "\"9682.x\""), `t.csv:3: column price: "9682.x": not a decimal number`},
		{trade(",1,buy", ",1\x00,buy"), `t.csv:3: column id: a NUL byte`},
		{trade(",1,buy", ",\xff,buy"), `t.csv:3: column id: "\xff": not valid UTF-8`},
		{trade(",1,buy", ",\a,buy"), `t.csv:3: column id: "\a": control character`},
		{trade(",1,buy", ",1,1,buy"), `t.csv:3: the row has 9 cells, the header 8`},
		{trade(",1,buy", ",buy"), `t.csv:3: the row has 7 cells, the header 8`},
		{tradesHeader + good + "\n" + good, `t.csv:3: the line is blank`},
		{tradesHeader + good + "\n\r\n" + good, `t.csv:3: the line is blank`},
		{trade(strconv.FormatInt(noon, 10), "1709294400000000.5"), `t.csv:3: column timestamp: "1709294400000000.5": not a time in integer microseconds`},
		{trade(strconv.FormatInt(noon, 10), "1709294400000"), `t.csv:3: column timestamp: 1709294400000 looks like milliseconds: want microseconds since 1970 (UTC), 16 digits`},
		{trade(strconv.FormatInt(noon, 10), "1709294400"), `t.csv:3: column timestamp: 1709294400 looks like seconds: want microseconds since 1970 (UTC), 16 digits`},
		{trade(strconv.FormatInt(noon, 10), "1709294400000000000"), `t.csv:3: column timestamp: 1709294400000000000 looks like nanoseconds: want microseconds since 1970 (UTC), 16 digits`},
		{trade(strconv.FormatInt(noon, 10), "0"), `t.csv:3: column timestamp: 0 is no time of 2010 to 2100 in microseconds since 1970 (UTC)`},
		{trade(fmt.Sprintf("%d,1,", noon), "1709294400000,1,"), `t.csv:3: column local_timestamp: 1709294400000 looks like milliseconds: want microseconds since 1970 (UTC), 16 digits`},
		{trade(strconv.FormatInt(noon, 10), "1.7e15"), `t.csv:3: column timestamp: "1.7e15": not a time in integer microseconds`},
		{trade(fmt.Sprintf("%d,1,", noon), fmt.Sprintf("%d,1,", day.Start()-1)), `t.csv:3: column local_timestamp: 1709251199999999 is not on 2024-03-01 (UTC), the day of this file; one of several days has to be split by day first`},
		{trade(fmt.Sprintf("%d,1,", noon), fmt.Sprintf("%d,1,", (day+1).Start())), `t.csv:3: column local_timestamp: 1709337600000000 is not on 2024-03-01 (UTC), the day of this file; one of several days has to be split by day first`},
		{tradesHeader + good + strings.Repeat("x", 3<<20), `t.csv:3: a line of more than 1048576 bytes`},
		{strings.Repeat("x", 3<<20), `t.csv:1: a line of more than 1048576 bytes`},
	} {
		_, _, err := decode(c.text, part(datasets.Trades, "BTCUSDT"), 0)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || err.Error() != c.want {
			t.Errorf("%.200q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestTimestampOfTheDayBefore(t *testing.T) {
	text := fmt.Sprintf("%sbinance-futures,BTCUSDT,%d,%d,1,buy,1,2\n", tradesHeader, day.Start()-1_640_000, day.Start())
	if _, _, err := decode(text, part(datasets.Trades, "BTCUSDT"), 0); err != nil {
		t.Fatal(err)
	}
}

func TestNoRows(t *testing.T) {
	for _, text := range []string{"", tradesHeader, strings.TrimSuffix(tradesHeader, "\n")} {
		rows, _, err := decode(text, part(datasets.Trades, "BTCUSDT"), 0)
		if rows != nil || err != nil {
			t.Errorf("%q: %d rows, %v", text, len(rows), err)
		}
	}
}

func TestReadErrorIsPassedOn(t *testing.T) {
	broken := errors.New("broken")
	text := tradesHeader + fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,1,buy,1,2\n", noon, noon)
	d := NewDecoder(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), part(datasets.Trades, "BTCUSDT"), "t.csv", 0)
	if rows, err := readAll(d); rows != nil || err != broken {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
}

func TestBadRowsAreSetAside(t *testing.T) {
	good := fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,,buy,1,2\n", noon, noon)
	text := tradesHeader + good + "junk\n" + good + strings.Replace(good, ",buy", "\x00,buy", 1) + strings.Repeat("y", 3000) + "\n" + good
	p := part(datasets.Trades, "BTCUSDT")
	rows, bad, err := decode(text, p, 3)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if r[2] != nil {
			t.Errorf("id %v, want null", r[2])
		}
	}
	if len(bad) != 3 || bad[0].Line != 3 || bad[1].Line != 5 || bad[2].Line != 6 || len(bad[2].Text) != maxBadText || bad[0].Text != "junk" {
		t.Errorf("set aside %+v", bad)
	}
	_, _, err = decode(text, p, 2)
	if want := "t.csv:6: the row has 1 cells, the header 8 (and 2 bad rows before it)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestNullsBesideBadRows has rows that fail behind a null, whose mark must not stay on the row that takes their place.
func TestNullsBesideBadRows(t *testing.T) {
	p := part(datasets.Quotes, "BTCUSDT")
	row := func(cells string) string {
		return fmt.Sprintf("binance-futures,BTCUSDT,%d,%d,%s\n", noon, noon, cells)
	}
	rows, _, err := decode(header(datasets.Quotes)+row(",,,x")+row("1,2,3,4")+row(",2,,1e0")+row("x,,,")+row("5,6,7,8"), p, 2)
	if err != nil {
		t.Fatal(err)
	}
	sameRows(t, p, rows, [][]any{
		{noon, noon, 1.0, 2.0, 3.0, 4.0},
		{noon, noon, nil, 2.0, nil, 1.0},
		{noon, noon, 5.0, 6.0, 7.0, 8.0},
	})
}

func TestColumnsInAnotherOrder(t *testing.T) {
	p := part(datasets.Trades, "BTCUSDT")
	text := "amount,symbol,id,local_timestamp,price,timestamp,exchange,side\n" +
		fmt.Sprintf("2.5,BTCUSDT,a1,%d,100,%d,binance-futures,sell\n", noon, noon-1)
	rows, _, err := decode(text+text[strings.Index(text, "\n")+1:], p, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{noon - 1, noon, "a1", "sell", 100.0, 2.5}
	sameRows(t, p, rows, [][]any{want, want})
}

func TestSymbolInTheExchangesSpelling(t *testing.T) {
	p := part(datasets.Trades, "BTC-USD")
	row := fmt.Sprintf("binance-futures,BTC/USD,%d,%d,1,buy,1,2\n", noon, noon)
	if rows, _, err := decode(tradesHeader+row+row, p, 0); err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
}

// TestGrouped has more rows than a batch and symbols that turn up late: codes keep their meaning.
func TestGrouped(t *testing.T) {
	p := part(datasets.Liquidations, "PERPETUALS")
	text := []byte(header(datasets.Liquidations))
	var want []string
	for i := range 3 * maxBatchRows {
		symbol := "S" + strconv.Itoa(i*i%(1+i/1000))
		want = append(want, symbol)
		text = fmt.Appendf(text, "binance-futures,%s,%d,%d,,buy,1,2\n", symbol, noon, noon)
	}
	d := NewDecoder(bytes.NewReader(text), p, "t.csv", 0)
	defer d.Release()
	meaning := map[int]string{}
	var got []string
	for d.Next() {
		col := d.Record().Column(0).(*array.Dictionary)
		if !arrow.TypeEqual(col.DataType(), datasets.Liquidations.GroupedSchema().Field(0).Type) || d.Schema().Field(0).Name != "symbol" {
			t.Fatalf("field 0 is %v", d.Schema().Field(0))
		}
		for i := range col.Len() {
			code := col.GetValueIndex(i)
			name := col.Dictionary().(*array.String).Value(code)
			if m, ok := meaning[code]; ok && m != name {
				t.Fatalf("code %d was %s and is %s", code, m, name)
			}
			meaning[code] = strings.Clone(name)
			got = append(got, meaning[code])
		}
	}
	if d.Err() != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %d rows", d.Err(), len(got))
	}
	_, _, err := decode(header(datasets.Liquidations)+fmt.Sprintf("binance-futures,../x,%d,%d,,buy,1,2\n", noon, noon), p, 0)
	if err == nil || !strings.Contains(err.Error(), "t.csv:2: column symbol: ") {
		t.Errorf("a symbol that leaves its folder: %v", err)
	}
}

// randomFile makes rows of every kind of cell, usual and unusual, and a few that are wrong.
func randomFile(rng *rand.Rand, p datasets.Partition, rows int, wrong bool) []byte {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	text := []byte(header(p.Type))
	for range rows {
		symbol := p.Symbol
		if p.Grouped() {
			symbol = pick("A", "BTC-1JAN20-5000-C", "X/Y", "X:Y", "É")
		}
		text = append(text, p.Exchange+","+symbol...)
		for _, c := range p.Type.Columns() {
			text = append(text, ',')
			if c.Nullable && rng.IntN(4) == 0 {
				continue
			}
			switch c.Kind {
			case datasets.Time:
				if c.Name != datasets.LocalTimestamp && rng.IntN(20) == 0 {
					text = append(text, pick("1262304000000000", "4102444799999999", "+1709294400000000", "01709294400000000")...)
					continue
				}
				text = strconv.AppendInt(text, p.Day.Start()+rng.Int64N(datasets.MicrosPerDay), 10)
			case datasets.Number:
				text = append(text, randomNumber(rng)...)
			case datasets.Text:
				text = append(text, pick("1", "42377944", "abcdefg", "abcdefgh", "abcdefghi", "01:02", "a b", "Ω", "{}", strings.Repeat("long", 30))...)
			case datasets.Enum:
				text = append(text, pick(c.Values...)...)
			case datasets.Bool:
				text = append(text, pick("true", "false")...)
			}
		}
		text = append(text, pick("\n", "\n", "\n", "\n", "\r\n")...)
	}
	if wrong {
		at := rng.IntN(len(text))
		text = slices.Concat(text[:at], []byte(pick(",", "", "\n", "\n\n", "\ufeff", "\"", "x", "\"", "\x00", "e", "-", ".", "9", "\xff", "\r")), text[min(len(text), at+rng.IntN(3)):])
	}
	return text
}

func TestAgainstNaiveOnRandomFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		for _, feed := range datasets.DataTypes() {
			if (feed == datasets.BookSnapshot25 || feed == datasets.OptionsChain) && i%8 > 0 {
				continue
			}
			p := part(feed, []string{"BTCUSDT", "BTCUSDT", "OPTIONS"}[rng.IntN(3)])
			agree(t, randomFile(rng, p, rng.IntN(12), rng.IntN(2) == 0), p, rng.IntN(2) == 0)
		}
	}
}

// agree fails unless the decoder and its naive definition give the same rows, or both an error.
func agree(t *testing.T, text []byte, p datasets.Partition, halved bool) {
	t.Helper()
	var in io.Reader = bytes.NewReader(text)
	if halved {
		in = iotest.OneByteReader(in)
	}
	mem := memory.NewCheckedAllocator(datasets.Buffers)
	d := NewDecoder(in, p, "t.csv", 0)
	d.mem = mem
	got, err := readAll(d)
	mem.AssertSize(t, 0)
	want, wantErr := naive(text, p)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%s: error %v, naive error %v, of\n%q", p, err, wantErr, text)
	}
	if err == nil {
		sameRows(t, p, got, want)
	}
}

func FuzzDecode(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i, feed := range datasets.DataTypes() {
		f.Add(randomFile(rng, part(feed, "BTCUSDT"), 2, false), i, false)
		f.Add(randomFile(rng, part(feed, "OPTIONS"), 2, true), i, true)
	}
	f.Fuzz(func(t *testing.T, text []byte, feed int, grouped bool) {
		symbol := "BTCUSDT"
		if grouped {
			symbol = "OPTIONS"
		}
		types := datasets.DataTypes()
		agree(t, text, part(types[uint(feed)%uint(len(types))], symbol), false)
	})
}

// TestRecordsOutliveNext keeps every record and reads them after the decoder is gone.
func TestRecordsOutliveNext(t *testing.T) {
	p := part(datasets.Trades, "BTCUSDT")
	text := randomFile(rand.New(rand.NewPCG(5, 6)), p, 70_000, false)
	want, err := naive(text, p)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(datasets.Buffers)
	d := NewDecoder(bytes.NewReader(text), p, "t.csv", 0)
	d.mem = mem
	var kept []arrow.Record
	for d.Next() {
		d.Record().Retain()
		kept = append(kept, d.Record())
	}
	d.Release()
	if len(kept) < 3 || d.Err() != nil {
		t.Fatalf("%d batches, %v", len(kept), d.Err())
	}
	var got [][]any
	for _, r := range kept {
		got = append(got, recordRows(r)...)
		r.Release()
	}
	sameRows(t, p, got, want)
	mem.AssertSize(t, 0)
}

func TestLongTextEndsTheBatch(t *testing.T) {
	p := part(datasets.Trades, "BTCUSDT")
	text := []byte(tradesHeader)
	for range 40 {
		text = fmt.Appendf(text, "binance-futures,BTCUSDT,%d,%d,%s,buy,1,2\n", noon, noon, strings.Repeat("i", 1_000_000))
	}
	d := NewDecoder(bytes.NewReader(text), p, "t.csv", 0)
	defer d.Release()
	rows, batches := int64(0), 0
	for d.Next() {
		rows += d.Record().NumRows()
		batches++
	}
	if d.Err() != nil || rows != 40 || batches < 2 {
		t.Fatalf("%d rows in %d batches, %v", rows, batches, d.Err())
	}
}

// sharedSamples is the folder of genuine and converted vendor files that lie outside the repository.
func sharedSamples(tb testing.TB) string {
	shared := os.Getenv("QF_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	dir := filepath.Join(shared, "data", "samples")
	if _, err := os.Stat(dir); err != nil {
		tb.Skip("QF_SHARED has no data/samples")
	}
	return dir
}

// TestSamples reads every sample file and compares it cell by cell. Files that mix instruments and
// days are first sorted into one file for each.
func TestSamples(t *testing.T) {
	dir := sharedSamples(t)
	types := map[string]datasets.DataType{"derivative_ticker_1": datasets.DerivativeTicker, "deltas_with_snapshot": datasets.IncrementalBookL2}
	for _, f := range datasets.DataTypes() {
		types[string(f)] = f
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		base, plain := strings.CutSuffix(filepath.Base(path), ".csv")
		gz := strings.HasSuffix(path, ".csv.gz")
		if err != nil || !plain && !gz {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		feed := types[base]
		if gz {
			zr, err := gzip.NewReader(bytes.NewReader(text))
			if err != nil {
				return err
			}
			if text, err = io.ReadAll(zr); err != nil {
				return err
			}
			for _, f := range datasets.DataTypes() {
				if strings.Contains(base, "_"+string(f)+"_") {
					feed = f
				}
			}
		}
		lines := strings.SplitAfter(string(text), "\n")
		apart := map[datasets.Partition][]byte{}
		total := 0
		for _, line := range lines[1:] {
			if line == "" {
				continue
			}
			cells := strings.SplitN(line, ",", 5)
			local, err := strconv.ParseInt(cells[3], 10, 64)
			if err != nil {
				return err
			}
			p := datasets.Partition{Instrument: datasets.Instrument{Exchange: cells[0], Symbol: datasets.NormalizeSymbol(cells[1])}, Type: feed, Day: datasets.DayOf(local)}
			if apart[p] == nil {
				apart[p] = []byte(lines[0])
			}
			apart[p] = append(apart[p], line...)
			total++
		}
		if gz && len(apart) != 1 {
			t.Errorf("%s holds %d instruments and days", path, len(apart))
		}
		for p, text := range apart {
			total -= sameCells(t, text, p, NewDecoder(bytes.NewReader(text), p, path, 0))
		}
		if total != 0 {
			t.Errorf("%s: %d rows were not compared", path, total)
		}
		return nil
	})
	if err != nil || files < 23 {
		t.Fatalf("%d files, %v", files, err)
	}
}
