package reports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/parquet"
)

// frameSink takes the batches of a frame in one file format.
type frameSink interface {
	Write(arrow.Record) error
	Close() error
}

// WriteFrame writes the frame of a study: ts (UTC, microseconds), instrument, the bar columns, a
// column per factor, then composite; the rows of the span without its warm-up, by time and then
// instrument; missing is null, an empty cell in CSV. The format follows the ending of name: .csv,
// .parquet or .arrow.
func WriteFrame(ctx context.Context, w io.WriteSeeker, name string, f *backtest.Frame) error {
	fields := []arrow.Field{
		{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "instrument", Type: arrow.BinaryTypes.String},
	}
	for _, n := range f.Names {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	sink, err := newFrameSink(w, name, schema)
	if err != nil {
		return err
	}
	rows := newStack(f.Grid)
	err = f.Rows(ctx, func(x *backtest.FrameRows) error {
		for lo := 0; lo < len(x.TS); lo += rows.most {
			s := rows.of(x.TS, lo, min(lo+rows.most, len(x.TS)), x.Columns...)
			columns := []arrow.Array{times(s.ts), s.instruments}
			for _, c := range s.columns {
				columns = append(columns, nullable(c))
			}
			if err := sink.Write(array.NewRecord(schema, columns, int64(len(s.ts)))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return sink.Close()
}

// CheckFrameName reports whether a file's ending names a format that WriteFrame knows.
func CheckFrameName(name string) error {
	switch filepath.Ext(name) {
	case ".csv", ".parquet", ".arrow":
		return nil
	}
	return fmt.Errorf("%s: want a file that ends in .csv, .parquet or .arrow", name)
}

// CheckFrame reports whether a file of that name is there and no frame: it is then somebody's own, and is
// not to be replaced.
func CheckFrame(name string) error {
	f, err := datasets.OpenFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var fields []string
	switch filepath.Ext(name) {
	case ".csv":
		head := make([]byte, 64)
		n, _ := io.ReadFull(f, head)
		fields = strings.Split(string(head[:n]), ",")
	case ".parquet":
		if file, err := parquet.NewFile(f, info.Size()); err == nil {
			fields = fieldsOf(file.Schema())
		}
	case ".arrow":
		if file, err := ipc.NewFileReader(f); err == nil {
			fields = fieldsOf(file.Schema())
			file.Close()
		}
	}
	if info.Size() > 0 && (len(fields) < 3 || fields[0] != "ts" || fields[1] != "instrument") {
		return fmt.Errorf("%s: there is a file of that name, and it is no frame: it stays as it is; give another name", name)
	}
	return nil
}

func fieldsOf(s *arrow.Schema) (names []string) {
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	return names
}

func newFrameSink(w io.WriteSeeker, name string, schema *arrow.Schema) (frameSink, error) {
	if err := CheckFrameName(name); err != nil {
		return nil, err
	}
	switch filepath.Ext(name) {
	case ".parquet":
		return parquet.NewWriter(w, schema, parquet.WriterOptions{})
	case ".arrow":
		return ipc.NewFileWriter(w, ipc.WithSchema(schema))
	}
	sink := &csvFrame{lineWriter{w: w}}
	for _, f := range schema.Fields() {
		sink.lines.cell(quoted(f.Name))
	}
	return sink, sink.lines.end()
}

// fundingTime is the one column of bars that is a time: in a CSV for people and data frames it is written as one. In the other
// formats it is Unix µs, as all columns of bars are numbers.
const fundingTime = "funding_timestamp"

// csvFrame writes times as ISO 8601 with microseconds and numbers in their shortest exact form.
type csvFrame struct{ lines lineWriter }

func (c *csvFrame) Write(rec arrow.Record) error {
	times, names := rec.Column(0).(*array.Timestamp), rec.Column(1).(*array.String)
	for t := range int(rec.NumRows()) {
		c.lines.time(int64(times.Value(t)))
		c.lines.cell(quoted(names.Value(t)))
		for k, col := range rec.Columns()[2:] {
			v := col.(*array.Float64).Value(t) // the memory under a null is what is not finite
			if rec.ColumnName(k+2) == fundingTime && v > 0 && v < math.MaxInt64 {
				c.lines.time(int64(v))
				continue
			}
			c.lines.number(v)
		}
		if err := c.lines.end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvFrame) Close() error { return c.lines.flush() }
