package tardis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

func write(t *testing.T, path string, text []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestIdentify(t *testing.T) {
	dir := t.TempDir()
	at := func(exchange, symbol string, feed datasets.DataType, day string) datasets.Partition {
		d, err := datasets.ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		return datasets.Partition{Instrument: datasets.Instrument{Exchange: exchange, Symbol: symbol}, Type: feed, Day: d}
	}
	row := fmt.Sprintf("binance-futures,BTC/USDT,%d,%d,1,2,3,4\n", noon, noon)
	quotes := header(datasets.Quotes) + row
	l2 := header(datasets.IncrementalBookL2) + fmt.Sprintf("deribit,BTC-PERPETUAL,%d,%d,true,bid,1,2\r\n", noon, noon)
	for _, c := range []struct {
		path, text string
		feed       datasets.DataType
		want       datasets.Partition
		err        string
	}{
		{path: "binance-futures_trades_2020-02-22_BTCUSDT.csv.gz", want: at("binance-futures", "BTCUSDT", datasets.Trades, "2020-02-22")},
		{path: "deribit_incremental_book_L2_2020-04-01_BTC_USDC-PERPETUAL.csv", want: at("deribit", "BTC_USDC-PERPETUAL", datasets.IncrementalBookL2, "2020-04-01")},
		{path: "deribit_book_snapshot_5_2020-04-01_btc-perpetual.csv", want: at("deribit", "BTC-PERPETUAL", datasets.BookSnapshot5, "2020-04-01")},
		{path: "v1/binance/trades/2024/03/23/BTCUSDT.csv.gz", want: at("binance", "BTCUSDT", datasets.Trades, "2024-03-23")},
		{path: "binance/quotes/2024/03/23/A%2BB.csv", want: at("binance", "A+B", datasets.Quotes, "2024-03-23")},
		{path: "deribit_options_chain_2024-03-23_OPTIONS.csv.gz", want: at("deribit", "OPTIONS", datasets.OptionsChain, "2024-03-23")},
		{path: "binance_trades_2020-02-22_X.csv", feed: datasets.Quotes, err: "its name says trades, not quotes"},
		{path: "a.csv", text: l2, want: at("deribit", "BTC-PERPETUAL", datasets.IncrementalBookL2, "2024-03-01")},
		{path: "a.csv.gz", text: string(gz(l2)), want: at("deribit", "BTC-PERPETUAL", datasets.IncrementalBookL2, "2024-03-01")},
		{path: "binance_trades_2020-02-32_X.csv", text: l2, want: at("deribit", "BTC-PERPETUAL", datasets.IncrementalBookL2, "2024-03-01")},
		{path: "b.csv", text: quotes, err: "its header is that of quotes and of book_ticker: say which with --type"},
		{path: "b.csv", text: quotes, feed: datasets.BookTicker, want: at("binance-futures", "BTC-USDT", datasets.BookTicker, "2024-03-01")},
		{path: "b.csv", text: quotes, feed: datasets.Trades, err: "its header is not that of trades: "},
		{path: "c.csv", text: "a,b\n1,2\n", err: `its header is that of no feed: "a,b"`},
		{path: "d.csv", text: "", err: `its header is that of no feed: ""`},
		{path: "e.csv", text: header(datasets.IncrementalBookL2), err: "it has no rows to tell exchange, symbol and day from"},
		{path: "f.csv", text: header(datasets.IncrementalBookL2) + "x\n", err: "line 2: the row has 1 cells, the header 8"},
		{path: "f.csv", text: header(datasets.IncrementalBookL2) + "x,../y,1,2,true,bid,1,2\n", err: "line 2: symbol"},
		{path: "f.csv", text: header(datasets.IncrementalBookL2) + "x,y,1,2e3,true,bid,1,2\n", err: `line 2: column local_timestamp: "2e3": not a time`},
		{path: "g.csv.gz", text: "<html>", err: `not a gzip file, it starts with "<html>"`},
	} {
		path := filepath.Join(dir, c.path)
		if c.text != "" || c.err != "" {
			write(t, path, []byte(c.text))
		}
		p, err := Identify(path, c.feed)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("%s: got %v, want %s", c.path, err, c.err)
			}
		case err != nil || p != c.want:
			t.Errorf("%s: %s, %v, want %s", c.path, p, err, c.want)
		}
	}
	if _, err := Identify(filepath.Join(dir, "none.csv"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Identify(dir, ""); err == nil {
		t.Error("a folder was identified")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	text := someTrades(3000)
	p := part(datasets.Trades, "BTCUSDT")
	want, _ := naive([]byte(text), p)
	for path, meta := range map[string]string{
		FileName(p):                           "binance-futures/trades/2024/03/01/BTCUSDT.csv.gz",
		"x/" + sourcePath(p, ".csv.gz"):       "binance-futures/trades/2024/03/01/BTCUSDT.csv.gz",
		"y/" + sourcePath(p, ".csv"):          "binance-futures/trades/2024/03/01/BTCUSDT.csv",
		"some.csv":                            "some.csv",
		"binance_trades_2024-03-02_OTHER.csv": "binance_trades_2024-03-02_OTHER.csv",
	} {
		body := []byte(text)
		if strings.HasSuffix(path, ".gz") {
			body = gz(text)
		}
		f := &Files{Paths: map[datasets.Partition]string{p: write(t, filepath.Join(dir, path), body)}}
		rows, got, err := read(f, p)
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, p, rows, want)
		sum := sha256.Sum256(body)
		if want := (datasets.SourceMeta{Path: meta, Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}); got != want {
			t.Errorf("meta %+v, want %+v", got, want)
		}
		if again, err := f.Identify(context.Background(), p); err != nil || again != got {
			t.Errorf("Identify gives %+v, %v, want %+v", again, err, got)
		}
	}
	f := &Files{}
	if _, err := f.Open(context.Background(), p); !errors.Is(err, datasets.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Identify(context.Background(), p); !errors.Is(err, datasets.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	p := part(datasets.Trades, "BTCUSDT")
	body := gz(someTrades(3000))
	for want, body := range map[string][]byte{
		"gunzip: unexpected EOF":                       body[:len(body)-1],
		"gunzip: invalid gzip header":                  append(append([]byte{}, body...), "junkjunkjunk"...),
		"not a gzip file, it starts with \"exchange,":  []byte(someTrades(1)),
		".csv.gz:2: the row has 2 cells, the header 8": gz(tradesHeader + "1,2\n"),
	} {
		path := write(t, filepath.Join(dir, "t.csv.gz"), body)
		_, _, err := read(&Files{Paths: map[datasets.Partition]string{p: path}}, p)
		var again datasets.Retryable
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || errors.As(err, &again) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestFilesSetBadRowsAside(t *testing.T) {
	p := part(datasets.Trades, "BTCUSDT")
	path := write(t, filepath.Join(t.TempDir(), "t.csv"), []byte(someTrades(10)+"junk\n"))
	f := &Files{Paths: map[datasets.Partition]string{p: path}, MaxBadRows: 1}
	s, err := f.Open(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	for s.Next() {
	}
	bad := s.(datasets.Quarantine).BadRows()
	if s.Err() != nil || len(bad) != 1 || bad[0].Line != 12 || bad[0].Text != "junk" || s.Meta().BadRows != 1 {
		t.Errorf("%v, %+v, %+v", s.Err(), bad, s.Meta())
	}
}
