package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// pairs gathers what the IC of one signal, instrument and horizon is made of, in one pass: pairs of deviations x = f − centre
// and y = R − centre, closed up over gaps, in order. The centres are near the means but are not they; the means are known at
// the end, and what the sums about them are follows from those of
//
//	z_t = (v, x, y, 1),  v = x·y,
//
// since (x − a)(y − b) = v − b·x − a·y + a·b is linear in z: of z zᵀ, and of z Wᵀ + W zᵀ where W is the sum of the last h
// values of z, which Hansen and Hodrick's variance needs. Moving the centres is one congruence (form.shift).
type pairs struct {
	h, n int

	lag    form       // Σ z zᵀ
	window form       // Σ (z Wᵀ + W zᵀ)/2; its last row is filled by complete. Unused at h = 1, where W is z
	head   [3]float64 // Σ_{t<h−1} (h − 1 − t)·z_t of v, x and y
	wv, wx float64    // W
	stale  int        // chunks since W was added up anew

	// The last h pairs, the oldest first, zeros before the first: while they are rows that follow one another these are
	// nil, and the rows serve.
	lastX, lastY []float64

	f, r             float64 // of the first pair, raw
	variesF, variesR bool

	phases *metrics.Phases
	blocks *metrics.PairBlocks // nil once they are full
	days   []tally             // by day of the window
	hours  []tally             // by hour of the day; nil where slices are not wanted
}

// tally is what the pairs of some time add up to.
type tally struct{ n, v, x, y float64 }

func (t *tally) add(n, v, x, y float64) {
	t.n += n
	t.v += v
	t.x += x
	t.y += y
}

// shift moves the centres by a and b.
func (t *tally) shift(a, b float64) {
	t.v += float64(float64(a*b)*t.n) - float64(b*t.x) - float64(a*t.y)
	t.x -= float64(a * t.n)
	t.y -= float64(b * t.n)
}

// Places in z.
const (
	iV = iota
	iX
	iY
	i1
)

// form is a symmetric form over z, of which the upper triangle is kept.
type form [4][4]float64

// shift moves the centres of z by a and b: T·form·Tᵀ with
//
//	    1  −b  −a  ab
//	T = 0   1   0  −a
//	    0   0   1  −b
//	    0   0   0   1
func (m *form) shift(a, b float64) {
	for j := range 4 {
		for i := range j {
			m[j][i] = m[i][j]
		}
	}
	turn := func(v, x, y, one *float64) {
		*v += float64(float64(a*b)**one) - float64(b**x) - float64(a**y)
		*x -= float64(a * *one)
		*y -= float64(b * *one)
	}
	for j := range 4 {
		turn(&m[iV][j], &m[iX][j], &m[iY][j], &m[i1][j])
	}
	for i := range 4 {
		turn(&m[i][iV], &m[i][iX], &m[i][iY], &m[i][i1])
	}
}

func newPairs(h, rows, days int, hours bool) *pairs {
	p := &pairs{h: h, phases: metrics.NewPhases(h), blocks: metrics.NewPairBlocks(h, rows), days: make([]tally, days)}
	if hours {
		p.hours = make([]tally, 24)
	}
	return p
}

// side is one side of the pairs of a chunk: h values that came before, then the chunk's.
type side struct {
	x    []float64 // deviations
	sums []sum2    // by stretch
}

// sum2 is Σ x and Σ x² of a stretch.
type sum2 struct{ n, sum, squares float64 }

func sumOf(x []float64) sum2 {
	var s0, s1, q0, q1 float64
	i := 0
	for ; i+2 <= len(x); i += 2 {
		a, b := x[i], x[i+1]
		s0 += a
		s1 += b
		q0 += float64(a * a)
		q1 += float64(b * b)
	}
	for ; i < len(x); i++ {
		s0 += x[i]
		q0 += float64(x[i] * x[i])
	}
	return sum2{float64(len(x)), s0 + s1, q0 + q1}
}

// stretch is successive values of one day and hour, within a chunk.
type stretch struct{ day, hour, lo, hi int }

// rolling are the sums of the last h values of y at each value of a chunk, and Σ y·W of the chunk.
type rolling struct {
	w    []float64
	last float64 // of the chunk's end
	yw   float64
}

