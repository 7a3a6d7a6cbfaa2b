package reports

import (
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/parquet"
)

// writeEquity writes equity.parquet: one row a bar of the run over the whole span (window "all") and,
// where there are several windows, of each of their runs after it. Money is in quote currency; the
// causes of a bar's change of equity are its price_pnl − fees − slippage − impact + funding.
func writeEquity(w io.Writer, r *backtest.Result) error {
	t, err := newTable(w, []string{"window"},
		"equity", "drawdown", "buy_and_hold", "price_pnl", "fees", "slippage", "impact", "funding")
	if err != nil {
		return err
	}
	for n, run := range namedRuns(r) {
		hold, down := holding(r, n), drawdown(run.Capital, run.Equity)
		for k, l := range run.Bar {
			err := t.row(r.Market.Close[run.Window.Lo+k], []string{run.name},
				run.Equity[k], down[k], hold[k], l.PricePnL, l.Fees, l.Slippage, l.Impact, l.Funding)
			if err != nil {
				return err
			}
		}
	}
	return t.close()
}

// writePositions writes positions.parquet: one row a bar and instrument of the same runs. close is
// the bar's, target what its close decided, quantity (units of amount) and weight (signed fraction of
// equity) what was held after it.
func writePositions(w io.Writer, r *backtest.Result) error {
	t, err := newTable(w, []string{"window", "instrument"}, "close", "target", "quantity", "weight")
	if err != nil {
		return err
	}
	for _, run := range namedRuns(r) {
		for i, in := range r.Market.Instruments {
			price, target, words := closes(r.Market, i), r.Target.Col(i), []string{run.name, in.String()}
			for k := range run.Equity {
				row := run.Window.Lo + k
				err := t.row(r.Market.Close[row], words, price[row], target[row], run.Quantity[i][k], run.Weight[i][k])
				if err != nil {
					return err
				}
			}
		}
	}
	return t.close()
}

// tableBatch is the number of rows that are built before they are written.
const tableBatch = 1 << 15

// table writes rows of a time "ts", some words and some numbers to a Parquet file.
type table struct {
	file    *parquet.Writer
	builder *array.RecordBuilder
	times   *array.TimestampBuilder
	words   []*array.StringBuilder
	numbers []*array.Float64Builder
}

func newTable(w io.Writer, words []string, numbers ...string) (*table, error) {
	fields := []arrow.Field{{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}}
	for _, name := range words {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	for _, name := range numbers {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	file, err := parquet.NewWriter(w, schema, parquet.WriterOptions{})
	if err != nil {
		return nil, err
	}
	t := &table{file: file, builder: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
	t.times = t.builder.Field(0).(*array.TimestampBuilder)
	for k := range words {
		t.words = append(t.words, t.builder.Field(1+k).(*array.StringBuilder))
	}
	for k := range numbers {
		t.numbers = append(t.numbers, t.builder.Field(1+len(words)+k).(*array.Float64Builder))
	}
	return t, nil
}

// row appends one row; what is not finite is null.
func (t *table) row(ts int64, words []string, numbers ...float64) error {
	t.times.Append(arrow.Timestamp(ts))
	for k, s := range words {
		t.words[k].Append(s)
	}
	for k, v := range numbers {
		if finite(v) {
			t.numbers[k].Append(v)
		} else {
			t.numbers[k].AppendNull()
		}
	}
	if t.times.Len() < tableBatch {
		return nil
	}
	return t.flush()
}

func (t *table) flush() error {
	rec := t.builder.NewRecord()
	defer rec.Release()
	return t.file.Write(rec)
}

func (t *table) close() error {
	defer t.builder.Release()
	if err := t.flush(); err != nil {
		return err
	}
	return t.file.Close()
}
