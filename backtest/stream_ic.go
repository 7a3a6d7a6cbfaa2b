package backtest

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/metrics"
)

// notStreamed is why a figure is missing that needs all of a column at once.
const notStreamed = "not computed for streamed studies: it needs whole columns"

// icTest gathers what the IC of one signal at one horizon is made of, from pairs that come in order. Deviations
// are taken from the means over all pairs, which the first pass found. The tested series u is v over its
// standard deviations, v = (f − mean f)·(R − mean R), and its statistics are those of v but for the scale.
type icTest struct {
	h  int
	of pairs // number and means of the pairs

	last   []float64 // the last h values of v, oldest first; 0 before the first
	head   float64   // Σ_{t<h−1} (h−1−t)·v_t
	seen   int       // pairs so far
	v, vv  float64   // Σ v, Σ v²
	window float64   // Σ v_t·(sum of the last h values of v up to t)
	ff, rr float64   // Σ (f − mean f)², Σ (R − mean R)²

	firstF, firstR   float64
	variesF, variesR bool
	phases           *metrics.Phases
	blocks           *metrics.Blocks // of v

	days   []daySum  // of v
	buffer []float64 // the last h values of v and then the new ones, while they are added
}

func newICTest(h int, of pairs, days []daySpan) *icTest {
	t := &icTest{h: h, of: of, last: make([]float64, h), phases: metrics.NewPhases(h), blocks: metrics.NewBlocks(h)}
	for _, d := range days {
		t.days = append(t.days, daySum{day: d})
	}
	return t
}

// centred are the sums of a column's deviations from a centre near its mean, and of their squares.
type centred struct {
	centre, sum, squares float64
	n                    int
}

func centre(x []float64, c float64) centred {
	var s0, s1, q0, q1 float64
	i := 0
	for ; i+2 <= len(x); i += 2 {
		a, b := x[i]-c, x[i+1]-c
		s0 += a
		s1 += b
		q0 += float64(a * a)
		q1 += float64(b * b)
	}
	for ; i < len(x); i++ {
		a := x[i] - c
		s0 += a
		q0 += float64(a * a)
	}
	return centred{c, s0 + s1, q0 + q1, len(x)}
}

// about is the sum of the squared deviations from a mean.
func (m centred) about(mean float64) float64 {
	d := m.centre - mean
	return m.squares + float64(2*d*m.sum) + float64(float64(d*d)*float64(m.n))
}

// add takes the pairs of some rows of a day, all of them defined, with what is known of both sides. The
// buffer is shared by the tests that come after one another.
func (t *icTest) add(day int, f, r []float64, ofF, ofR centred, buffer *[]float64) {
	if len(f) == 0 {
		return
	}
	t.vary(f, r)
	n, h := len(f), t.h
	*buffer = slices.Grow((*buffer)[:0], n+h)[:n+h]
	t.buffer = *buffer
	copy(t.buffer, t.last)
	var sum, squares, windows float64
	if h == 1 {
		sum, squares = t.products(f, r)
		windows = squares
	} else {
		sum, squares, windows = t.rolling(f, r)
	}
	if t.seen < h-1 {
		for k, v := range t.buffer[h:min(n+h, 2*h-1-t.seen)] {
			t.head += float64(h-1-t.seen-k) * v
		}
	}
	copy(t.last, t.buffer[n:])
	t.ff += ofF.about(t.of.f)
	t.rr += ofR.about(t.of.r)
	t.v += sum
	t.vv += squares
	t.window += windows
	t.days[day].sum += sum
	t.days[day].n += float64(n)
	if h > 1 {
		t.phases.Add(f, r, t.of.f, t.of.r)
	}
	t.blocks.Add(t.buffer[h:])
	t.seen += n
}

// products fills v after the history and sums it, for returns that do not overlap.
func (t *icTest) products(f, r []float64) (sum, squares float64) {
	mf, mr := t.of.f, t.of.r
	v := t.buffer[t.h:][:len(f)]
	r = r[:len(f)]
	var s0, s1, q0, q1 float64
	i := 0
	for ; i+2 <= len(f); i += 2 {
		x, y := float64((f[i]-mf)*(r[i]-mr)), float64((f[i+1]-mf)*(r[i+1]-mr))
		v[i], v[i+1] = x, y
		s0 += x
		s1 += y
		q0 += float64(x * x)
		q1 += float64(y * y)
	}
	for ; i < len(f); i++ {
		x := float64((f[i] - mf) * (r[i] - mr))
		v[i] = x
		s0 += x
		q0 += float64(x * x)
	}
	return s0 + s1, q0 + q1
}

