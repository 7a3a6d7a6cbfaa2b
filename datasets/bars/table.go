package bars

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

// table is what a fold leaves of one day-file, and what the bar cache holds: rows in file order,
// one time and a float64 per field. NaN is missing.
type table struct {
	day  int // of the source whose file it is of, counted from its first
	ts   []int64
	cols [][]float64
	// rest says that rows of the file that come before these are in another table.
	rest bool
	// tail is what crosses midnight beside the rows, as two lists of one length: of trades, the notional
	// bought and sold by the last ones; of best prices, price and amount of the first row's two sides.
	tail [2][]float64
}

func newTable(fields int) *table { return &table{cols: make([][]float64, fields)} }

// reset empties the table and keeps its memory.
func (t *table) reset() {
	t.ts = t.ts[:0]
	for c := range t.cols {
		t.cols[c] = t.cols[c][:0]
	}
}

// bytes is the memory of the table.
func (t *table) bytes() int64 {
	n := 8 * cap(t.ts)
	for _, x := range t.cols {
		n += 8 * cap(x)
	}
	return int64(n)
}

// add appends a row.
func (t *table) add(ts int64, values ...float64) {
	t.ts = append(t.ts, ts)
	for i, v := range values {
		t.cols[i] = append(t.cols[i], v)
	}
}

// column is a named output column over the bars of a series; NaN is missing.
type column struct {
	name   string
	values []float64
}

// tsField is the label column of every record made here.
var tsField = arrow.Field{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us}

// record lays labels and columns into an Arrow record without copying them. NaN becomes null where
// nullable is set; the value below the null stays NaN.
func record(ts []int64, columns []column, nullable bool) arrow.Record {
	fields := make([]arrow.Field, 1, len(columns)+1)
	arrays := make([]arrow.Array, 1, len(columns)+1)
	valid, nulls := make([]*memory.Buffer, len(columns)), make([]int, len(columns))
	if nullable {
		datasets.ForAll(len(columns), func(c int) { valid[c], nulls[c] = validity(columns[c].values) })
	}
	fields[0] = tsField
	arrays[0] = array.MakeFromData(array.NewData(tsField.Type, len(ts),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(ts))}, nil, 0, 0))
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: c.name, Type: arrow.PrimitiveTypes.Float64, Nullable: nullable})
		if i > 0 && len(ts) > 0 && &c.values[0] == &columns[i-1].values[0] { // one slice under several names
			arrays = append(arrays, arrays[i])
			arrays[i].Retain()
			continue
		}
		arrays = append(arrays, array.NewFloat64Data(array.NewData(arrow.PrimitiveTypes.Float64, len(c.values),
			[]*memory.Buffer{valid[i], memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(c.values))}, nil, nulls[i], 0)))
	}
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(ts)))
}

// validity is the bitmap of values that are not NaN; nil where none is.
func validity(values []float64) (bitmap *memory.Buffer, nulls int) {
	for _, v := range values {
		if math.IsNaN(v) {
			nulls++
		}
	}
	if nulls == 0 {
		return nil, 0
	}
	bits := make([]byte, bitutil.BytesForBits(int64(len(values))))
	for i, v := range values {
		if !math.IsNaN(v) {
			bitutil.SetBit(bits, i)
		}
	}
	return memory.NewBufferBytes(bits), nulls
}

// filled is a new slice of n NaNs.
func filled(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}
