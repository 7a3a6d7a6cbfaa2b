package bars

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// column names the lake column that the clock reads.
func (c Clock) column() string {
	if c == Exchange {
		return datasets.Timestamp
	}
	return datasets.LocalTimestamp
}

// batchTimes gives column i of a batch as times without a null.
func batchTimes(rec arrow.Record, i int) ([]arrow.Timestamp, error) {
	col, ok := rec.Column(i).(*array.Timestamp)
	if !ok {
		return nil, wrongType(rec, i, "timestamp[us]")
	}
	if col.NullN() > 0 {
		return nil, hasNull(rec, i)
	}
	t := col.TimestampValues()
	if len(t) > 0 { // all of a file are of one unit
		if unit := datasets.TimeUnit(int64(t[0])); unit != "" {
			return nil, fmt.Errorf("column %s: %s; import the day again", rec.ColumnName(i), unit)
		}
	}
	return t, nil
}

// batchNumbers gives column i of a batch as numbers without a null.
func batchNumbers(rec arrow.Record, i int) ([]float64, error) {
	col, err := batchFloats(rec, i)
	if err != nil {
		return nil, err
	}
	if col.NullN() > 0 {
		return nil, hasNull(rec, i)
	}
	return col.Float64Values(), nil
}

// batchFloats gives column i of a batch as an array that may hold nulls.
func batchFloats(rec arrow.Record, i int) (*array.Float64, error) {
	col, ok := rec.Column(i).(*array.Float64)
	if !ok {
		return nil, wrongType(rec, i, "float64")
	}
	return col, nil
}

// batchFilled gives column i of a batch with NaN for null, copied into scratch where there are nulls.
func batchFilled(rec arrow.Record, i int, scratch *[]float64) ([]float64, error) {
	col, err := batchFloats(rec, i)
	if err != nil {
		return nil, err
	}
	if col.NullN() == 0 {
		return col.Float64Values(), nil
	}
	*scratch = append((*scratch)[:0], col.Float64Values()...)
	for k := range *scratch {
		if col.IsNull(k) {
			(*scratch)[k] = math.NaN()
		}
	}
	return *scratch, nil
}

// sides holds, by dictionary code, 1 where the code means buy or sell and 0 elsewhere.
type sides struct{ buy, sell [256]float64 }

// batchSides gives column i of a batch as codes of its own dictionary, and what they mean.
func batchSides(rec arrow.Record, i int, s *sides) ([]int8, error) {
	col, ok := rec.Column(i).(*array.Dictionary)
	if !ok {
		return nil, wrongType(rec, i, "dictionary<int8, utf8>")
	}
	codes, ok1 := col.Indices().(*array.Int8)
	names, ok2 := col.Dictionary().(*array.String)
	if !ok1 || !ok2 {
		return nil, wrongType(rec, i, "dictionary<int8, utf8>")
	}
	if col.NullN() > 0 {
		return nil, hasNull(rec, i)
	}
	*s = sides{}
	for c := range min(names.Len(), 128) {
		switch names.Value(c) {
		case "buy":
			s.buy[c] = 1
		case "sell":
			s.sell[c] = 1
		case "unknown":
		default:
			return nil, fmt.Errorf("column %q: side %q is not buy, sell or unknown", rec.ColumnName(i), names.Value(c))
		}
	}
	return codes.Int8Values(), nil
}

func wrongType(rec arrow.Record, i int, want string) error {
	return fmt.Errorf("column %q is %s, want %s", rec.ColumnName(i), rec.Column(i).DataType(), want)
}

func hasNull(rec arrow.Record, i int) error {
	return fmt.Errorf("column %q has an empty cell", rec.ColumnName(i))
}
