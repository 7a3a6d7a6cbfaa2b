package bars

import (
	"context"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets"
)

// cursor is the place of a playing in the rows of one instrument.
type cursor struct {
	in     *instrument
	joins  []*joining
	tables []*dayTables  // of all feeds that have their tables whole
	trades *dayTables    // where trades close the bars
	bars   *tradeJoin    // of them
	single *singleTrades // where each trade is a bar
	settle *settling
	absent []int // wanted fields that the instrument does not have

	places []field // of bars' columns
	row    []float64
	now    *table // of trades
	k      int    // the next row of it

	day  int // −1 before the first
	at   int // the next of its own rows
	last int64
}

// instrument prepares the playing of one.
func (p *playing) instrument(ctx context.Context, in *instrument) (*cursor, error) {
	x := &cursor{in: in, day: -1, last: math.MinInt64}
	spec := in.q.Spec
	names := map[string]bool{}
	for _, l := range in.lays {
		for _, name := range l.names {
			names[name] = true
		}
	}
	if k := slices.Index(p.fields, SettledFunding); k >= 0 {
		if in.funding == nil {
			x.absent = append(x.absent, k)
		} else {
			x.settle = p.settling(in, k)
		}
	}
	for k, name := range p.fields {
		if name != SettledFunding && !names[name] {
			x.absent = append(x.absent, k)
		}
	}
	for i, l := range in.lays {
		var places []field
		for c, name := range l.names {
			if to := slices.Index(p.fields, name); to >= 0 {
				places = append(places, field{c, to})
			}
		}
		switch {
		case i == 0 && spec.everyTrade():
			x.single = newSingleTrades(in, p.fields)
		case i == 0 && spec.Kind != TimeBars:
			x.trades = x.whole(l, places, 0)
			x.bars, x.places, x.row = newTradeJoin(l.src.parts, spec.tickWindows()), places, make([]float64, len(l.names))
		case len(places) == 0:
		default:
			j := &joining{join: l.join(), first: in.q.First, parts: l.src.parts, grid: spec.Kind == TimeBars, wanted: places, row: make([]float64, len(l.names))}
			if spec.everyTrade() {
				j.partial = true
				j.tables = &partTables{src: l.src, q: in.q, store: in.store}
			} else {
				ahead := 0
				if j.grid && spec.Clock == Exchange { // rows of a day are in the files before and after
					ahead = 1
				}
				j.tables = x.whole(l, places, ahead)
			}
			x.joins = append(x.joins, j)
		}
	}
	return x, nil
}

// whole gives the whole tables of a feed of which these columns are wanted.
func (x *cursor) whole(l laying, places []field, ahead int) *dayTables {
	d := &dayTables{x: x, src: l.src, ahead: ahead, ready: make([]*table, len(l.src.parts)), cached: make([]bool, len(l.src.parts))}
	for _, p := range places {
		for _, c := range l.of(p.column) {
			if !slices.Contains(d.months.columns, c) {
				d.months.columns = append(d.months.columns, c)
			}
		}
	}
	x.tables = append(x.tables, d)
	return d
}

// tradesOf gives the trades' table of a day.
func (x *cursor) tradesOf(ctx context.Context, day int) (*table, error) {
	if t := x.trades.ready[day]; t != nil {
		return t, nil
	}
	return x.trades.get(ctx, day)
}

// settling prepares the field SettledFunding.
func (p *playing) settling(in *instrument, to int) *settling {
	s := &settling{to: to, events: in.settled, gaps: in.gaps, every: in.q.Spec.Every, last: math.MinInt64}
	if in.q.Contract.ContinuousFunding {
		s.continuous, s.rate = true, p.field("funding_rate")
	}
	return s
}

// cutter says how the files of a feed are cut into bars: where trades close these, at their labels.
func (in *instrument) cutter(ctx context.Context, src *source, trades func(context.Context, int) (*table, error)) func(int) (cutter, error) {
	return func(i int) (cutter, error) {
		c := newCutter(src.first + datasets.Day(i))
		if c.every = in.q.Spec.Every.Microseconds(); in.q.Spec.Kind == TimeBars || src == in.trades || src == in.funding {
			return c, nil
		}
		if in.trades.parts[i].presence != Present {
			return c, nil
		}
		t, err := trades(ctx, i)
		if err == nil {
			c.labels = make([]int64, len(t.ts))
			ascend(c.labels, t.ts, in.latest[i])
		}
		return c, err
	}
}

