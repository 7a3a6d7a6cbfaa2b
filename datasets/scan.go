package datasets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets/parquet"
)

// Scan streams the rows of r (by local_timestamp) in file order, day after day, with the named
// columns or all of them. Days that the lake does not hold are passed over. One file is open at a
// time; only the asked columns are read, and of a day that r cuts only the row groups whose
// statistics meet it. Its memory does not grow with r. Files that DuckDB, Polars or pandas wrote are
// read too. Errors name the file.
func (l *Lake) Scan(ctx context.Context, t DataType, in Instrument, r Range, columns ...string) (array.RecordReader, error) {
	if _, err := ParseDataType(string(t)); err != nil {
		return nil, err
	}
	schema, err := t.Schema(columns...)
	if err != nil {
		return nil, fmt.Errorf("scan %s/%s: %w", in.Exchange, in.Symbol, err)
	}
	parts, err := l.within(t, in, r)
	if err != nil {
		return nil, err
	}
	from, to := r.From.UnixMicro(), r.To.UnixMicro()
	return &scanner{refs: newRefs(), ctx: ctx, lake: l, schema: schema, parts: parts, from: from, to: to}, nil
}

// manyDays is the length of a range from which on looking into the folder beats asking for each day.
const manyDays = 100

// within lists the files that the rows of r may be in; of a short range also those that are not there.
func (l *Lake) within(t DataType, in Instrument, r Range) ([]Partition, error) {
	from, to := r.From.UnixMicro(), r.To.UnixMicro()
	if to-from <= manyDays*MicrosPerDay {
		var parts []Partition
		for _, d := range r.Days() {
			parts = append(parts, Partition{Instrument: in, Type: t, Day: d})
		}
		return parts, nil
	}
	parts, err := l.List(t, in)
	return slices.DeleteFunc(parts, func(p Partition) bool {
		return p.Day.Start() >= to || (p.Day+1).Start() <= from
	}), err
}

// scanner is Scan's reader: a list of files still to read, the one being read, and the slices of its
// last batch that are still to be given.
type scanner struct {
	*refs
	ctx      context.Context
	lake     *Lake
	schema   *arrow.Schema
	parts    []Partition
	from, to int64 // rows in [from, to)

	file *parquet.File
	rows array.RecordReader
	path string
	ours bool
	cut  int // place of local_timestamp in rows' schema where rows are to be tested, else -1
	held held

	pending []arrow.Record
	record  arrow.Record
	err     error
}

func (s *scanner) Schema() *arrow.Schema { return s.schema }
func (s *scanner) Record() arrow.Record  { return s.record }
func (s *scanner) Err() error            { return s.err }

// Release frees the reader with its last reference.
func (s *scanner) Release() {
	if s.drop() {
		s.setRecord(nil)
		for _, p := range s.pending {
			p.Release()
		}
		s.pending = nil
		s.closeFile()
	}
}

// Next goes to the next batch.
func (s *scanner) Next() bool {
	if s.err != nil {
		return false
	}
	for {
		if s.ctx.Err() != nil {
			s.err = context.Cause(s.ctx)
			return false
		}
		if len(s.pending) > 0 {
			s.setRecord(s.pending[0])
			s.pending = s.pending[1:]
			return true
		}
		if s.rows == nil {
			if len(s.parts) == 0 {
				s.setRecord(nil)
				return false
			}
			s.err = s.openFile(s.parts[0])
			s.parts = s.parts[1:]
			if errors.Is(s.err, ErrNotFound) {
				s.err = nil
			}
		} else if s.rows.Next() {
			s.pending, s.err = s.within(s.rows.Record())
		} else {
			if s.err = s.rows.Err(); s.err == nil && s.cut < 0 {
				s.err = s.held.check()
			}
			if err := s.closeFile(); s.err == nil {
				s.err = err
			}
		}
		if s.err != nil {
			if context.Cause(s.ctx) == nil {
				s.err = fmt.Errorf("scan %s: %w", s.path, s.err)
				if s.ours {
					s.err = fmt.Errorf("%w; qf import, or qf fetch --replace, brings the day anew", s.err)
				}
			}
			return false
		}
	}
}

func (s *scanner) setRecord(r arrow.Record) {
	if s.record != nil {
		s.record.Release()
	}
	s.record = r
}

func (s *scanner) openFile(p Partition) (err error) {
	s.path, s.ours = s.lake.path(p), false
	if s.file, err = s.lake.open(p); err != nil {
		return err
	}
	s.path = s.file.Path()
	f, ours, err := readFooter(s.file, p)
	s.ours = ours
	if err != nil {
		return err
	}
	var names []string
	for _, f := range s.schema.Fields() {
		names = append(names, f.Name)
	}
	// A whole day of a file of ours needs no test: its writer let no row of another day in.
	s.cut = -1
	var filter *parquet.Between
	if !ours || p.Day.Start() < s.from || (p.Day+1).Start() > s.to {
		if s.cut = slices.Index(names, LocalTimestamp); s.cut < 0 {
			s.cut = len(names)
			names = append(names, LocalTimestamp)
		}
		filter = &parquet.Between{Column: LocalTimestamp, Min: s.from, Max: s.to}
	}
	s.held = held{Info: f.Info, column: slices.Index(names, LocalTimestamp)}
	s.rows, err = s.lake.read(s.ctx, s.file, p, filter, names...)
	return err
}

// held compares the rows of a file of ours that is read whole with what it records.
type held struct {
	Info
	column      int // place of local_timestamp, or -1
	rows        int64
	first, last int64
}

func (h *held) add(rec arrow.Record) {
	if h.column >= 0 && rec.NumRows() > 0 {
		times := rec.Column(h.column).(*array.Timestamp).TimestampValues()
		if h.rows == 0 {
			h.first = int64(times[0])
		}
		h.last = int64(times[len(times)-1])
	}
	h.rows += rec.NumRows()
}

func (h *held) check() error {
	switch {
	case h.rows != h.Rows:
		return fmt.Errorf("%d rows, the footer records %d", h.rows, h.Rows)
	case h.column >= 0 && (h.first != h.First || h.last != h.Last):
		return fmt.Errorf("local_timestamp from %d to %d, the footer records %d to %d", h.first, h.last, h.First, h.Last)
	}
	return nil
}

func (s *scanner) closeFile() (err error) {
	if s.rows != nil {
		s.rows.Release()
		s.rows = nil
	}
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	return err
}

// within gives the asked columns of the rows in [from, to), as one slice per unbroken run of them.
func (s *scanner) within(rec arrow.Record) ([]arrow.Record, error) {
	if s.cut < 0 {
		s.held.add(rec)
		rec.Retain()
		return []arrow.Record{rec}, nil
	}
	times := rec.Column(s.cut).(*array.Timestamp)
	if times.NullN() > 0 {
		return nil, errors.New("local_timestamp is empty in some rows")
	}
	asked := array.NewRecord(s.schema, rec.Columns()[:s.schema.NumFields()], rec.NumRows())
	defer asked.Release()
	var out []arrow.Record
	start := -1
	for i, v := range times.TimestampValues() {
		inside := int64(v) >= s.from && int64(v) < s.to
		if inside && start < 0 {
			start = i
		} else if !inside && start >= 0 {
			out = append(out, asked.NewSlice(int64(start), int64(i)))
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, asked.NewSlice(int64(start), asked.NumRows()))
	}
	return out, nil
}
