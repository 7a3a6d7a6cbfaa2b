package bars

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// tables gives the tables of a feed's day-files in their order: each whole, or the rows of a few bars at a time.
type tables interface {
	// bars says which bars come next: of one day, with those labels; without labels what comes after the day's last.
	bars(day int, labels []int64)
	// next is the next table that those bars may need, nil where there is none. It is valid until it is asked for
	// another.
	next(context.Context) (*table, error)
	release()
}

// joining is a feed on its way to the bars of one instrument, a stretch of them at a time.
type joining struct {
	tables tables
	join   joiner
	first  datasets.Day
	parts  []part // what the lake has of the feed
	grid   bool   // the bars are time bars
	// partial says that a day's table comes a few bars at a time, cut at their labels.
	partial bool
	wanted  []field
	row     []float64

	day     int
	missing bool  // the day is
	from    int64 // the last label
	now     *table
	k       int      // the next row of it
	kept    []*table // rows that came after their day's last bar
}

// field says which of a feed's columns is which of those wanted.
type field struct{ column, to int }

// upTo adds the rows that belong to bars up to a label.
func (l *joining) upTo(ctx context.Context, label int64) (err error) {
	for {
		if t := l.now; t != nil {
			for ; l.k < len(t.ts) && t.ts[l.k] <= label; l.k++ {
				l.join.add(t, l.k)
			}
			if l.k < len(t.ts) {
				return nil
			}
		}
		l.k = 0
		if len(l.kept) > 0 {
			l.now, l.kept = l.kept[0], l.kept[1:]
			continue
		}
		if l.now, err = l.tables.next(ctx); l.now == nil {
			return err
		}
	}
}

// begin is called before the first day.
func (l *joining) begin(ctx context.Context) error {
	l.from = l.first.Start()
	if !l.grid {
		return nil
	}
	l.tables.bars(0, nil)
	if err := l.upTo(ctx, l.from); err != nil { // of the day before, by the exchange's clock
		return err
	}
	l.join.close(l.from, l.from, l.row)
	return nil
}

// start goes on to the bars of a day.
func (l *joining) start(day int) { l.day, l.missing = day, l.parts[day].presence == Missing }

// lay writes the columns of the bars with those labels, all of one day, into rows from at on of out; into none where
// out is nil. The bars of a missing day are NaN. What two day-files hold of one bar is joined in file order.
func (l *joining) lay(ctx context.Context, labels []int64, out [][]float64, at int) error {
	l.tables.bars(l.day, labels)
	for t, label := range labels {
		if err := l.upTo(ctx, label); err != nil {
			return err
		}
		l.join.close(l.from, label, l.row)
		l.from = label
		if l.missing {
			l.join.forget()
			for c := range l.row {
				l.row[c] = math.NaN()
			}
		}
		if out != nil {
			for _, f := range l.wanted {
				out[f.to][at+t] = l.row[f.column]
			}
		}
	}
	if l.partial && l.now != nil { // an earlier day's rows come after these bars: the day's own are cut all the same
		return l.keep(ctx)
	}
	return nil
}

// end is called after the bars of a day. Bars that are not time bars have rows of their own day's files and of those
// before: what came after the day's last bar goes into the next.
func (l *joining) end(ctx context.Context) error {
	if !l.grid {
		l.tables.bars(l.day, nil)
		if err := l.upTo(ctx, (l.first + datasets.Day(l.day) + 1).Start()); err != nil {
			return err
		}
		if err := l.keep(ctx); err != nil {
			return err
		}
	}
	if l.missing {
		l.join.forget()
	}
	return nil
}

// keep copies what is left of the day's rows.
func (l *joining) keep(ctx context.Context) (err error) {
	var kept []*table
	if l.now != nil && l.k < len(l.now.ts) {
		kept = append(kept, l.now.from(l.k))
	}
	kept = append(kept, l.kept...)
	for {
		if l.now, err = l.tables.next(ctx); l.now == nil {
			l.kept, l.k = kept, 0
			return err
		}
		kept = append(kept, l.now.from(0))
	}
}

// dayTables gives whole tables.
type dayTables struct {
	x      *cursor
	src    *source
	ahead  int // days after that of the bars of which rows may be wanted
	limit  int // the last day of which a table may be given
	at     int // the next
	ready  []*table
	cached []bool // the table came from months
	wanted int    // days before this one are ready, or were given
	days   []int  // wanted, and not ready yet
	months months
	given  *table // the last one, where it came from months
}

func (d *dayTables) bars(day int, _ []int64) { d.limit = min(day+d.ahead, len(d.src.parts)-1) }

func (d *dayTables) next(ctx context.Context) (*table, error) {
	if d.given != nil {
		d.months.spare = append(d.months.spare, d.given)
		d.given = nil
	}
	for ; d.at <= d.limit; d.at++ {
		if d.src.parts[d.at].presence != Present {
			continue
		}
		t := d.ready[d.at]
		if d.ready[d.at] = nil; t == nil {
			var err error
			if t, err = d.get(ctx, d.at); err != nil {
				return nil, err
			}
		}
		if d.cached[d.at] {
			d.given = t
		}
		d.at++
		return t, nil
	}
	return nil, nil
}

