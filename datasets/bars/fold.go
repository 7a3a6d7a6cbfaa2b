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
	cut     func(datasets.Day) cutter // nil: folds that need no more than the day
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

// foldAll fills the tables of all days of the sources.
func foldAll(ctx context.Context, s Store, q Request, workers int, sources ...*source) error {
	type job struct {
		src *source
		day int
	}
	var jobs []job
	for _, src := range sources {
		for i, p := range src.parts {
			if p.presence == Present {
				jobs = append(jobs, job{src, i})
			}
		}
	}
	return datasets.ForEach(ctx, workers, len(jobs), func(ctx context.Context, i int) (err error) {
		src, p := jobs[i].src, &jobs[i].src.parts[jobs[i].day]
		p.table, err = src.load(ctx, s, q, jobs[i].day, src.cutter, true)
		return err
	})
}

// load gives one day's table: the one in memory, else that of the cache where it holds it for this very file, else it
// folds the file, cut as cut says, and keeps it in the cache where that is wanted.
func (f *source) load(ctx context.Context, s Store, q Request, i int, cut func(int) (cutter, error), keep bool) (t *table, err error) {
	p := f.parts[i]
	if p.table != nil {
		return p.table, nil
	}
	defer func() {
		if t != nil {
			t.day = i
		}
		if err != nil {
			err = fmt.Errorf("bars %s: %w", p.info.Partition, err)
		}
	}()
	digest := p.info.Digest
	if f.labels != nil {
		digest += " " + f.labels[i].info.Digest
	}
	if !f.noCache {
		if t = f.cached(s, p.info, digest); t != nil {
			return t, nil
		}
	}
	c, err := cut(i)
	if err != nil {
		return nil, err
	}
	if t, err = f.read(ctx, s, q, c); err != nil || f.noCache || !keep {
		return t, err
	}
	return t, f.keep(ctx, s, p.info, digest, t)
}

// cutter cuts the file of day i into bars.
func (f *source) cutter(i int) (cutter, error) {
	if d := f.first + datasets.Day(i); f.cut == nil {
		return newCutter(d), nil
	} else {
		return f.cut(d), nil
	}
}

// read folds a day-file.
func (f *feedFold) read(ctx context.Context, s Store, q Request, c cutter) (*table, error) {
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
