package bars

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/qf-dev/qf/datasets"
)

// DefaultLength is the number of rows in a block of up to eight instruments: few enough that columns stay in the cache.
// Of more there are fewer rows, down to an eighth, so that blocks stay small.
const DefaultLength = 8192

// defaultLength is the number of rows in a block of n instruments.
func defaultLength(n int) int { return max(DefaultLength/8, DefaultLength/max(1, n/8)) }

// Want says which rows and fields to play.
type Want struct {
	Lo, Hi int      // rows [Lo, Hi) of the grid
	Fields []string // of Source.Fields, in the order in which Block.Cols is to have them
	Length int      // rows of a block; the last may be shorter. 0: as DefaultLength says
}

// Blocks plays rows [w.Lo, w.Hi), w.Length to a block and what is left in the last. A block is valid until the next
// one. A goroutine reads ahead, and is gone when the iteration ends. The first error ends it: an unknown field, what
// the lake says, or the cause of ctx. It panics where there are no such rows.
//
// Rows before w.Lo are read too, where what they carry over is part of the rows that come after: not for labels, and of
// single trades no farther back than the tick windows reach, unless a field of another feed is wanted.
func (s *Source) Blocks(ctx context.Context, w Want) iter.Seq2[*Block, error] {
	if w.Lo < 0 || w.Hi > s.rows || w.Length < 0 {
		panic(fmt.Sprintf("bars: rows [%d, %d) of %d in blocks of %d", w.Lo, w.Hi, s.rows, w.Length))
	}
	return func(yield func(*Block, error) bool) {
		if w.Lo >= w.Hi {
			return
		}
		p, err := s.play(ctx, w)
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		var reader sync.WaitGroup
		defer reader.Wait()
		defer cancel()
		reader.Go(func() { p.run(ctx) })
		for b := range p.full {
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			for lo := b.lo; lo < b.hi; lo += p.length {
				if ctx.Err() != nil {
					yield(nil, context.Cause(ctx))
					return
				}
				if !yield(p.block(b, lo, min(lo+p.length, b.hi)), nil) {
					return
				}
			}
			p.free <- b
		}
	}
}

// playing is the state of one iteration.
type playing struct {
	s      *Source
	w      Want
	length int
	fields []string // played, each once
	of     []int    // by field of w: which of them it is
	part   []*cursor

	full, free chan *buffer
	shown      Block
}

// buffer is the memory of successive blocks, and how reading them ended where it failed.
type buffer struct {
	lo, hi int
	close  []int64
	cols   [][][]float64 // by field and instrument
	err    error
}

// buffers is the number of buffers in turn: one is shown, one is ready, one is being filled.
const buffers = 3

// play prepares a playing.
func (s *Source) play(ctx context.Context, w Want) (*playing, error) {
	p := &playing{s: s, w: w, length: w.Length, full: make(chan *buffer, buffers+1), free: make(chan *buffer, buffers)}
	if p.length == 0 {
		p.length = defaultLength(len(s.of))
	}
	every := s.of[0].q.Spec.everyTrade()
	for _, name := range w.Fields {
		if !slices.Contains(s.fields, name) {
			return nil, fmt.Errorf("bars: no field %q: there are %v", name, s.fields)
		}
		if every && slices.Contains([]string{"open", "high", "low"}, name) {
			name = "close" // of a bar of one trade
		}
		p.of = append(p.of, p.field(name))
	}
	for _, in := range s.of {
		x, err := p.instrument(ctx, in)
		if err != nil {
			return nil, err
		}
		p.part = append(p.part, x)
	}
	rows := min(max(1, defaultLength(len(s.of))/p.length)*p.length, w.Hi-w.Lo)
	for range min(buffers, 1+(w.Hi-w.Lo)/rows) {
		p.free <- p.buffer(rows)
	}
	p.shown.Cols = make([][][]float64, len(w.Fields))
	for k := range p.shown.Cols {
		p.shown.Cols[k] = make([][]float64, len(s.of))
	}
	return p, nil
}

// buffer makes the memory of some rows. Fields that an instrument does not have are NaN from the start.
func (p *playing) buffer(rows int) *buffer {
	b := &buffer{close: make([]int64, rows)}
	for range p.fields {
		cols := make([][]float64, len(p.part))
		for i := range cols {
			cols[i] = make([]float64, rows)
		}
		b.cols = append(b.cols, cols)
	}
	for i, x := range p.part {
		for _, k := range x.absent {
			fillNaN(b.cols[k][i])
		}
	}
	return b
}

// field gives the place of a field among those played, of which it is then one.
func (p *playing) field(name string) int {
	k := slices.Index(p.fields, name)
	if k < 0 {
		k = len(p.fields)
		p.fields = append(p.fields, name)
	}
	return k
}

