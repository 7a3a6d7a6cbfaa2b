package reports

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/parquet"
	"github.com/qf-dev/qf/factors"
)

// frameSink takes the batches of a frame in one file format.
type frameSink interface {
	Write(arrow.Record) error
	Close() error
}

// WriteFrame writes the frame of a result: ts (UTC, microseconds), instrument, the bar columns, a
// column per factor, then composite; the rows of the span without its warm-up, by time and then
// instrument; missing is null, an empty cell in CSV. The format follows the ending of name: .csv,
// .parquet or .arrow.
func WriteFrame(w io.WriteSeeker, name string, r *backtest.Result) error {
	if r.Streamed != nil {
		return writeStreamedFrame(w, name, r)
	}
	panels := append(append([]*factors.Panel{}, r.Market.Panels...), r.Factors.Panels...)
	panels = append(panels, r.Score.Panel)
	schema := frameSchema(panels)
	sink, err := newFrameSink(w, name, schema)
	if err != nil {
		return err
	}
	rows := max(1, tableBatch/len(r.Market.Instruments))
	for lo := r.Span.Lo; lo < r.Span.Hi; lo += rows {
		rec := frameBatch(schema, panels, lo, min(lo+rows, r.Span.Hi))
		err := sink.Write(rec)
		rec.Release()
		if err != nil {
			return err
		}
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
	sink := &csvFrame{w: csv.NewWriter(w)}
	var header []string
	for _, f := range schema.Fields() {
		header = append(header, f.Name)
	}
	return sink, sink.w.Write(header)
}

func frameSchema(panels []*factors.Panel) *arrow.Schema {
	fields := []arrow.Field{
		{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "instrument", Type: arrow.BinaryTypes.String},
	}
	for _, p := range panels {
		fields = append(fields, arrow.Field{Name: p.Name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// frameBatch is grid rows [lo, hi) as a record, the instruments of a row one below the other.
func frameBatch(schema *arrow.Schema, panels []*factors.Panel, lo, hi int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Reserve((hi - lo) * len(panels[0].Instruments))
	times, names := b.Field(0).(*array.TimestampBuilder), b.Field(1).(*array.StringBuilder)
	for t := lo; t < hi; t++ {
		for _, in := range panels[0].Instruments {
			times.Append(arrow.Timestamp(panels[0].Close[t]))
			names.Append(in.String())
		}
	}
	for k, p := range panels {
		column := b.Field(2 + k).(*array.Float64Builder)
		for t := lo; t < hi; t++ {
			for i := range p.Instruments {
				if v := p.Col(i)[t]; math.IsNaN(v) || math.IsInf(v, 0) {
					column.AppendNull()
				} else {
					column.Append(v)
				}
			}
		}
	}
	return b.NewRecord()
}

// csvFrame writes times as RFC 3339 with microseconds and numbers in their shortest exact form.
type csvFrame struct {
	w    *csv.Writer
	line []string
}

func (c *csvFrame) Write(rec arrow.Record) error {
	times, names := rec.Column(0).(*array.Timestamp), rec.Column(1).(*array.String)
	for t := range int(rec.NumRows()) {
		at := time.UnixMicro(int64(times.Value(t))).UTC()
		c.line = append(c.line[:0], at.Format("2006-01-02T15:04:05.000000Z"), names.Value(t))
		for _, col := range rec.Columns()[2:] {
			cell := ""
			if x := col.(*array.Float64); x.IsValid(t) {
				cell = decimal(x.Value(t))
			}
			c.line = append(c.line, cell)
		}
		if err := c.w.Write(c.line); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvFrame) Close() error {
	c.w.Flush()
	return c.w.Error()
}
