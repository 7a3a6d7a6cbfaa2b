package tardistest

import (
	"math/rand/v2"
	"slices"
)

// ladder is one side of a book as the feed's reader holds it: levels from the best outwards.
type ladder struct {
	side   string // bid or ask
	away   int64  // the price step outwards: +tick for asks, −tick for bids
	levels []level
}

type level struct{ price, amount int64 }

// writeUpdates writes a snapshot of the book at the start of the day and after each gap, and then
// what changes: absolute amounts, 0 where a level went away. Rows of one message share their times.
func (m *Market) writeUpdates(o *csvWriter, l listing, d *day) {
	r := m.random("updates", d.in, d.day)
	p := m.mid(d)
	clock := newClock(r, d, float64(orDefault(m.BookUpdatesPerDay, 28_800)))
	tick := int64(l.tick)
	bids, asks := &ladder{side: "bid", away: -tick}, &ladder{side: "ask", away: tick}
	snapshot := true
	last := int64(-1)
	for {
		us, ts, ok := clock.next()
		if us = max(us, last+1); !ok || us >= seconds*1_000_000 {
			return
		}
		last = us
		local := d.day.Start() + us
		if o.silent(local) {
			snapshot = true
			continue
		}
		if snapshot {
			bids.levels, asks.levels = nil, nil
		}
		bid, ask := d.best(l, p, us)
		write := func(b *ladder, changes []level) {
			for _, v := range changes {
				o.row(ts, local)
				o.bool(snapshot)
				o.text(b.side)
				o.decimal(v.price, l.tickDecimals)
				o.decimal(v.amount, l.lotDecimals)
				o.end()
			}
		}
		write(bids, bids.move(bid, r, func() int64 { size, _ := sizes(r, l, d, us); return size }))
		write(asks, asks.move(ask, r, func() int64 { _, size := sizes(r, l, d, us); return size }))
		snapshot = false
	}
}

// move makes best the best price, changes one level at random, keeps depth levels and gives the
// changes. Amounts come from size.
func (b *ladder) move(best int64, r *rand.Rand, size func() int64) []level {
	var changes []level
	for len(b.levels) > 0 && (b.levels[0].price-best)*b.away < 0 {
		changes = append(changes, level{b.levels[0].price, 0})
		b.levels = b.levels[1:]
	}
	if len(b.levels) == 0 || b.levels[0].price != best {
		b.levels = slices.Insert(b.levels, 0, level{})
	}
	b.levels[0] = level{best, size()}
	changes = append(changes, b.levels[0])
	if i := r.IntN(len(b.levels)); i > 0 {
		b.levels[i].amount = size()
		changes = append(changes, b.levels[i])
	}
	for len(b.levels) < depth {
		v := level{b.levels[len(b.levels)-1].price + b.away*int64(1+r.Uint32N(4)), size()}
		b.levels = append(b.levels, v)
		changes = append(changes, v)
	}
	for len(b.levels) > depth {
		changes = append(changes, level{b.levels[len(b.levels)-1].price, 0})
		b.levels = b.levels[:len(b.levels)-1]
	}
	return changes
}
