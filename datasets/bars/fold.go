package bars

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// Store is what Build needs of a lake: a *datasets.Lake, or a view of one.
type Store interface {
	Stat(datasets.Partition) (datasets.Info, error)
	Scan(context.Context, datasets.DataType, datasets.Instrument, datasets.Range, ...string) (array.RecordReader, error)
	ReadTable(path string) (arrow.Record, map[string]string, error)
	OpenTable(path string, columns ...string) (array.RecordReader, map[string]string, error)
	CheckTable(path string) (map[string]string, error)
	WriteTable(ctx context.Context, path string, rec arrow.Record, meta map[string]string) error
}

// fold takes the record batches of one day-file in file order and leaves a table, in memory that
// does not grow with the rows.
type fold interface {
	add(arrow.Record) error
	table() *table
}

// barFold is a fold whose rows are bars.
type barFold interface {
	fold
	// done is the bars so far, without the one in progress.
	done() *table
	// close ends the bar in progress: the next row opens another.
	close()
	cutting() *cutter
}

// feedFold is one way to fold one feed.
type feedFold struct {
	name       string // of the folder in the bar cache
	feed       datasets.DataType
	definition string   // whatever changes the table, beside the day-file itself
	columns    []string // to read, after the clock's
	fields     []string // of the table
	start      func(cutter) fold
}

// source is a feed of a request that is folded day by day.
type source struct {
	feedFold
	first   datasets.Day // of parts[0]
	parts   []part
	noCache bool
	labels  []part // the trades whose bars are the frame, from the request's first day; nil for time bars
}

// find looks up what the lake has of the feed, day by day.
func find(ctx context.Context, s Store, workers int, in datasets.Instrument, feed datasets.DataType, first, end datasets.Day) ([]part, error) {
	parts := make([]part, end-first)
	err := datasets.ForEach(ctx, workers, len(parts), func(_ context.Context, i int) error {
		p := datasets.Partition{Instrument: in, Type: feed, Day: first + datasets.Day(i)}
		info, err := s.Stat(p)
		switch {
		case errors.Is(err, datasets.ErrNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("bars %s: %w", p, err)
		case info.Rows == 0:
			parts[i] = part{presence: Empty, info: info}
		default:
			parts[i] = part{presence: Present, info: info}
		}
		return nil
	})
	return parts, err
}

// held reports whether the lake has any of the days.
func held(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.presence != Missing })
}

// load gives one day's table: the one in memory, else that of the cache where it holds it for this very file, else it
// folds the file, cut as cut says. It reads the cache by m, which is fast where days come in order.
func (f *source) load(ctx context.Context, s Store, q Request, i int, cut func(int) (cutter, error), m *months) (t *table, err error) {
	if t := f.parts[i].table; t != nil {
		return t, nil
	}
	if t, err = m.find(s, q, f, i); t != nil || err != nil {
		return t, err
	}
	return f.read(ctx, s, q, i, cut)
}

// read folds the file of day i, cut as cut says.
func (f *source) read(ctx context.Context, s Store, q Request, i int, cut func(int) (cutter, error)) (*table, error) {
	c, err := cut(i)
	if err != nil {
		return nil, err
	}
	t, err := f.fold(ctx, s, q, c)
	if err != nil {
		return nil, fmt.Errorf("bars %s: %w", f.parts[i].info.Partition, err)
	}
	if t != nil { // folds that write somewhere else leave none
		t.day = i
	}
	return t, nil
}

// fold folds a day-file.
func (f *feedFold) fold(ctx context.Context, s Store, q Request, c cutter) (*table, error) {
	rows, err := f.scan(ctx, s, q, c.day)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	to := f.start(c)
	for rows.Next() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := to.add(rows.Record()); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return to.table(), nil
}

// scan reads the columns of a day-file that are folded.
func (f *feedFold) scan(ctx context.Context, s Store, q Request, d datasets.Day) (array.RecordReader, error) {
	return s.Scan(ctx, f.feed, q.Instrument, datasets.DayRange(d, d), append([]string{q.Spec.Clock.column()}, f.columns...)...)
}