// loadTrades gives the trades' table of a day.
func (in *instrument) loadTrades(ctx context.Context, day int) (*table, error) {
	return in.trades.load(ctx, in.store, in.q, day, in.cutter(ctx, in.trades, nil), &in.months)
}

// ascend writes labels that do not go back, after one that is the latest so far, and gives the last: by the exchange's
// clock a day's first trades may be older than the last of the day before.
func ascend(to, ts []int64, latest int64) int64 {
	for k, at := range ts {
		latest = max(latest, at)
		to[k] = latest
	}
	return latest
}

// within is the part of rows [lo, hi) of the grid that the instrument has.
func (x *cursor) within(lo, hi int) (from, to int) {
	first := x.in.lead
	last := first + x.in.ends[len(x.in.ends)-1]
	from = min(max(lo, first), hi)
	return from, max(from, min(hi, last))
}

// dayOf is the day that one of the instrument's own rows belongs to, counted from its first.
func (x *cursor) dayOf(row int) int {
	k, _ := slices.BinarySearch(x.in.ends, row+1)
	return k
}

// needed is the first row of the grid that a row depends on: the first of a day where trades close the bars.
func (x *cursor) needed(row int) int {
	own := row - x.in.lead
	switch {
	case own <= 0 || len(x.joins) > 0 || len(x.places) > 0:
		return 0
	case x.single == nil && x.trades == nil:
		return row
	case x.single != nil && len(x.single.windows) > 0:
		own = max(0, own-slices.Max(x.single.windows))
	}
	day := x.dayOf(own)
	if x.single != nil && x.in.q.Spec.Clock == Exchange { // days before may have labels that come after those of this one: see cutter
		day = max(0, day-2)
	}
	if day == 0 {
		return 0
	}
	return x.in.ends[day-1]
}

// jump goes to a row that needed gave.
func (x *cursor) jump(row int) {
	x.at = max(0, row-x.in.lead)
	day := x.dayOf(x.at)
	x.day = day - 1
	if x.trades != nil {
		x.trades.at, x.trades.wanted, x.last = day, day, x.in.latest[day]
	}
}

// fill writes the next rows, whose labels come with those of time bars and are written for others.
func (x *cursor) fill(ctx context.Context, labels []int64, out [][]float64, at int) error {
	for len(labels) > 0 {
		for x.day < 0 || x.at >= x.in.ends[x.day] {
			if err := x.turn(ctx); err != nil {
				return err
			}
		}
		n := min(len(labels), x.in.ends[x.day]-x.at)
		if err := x.bar(ctx, labels[:n], out, at); err != nil {
			return err
		}
		labels, at = labels[n:], at+n
		x.at += n
	}
	return nil
}

// turn goes on to the next day.
func (x *cursor) turn(ctx context.Context) error {
	begun := x.day >= 0
	if x.single != nil {
		if begun {
			if err := x.single.end(); err != nil {
				return err
			}
		}
	}
	for _, j := range x.joins {
		if begun {
			if err := j.end(ctx); err != nil {
				return err
			}
		} else if err := j.begin(ctx); err != nil {
			return err
		}
		j.start(x.day + 1)
	}
	x.day++
	if x.single != nil {
		return x.single.start(ctx, x.day)
	}
	if x.trades != nil {
		var err error
		x.trades.bars(x.day, nil)
		x.now, err = x.trades.next(ctx)
		x.k = 0
		return err
	}
	return nil
}

// bar writes rows of the present day.
func (x *cursor) bar(ctx context.Context, labels []int64, out [][]float64, at int) error {
	switch {
	case x.single != nil:
		if err := x.single.fill(ctx, labels, out, at); err != nil {
			return err
		}
	case x.trades != nil:
		x.last = ascend(labels, x.now.ts[x.k:x.k+len(labels)], x.last)
		for t := range labels {
			x.bars.add(x.now, x.k)
			x.bars.close(0, 0, x.row)
			x.k++
			if out != nil {
				for _, f := range x.places {
					out[f.to][at+t] = x.row[f.column]
				}
			}
		}
	}
	for _, j := range x.joins {
		if err := j.lay(ctx, labels, out, at); err != nil {
			return err
		}
	}
	if x.settle != nil {
		x.settle.lay(labels, out, at)
	}
	return nil
}

// release frees what is open.
func (x *cursor) release() {
	if x.single != nil {
		x.single.release()
	}
	for _, j := range x.joins {
		j.tables.release()
	}
	if x.trades != nil {
		x.trades.release()
	}
}