func (d *dayTables) release() { d.months.close() }

// want asks for the tables of days up to one to be made ready, and reports whether any is not.
func (d *dayTables) want(day int) bool {
	day = min(day+d.ahead, len(d.src.parts)-1)
	for i := max(d.wanted, d.at); i <= day; i++ {
		if d.src.parts[i].presence == Present {
			d.days = append(d.days, i)
		}
	}
	d.wanted = max(d.wanted, day+1)
	return len(d.days) > 0
}

// read makes those ready that are in memory or in the cache.
func (d *dayTables) read() (err error) {
	d.days = slices.DeleteFunc(d.days, func(day int) bool {
		if err == nil {
			d.ready[day], err = d.kept(day)
		}
		return d.ready[day] != nil
	})
	return err
}

// kept gives the table in memory, or the cache's, or nil.
func (d *dayTables) kept(day int) (*table, error) {
	if t := d.src.parts[day].table; t != nil {
		return t, nil
	}
	t, err := d.months.find(d.x.in.store, d.x.in.q, d.src, day)
	d.cached[day] = t != nil
	return t, err
}

// fold makes the table.
func (d *dayTables) fold(ctx context.Context, day int) (*table, error) {
	return d.src.read(ctx, d.x.in.store, d.x.in.q, day, d.x.in.cutter(ctx, d.src, d.x.tradesOf))
}

// get gives the table wherever it comes from.
func (d *dayTables) get(ctx context.Context, day int) (*table, error) {
	if t, err := d.kept(day); t != nil || err != nil {
		return t, err
	}
	return d.fold(ctx, day)
}

// partTables folds day-files a few bars at a time: for bars of single trades, of which a day has too many for a table.
type partTables struct {
	src   *source
	q     Request
	store Store

	day    int
	labels []int64
	at     int // the next file
	file   array.RecordReader
	fold   barFold
	given  *table
	times  []arrow.Timestamp // of the batch's rows
	row    int               // the next of them
	whole  bool              // nothing of the file's table was given yet
	behind bool              // the next row is of a bar that comes after labels
}

func (d *partTables) bars(day int, labels []int64) {
	d.day, d.labels, d.behind = day, labels, false
	if d.fold != nil {
		d.fold.cutting().labels = labels
	}
}

func (d *partTables) next(ctx context.Context) (*table, error) {
	if d.given != nil {
		d.given.reset()
		d.given = nil
	}
	for !d.behind {
		if d.file == nil {
			if d.at > d.day {
				return nil, nil
			}
			if d.at++; d.src.parts[d.at-1].presence != Present {
				continue
			}
			if err := d.open(ctx); err != nil {
				return nil, d.wrap(err)
			}
		}
		t, err := d.step(ctx)
		if err != nil {
			return nil, d.wrap(err)
		}
		if len(t.ts) > 0 {
			t.day, t.rest = d.at-1, !d.whole
			d.whole = false
			d.given = t
			return t, nil
		}
	}
	return nil, nil
}

// open begins the file of the day before at.
func (d *partTables) open(ctx context.Context) (err error) {
	c := newCutter(d.src.first + datasets.Day(d.at-1))
	if d.file, err = d.src.scan(ctx, d.store, d.q, c.day); err != nil {
		return err
	}
	d.fold = d.src.start(c).(barFold)
	d.fold.cutting().labels = d.labels
	d.times, d.row, d.whole = nil, 0, true
	return nil
}

// step folds some rows of the file: what is left of a batch, up to a row that belongs to a later bar. It gives the bars
// that are complete.
func (d *partTables) step(ctx context.Context) (*table, error) {
	if d.row == len(d.times) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !d.file.Next() {
			err := d.file.Err()
			d.release()
			return d.fold.table(), err
		}
		var err error
		if d.times, err = batchTimes(d.file.Record(), 0); err != nil {
			return nil, err
		}
		d.row = 0
	}
	n := d.fold.cutting().known(d.times[d.row:])
	if n > 0 {
		part := d.file.Record().NewSlice(int64(d.row), int64(d.row+n))
		err := d.fold.add(part)
		part.Release()
		if err != nil {
			return nil, err
		}
		d.row += n
	}
	if d.row < len(d.times) {
		d.fold.close()
		d.behind = true
	}
	return d.fold.done(), nil
}

func (d *partTables) wrap(err error) error {
	return fmt.Errorf("bars %s: %w", d.src.parts[d.at-1].info.Partition, err)
}

func (d *partTables) release() {
	if d.file != nil {
		d.file.Release()
		d.file = nil
	}
}

// from is a copy of the rows from k on.
func (t *table) from(k int) *table {
	part := &table{day: t.day, ts: slices.Clone(t.ts[k:]), tail: t.tail, rest: t.rest || k > 0}
	for _, x := range t.cols {
		part.cols = append(part.cols, slices.Clone(x[k:]))
	}
	return part
}
