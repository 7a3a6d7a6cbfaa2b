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
		err := datasets.ForEach(ctx, p.s.o.Workers, len(feeds), func(_ context.Context, k int) error { return feeds[k].read() })
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
