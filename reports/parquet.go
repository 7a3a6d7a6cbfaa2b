package reports

import (
	"io"
	"slices"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets/parquet"
)

// equityFile writes equity.parquet: one row a bar of the run over the whole span (window "all") and,
// where there are several windows, of each of their runs after it. Money is in quote currency; the
// causes of a bar's change of equity are its price_pnl − fees − slippage − impact + funding. Where the
// net is not known, equity, drawdown and funding are null.
type equityFile struct {
	r      *backtest.Result
	file   *table
	window string
	run    backtest.Run // of window
	high   float64      // its highest equity so far
	down   []float64    // the drawdown of the rows at hand
}

func newEquity(w io.Writer, r *backtest.Result) (*equityFile, error) {
	t, err := newTable(w, []string{"window"}, "equity", "drawdown", "buy_and_hold", "price_pnl", "fees", "slippage", "impact", "funding")
	return &equityFile{r: r, file: t}, err
}

func (e *equityFile) add(x *backtest.RunRows) error {
	if x.Window != e.window {
		k := slices.IndexFunc(e.r.Runs, func(run backtest.Run) bool { return run.Window == x.Window })
		e.window, e.run = x.Window, e.r.Runs[k]
		e.high = e.run.Account.Capital
	}
	e.down, e.high = drawdown(e.down[:0], x.Equity, e.high)
	own, held := e.run.Account, e.run.Hold
	return e.file.add(x.TS, []arrow.Array{e.file.word(x.Window, len(x.TS))},
		blank(x.TS, own, x.Equity), blank(x.TS, own, e.down), blank(x.TS, held, x.Hold), x.PricePnL, x.Fees, x.Slippage, x.Impact, blank(x.TS, own, x.Funding))
}

func (e *equityFile) close() error { return e.file.file.Close() }

// blank is x, or a copy of it in which is missing what is later than the instant up to which the net of an account is known.
func blank(ts []int64, a *portfolio.Account, x []float64) []float64 {
	if a.Unknown == nil {
		return x
	}
	out := slices.Clone(x)
	for t := sort.Search(len(ts), func(t int) bool { return !a.Known(ts[t]) }); t < len(out); t++ {
		out[t] = float64(nan)
	}
	return out
}

// positionsFile writes positions.parquet: one row a bar and instrument of the same runs, by window, time and then
// instrument. close is the bar's, target what its close decided, quantity (units of amount) and weight (signed
// fraction of equity) what was held after it.
type positionsFile struct {
	file *table
	rows *stack
}

func newPositions(w io.Writer, r *backtest.Result) (*positionsFile, error) {
	t, err := newTable(w, []string{"window", "instrument"}, "close", "target", "quantity", "weight")
	return &positionsFile{t, newStack(r.Grid.Instruments)}, err
}

func (p *positionsFile) add(x *backtest.RunRows) error {
	n := p.rows.most
	for lo := 0; lo < len(x.TS); lo += n {
		hi := min(lo+n, len(x.TS))
		s := p.rows.of(x.TS, lo, hi, x.Close, x.Target, x.Quantity, x.Weight)
		if err := p.file.add(s.ts, []arrow.Array{p.file.word(x.Window, len(s.ts)), s.instruments}, s.columns...); err != nil {
			return err
		}
	}
	return nil
}

func (p *positionsFile) close() error { return p.file.file.Close() }

// tradesParquet writes trades.parquet, the columns of trades.csv.
type tradesParquet struct {
	names []string // of instruments
	file  *parquet.Writer
	rows  *array.RecordBuilder
}

