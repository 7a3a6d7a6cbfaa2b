package tardistest

import (
	"math"
	"math/rand/v2"

	"github.com/qf-dev/qf/datasets"
)

const (
	minutes = 1440 // of a day
	seconds = 86400

	annualVol   = 0.6  // of log returns, at the mean of the regimes
	commonShare = 0.7  // of a minute's variance: the correlation between instruments
	stayDays    = 15.0 // mean length of a volatility regime
	calm, storm = 0.7, 1.4

	flowHalfLife  = 60.0  // minutes
	gustHalfLife  = 90.0  // minutes: volatility that comes and goes within the day
	basisHalfLife = 720.0 // minutes
	gustStd       = 0.2   // of log volatility
	basisStd      = 3e-4
	interestStep  = 3e-4 // of log open interest, a minute
	interestBack  = 1e-5 // pull to its mean, a minute
)

// minuteVol is the standard deviation of a minute's log return at volatility 1.
var minuteVol = annualVol / math.Sqrt(365*minutes)

// climate is what all instruments share at the start of a day.
type climate struct{ stormy bool }

// weather is the climate over one day.
type weather struct {
	shock [minutes]float64 // the common factor, standard normal
	vol   float64          // the regime's volatility multiplier
}

// next draws the day that starts in c and the climate of the day after.
func (c climate) next(r *rand.Rand) (weather, climate) {
	w := weather{vol: calm}
	if c.stormy {
		w.vol = storm
	}
	for t := range w.shock {
		w.shock[t] = r.NormFloat64()
	}
	if r.Float64() < 1/stayDays {
		c.stormy = !c.stormy
	}
	return w, c
}

// state is what an instrument carries over midnight.
type state struct {
	price    float64 // log
	flow     float64 // order-flow state, standard normal in the long run
	gust     float64 // of log volatility
	basis    float64 // ln(perpetual/index)
	interest float64 // log open interest over its mean
	settled  float64 // the funding rate that settles at this midnight
}

// day is an instrument's slow path over one day, a value a minute; [minutes] is the next midnight.
type day struct {
	in       datasets.Instrument
	day      datasets.Day
	settled  float64 // at the day's start
	price    [minutes + 1]float64
	vol      [minutes]float64 // multiplier of minuteVol
	flow     [minutes]float64
	basis    [minutes + 1]float64
	interest [minutes + 1]float64
	rate     [minutes]float64 // funding rate as estimated in that minute, for the next settlement
}

// season is the activity in each minute of the UTC day over its mean: busiest at 15:00, when both
// Europe and America trade.
var season = func() (s [minutes]float64) {
	for t := range s {
		s[t] = 1 + 0.4*math.Cos(2*math.Pi*(float64(t)/minutes-15.0/24))
	}
	return s
}()

// ar1 is the coefficient a minute and the step of a standard normal AR(1) with that half-life.
func ar1(halfLife float64) (phi, step float64) {
	phi = math.Exp2(-1 / halfLife)
	return phi, math.Sqrt(1 - phi*phi)
}

// drift turns Signal into a drift a minute in units of a minute's volatility and of the flow state,
// so that Signal is the correlation of the state with the next hour's return:
//
//	Σ_{k<60} φ^k · drift = Signal · √60
func drift(signal float64) float64 {
	phi, _ := ar1(flowHalfLife)
	return signal * math.Sqrt(60) * (1 - phi) / (1 - math.Pow(phi, 60))
}

// next draws the day that starts in s and the state at its end.
func (s state) next(r *rand.Rand, w *weather, signal float64) (*day, state) {
	d := &day{settled: s.settled}
	flowPhi, flowStep := ar1(flowHalfLife)
	gustPhi, gustStep := ar1(gustHalfLife)
	basisPhi, basisStep := ar1(basisHalfLife)
	k := drift(signal)
	premium := 0.0 // sum of the basis since the last settlement
	for t := range minutes {
		d.price[t], d.flow[t], d.basis[t], d.interest[t] = s.price, s.flow, s.basis, s.interest
		d.vol[t] = w.vol * math.Sqrt(season[t]) * math.Exp(s.gust)
		if t%(minutes/3) == 0 {
			premium = 0
		}
		premium += s.basis
		d.rate[t] = fundingRate(premium / float64(t%(minutes/3)+1))

		own := r.NormFloat64()
		step := math.Sqrt(commonShare)*w.shock[t] + math.Sqrt(1-commonShare)*own + k*s.flow
		s.price += minuteVol * d.vol[t] * step
		s.flow = flowPhi*s.flow + flowStep*r.NormFloat64()
		s.gust = gustPhi*s.gust + gustStd*gustStep*r.NormFloat64()
		s.basis = basisPhi*s.basis + basisStd*basisStep*r.NormFloat64()
		s.interest += interestStep*r.NormFloat64() - interestBack*s.interest
	}
	d.price[minutes], d.basis[minutes], d.interest[minutes] = s.price, s.basis, s.interest
	s.settled = d.rate[minutes-1]
	return d, s
}