// refresh is how many values are added up anew, at most, for each chunk, so that W keeps no old rounding.
const refresh = 512

// add takes the pairs of a chunk, cut into stretches.
func (p *pairs) add(x, y side, w rolling, cut []stretch) {
	n, h := len(x.x)-p.h, p.h
	if n == 0 {
		return
	}
	if p.stale++; p.stale*refresh >= h || p.n < h {
		p.stale, p.wv, p.wx = 0, 0, 0
		for k, a := range x.x[:h] {
			p.wx += a
			p.wv += float64(a * y.x[k])
		}
	}
	for k, c := range cut {
		if c.lo == c.hi {
			continue
		}
		xs, ys, sx, sy := x.x[h+c.lo:h+c.hi], y.x[h+c.lo:h+c.hi], x.sums[k], y.sums[k]
		v := p.products(xs, ys)
		if h > 1 {
			p.windows(xs, x.x[c.lo:c.hi], ys, y.x[c.lo:c.hi], w.w[c.lo:c.hi])
		}
		p.lag[iX][i1] += sx.sum
		p.lag[iX][iX] += sx.squares
		p.lag[iY][i1] += sy.sum
		p.lag[iY][iY] += sy.squares
		p.days[c.day].add(sx.n, v, sx.sum, sy.sum)
		if p.hours != nil {
			p.hours[c.hour].add(sx.n, v, sx.sum, sy.sum)
		}
	}
	p.window[iY][iY] += w.yw
	x1, y1 := x.x[h:], y.x[h:]
	if h > 1 {
		p.phases.Add(x1, y1, 0, 0)
	}
	for t := p.n; t < min(h-1, p.n+n); t++ {
		a, b, left := x1[t-p.n], y1[t-p.n], float64(h-1-t)
		p.head[iV] += float64(left * float64(a*b))
		p.head[iX] += float64(left * a)
		p.head[iY] += float64(left * b)
	}
	if p.blocks != nil {
		if p.blocks.Add(x1, y1); p.blocks.Full() {
			p.blocks = nil
		}
	}
	p.n += n
	p.lag[i1][i1] = float64(p.n)
}

// products adds up what pairs are by themselves, and gives Σ v.
func (p *pairs) products(x, y []float64) float64 {
	y = y[:len(x)]
	var sv, vv, vx, vy float64
	for k, a := range x {
		b := y[k]
		v := float64(a * b)
		sv += v
		vv += float64(v * v)
		vx += float64(v * a)
		vy += float64(v * b)
	}
	p.lag[iV][i1] += sv
	p.lag[iX][iY] += sv
	p.lag[iV][iV] += vv
	p.lag[iV][iX] += vx
	p.lag[iV][iY] += vy
	return sv
}

// windows adds up what pairs are with those before them. oldX and oldY came h pairs before x and y; w is W of y.
func (p *pairs) windows(x, oldX, y, oldY, w []float64) {
	oldX, y, oldY, w = oldX[:len(x)], y[:len(x)], oldY[:len(x)], w[:len(x)]
	var vv, vx, vy, xx, xy float64
	wv, wx := p.wv, p.wx
	for k, a := range x {
		b, old, wy := y[k], oldX[k], w[k]
		v := float64(a * b)
		wv += v - float64(old*oldY[k])
		wx += a - old
		aw, bw := float64(a*wy), float64(b*wx)
		vv += float64(v * wv)
		vx += float64(a * (bw + wv))
		vy += float64(b * (aw + wv))
		xx += float64(a * wx)
		xy += aw + bw
	}
	p.wv, p.wx = wv, wx
	p.window[iV][iV] += vv
	p.window[iV][iX] += float64(vx / 2)
	p.window[iV][iY] += float64(vy / 2)
	p.window[iX][iX] += xx
	p.window[iX][iY] += float64(xy / 2)
}

