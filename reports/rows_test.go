package reports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/backtest"
)

func value(c arrow.Array, k int) any {
	if c.IsNull(k) {
		return nil
	}
	switch c := c.(type) {
	case *array.Timestamp:
		return int64(c.Value(k))
	case *array.Float64:
		return c.Value(k)
	case *array.String:
		return c.Value(k)
	case *array.Dictionary:
		return c.Dictionary().(*array.String).Value(c.GetValueIndex(k))
	}
	return c.ValueStr(k)
}

// Rows of positions stand by window, time and instrument, those of equity by window and time, whatever the blocks in which
// they come.
func TestRowFilesAreInOrder(t *testing.T) {
	sh := small
	sh.windows = 2
	r := sample(t, sh)
	want := map[string][]byte{}
	for _, length := range []int{1 << 30, 1, 7} {
		cut := &sampled{Result: r.Result, fills: r.fills}
		for _, x := range r.rows {
			cut.rows = append(cut.rows, inParts(x, length)...)
		}
		dir := t.TempDir()
		if err := cut.write(dir, Options{Formats: []Format{Parquet}}); err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(dir, Folder(r.Result))
		for _, name := range []string{"equity.parquet", "positions.parquet", "trades.parquet"} {
			b, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if want[name] == nil {
				want[name] = b
			} else if !bytes.Equal(b, want[name]) {
				t.Errorf("%s of blocks of %d rows is another", name, length)
			}
		}
		if length != 1 {
			continue
		}
		var list [][]any
		for _, x := range r.rows {
			for k, at := range x.TS {
				for i, in := range r.Grid.Instruments {
					list = append(list, []any{at, x.Window, in.String(), known64(x.Close[i][k]), known64(x.Target[i][k]), known64(x.Quantity[i][k]), known64(x.Weight[i][k])})
				}
			}
		}
		got := readTable(t, filepath.Join(folder, "positions.parquet")).rows
		if !slices.EqualFunc(got, list, slices.Equal) {
			t.Error("positions.parquet does not have the rows by window, time and instrument")
		}
	}
}

func known64(v float64) any {
	if !finite(v) {
		return nil
	}
	return v
}

func inParts(x *backtest.RunRows, length int) (out []*backtest.RunRows) {
	for lo := 0; lo < len(x.TS); lo += min(length, len(x.TS)) {
		hi := lo + min(length, len(x.TS)-lo)
		part := func(cols [][]float64) (out [][]float64) {
			for _, c := range cols {
				out = append(out, c[lo:hi])
			}
			return out
		}
		out = append(out, &backtest.RunRows{
			Window: x.Window, TS: x.TS[lo:hi], Close: part(x.Close), Target: part(x.Target), Quantity: part(x.Quantity), Weight: part(x.Weight),
			Equity: x.Equity[lo:hi], Hold: x.Hold[lo:hi], PricePnL: x.PricePnL[lo:hi], Fees: x.Fees[lo:hi],
			Slippage: x.Slippage[lo:hi], Impact: x.Impact[lo:hi], Funding: x.Funding[lo:hi],
		})
	}
	return out
}

// trades.csv and trades.parquet say the same, and what encoding/csv would write of it.
func TestTradesAreTheSameInBothFormats(t *testing.T) {
	r := sample(t, small)
	dir := t.TempDir()
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, Folder(r.Result))
	text, err := os.ReadFile(filepath.Join(folder, "trades.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	c := csv.NewWriter(&again)
	c.Write([]string{"window", "ts", "decided", "instrument", "side", "quantity", "held", "reference", "price", "notional", "fee", "slippage", "impact"})
	rows := readTable(t, filepath.Join(folder, "trades.parquet")).rows
	for _, row := range rows {
		line := []string{row[2].(string), micros(row[0].(int64)), micros(row[1].(int64)), row[3].(string), row[4].(string)}
		for _, v := range row[5:] {
			line = append(line, decimal(v.(float64)))
		}
		c.Write(line)
	}
	c.Flush()
	if len(rows) != len(r.fills) || again.String() != string(text) {
		t.Errorf("%d fills, %d rows; trades.csv is\n%.500s\ntrades.parquet\n%.500s", len(r.fills), len(rows), text, again.String())
	}
}

func micros(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z") }

func TestQuoted(t *testing.T) {
	for _, s := range []string{"", "a", "binance:BTC-USDT", "a,b", `a"b`, " a", "a\nb", `\.`, "é", "a b"} {
		var b bytes.Buffer
		c := csv.NewWriter(&b)
		c.Write([]string{"x", s, "y"})
		c.Flush()
		if got := "x," + quoted(s) + ",y\n"; got != b.String() {
			t.Errorf("%q: %q, want %q", s, got, b.String())
		}
	}
}

// A file that cannot be written is named, whichever of those that are written together it is.
func TestTogetherNamesTheFileThatFails(t *testing.T) {
	full := errors.New("no space left on device")
	for _, bad := range []string{"a", "b"} {
		dir := t.TempDir()
		err := together(dir, []string{"a", "b"}, func(w []io.Writer) error {
			for k, name := range []string{"a", "b"} {
				if name == bad {
					_, err := named{name, failing{full}}.Write([]byte("x"))
					return err
				}
				if _, err := w[k].Write([]byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, full) || !strings.HasPrefix(err.Error(), bad+":") {
			t.Errorf("%s fails: %v", bad, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What a result does not keep is an error of the run, not an empty file.
func TestRowsThatWereNotKept(t *testing.T) {
	r := sample(t, small)
	err := Write(t.TempDir(), r.Result, Options{})
	if !errors.Is(err, backtest.ErrNoRows) {
		t.Errorf("Write of a result without rows: %v", err)
	}
}

func BenchmarkTradesCSV(b *testing.B) {
	r := sample(b, small)
	for b.Loop() {
		t, err := newTradesCSV(io.Discard, r.Result)
		if err != nil {
			b.Fatal(err)
		}
		for k := range 100_000 {
			if err := t.add(r.fills[k%len(r.fills)]); err != nil {
				b.Fatal(err)
			}
		}
	}
}
