package tardis

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// naive is the decoder's definition, written with encoding/csv and strconv: one []any a row in the
// schema's order, each an int64, a float64, a string, a bool or nil.
func naive(text []byte, p datasets.Partition) ([][]any, error) {
	if bytes.ContainsAny(text, "\x00") {
		return nil, errors.New("NUL")
	}
	if len(text) == 0 {
		return nil, nil
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	lines := bytes.Split(text, []byte("\n"))
	for len(lines) > 1 && len(bytes.TrimSuffix(lines[len(lines)-1], []byte("\r"))) == 0 {
		lines = lines[:len(lines)-1]
	}
	var records [][]string
	for _, line := range lines {
		if len(line) >= maxLine {
			return nil, errors.New("long line")
		}
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			return nil, errors.New("empty line")
		}
		cells, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil {
			return nil, err
		}
		if records = append(records, cells); len(cells) != len(records[0]) {
			return nil, csv.ErrFieldCount
		}
	}
	header := records[0]
	columns := p.Type.Columns()
	if len(header) != len(columns)+2 || !slices.Contains(header, "exchange") || !slices.Contains(header, "symbol") {
		return nil, errors.New("header")
	}
	var rows [][]any
	for _, r := range records[1:] {
		if r[slices.Index(header, "exchange")] != p.Exchange {
			return nil, errors.New("exchange")
		}
		var row []any
		symbol := datasets.NormalizeSymbol(r[slices.Index(header, "symbol")])
		if p.Grouped() {
			if err := (datasets.Instrument{Exchange: p.Exchange, Symbol: symbol}).Validate(); err != nil {
				return nil, err
			}
			row = append(row, symbol)
		} else if symbol != p.Symbol {
			return nil, errors.New("symbol")
		}
		for _, c := range columns {
			i := slices.Index(header, c.Name)
			if i < 0 {
				return nil, errors.New("header")
			}
			v, err := naiveCell(r[i], c)
			if err != nil {
				return nil, err
			}
			if c.Name == datasets.LocalTimestamp && datasets.DayOf(v.(int64)) != p.Day {
				return nil, errors.New("day")
			}
			row = append(row, v)
		}
		rows = append(rows, row)
	}
	for _, c := range columns {
		if !slices.Contains(header, c.Name) {
			return nil, errors.New("header")
		}
	}
	return rows, nil
}

func naiveCell(cell string, c datasets.Column) (any, error) {
	if cell == "" {
		if !c.Nullable {
			return nil, errors.New("empty")
		}
		return nil, nil
	}
	switch c.Kind {
	case datasets.Time:
		us, err := strconv.ParseInt(cell, 10, 64)
		if err == nil && (us < 1262304000000000 || us >= 4102444800000000) { // 2010 and 2100
			err = errors.New("time")
		}
		return us, err
	case datasets.Number:
		if strings.Trim(cell, "0123456789+-.eE") != "" || len(cell) > maxNumber {
			return nil, errors.New("number")
		}
		return strconv.ParseFloat(cell, 64)
	case datasets.Enum:
		if !slices.Contains(c.Values, cell) {
			return nil, errors.New("enum")
		}
	case datasets.Bool:
		switch cell {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, errors.New("bool")
	case datasets.Text:
		if !utf8.ValidString(cell) || strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errors.New("text")
		}
	}
	return cell, nil
}

// readAll drains a reader into the shape that naive gives, and releases it.
func readAll(r array.RecordReader) ([][]any, error) {
	defer r.Release()
	var rows [][]any
	for r.Next() {
		rows = append(rows, recordRows(r.Record())...)
	}
	return rows, r.Err()
}

func recordRows(rec arrow.Record) [][]any {
	rows := make([][]any, rec.NumRows())
	for i := range rows {
		rows[i] = make([]any, rec.NumCols())
		for k, col := range rec.Columns() {
			if col.IsNull(i) {
				continue
			}
			switch col := col.(type) {
			case *array.Timestamp:
				rows[i][k] = int64(col.Value(i))
			case *array.Float64:
				rows[i][k] = col.Value(i)
			case *array.String:
				rows[i][k] = strings.Clone(col.Value(i))
			case *array.Boolean:
				rows[i][k] = col.Value(i)
			case *array.Dictionary:
				rows[i][k] = strings.Clone(col.Dictionary().(*array.String).Value(col.GetValueIndex(i)))
			default:
				panic(fmt.Sprintf("column %d is a %T", k, col))
			}
		}
	}
	return rows
}

// sameRows fails unless the two agree to the bit.
func sameRows(t *testing.T, p datasets.Partition, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", p, len(got), len(want))
	}
	for i := range want {
		for k := range want[i] {
			g, w := got[i][k], want[i][k]
			if f, ok := w.(float64); ok {
				h, ok := g.(float64)
				if ok && math.Float64bits(f) == math.Float64bits(h) {
					continue
				}
			} else if g == w {
				continue
			}
			t.Fatalf("%s: row %d, field %d: %v (%T), want %v (%T)", p, i, k, g, g, w, w)
		}
	}
}

// sameCells reads r beside the lines of its text, for files that are too long for naive: every row
// of the first thousands, then one in eleven.
func sameCells(t *testing.T, text []byte, p datasets.Partition, r array.RecordReader) (rows int) {
	t.Helper()
	defer r.Release()
	first, text, _ := bytes.Cut(text, []byte("\n"))
	header := strings.Split(string(first), ",")
	columns := p.Type.Columns()
	for r.Next() {
		for i := range int(r.Record().NumRows()) {
			var line []byte
			line, text, _ = bytes.Cut(text, []byte("\n"))
			if rows++; rows > 5000 && rows%11 != 0 {
				continue
			}
			cells := strings.Split(string(line), ",")
			for k, c := range columns {
				if cell := cells[slices.Index(header, c.Name)]; !sameCell(r.Record().Column(k), i, cell) {
					t.Fatalf("%s: row %d, column %s: %s is read as %s", p, rows, c.Name, cell, r.Record().Column(k).ValueStr(i))
				}
			}
		}
	}
	if r.Err() != nil || len(text) != 0 {
		t.Fatalf("%s: %v after %d rows, %d bytes are left", p, r.Err(), rows, len(text))
	}
	return rows
}

func sameCell(col arrow.Array, i int, cell string) bool {
	if cell == "" || col.IsNull(i) {
		return cell == "" && col.IsNull(i)
	}
	switch col := col.(type) {
	case *array.Timestamp:
		us, err := strconv.ParseInt(cell, 10, 64)
		return err == nil && int64(col.Value(i)) == us
	case *array.Float64:
		f, err := strconv.ParseFloat(cell, 64)
		return err == nil && math.Float64bits(col.Value(i)) == math.Float64bits(f)
	case *array.String:
		return col.Value(i) == cell
	case *array.Boolean:
		return strconv.FormatBool(col.Value(i)) == cell
	case *array.Dictionary:
		return col.Dictionary().(*array.String).Value(col.GetValueIndex(i)) == cell
	}
	return false
}
