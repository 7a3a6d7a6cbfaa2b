package series

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/parquet"
)

// Columns are the names of the two columns that are read.
type Columns struct{ Time, Value string }

// Read reads a CSV file with a header line, or a Parquet file. Rows may be in any order. A time is text as ParseTime
// takes it, a timestamp or a whole number; a value is a number, or nothing. Two rows of one time are an error, as is what
// is no time or no number, with file and line or row.
func Read(ctx context.Context, path string, c Columns) (*Series, error) {
	f, err := datasets.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &Series{Path: path}
	if err := s.sum(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var lines []int // of the rows, as errors count them
	counted := "lines"
	magic := make([]byte, 4)
	n, _ := f.ReadAt(magic, 0)
	if string(magic[:n]) == "PAR1" {
		counted = "rows"
		lines, err = s.parquet(ctx, f, c)
	} else {
		lines, err = s.csv(ctx, f, c)
	}
	if err == nil {
		err = s.sort(lines, counted)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(s.Times) == 0 {
		return nil, fmt.Errorf("%s: it has no rows", path)
	}
	return s, nil
}

// sum hashes the file.
func (s *Series) sum(f *os.File) (err error) {
	h := sha256.New()
	s.Bytes, err = io.Copy(h, f)
	s.SHA256 = hex.EncodeToString(h.Sum(nil))
	return err
}

func (s *Series) csv(ctx context.Context, f *os.File, c Columns) (lines []int, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := bufio.NewReader(f)
	if bom, _ := in.Peek(3); string(bom) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err == io.EOF {
		return nil, errors.New("it is empty: want a header line")
	}
	if err != nil {
		return nil, err
	}
	head = slices.Clone(head)
	for k := range head {
		head[k] = strings.TrimSpace(head[k])
	}
	var at [2]int
	for k, name := range []string{c.Time, c.Value} {
		if at[k] = slices.Index(head, name); at[k] < 0 {
			return nil, fmt.Errorf("no column %q%s", name, datasets.DidYouMean(name, head))
		}
	}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		row, err := rows.Read()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(at[0])
		if err := s.add(row[at[0]], row[at[1]]); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		lines = append(lines, line)
	}
}

// add takes a row of texts.
func (s *Series) add(at, value string) error {
	t, err := ParseTime(at)
	if err != nil {
		return err
	}
	v, err := parseValue(value)
	if err != nil {
		return err
	}
	s.Times, s.Values = append(s.Times, t), append(s.Values, v)
	return nil
}

// parseValue reads a number; what stands for none is missing.
func parseValue(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if slices.Contains([]string{"", "null", "none", "na", "nan"}, strings.ToLower(text)) {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", text)
	}
	return v, nil
}

func (s *Series) parquet(ctx context.Context, f *os.File, c Columns) (lines []int, err error) {
	file, err := parquet.NewFile(f, s.Bytes)
	if err != nil {
		return nil, err
	}
	var wanted []arrow.Field
	for _, name := range []string{c.Time, c.Value} {
		if names := file.Columns(); !slices.Contains(names, name) {
			return nil, fmt.Errorf("no column %q%s", name, datasets.DidYouMean(name, names))
		}
		field := arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64} // of what cannot be read, which Read then says
		if at := file.Schema().FieldIndices(name); len(at) > 0 {
			field = file.Schema().Field(at[0])
		}
		field.Nullable = true
		wanted = append(wanted, field)
	}
	rows, err := file.Read(ctx, parquet.ReadOptions{Schema: arrow.NewSchema(wanted, nil)})
	if err != nil {
		return nil, fmt.Errorf("%w: want times as timestamps, whole numbers or text, and values as floats, whole numbers or text", err)
	}
	defer rows.Release()
	for rows.Next() {
		times, values := rows.Record().Column(0), rows.Record().Column(1)
		for k := range times.Len() {
			lines = append(lines, len(lines)+1)
			if err := s.cells(times, values, k); err != nil {
				return nil, fmt.Errorf("row %d: %w", len(lines), err)
			}
		}
	}
	return lines, rows.Err()
}

// cells takes a row of a Parquet file.
func (s *Series) cells(times, values arrow.Array, k int) (err error) {
	var at int64
	switch x := times.(type) {
	case *array.Timestamp:
		at, err = inRange(int64(x.Value(k)), x.ValueStr(k))
	case *array.Int64:
		at, err = unix(x.Value(k))
	case *array.String:
		at, err = ParseTime(x.Value(k))
	default:
		return fmt.Errorf("times are %v, want timestamps, whole numbers or text", times.DataType())
	}
	if times.IsNull(k) {
		err = errors.New("the time is missing")
	}
	if err != nil {
		return err
	}
	v := math.NaN()
	if !values.IsNull(k) {
		switch x := values.(type) {
		case *array.Float64:
			v = x.Value(k)
		case *array.Int64:
			v = float64(x.Value(k))
		case *array.String:
			v, err = parseValue(x.Value(k))
		default:
			err = fmt.Errorf("values are %v, want numbers", values.DataType())
		}
	}
	s.Times, s.Values = append(s.Times, at), append(s.Values, v)
	return err
}

// sort orders the rows by time.
func (s *Series) sort(lines []int, counted string) error {
	sort.Stable(&byTime{s, lines})
	for k := 1; k < len(s.Times); k++ {
		if s.Times[k] == s.Times[k-1] {
			return fmt.Errorf("%s %d and %d have the same time, %s: want one value at a time", counted, lines[k-1], lines[k], time.UnixMicro(s.Times[k]).UTC().Format(time.RFC3339Nano))
		}
	}
	return nil
}

type byTime struct {
	s     *Series
	lines []int
}

func (b *byTime) Len() int           { return len(b.lines) }
func (b *byTime) Less(i, j int) bool { return b.s.Times[i] < b.s.Times[j] }
func (b *byTime) Swap(i, j int) {
	b.s.Times[i], b.s.Times[j] = b.s.Times[j], b.s.Times[i]
	b.s.Values[i], b.s.Values[j] = b.s.Values[j], b.s.Values[i]
	b.lines[i], b.lines[j] = b.lines[j], b.lines[i]
}
