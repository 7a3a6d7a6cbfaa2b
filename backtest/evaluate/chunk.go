package evaluate

import (
	"math"
	"sync"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/factors"
)

// chunk is the number of rows that are folded at once. It is the window's own, so that results do not hang on the length
// of the blocks that come.
const chunk = 4096

// deviations are a column less a centre near its mean, over the chunk that is being folded and some rows before it.
type deviations struct {
	x      []float64 // back rows, then the chunk's
	back   int
	centre float64
	known  bool    // there is a centre
	n, sum float64 // of x over all rows so far
	hole   int     // the last row that is missing, −1 for none
	sums   []sum2  // by stretch of the chunk; of use where nothing is missing
}

func newDeviations(back int) *deviations {
	return &deviations{x: make([]float64, back, back+chunk), back: back, hole: -1}
}

// take moves on by a chunk, whose first row is lo.
func (d *deviations) take(raw []float64, lo int, cut []stretch) {
	d.x = append(d.x[:0], d.x[len(d.x)-d.back:]...)
	if !d.known {
		d.centre, d.known = middle(raw)
	}
	d.x = d.x[:d.back+len(raw)]
	x := d.x[d.back:]
	for k, v := range raw {
		x[k] = v - d.centre
	}
	d.sums = d.sums[:0]
	for _, c := range cut {
		s := sumOf(x[c.lo:c.hi])
		d.sums = append(d.sums, s)
		if metrics.Defined(s.sum) {
			d.n += s.n
			d.sum += s.sum
			continue
		}
		for k, v := range x[c.lo:c.hi] {
			if metrics.Defined(v) {
				d.n++
				d.sum += v
			} else {
				d.hole = lo + c.lo + k
			}
		}
	}
}

// middle is the mean of what is defined, counted from the first of it, so that it is as near as the values are to one another.
func middle(x []float64) (float64, bool) {
	first, sum, n := 0.0, 0.0, 0.0
	for _, v := range x {
		if !metrics.Defined(v) {
			continue
		}
		if n == 0 {
			first = v
		}
		sum += v - first
		n++
	}
	if n == 0 {
		return 0, false
	}
	return first + sum/n, true
}

// move is how far the centre is to move to be at the mean so far, as far as there is a float there: rows to come and those
// that were then have one centre to the last bit.
func (d *deviations) move() float64 {
	if d.n == 0 {
		return 0
	}
	return d.centre + d.sum/d.n - d.centre
}

// shift moves the centre.
func (d *deviations) shift(a float64) {
	if a == 0 {
		return
	}
	d.centre += a
	d.sum -= float64(a * d.n)
	for k := range d.x {
		d.x[k] -= a
	}
}

// ahead are the forward returns of one instrument at one horizon.
type ahead struct {
	h int
	r []float64 // of the chunk, raw
	deviations
	rolling
	stale int
}

// take makes the returns of the chunk that begins with row lo from prices whose first is that row's and which reach as far as
// there are any:
//
//	R_{t,h} = ln(X_{t+d+h}/X_{t+d})
//
// by factors.LogReturn, whatever the size of the study. NaN where a price is missing or past the window's end.
func (a *ahead) take(price []float64, rows, delay, lo int, cut []stretch) {
	a.r = a.r[:rows]
	forward(a.r, price, delay, a.h)
	a.deviations.take(a.r, lo, cut)
	if a.h == 1 || a.hole >= lo-a.h {
		a.stale = a.h // W begins anew
		return
	}
	a.roll()
}

// forward writes the forward returns of the first rows of price.
func forward(dst, price []float64, delay, h int) {
	n := max(0, min(len(dst), len(price)-delay-h))
	if n > 0 {
		from, to := price[delay:][:n], price[delay+h:][:n]
		for k, x := range from {
			dst[k] = math.NaN()
			if y := to[k]; priced(x) && priced(y) {
				dst[k] = factors.LogReturn(x, y)
			}
		}
	}
	for k := n; k < len(dst); k++ {
		dst[k] = math.NaN()
	}
}

// priced reports whether v can be a price.
func priced(v float64) bool { return v > 0 && v <= math.MaxFloat64 }

// roll sums the last h deviations at each row of the chunk.
func (a *ahead) roll() {
	n := len(a.x) - a.h
	a.w = resize(&a.w, n)
	w := 0.0
	if a.stale++; a.stale*refresh < a.h {
		w = a.rolling.last
	} else {
		a.stale = 0
		for _, v := range a.x[:a.h] {
			w += v
		}
	}
	old, y, yw := a.x[:n], a.x[a.h:][:n], 0.0
	for k, v := range y {
		w += v - old[k]
		a.w[k] = w
		yw += float64(v * w)
	}
	a.rolling.last, a.yw = w, yw
}

// pad is memory for one task at a time.
type pad struct {
	x, y, w []float64
	sx, sy  []sum2
	cut     []stretch
}

var pads = sync.Pool{New: func() any { return new(pad) }}

// pair folds the chunk that begins with row lo into the pairs of a signal and a horizon.
func (p *pairs) pair(c *deviations, raw []float64, a *ahead, lo int, cut []stretch) {
	if !p.variesF || !p.variesR {
		p.vary(raw, a.r)
	}
	m := pads.Get().(*pad)
	defer pads.Put(m)
	h := p.h
	if c.hole < lo-h && a.hole < lo-h {
		p.lastX, p.lastY = nil, nil
		p.add(side{c.x[c.back-h:], c.sums}, side{a.x, a.sums}, a.rolling, cut)
		return
	}
	if p.lastX == nil {
		p.lastX, p.lastY = make([]float64, h), make([]float64, h)
		if p.n > 0 {
			copy(p.lastX, c.x[c.back-h:])
			copy(p.lastY, a.x)
		}
	}
	x, y := append(m.x[:0], p.lastX...), append(m.y[:0], p.lastY...)
	m.sx, m.sy, m.cut = m.sx[:0], m.sy[:0], m.cut[:0]
	for _, s := range cut {
		from := len(x)
		ys := a.x[h+s.lo : h+s.hi]
		for k, v := range c.x[c.back+s.lo : c.back+s.hi] {
			if w := ys[k]; metrics.Defined(v) && metrics.Defined(w) {
				x, y = append(x, v), append(y, w)
			}
		}
		m.cut = append(m.cut, stretch{s.day, s.hour, from - h, len(x) - h})
		m.sx, m.sy = append(m.sx, sumOf(x[from:])), append(m.sy, sumOf(y[from:]))
	}
	m.x, m.y = x, y
	n := len(x) - h
	if n == 0 {
		return
	}
	r := rolling{w: resize(&m.w, n)}
	sum := 0.0
	for _, v := range y[:h] {
		sum += v
	}
	for k, v := range y[h:] {
		sum += v - y[k]
		r.w[k] = sum
		r.yw += float64(v * sum)
	}
	if h == 1 {
		r.yw = 0
	}
	p.add(side{x, m.sx}, side{y, m.sy}, r, m.cut)
	copy(p.lastX, x[n:])
	copy(p.lastY, y[n:])
}
