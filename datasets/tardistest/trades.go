package tardistest

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
)

const (
	fillsPerOrder = 1.6 // mean number of fills of one taker order
	branching     = 0.5 // orders that an order triggers on average
	amountStd     = 0.8 // of the log amount
	tilt          = 0.5 // of the taker side by the flow state
	depthTilt     = 0.5 // of the log amount by the flow state
)

// fill is one trade: times in Unix µs, price and amount in units of the listing.
type fill struct {
	ts, local     int64
	id            int64
	buy           bool // the taker bought
	price, amount int64
}

// fills gives the day's trades: taker orders as they arrive, each in one or more fills of one side
// and one exchange time. Identifiers count up within the day and jump at midnight.
func (m *Market) fills(l listing, d *day) iter.Seq[fill] {
	return func(yield func(fill) bool) {
		r := m.random("trades", d.in, d.day)
		p := m.mid(d)
		perDay := orDefault(m.TradesPerDay, 14_400)
		id := (int64(d.day-m.Start) + 1) * 4 * int64(perDay)
		clock := newClock(r, d, float64(perDay)/fillsPerOrder)
		last := int64(-1) // arrival of the last fill, µs after midnight
		for {
			us, ts, ok := clock.next()
			if !ok {
				return
			}
			t := us / 60_000_000
			price, ask := d.best(l, p, us)
			worse := -int64(l.tick)
			buy := r.Float64() < 0.5+0.5*math.Tanh(tilt*d.flow[t])
			if buy {
				price, worse = ask, int64(l.tick)
			}
			mean := l.notional * d.vol[t] * math.Exp(depthTilt*d.flow[t]-0.5*(depthTilt*depthTilt+amountStd*amountStd))
			for {
				us = max(us, last+1)
				if us >= seconds*1_000_000 {
					return
				}
				last = us
				id++
				amount := l.lots(mean * math.Exp(amountStd*r.NormFloat64()))
				if !yield(fill{ts, d.day.Start() + us, id, buy, price, amount}) {
					return
				}
				if r.Float64() < 1/fillsPerOrder {
					break
				}
				us += 1 + int64(r.Uint32N(3))
				if r.Uint32N(4) == 0 {
					price += worse
				}
			}
		}
	}
}

func (m *Market) writeTrades(o *csvWriter, l listing, d *day) {
	for p := range m.fills(l, d) {
		o.row(p.ts, p.local)
		if l.textID {
			o.text(uuid(m.Seed, p.id))
		} else {
			o.int(p.id)
		}
		side := "sell"
		if p.buy {
			side = "buy"
		}
		o.text(side)
		o.decimal(p.price, l.tickDecimals)
		o.decimal(p.amount, l.lotDecimals)
		o.end()
	}
}

// uuid is an identifier as BitMEX and Bybit give them.
func uuid(seed uint64, id int64) string {
	r := rand.NewPCG(seed, uint64(id))
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

const (
	liquidationMove = 2.5 // minute returns beyond so many standard deviations liquidate
	liquidationRate = 3.0 // a minute for each standard deviation beyond
)

// writeLiquidations writes the positions that sharp minutes close by force: longs, sold, where the
// price fell, shorts where it rose.
func (m *Market) writeLiquidations(o *csvWriter, l listing, d *day) {
	r := m.random("liquidations", d.in, d.day)
	p := m.mid(d)
	last := int64(-1)
	for t := range minutes {
		move := (d.price[t+1] - d.price[t]) / minuteVol
		rate := liquidationRate * (math.Abs(move) - liquidationMove)
		if rate <= 0 {
			continue
		}
		for at := r.ExpFloat64() / rate; at < 1; at += r.ExpFloat64() / rate {
			us := max(int64((float64(t)+at)*60_000_000), last+1)
			if us >= seconds*1_000_000 {
				return
			}
			last = us
			price, side := int64(0), "sell"
			if bid, ask := d.best(l, p, us); move > 0 {
				price, side = ask, "buy"
			} else {
				price = bid
			}
			o.row(exchangeTime(r, d.day.Start()+us), d.day.Start()+us)
			o.text("") // id
			o.text(side)
			o.decimal(price, l.tickDecimals)
			o.decimal(l.lots(3*l.notional*math.Exp(1.2*r.NormFloat64())), l.lotDecimals)
			o.end()
		}
	}
}
