package parquet

import (
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
)

// The fixtures hold what their SQL says, in every version, encoding and codec.
func TestFixtures(t *testing.T) {
	us, i64, f64, text, boolean := arrow.FixedWidthTypes.Timestamp_us, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean
	const day = 1717200000000 // 2024-06-01 in ms
	columns := []struct {
		arrow.Field
		value func(i int) any
	}{
		{field("ts", us, false), func(i int) any { return int64(day*1000 + i*1001) }},
		{field("local", us, false), func(i int) any { return int64(day*1000 + i*1001) }},
		{field("ms", us, false), func(i int) any { return int64(day+i) * 1000 }},
		{field("ns", us, false), func(i int) any { return int64(day*1000 + i) }},
		{field("big", i64, false), func(i int) any { return int64(i * i) }},
		{field("small", i64, false), func(i int) any { return int64(i % 100) }},
		{field("wide", i64, false), func(i int) any { return int64(i*10_000_000) % (1 << 32) }},
		{field("rep", f64, false), func(i int) any { return float64(i%97) / 8 }},
		{field("dbl", f64, false), func(i int) any { return float64(i) * 1.1 }},
		{field("flt", f64, false), func(i int) any { return float64(i % 77) }},
		{field("id", text, false), func(i int) any { return fmt.Sprint("id", i) }},
		{field("gap", f64, true), func(i int) any {
			if i%5 == 0 {
				return nil
			}
			return float64(i%300) / 4
		}},
		{field("word", text, true), func(i int) any {
			if i%3 == 0 {
				return nil
			}
			return fmt.Sprint("s", i%50)
		}},
		{field("third", boolean, false), func(i int) any { return i%3 == 0 }},
		{field("maybe", boolean, true), func(i int) any {
			if i%4 == 0 {
				return nil
			}
			return i%3 == 1
		}},
		{field("side", enumType, false), func(i int) any { return sides[i%3] }},
	}
	var fields []arrow.Field
	for _, c := range columns {
		fields = append(fields, c.Field)
	}
	o := ReadOptions{Schema: arrow.NewSchema(fields, nil), Enums: map[string][]string{"side": sides}}
	for name, b := range fixtures(t) {
		rows, err := cells(open(t, b), o)
		if err != nil || len(rows) != 600 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
			continue
		}
		for i, row := range rows {
			for c, got := range row {
				want := columns[c].value(i)
				if f, ok := want.(float64); ok {
					want = math.Float64bits(f)
				}
				if got != want {
					t.Fatalf("%s: row %d, column %q: got %v, want %v", name, i, columns[c].Name, got, want)
				}
			}
		}
	}
}
