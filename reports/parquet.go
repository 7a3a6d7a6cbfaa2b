package reports

import (
	"io"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/parquet"
)

// writeEquity writes equity.parquet: one row a bar of the run over the whole span (window "all") and,
// where there are several windows, of each of their runs after it. Money is in quote currency; the
// causes of a bar's change of equity are its price_pnl − fees − slippage − impact + funding.
func writeEquity(w io.Writer, r *backtest.Result) error {
	t, err := newEquityTable(w)
	if err != nil {
		return err
	}
	for k, run := range namedRuns(r) {
		var causes [5][]float64
		for j := range causes {
			causes[j] = make([]float64, len(run.Bar))
		}
		for t, l := range run.Bar {
			causes[0][t], causes[1][t], causes[2][t] = l.PricePnL, l.Fees, l.Slippage
			causes[3][t], causes[4][t] = l.Impact, l.Funding
		}
		err := t.add(r.Market.Close[run.Window.Lo:run.Window.Hi], []string{run.name},
			run.Equity, drawdown(run.Capital, run.Equity), holding(r, k), causes[0], causes[1], causes[2], causes[3], causes[4])
		if err != nil {
			return err
		}
	}
	return t.file.Close()
}

// writePositions writes positions.parquet: one row a bar and instrument of the same runs. close is
// the bar's, target what its close decided, quantity (units of amount) and weight (signed fraction of
// equity) what was held after it.
func writePositions(w io.Writer, r *backtest.Result) error {
	t, err := newPositionTable(w)
	if err != nil {
		return err
	}
	for _, run := range namedRuns(r) {
		lo, hi := run.Window.Lo, run.Window.Hi
		for i, in := range r.Market.Instruments {
			err := t.add(r.Market.Close[lo:hi], []string{run.name, in.String()},
				closes(r.Market, i)[lo:hi], r.Target.Col(i)[lo:hi], run.Quantity[i], run.Weight[i])
			if err != nil {
				return err
			}
		}
	}
	return t.file.Close()
}

func newEquityTable(w io.Writer) (*table, error) {
	return newTable(w, []string{"window"}, "equity", "drawdown", "buy_and_hold", "price_pnl", "fees", "slippage", "impact", "funding")
}

func newPositionTable(w io.Writer) (*table, error) {
	return newTable(w, []string{"window", "instrument"}, "close", "target", "quantity", "weight")
}

// tableBatch is the number of rows that are written at once.
const tableBatch = 1 << 15

// distinct are the numbers that hardly repeat: a dictionary of them would be built in vain.
var distinct = []string{"equity", "drawdown", "buy_and_hold", "weight"}

// table writes blocks of a time "ts", some words and some numbers to a Parquet file.
type table struct {
	file   *parquet.Writer
	schema *arrow.Schema
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

// add appends a block of rows that share their words; what is not finite is null. The columns are
// not copied.
func (t *table) add(ts []int64, words []string, numbers ...[]float64) error {
	var texts []arrow.Array
	for _, s := range words {
		texts = append(texts, repeated(s, min(tableBatch, len(ts))))
	}
	for lo := 0; lo < len(ts); lo += tableBatch {
		hi := min(lo+tableBatch, len(ts))
		columns := []arrow.Array{times(ts[lo:hi])}
		for _, text := range texts {
			columns = append(columns, array.NewSlice(text, 0, int64(hi-lo)))
		}
		for _, c := range numbers {
			columns = append(columns, nullable(c[lo:hi]))
		}
		if err := t.file.Write(array.NewRecord(t.schema, columns, int64(hi-lo))); err != nil {
			return err
		}
	}
	return nil
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

// repeated is n times the same word.
func repeated(word string, n int) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(n)
	b.ReserveData(n * len(word))
	for range n {
		b.Append(word)
	}
	return b.NewArray()
}