// rolling is products with the rolling sum of h values, from the sum of the history on.
func (t *icTest) rolling(f, r []float64) (sum, squares, windows float64) {
	mf, mr := t.of.f, t.of.r
	w := 0.0
	for _, v := range t.last {
		w += v
	}
	old, v := t.buffer[:len(f)], t.buffer[t.h:][:len(f)]
	r = r[:len(f)]
	for i, x := range f {
		y := float64((x - mf) * (r[i] - mr))
		v[i] = y
		w += y - old[i]
		sum += y
		squares += float64(y * y)
		windows += float64(y * w)
	}
	return sum, squares, windows
}

// vary notes whether both sides vary at all.
func (t *icTest) vary(f, r []float64) {
	if t.seen == 0 {
		t.firstF, t.firstR = f[0], r[0]
	}
	for i := 0; i < len(f) && !t.variesF; i++ {
		t.variesF = f[i] != t.firstF
	}
	for i := 0; i < len(r) && !t.variesR; i++ {
		t.variesR = r[i] != t.firstR
	}
}

// longRunVariance is metrics.HansenHodrick's S of v, with γ0:
//
//	Σ_{l<h} γ_l = (1/n) Σ_t d_t D_t,  d = v − v̄,  D the sum of the last h values of d,
//
// whose mean is taken out of the sums afterwards.
func (t *icTest) longRunVariance() (s, variance float64) {
	n, h, m := float64(t.seen), float64(t.h), t.v/float64(t.seen)
	tail := 0.0
	for k := range t.h - 1 {
		tail += float64(k+1) * t.last[k+1]
	}
	counts := float64(h*n) - h*(h-1)/2
	if t.seen < t.h {
		counts = n * (n + 1) / 2
	}
	cross := t.window - float64(m*(2*float64(h*t.v)-t.head-tail)) + float64(float64(m*m)*counts)
	squares := t.vv - float64(float64(m*m)*n)
	return (2*cross - squares) / n, squares / n
}

// fill fills the row of the instrument, all but the interval.
func (t *icTest) fill(row *ICRow, p *pairing) {
	row.N = t.seen
	switch {
	case t.seen < metrics.MinPairs:
		row.miss("fewer than 3 pairs")
		return
	case !t.variesF:
		row.miss("the signal is constant")
		return
	case !t.variesR:
		row.miss("the forward return is constant")
		return
	}
	n := float64(t.seen)
	scale := math.Sqrt(float64(t.ff*t.rr)) / n // of v against u
	row.Pearson = Figure(t.v / n / scale)
	row.reason("spearman", notStreamed)
	t.judge(row)
	for _, d := range t.days {
		if d.n > 0 {
			d.sum /= scale
			p.sums = append(p.sums, d)
		}
	}
	row.Daily = p.summarize(p.sums, row)
}

// judge is metrics.Test of the sums.
func (t *icTest) judge(row *ICRow) {
	nan, n := math.NaN(), float64(t.seen)
	s := metrics.Significance{NEffective: nan, HansenHodrick: nan, NonOverlapping: t.nonOverlapping(), T: nan, Method: metrics.Insufficient}
	v, variance := t.longRunVariance()
	if v > 0 {
		s.HansenHodrick = t.v / n / math.Sqrt(v/n)
		s.NEffective = min(n, n*variance/v)
	} else {
		const why = "the Hansen–Hodrick variance is not positive, and Newey and West's is " + notStreamed
		row.reason("t_hansen_hodrick", why)
		row.reason("n_effective", why)
	}
	switch spans := n / float64(t.h); {
	case spans >= 100:
		s.T, s.Method = s.HansenHodrick, metrics.ByHansenHodrick
	case spans >= 10:
		few := t.blocks.Test()
		s.T, s.P, s.NEffective, s.Method = few.T, few.P, few.NEffective, metrics.ByCosines
		delete(row.Reasons, "n_effective")
	}
	if s.Method != metrics.ByCosines {
		s.P = metrics.TwoSided(s.T)
	}
	row.judge(s)
	if why, ok := row.Reasons["t_hansen_hodrick"]; ok && s.Method == metrics.ByHansenHodrick {
		row.reason("t", why)
	}
}

// nonOverlapping is metrics.NonOverlapping of the pairs.
func (t *icTest) nonOverlapping() float64 {
	if t.h > 1 {
		return t.phases.T()
	}
	n, r := float64(t.seen), t.v/math.Sqrt(float64(t.ff*t.rr))
	if t.seen < metrics.MinPairs || !(t.ff > 0) || !(t.rr > 0) || 1-r*r <= 0 {
		return math.NaN()
	}
	return r * math.Sqrt((n-2)/(1-r*r))
}
