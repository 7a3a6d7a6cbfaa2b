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

// feedFold is one way to fold one feed.
type feedFold struct {
	name       string // of the folder in the bar cache
	feed       datasets.DataType
	definition string   // whatever changes the table, beside the day-file itself
	columns    []string // to read, after the clock's
	fields     []string // of the table
	start      func(datasets.Day) fold
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
	return datasets.ForEach(ctx, workers, len(jobs), func(ctx context.Context, i int) error {
		src, day := jobs[i].src, jobs[i].day
		if err := src.fold(ctx, s, q, day); err != nil {
			return fmt.Errorf("bars %s: %w", src.parts[day].info.Partition, err)
		}
		return nil
	})
}

// fold fills one day's table, from the cache where it holds it for this very file.
func (f *source) fold(ctx context.Context, s Store, q Request, i int) (err error) {
	p := &f.parts[i]
	digest := p.info.Digest
	if f.labels != nil {
		digest += " " + f.labels[i].info.Digest
	}
	if !f.noCache {
		if p.table = f.cached(s, p.info, digest); p.table != nil {
			return nil
		}
	}
	if p.table, err = f.read(ctx, s, q, f.first+datasets.Day(i)); err != nil || f.noCache {
		return err
	}
	return f.keep(ctx, s, p.info, digest, p.table)
}

// read folds a day-file.
func (f *feedFold) read(ctx context.Context, s Store, q Request, d datasets.Day) (*table, error) {
	rows, err := s.Scan(ctx, f.feed, q.Instrument, datasets.DayRange(d, d), append([]string{q.Spec.Clock.column()}, f.columns...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	to := f.start(d)
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
