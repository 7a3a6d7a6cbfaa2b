package parquet

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

var tradesSchema = arrow.NewSchema([]arrow.Field{
	{Name: "timestamp", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "local_timestamp", Type: arrow.FixedWidthTypes.Timestamp_us},
	{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "side", Type: enumType},
	{Name: "price", Type: arrow.PrimitiveTypes.Float64},
	{Name: "amount", Type: arrow.PrimitiveTypes.Float64},
}, nil)

var tradesEnums = map[string][]string{"side": sides}

// trades simulates a busy day: bursts that share a time, a price that walks in ticks of 0.1, amounts
// of three decimals with a long tail, and ids that count up.
func trades(rows, batch int) (recs []arrow.Record) {
	rnd := rand.New(rand.NewPCG(1, 2))
	ts, id, price := int64(1_717_200_000_000_000), int64(5_000_000_000), 675_000
	side := "buy"
	for from := 0; from < rows; from += batch {
		recs = append(recs, build(memory.DefaultAllocator, tradesSchema, min(batch, rows-from), func(column, row int) any {
			switch column {
			case 0:
				if rnd.IntN(3) == 0 {
					ts += int64(rnd.ExpFloat64() * 60_000)
				}
				return ts/1000*1000 + int64(row)*0
			case 1:
				return ts + 2000 + rnd.Int64N(1500)
			case 2:
				id++
				return strconv.FormatInt(id, 10)
			case 3:
				if rnd.IntN(4) == 0 {
					side = sides[rnd.IntN(2)]
				}
				return side
			case 4:
				if rnd.IntN(4) == 0 {
					price += rnd.IntN(7) - 3
				}
				return float64(price) / 10
			}
			return float64(1+int(rnd.ExpFloat64()*rnd.ExpFloat64()*80)) / 1000
		}))
	}
	return recs
}

const benchRows = 1 << 20

func BenchmarkWriteTrades(b *testing.B) { benchmarkWrite(b, "", Column{}) }

func BenchmarkWriteColumn(b *testing.B) {
	for _, f := range tradesSchema.Fields() {
		b.Run(f.Name, func(b *testing.B) { benchmarkWrite(b, f.Name, Column{}) })
	}
	for name, c := range map[string]Column{
		"id/plain":       {Encoding: Plain},
		"id/deltalength": {Encoding: DeltaLength},
		"id/delta":       {Encoding: Delta},
		"id/delta/none":  {Encoding: Delta, Codec: Uncompressed},
	} {
		b.Run(name, func(b *testing.B) { benchmarkWrite(b, "id", c) })
	}
}

// pick narrows records to one column, or to all of them.
func pick(recs []arrow.Record, column string) (*arrow.Schema, []arrow.Record) {
	if column == "" {
		return tradesSchema, recs
	}
	i := tradesSchema.FieldIndices(column)[0]
	schema := arrow.NewSchema([]arrow.Field{tradesSchema.Field(i)}, nil)
	var out []arrow.Record
	for _, r := range recs {
		out = append(out, array.NewRecord(schema, []arrow.Array{r.Column(i)}, r.NumRows()))
	}
	return schema, out
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func benchmarkWrite(b *testing.B, column string, c Column) {
	schema, recs := pick(trades(benchRows, 1<<15), column)
	var o WriterOptions
	if column != "" {
		o.Columns = map[string]Column{column: c}
	}
	var n counter
	for b.Loop() {
		n = 0
		w, err := NewWriter(&n, schema, o)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range recs {
			if err := w.Write(r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
	b.ReportMetric(float64(n)/benchRows, "B/row")
}

func BenchmarkReadTrades(b *testing.B) { benchmarkRead(b, "") }

func BenchmarkReadColumn(b *testing.B) {
	for _, f := range tradesSchema.Fields() {
		b.Run(f.Name, func(b *testing.B) { benchmarkRead(b, f.Name) })
	}
}

func benchmarkRead(b *testing.B, column string) {
	schema, recs := pick(trades(benchRows, 1<<15), column)
	data := write(b, schema, WriterOptions{}, recs...)
	f, err := NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := f.Read(context.Background(), ReadOptions{Schema: schema, Enums: tradesEnums})
		if err != nil {
			b.Fatal(err)
		}
		for r.Next() {
		}
		if r.Err() != nil {
			b.Fatal(r.Err())
		}
		r.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

var _ io.Writer = new(counter)
