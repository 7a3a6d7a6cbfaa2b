package tardistest

import (
	"math"
	"math/rand/v2"
)

const (
	fillsPerOrder = 1.6 // mean number of prints of one taker order
	branching     = 0.5 // orders that an order triggers on average
	amountStd     = 0.8 // of the log amount
	tilt          = 0.5 // of the taker side by the flow state
	depthTilt     = 0.5 // of the log amount by the flow state
)

// writeTrades writes taker orders as they arrive, each printed in one or more fills of one side
// and one exchange time. Identifiers count up within the day and jump at midnight.
func (m *Market) writeTrades(o *csvWriter, l listing, d *day) {
	r := m.random("trades", d.in, d.day)
	p := m.mid(d)
	perDay := orDefault(m.TradesPerDay, 14_400)
	id := (int64(d.day-m.Start) + 1) * 4 * int64(perDay)
	clock := newClock(r, d, float64(perDay)/fillsPerOrder)
	var last int64 // local time of the last row, µs after midnight
	for {
		us, ts, ok := clock.next()
		if !ok {
			return
		}
		t := us / 60_000_000
		side, sign := "sell", int64(-1)
		if r.Float64() < 0.5+0.5*math.Tanh(tilt*d.flow[t]) {
			side, sign = "buy", 1
		}
		price, ask := d.best(l, p, us)
		if sign > 0 {
			price = ask
		}
		mean := l.notional * d.vol[t] * math.Exp(depthTilt*d.flow[t]-0.5*(depthTilt*depthTilt+amountStd*amountStd))
		for {
			us = max(us, last+1)
			if us >= seconds*1_000_000 {
				return
			}
			last = us
			id++
			o.row(ts, d.day.Start()+us)
			o.int(id)
			o.text(side)
			o.decimal(price, l.tickDecimals)
			o.decimal(l.lots(mean*math.Exp(amountStd*r.NormFloat64())), l.lotDecimals)
			o.end()
			if r.Float64() < 1/fillsPerOrder {
				break
			}
			us += 1 + int64(r.Uint32N(3))
			if r.Uint32N(4) == 0 {
				price += sign * int64(l.tick)
			}
		}
	}
}

// clock gives arrival times: a Hawkes process whose intensity
//
//	λ(t) = μ(t) + Σ_{t_i<t} n·β·exp(−β(t − t_i))
//
// has the day's season in μ and a share n = branching of events that others triggered, soon after
// (Hawkes 1971). Simulated by thinning (Ogata 1981).
type clock struct {
	r       *rand.Rand
	d       *day
	rate    float64 // mean events a second
	beta    float64 // per second
	excited float64 // Σ at now
	now     float64 // seconds after midnight
	ts      int64   // last exchange time
}

func newClock(r *rand.Rand, d *day, perDay float64) *clock {
	rate := perDay / seconds
	return &clock{r: r, d: d, rate: rate, beta: 2 * rate, excited: branching * rate, ts: math.MinInt64}
}

// next gives the next event's arrival in µs after midnight and its exchange time in Unix µs: whole
// milliseconds, some milliseconds earlier and never before the last one.
func (c *clock) next() (us, ts int64, ok bool) {
	for {
		minute := int(c.now / 60)
		if minute >= minutes {
			return 0, 0, false
		}
		base := c.rate * (1 - branching) * season[minute]
		bound := base + c.excited
		gap := c.r.ExpFloat64() / bound
		if end := float64(minute+1) * 60; c.now+gap >= end {
			c.excited *= math.Exp(-c.beta * (end - c.now))
			c.now = end
			continue
		}
		c.now += gap
		c.excited *= math.Exp(-c.beta * gap)
		if c.r.Float64()*bound >= base+c.excited {
			continue
		}
		c.excited += branching * c.beta
		us = int64(c.now * 1e6)
		c.ts = max(c.ts, exchangeTime(c.r, c.d.day.Start()+us))
		return us, c.ts, true
	}
}

// exchangeTime is when the venue stamped what arrived at local: 2 ms and an exponential 2 ms before,
// in whole milliseconds.
func exchangeTime(r *rand.Rand, local int64) int64 {
	ts := local - 2_000 - int64(2_000*r.ExpFloat64())
	return ts - ts%1_000
}