// block shows rows [lo, hi) of a buffer.
func (p *playing) block(b *buffer, lo, hi int) *Block {
	x := &p.shown
	x.Lo, x.Hi, x.Close = lo, hi, b.close[lo-b.lo:hi-b.lo]
	for k, from := range p.of {
		for i, col := range b.cols[from] {
			x.Cols[k][i] = col[lo-b.lo : hi-b.lo]
		}
	}
	return x
}

// run fills buffer after buffer.
func (p *playing) run(ctx context.Context) {
	defer close(p.full)
	defer func() {
		for _, x := range p.part {
			x.release()
		}
	}()
	err := p.skip(ctx)
	for lo := p.w.Lo; lo < p.w.Hi && err == nil; {
		var b *buffer
		select {
		case b = <-p.free:
		case <-ctx.Done():
			err = context.Cause(ctx)
			continue
		}
		b.lo, b.hi = lo, min(lo+len(b.close), p.w.Hi)
		lo = b.hi
		if err = p.fill(ctx, b.lo, b.hi, b.close[:b.hi-b.lo], b.cols); err == nil {
			p.full <- b
		}
	}
	if err != nil {
		p.full <- &buffer{err: err}
	}
}

// skip goes to row w.Lo.
func (p *playing) skip(ctx context.Context) error {
	if p.w.Lo == 0 {
		return nil
	}
	length := defaultLength(len(p.part))
	b := &buffer{close: make([]int64, length)}
	if p.part[0].single != nil {
		b = p.buffer(length)
	}
	lo := p.w.Lo - 1 // one row tells when the next begins
	for _, x := range p.part {
		lo = min(lo, x.needed(p.w.Lo-1))
	}
	if lo > 0 {
		for _, x := range p.part {
			x.jump(lo)
		}
	}
	for hi := lo; hi < p.w.Lo; lo = hi {
		hi = min(lo+length, p.w.Lo)
		if err := p.fill(ctx, lo, hi, b.close[:hi-lo], b.cols); err != nil {
			return err
		}
	}
	return nil
}

// fill writes rows [lo, hi), which come next; no columns where cols is nil.
func (p *playing) fill(ctx context.Context, lo, hi int, labels []int64, cols [][][]float64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.s.grid.Kind == TimeBars {
		p.s.labels(lo, labels)
	}
	if err := p.load(ctx, lo, hi); err != nil {
		return err
	}
	if len(p.part) == 1 {
		return p.fillPart(ctx, 0, lo, hi, labels, cols)
	}
	return datasets.ForEach(ctx, p.s.o.Workers, len(p.part), func(ctx context.Context, i int) error {
		return p.fillPart(ctx, i, lo, hi, labels, cols)
	})
}

// fillPart is fill for one instrument.
func (p *playing) fillPart(ctx context.Context, i, lo, hi int, labels []int64, cols [][][]float64) error {
	x := p.part[i]
	var out [][]float64
	if cols != nil {
		out = make([][]float64, len(p.fields))
		for k := range out {
			out[k] = cols[k][i][:hi-lo]
		}
	}
	from, to := x.within(lo, hi)
	for k := range out {
		fillNaN(out[k][:from-lo])
		fillNaN(out[k][to-lo:])
	}
	return x.fill(ctx, labels[from-lo:to-lo], out, from-lo)
}

// load makes the tables ready that rows [lo, hi) need, side by side: those of the trades first, whose labels cut the
// others.
func (p *playing) load(ctx context.Context, lo, hi int) error {
	for _, trades := range []bool{true, false} {
		var feeds []*dayTables
		for _, x := range p.part {
			from, to := x.within(lo, hi)
			for _, d := range x.tables {
				if from < to && (d == x.trades) == trades && d.want(x.dayOf(to-1-x.in.lead)) {
					feeds = append(feeds, d)
				}
			}
		}
		if len(feeds) == 0 {
			continue
		}
		err := datasets.ForEach(ctx, p.s.o.Workers, len(feeds), func(_ context.Context, k int) error {
			feeds[k].read()
			return nil
		})
		if err != nil {
			return err
		}
		type job struct {
			*dayTables
			day int
		}
		var jobs []job
		for _, d := range feeds {
			for _, day := range d.days {
				jobs = append(jobs, job{d, day})
			}
			d.days = d.days[:0]
		}
		if len(jobs) == 0 {
			continue
		}
		err = datasets.ForEach(ctx, p.s.o.Workers, len(jobs), func(ctx context.Context, k int) (err error) {
			j := jobs[k]
			j.ready[j.day], err = j.fold(ctx, j.day)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func fillNaN(x []float64) {
	for i := range x {
		x[i] = math.NaN()
	}
}

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
			x.trades = x.whole(l.src, 0)
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
				j.tables = x.whole(l.src, ahead)
			}
			x.joins = append(x.joins, j)
		}
	}
	return x, nil
}

// whole gives the whole tables of a feed.
func (x *cursor) whole(src *source, ahead int) *dayTables {
	d := &dayTables{x: x, src: src, ahead: ahead, ready: make([]*table, len(src.parts)), cached: make([]bool, len(src.parts))}
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