// complete fills the last row of window, of which W's part is Σ_t W_t = h·Σ z − Σ_{j<h} j·z_j over the last h values and z's
// Σ_t min(t + 1, h)·z_t = h·Σ z − head. x and y are the last h pairs.
func (p *pairs) complete(x, y []float64) {
	if p.h == 1 {
		p.window = p.lag
		return
	}
	var tail [3]float64
	for j := range x {
		a, b, late := x[j], y[j], float64(j)
		tail[iV] += float64(late * float64(a*b))
		tail[iX] += float64(late * a)
		tail[iY] += float64(late * b)
	}
	h, n := float64(p.h), float64(p.n)
	for k := range tail {
		p.window[k][i1] = float64(h*p.lag[k][i1]) - float64((p.head[k]+tail[k])/2)
	}
	if p.window[i1][i1] = float64(h*n) - float64(h*(h-1)/2); p.n < p.h {
		p.window[i1][i1] = n * (n + 1) / 2
	}
}

// shift moves the centres by a and b, given the last h pairs about those in force.
func (p *pairs) shift(a, b float64, x, y []float64) {
	p.complete(x, y)
	p.lag.shift(a, b)
	p.window.shift(a, b)
	t := tally{v: p.head[iV], x: p.head[iX], y: p.head[iY]}
	k, h := float64(min(p.n, p.h-1)), float64(p.h)
	t.n = float64(k*(h-1)) - float64(k*(k-1)/2) // Σ_{t<k} (h − 1 − t)
	t.shift(a, b)
	p.head = [3]float64{t.v, t.x, t.y}
	for k := range p.days {
		p.days[k].shift(a, b)
	}
	for k := range p.hours {
		p.hours[k].shift(a, b)
	}
	p.phases.Shift(a, b)
	if p.blocks != nil {
		p.blocks.Shift(a, b)
	}
	p.stale = p.h // W is added up anew
	if p.lastX != nil {
		seen := p.h - min(p.n, p.h)
		for k := seen; k < p.h; k++ {
			p.lastX[k] -= a
			p.lastY[k] -= b
		}
	}
}

// vary notes whether either side varies; f and r are raw values, of which those count that are both there.
func (p *pairs) vary(f, r []float64) {
	first := p.n == 0
	for k, v := range f {
		if p.variesF && p.variesR {
			return
		}
		w := r[k]
		if !metrics.Defined(v) || !metrics.Defined(w) {
			continue
		}
		if first {
			p.f, p.r, first = v, w, false
		}
		p.variesF = p.variesF || v != p.f
		p.variesR = p.variesR || w != p.r
	}
}

// ic is what pairs say once all of them have come.
type ic struct {
	pearson        float64
	scale          float64 // of the tested series: u = v/scale about the means
	longRun        metrics.LongRun
	nonOverlapping float64
	few            func() metrics.SmallSample
}

// close takes the means out, after which all sums are about them. It must be called once, and needs three pairs that vary.
func (p *pairs) close() ic {
	n := float64(p.n)
	p.shift(p.lag[iX][i1]/n, p.lag[iY][i1]/n, p.lastX, p.lastY)
	xx, yy, v, vv := p.lag[iX][iX], p.lag[iY][iY], p.lag[iV][i1], p.lag[iV][iV]
	window := &p.window
	root := math.Sqrt(float64(xx * yy))
	r := max(-1, min(1, v/root))
	mean := v / n
	squares := vv - float64(mean*v)
	cross := window[iV][iV] - float64(2*mean*window[iV][i1]) + float64(float64(mean*mean)*window[i1][i1])
	l := metrics.LongRun{N: p.n, H: p.h, Mean: math.NaN(), Variance: math.NaN(), S: math.NaN()}
	if squares > constantShare*vv {
		l.Mean, l.Variance, l.S = mean, squares/n, (2*cross-squares)/n
	}
	out := ic{pearson: r, scale: root / n, longRun: l}
	if p.h == 1 {
		if rest := 1 - float64(r*r); rest > constantShare {
			out.nonOverlapping = r * math.Sqrt((n-2)/rest)
		} else {
			out.nonOverlapping = math.NaN()
		}
	} else {
		out.nonOverlapping = p.phases.T()
	}
	blocks := p.blocks
	out.few = func() metrics.SmallSample {
		return blocks.Products(vv).Test()
	}
	return out
}

// constantShare is the variance beside the mean square that is only rounding.
const constantShare = 1e-14

// resize gives n values of a buffer, whatever was in them.
func resize[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n+n/4)
	}
	return (*buffer)[:n]
}
