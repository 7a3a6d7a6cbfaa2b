package reports

import (
	"io"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/parquet"
)

// streamedRows are the files of a streamed run that have every row. They are written while the study is
// played again, each for itself.
func streamedRows(r *backtest.Result) []document {
	return []document{
		{"equity.parquet", func(w io.Writer) error { return writeStreamedEquity(w, r) }},
		{"positions.parquet", func(w io.Writer) error { return writeStreamedPositions(w, r) }},
		{"trades.parquet", func(w io.Writer) error { return writeStreamedTrades(w, r) }},
	}
}

// writeStreamedEquity is writeEquity of a streamed run.
func writeStreamedEquity(w io.Writer, r *backtest.Result) error {
	t, err := newEquityTable(w)
	if err != nil {
		return err
	}
	high := r.All.Capital
	var down []float64
	var causes [5][]float64
	err = r.Streamed.Rows(func(x *backtest.RunRows) error {
		down = down[:0]
		for j := range causes {
			causes[j] = causes[j][:0]
		}
		for k, l := range x.Bar {
			high = math.Max(high, x.Equity[k])
			down = append(down, x.Equity[k]/high-1)
			for j, v := range [5]float64{l.PricePnL, l.Fees, l.Slippage, l.Impact, l.Funding} {
				causes[j] = append(causes[j], v)
			}
		}
		return t.add(x.TS, []string{backtest.All}, x.Equity, down, x.Hold, causes[0], causes[1], causes[2], causes[3], causes[4])
	})
	if err != nil {
		return err
	}
	return t.file.Close()
}

// writeStreamedPositions is writePositions of a streamed run.
func writeStreamedPositions(w io.Writer, r *backtest.Result) error {
	t, err := newPositionTable(w)
	if err != nil {
		return err
	}
	err = r.Streamed.Rows(func(x *backtest.RunRows) error {
		return t.add(x.TS, []string{backtest.All, r.Market.Instruments[0].String()}, x.Close, x.Target, x.Quantity, x.Weight)
	})
	if err != nil {
		return err
	}
	return t.file.Close()
}

// writeStreamedTrades writes trades.parquet, the columns of trades.csv.
func writeStreamedTrades(w io.Writer, r *backtest.Result) error {
	fields := []arrow.Field{{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "decided", Type: arrow.FixedWidthTypes.Timestamp_us}}
	for _, name := range []string{"window", "instrument", "side"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	for _, name := range []string{"quantity", "held", "reference", "price", "notional", "fee", "slippage", "impact"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	file, err := parquet.NewWriter(w, schema, parquet.WriterOptions{})
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	instrument := r.Market.Instruments[0].String()
	flush := func() error {
		rec := b.NewRecord()
		defer rec.Release()
		return file.Write(rec)
	}
	err = r.Streamed.Rows(func(x *backtest.RunRows) error {
		for k, f := range x.Fills {
			side := "buy"
			if f.Quantity < 0 {
				side = "sell"
			}
			b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(x.TS[f.Row]))
			b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(x.Decided[k]))
			for j, word := range []string{backtest.All, instrument, side} {
				b.Field(2 + j).(*array.StringBuilder).Append(word)
			}
			for j, v := range []float64{f.Quantity, f.Held, f.Reference, f.Price, f.Notional, f.Fee, f.Slippage, f.Impact} {
				b.Field(5 + j).(*array.Float64Builder).Append(v)
			}
		}
		if b.Field(0).Len() < tableBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// writeStreamedFrame is WriteFrame of a streamed study.
func writeStreamedFrame(w io.WriteSeeker, name string, r *backtest.Result) error {
	names := r.Streamed.Columns()
	fields := []arrow.Field{
		{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "instrument", Type: arrow.BinaryTypes.String},
	}
	for _, n := range names {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	sink, err := newFrameSink(w, name, schema)
	if err != nil {
		return err
	}
	instrument := r.Market.Instruments[0].String()
	err = r.Streamed.Frame(func(x *backtest.FrameRows) error {
		columns := []arrow.Array{times(x.TS), repeated(instrument, len(x.TS))}
		for _, c := range x.Columns {
			columns = append(columns, nullable(c))
		}
		return sink.Write(array.NewRecord(schema, columns, int64(len(x.TS))))
	})
	if err != nil {
		return err
	}
	return sink.Close()
}
