package tardistest

import "math"

const fundingEvery = 8 * 3600 * 1_000_000 // µs

// writeTicker writes funding, open interest and the mark and index prices. The rate settles every 8
// hours; the final rate of a period still comes some milliseconds after its end, under the old
// funding_timestamp, and for midnight that is the first row of the new day. Dated futures have no
// funding, and where it accrues continuously there is a rate but no funding_timestamp.
func (m *Market) writeTicker(o *csvWriter, l listing, d *day) {
	r := m.random("ticker", d.in, d.day)
	p := m.mid(d)
	every := int64(orDefault(m.TickerEvery, 60)) * 1_000_000
	settles := l.kind == perpetual && !l.ContinuousFunding
	for at := int64(0); at < seconds*1_000_000; at += every {
		stamp := at
		if settles && at%fundingEvery == 0 {
			m.tickerRow(o, l, d, p, at+60_000, at+10_000, at)
			stamp += min(1_000_000, every/2)
		}
		delay := 40_000 + int64(40_000*r.Float64()) // µs from stamp to arrival
		if local := stamp + delay; local < seconds*1_000_000 {
			m.tickerRow(o, l, d, p, local, stamp, at-at%fundingEvery+fundingEvery)
		}
	}
}

// tickerRow writes one row; local, ts and next, the settlement, are in µs after midnight.
func (m *Market) tickerRow(o *csvWriter, l listing, d *day, p *mid, local, ts, next int64) {
	t := local / 60_000_000
	rate := d.rate[t]
	switch {
	case next == 0:
		rate = d.settled
	case next <= ts:
		rate = d.rate[next/60_000_000-1]
	}
	start := d.day.Start()
	o.row(start+ts, start+local)
	if l.kind == perpetual && !l.ContinuousFunding {
		o.int(start + next)
	} else {
		o.text("")
	}
	if l.kind == perpetual {
		o.number(rate)
	} else {
		o.text("")
	}
	o.text("") // predicted_funding_rate
	o.decimal(l.lots(l.interest*math.Exp(d.interest[t])), l.lotDecimals)
	bid, _ := d.best(l, p, local)
	o.decimal(bid, l.tickDecimals)
	index := p.at(local) * math.Exp(-d.basis[t])
	o.rounded(index, 8)
	o.rounded(index*(1+0.8*d.basis[t]), 8)
	o.end()
}