func newTradesParquet(w io.Writer, r *backtest.Result) (fillWriter, error) {
	fields := []arrow.Field{{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "decided", Type: arrow.FixedWidthTypes.Timestamp_us}}
	for _, name := range []string{"window", "instrument", "side"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	for _, name := range fillNumbers {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	file, err := parquet.NewWriter(w, schema, parquet.WriterOptions{})
	t := &tradesParquet{file: file, rows: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
	for _, in := range r.Grid.Instruments {
		t.names = append(t.names, in.String())
	}
	return t, err
}

func (t *tradesParquet) add(f *backtest.FillRow) error {
	b := t.rows
	b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(f.TS))
	b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(f.Decided))
	for j, word := range [3]string{f.Window, t.names[f.Instrument], side(f)} {
		b.Field(2 + j).(*array.StringBuilder).Append(word)
	}
	for j, v := range numbersOf(f) {
		if c := b.Field(5 + j).(*array.Float64Builder); finite(v) {
			c.Append(v)
		} else {
			c.AppendNull()
		}
	}
	if b.Field(0).Len() < tableBatch {
		return nil
	}
	return t.flush()
}

func (t *tradesParquet) flush() error {
	rec := t.rows.NewRecord()
	defer rec.Release()
	return t.file.Write(rec)
}

func (t *tradesParquet) close() error {
	defer t.rows.Release()
	if err := t.flush(); err != nil {
		return err
	}
	return t.file.Close()
}

// tableBatch is the number of rows that are written at once.
const tableBatch = 1 << 15

// distinct are the numbers that hardly repeat: a dictionary of them would be built in vain.
var distinct = []string{"equity", "drawdown", "buy_and_hold", "weight"}

// table writes blocks of a time "ts", some words and some numbers to a Parquet file.
type table struct {
	file   *parquet.Writer
	schema *arrow.Schema

	last  string      // what word gave last
	words arrow.Array // that, some times over
}

func newTable(w io.Writer, words []string, numbers ...string) (*table, error) {
	fields := []arrow.Field{{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}}
	for _, name := range words {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	options := parquet.WriterOptions{Columns: map[string]parquet.Column{}}
	for _, name := range numbers {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		if slices.Contains(distinct, name) {
			options.Columns[name] = parquet.Column{Encoding: parquet.Plain}
		}
	}
	t := &table{schema: arrow.NewSchema(fields, nil)}
	var err error
	t.file, err = parquet.NewWriter(w, t.schema, options)
	return t, err
}

// add appends a block of rows; what is not finite is null. Nothing is copied.
func (t *table) add(ts []int64, words []arrow.Array, numbers ...[]float64) error {
	columns := append([]arrow.Array{times(ts)}, words...)
	for _, c := range numbers {
		columns = append(columns, nullable(c))
	}
	return t.file.Write(array.NewRecord(t.schema, columns, int64(len(ts))))
}

// word is n times the same text.
func (t *table) word(text string, n int) arrow.Array {
	if t.words == nil || t.last != text || t.words.Len() < n {
		t.last, t.words = text, cycled([]string{text}, n)
	}
	return array.NewSlice(t.words, 0, int64(n))
}

// times is ts as an Arrow column over the same memory.
func times(ts []int64) arrow.Array {
	values := memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(ts))
	return array.NewTimestampData(array.NewData(arrow.FixedWidthTypes.Timestamp_us, len(ts), []*memory.Buffer{nil, values}, nil, 0, 0))
}

// nullable is x as an Arrow column over the same memory, with a null for what is not finite.
func nullable(x []float64) arrow.Array {
	var valid *memory.Buffer
	nulls := 0
	for k, v := range x {
		if finite(v) {
			continue
		}
		if valid == nil {
			bits := make([]byte, bitutil.BytesForBits(int64(len(x))))
			bitutil.SetBitsTo(bits, 0, int64(len(x)), true)
			valid = memory.NewBufferBytes(bits)
		}
		bitutil.ClearBit(valid.Bytes(), k)
		nulls++
	}
	values := memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(x))
	return array.NewFloat64Data(array.NewData(arrow.PrimitiveTypes.Float64, len(x), []*memory.Buffer{valid, values}, nil, nulls, 0))
}

// cycled is n rounds of words.
func cycled(words []string, n int) arrow.Array {
	size := 0
	for _, w := range words {
		size += len(w)
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(n * len(words))
	b.ReserveData(n * size)
	for range n {
		for _, w := range words {
			b.Append(w)
		}
	}
	return b.NewArray()
}
