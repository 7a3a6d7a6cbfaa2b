package bars

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// keepBytes is the size up to which the tables that opening a source folds stay in memory, all or none, so that a small
// source is not read back from the cache at once.
var keepBytes int64 = 32 << 20

// readBytes is that up to which tables that the cache has are read then and stay. Larger ones are read as they are played, the
// columns alone that are wanted.
const readBytes = 8 << 20

// opening sees to it that all tables of a source are there: in memory where they are few, else in the cache, or to be
// folded again.
type opening struct {
	s        *Source
	onlyKeep bool // it is for the cache alone, which must take all of them
	kept     Kept
}

// fold does that in three steps.
func (s *Source) fold(ctx context.Context, onlyKeep bool) (Kept, error) {
	o := &opening{s: s, onlyKeep: onlyKeep}
	for _, in := range s.of {
		defer in.months.close()
	}
	err := o.trades(ctx)
	if err == nil {
		err = o.feeds(ctx)
	}
	if err == nil {
		err = o.funding(ctx)
	}
	return o.kept, err
}

// load passes the tables of some sources to done; of those that the cache has only where they are wanted.
func (o *opening) load(ctx context.Context, sources []*source, of func(*source) *instrument, wanted bool, done func(src *source, day int, t *table)) error {
	var shelves []*shelf
	for _, src := range sources {
		in := of(src)
		for _, h := range src.shelves(in.store, in.q, in.cutter(ctx, src, in.loadTrades)) {
			if own := o.s.o.Own; !o.onlyKeep || own == nil || own(in.q.Instrument, h.month) {
				shelves = append(shelves, h)
			}
		}
	}
	kept, err := loadAll(ctx, o.s.o.Workers, shelves, o.onlyKeep, func(*shelf) bool { return wanted }, func(h *shelf, day int, t *table) { done(h.src, day, t) })
	o.kept.There += kept.There
	o.kept.Built += kept.Built
	return err
}

// trades counts the bars that trades close, at whose labels the other feeds are cut.
func (o *opening) trades(ctx context.Context) error {
	in := o.s.of[0]
	if in.trades == nil || o.s.grid.Kind == TimeBars {
		return nil
	}
	counts, last := make([]int, len(in.trades.parts)), make([]int64, len(in.trades.parts))
	var size atomic.Int64
	err := o.load(ctx, []*source{in.trades}, func(*source) *instrument { return in }, true, func(src *source, day int, t *table) {
		if counts[day] = len(t.ts); counts[day] > 0 {
			last[day] = slices.Max(t.ts)
		}
		if size.Add(t.bytes()) <= keepBytes {
			src.parts[day].table = t
		}
	})
	rows, latest := 0, int64(math.MinInt64)
	for i, n := range counts {
		in.latest = append(in.latest, latest)
		if rows += n; n > 0 {
			latest = max(latest, last[i])
		}
		in.ends = append(in.ends, rows)
	}
	return err
}

// feeds makes the tables of bars. Without a cache, those that cannot stay are folded when they are played, once.
func (o *opening) feeds(ctx context.Context) error {
	few := !o.onlyKeep && o.s.size() <= keepBytes
	read := few && o.s.size() <= readBytes
	of := map[*source]*instrument{}
	var sources []*source
	for _, in := range o.s.of {
		for _, l := range in.lays {
			if !few {
				for i := range l.src.parts {
					l.src.parts[i].table = nil
				}
			}
			if done := in.q.Spec.everyTrade() || l.src == in.trades && o.s.grid.Kind != TimeBars; !done && (few || !o.s.o.NoCache) {
				of[l.src] = in
				sources = append(sources, l.src)
			}
		}
	}
	return o.load(ctx, sources, func(src *source) *instrument { return of[src] }, read, func(src *source, day int, t *table) {
		if few {
			src.parts[day].table = t
		}
	})
}

// size is the most memory that all tables of bars can take.
func (s *Source) size() (bytes int64) {
	for _, in := range s.of {
		if in.q.Spec.everyTrade() {
			continue
		}
		for _, l := range in.lays {
			for i, p := range l.src.parts {
				rows := int64(0)
				switch {
				case p.presence != Present:
				case s.grid.Kind == TimeBars:
					rows = int64(24 * time.Hour / s.grid.Every)
				case i == 0:
					rows = int64(in.ends[0])
				default:
					rows = int64(in.ends[i] - in.ends[i-1])
				}
				bytes += rows * int64(8+8*len(l.src.fields))
			}
		}
	}
	return bytes
}

// fundingAtOnce is how many instruments' funding tables are in memory at once.
const fundingAtOnce = 8

// funding finds out what settled.
func (o *opening) funding(ctx context.Context) error {
	of := map[*source]*instrument{}
	var sources []*source
	for _, in := range o.s.of {
		if in.funding != nil {
			of[in.funding] = in
			sources = append(sources, in.funding)
		}
	}
	for some := range slices.Chunk(sources, fundingAtOnce) {
		err := o.load(ctx, some, func(src *source) *instrument { return of[src] }, !o.onlyKeep, func(src *source, day int, t *table) { src.parts[day].table = t })
		if err != nil {
			return err
		}
		for _, src := range some {
			if in := of[src]; !o.onlyKeep {
				in.settled, in.gaps = funding(in.q, src.parts)
			}
			for i := range src.parts {
				src.parts[i].table = nil
			}
		}
	}
	return nil
}
