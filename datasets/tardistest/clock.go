package tardistest

import (
	"math"
	"math/rand/v2"
)

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
	beta    float64 // per second: twice the rate, so that bursts look alike at any rate
	excited float64 // Σ at now
	now     float64 // seconds after midnight
	ts      int64   // last exchange time
}

func newClock(r *rand.Rand, d *day, perDay float64) *clock {
	rate := perDay / seconds
	return &clock{r: r, d: d, rate: rate, beta: 2 * rate, excited: branching * rate, ts: math.MinInt64}
}

// next gives the next event's arrival in µs after midnight and its exchange time in Unix µs: whole
// milliseconds, some milliseconds earlier and never before the last one. ok is false at midnight.
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
