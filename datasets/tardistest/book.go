package tardistest

import (
	"math"
	"math/rand/v2"
)

// depth is the number of levels a side in the simulated book.
const depth = 25

// writeTop writes the top of the book at each of its changes, rate times as often as quotes.
func (m *Market) writeTop(o *csvWriter, l listing, d *day, purpose string, rate float64) {
	r := m.random(purpose, d.in, d.day)
	p := m.mid(d)
	clock := newClock(r, d, rate*float64(orDefault(m.QuotesPerDay, 28_800)))
	last := int64(-1)
	for {
		us, ts, ok := clock.next()
		if us = max(us, last+1); !ok || us >= seconds*1_000_000 {
			return
		}
		last = us
		bid, ask := d.best(l, p, us)
		bidSize, askSize := sizes(r, l, d, us)
		o.row(ts, d.day.Start()+us)
		o.decimal(askSize, l.lotDecimals)
		o.decimal(ask, l.tickDecimals)
		o.decimal(bid, l.tickDecimals)
		o.decimal(bidSize, l.lotDecimals)
		o.end()
	}
}

// sizes draws the amounts of a level on both sides: the side that the flow presses on is thinner.
func sizes(r *rand.Rand, l listing, d *day, us int64) (bid, ask int64) {
	mean := 5 * l.notional / d.vol[us/60_000_000]
	lean := 0.2 * d.flow[us/60_000_000]
	bid = l.lots(mean * math.Exp(lean+r.NormFloat64()))
	ask = l.lots(mean * math.Exp(-lean+r.NormFloat64()))
	return bid, ask
}

// writeSnapshots writes the top levels of the book at regular times. The levels below the best are
// one to four ticks apart.
func (m *Market) writeSnapshots(o *csvWriter, l listing, d *day, levels int) {
	r := m.random("book", d.in, d.day)
	p := m.mid(d)
	every := int64(orDefault(m.SnapshotEvery, 10)) * 1_000_000
	for at := int64(0); at < seconds*1_000_000; at += every {
		us := at + 2_000 + int64(3_000*r.Float64())
		bid, ask := d.best(l, p, us)
		o.row(d.day.Start()+at, d.day.Start()+us)
		for level := range depth {
			bidSize, askSize := sizes(r, l, d, us)
			bidGap, askGap := 1+r.Uint32N(4), 1+r.Uint32N(4)
			if level >= levels {
				continue // drawn all the same: both feeds show one book
			}
			o.decimal(ask, l.tickDecimals)
			o.decimal(askSize, l.lotDecimals)
			o.decimal(bid, l.tickDecimals)
			o.decimal(bidSize, l.lotDecimals)
			ask += int64(l.tick) * int64(askGap)
			bid -= int64(l.tick) * int64(bidGap)
		}
		o.end()
	}
}
