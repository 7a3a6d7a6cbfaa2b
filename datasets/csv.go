package datasets

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// WriteCSV writes rr, which has the feed's full schema, in the vendor's CSV form: the header, then a
// line a row with exchange and symbol first, an empty cell for a null, numbers as JavaScript prints
// them. Rows that came from a file of that form come out as they stood in it.
func WriteCSV(w io.Writer, t DataType, in Instrument, rr array.RecordReader) error {
	want, err := t.Schema()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	line := []byte("exchange,symbol")
	for _, c := range t.Columns() {
		line = append(append(line, ','), c.Name...)
	}
	out.Write(append(line, '\n'))
	head := string(appendText(append(appendText(nil, in.Exchange), ','), in.Symbol))
	for rr.Next() {
		rec := rr.Record()
		if err := checkSchema(rec.Schema(), want); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
		cells := csvCells(rec)
		for i := range int(rec.NumRows()) {
			line = append(line[:0], head...)
			for _, cell := range cells {
				line = cell(append(line, ','), i)
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
	if err := rr.Err(); err != nil {
		return err
	}
	return out.Flush()
}

// csvCells gives for each column what appends the cell of a row.
func csvCells(rec arrow.Record) []func(b []byte, row int) []byte {
	var cells []func([]byte, int) []byte
	for i := range int(rec.NumCols()) {
		col := rec.Column(i)
		var put func([]byte, int) []byte
		switch c := col.(type) {
		case *array.Timestamp:
			put = func(b []byte, row int) []byte { return strconv.AppendInt(b, int64(c.Value(row)), 10) }
		case *array.Float64:
			put = func(b []byte, row int) []byte { return appendNumber(b, c.Value(row)) }
		case *array.Boolean:
			put = func(b []byte, row int) []byte { return strconv.AppendBool(b, c.Value(row)) }
		case *array.String:
			put = func(b []byte, row int) []byte { return appendText(b, c.Value(row)) }
		case *array.Dictionary:
			names := c.Dictionary().(*array.String)
			put = func(b []byte, row int) []byte { return append(b, names.Value(c.GetValueIndex(row))...) }
		default:
			panic("datasets: CSV of an unknown column kind")
		}
		cells = append(cells, func(b []byte, row int) []byte {
			if col.IsNull(row) {
				return b
			}
			return put(b, row)
		})
	}
	return cells
}

// appendNumber prints x as JavaScript's Number.prototype.toString does: the fewest digits that read
// back as x, in plain decimals from 1e-6 up to 1e21, with an exponent otherwise (1e-7, 1.5e+21).
func appendNumber(b []byte, x float64) []byte {
	switch a := math.Abs(x); {
	case x == 0:
		return append(b, '0') // also for −0
	case a >= 1e-6 && a < 1e21 || math.IsNaN(x) || math.IsInf(x, 0): // no vendor file holds the last two
		return strconv.AppendFloat(b, x, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, x, 'e', -1, 64)
	// Go pads the exponent to two digits, JavaScript does not.
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// appendText quotes only what would break the line; the vendor's files hold no such text.
func appendText(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}