// fundingRate is the rate for 8 hours at mean premium p: the premium, pulled to an interest of one
// basis point by at most five,
//
//	p + clamp(0.0001 − p, −0.0005, 0.0005),
//
// to the eight decimals that venues show.
func fundingRate(p float64) float64 {
	return math.Round((p+max(-0.0005, min(0.0005, 0.0001-p)))*1e8) / 1e8
}

// chain remembers the states at the starts of the days so far, so that a day costs its own path
// and, the first time, those before it.
type chain[S any] struct{ starts []S }

// at gives the state at the start of day n, where next takes the state of one day to the following.
func (c *chain[S]) at(n int, first S, next func(S, int) S) S {
	if len(c.starts) == 0 {
		c.starts = append(c.starts, first)
	}
	for len(c.starts) <= n {
		i := len(c.starts) - 1
		c.starts = append(c.starts, next(c.starts[i], i))
	}
	return c.starts[n]
}

// day gives the instrument's path over day.
func (m *Market) day(in datasets.Instrument, on datasets.Day) *day {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.perps[in]
	if c == nil {
		if m.perps == nil {
			m.perps = make(map[datasets.Instrument]*chain[state])
		}
		c = new(chain[state])
		m.perps[in] = c
	}
	path := func(s state, n int) (*day, state) {
		w, _ := m.weather(n)
		return s.next(m.random("path", in, m.Start+datasets.Day(n)), &w, m.Signal)
	}
	n := int(on - m.Start)
	start := c.at(n, state{price: math.Log(listingOf(in).price), settled: fundingRate(0)}, func(s state, i int) state {
		_, s = path(s, i)
		return s
	})
	d, _ := path(start, n)
	d.in, d.day = in, on
	return d
}

// weather gives the common path of the n-th day.
func (m *Market) weather(n int) (weather, climate) {
	random := func(i int) *rand.Rand {
		return m.random("weather", datasets.Instrument{}, m.Start+datasets.Day(i))
	}
	c := m.world.at(n, climate{}, func(c climate, i int) climate {
		_, c = c.next(random(i))
		return c
	})
	return c.next(random(n))
}

// mid is the path by the second: inside each minute a Brownian bridge between its ends.
type mid struct{ log [seconds + 1]float64 }

func (m *Market) mid(d *day) *mid {
	r := m.random("mid", d.in, d.day)
	p := new(mid)
	for t := range minutes {
		sd := minuteVol * d.vol[t] / math.Sqrt(60)
		x, end := d.price[t], d.price[t+1]
		for s := range 60 {
			p.log[t*60+s] = x
			left := float64(60 - s)
			x += (end-x)/left + sd*math.Sqrt((left-1)/left)*r.NormFloat64()
		}
	}
	p.log[seconds] = d.price[minutes]
	return p
}

// at is the mid price at µs after midnight.
func (p *mid) at(us int64) float64 {
	s := us / 1_000_000
	f := float64(us%1_000_000) / 1e6
	return math.Exp(p.log[s] + f*(p.log[s+1]-p.log[s]))
}

// best gives the best bid and ask in units of the tick's last decimal. The spread is one tick in
// calm minutes and a few in wild ones.
func (d *day) best(l listing, p *mid, us int64) (bid, ask int64) {
	bid = l.ticks(p.at(us))
	spread := int64(max(1, math.Round(1.2*d.vol[us/60_000_000])))
	return bid, bid + spread*int64(l.tick)
}
