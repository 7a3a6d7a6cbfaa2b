package metrics

import "math"

// Phases gathers, for each of the h pairs to begin with, the moments of every h-th pair: what the t of pairs that do
// not overlap is made of, whichever is the first. It takes pairs in order, in portions of any size, and 5·h numbers.
type Phases struct {
	pairs int // so far
	of    []crossed
}

// crossed are Σ of deviations, of their squares and of their products.
type crossed struct{ a, b, aa, bb, ab float64 }

// NewPhases begins for h phases.
func NewPhases(h int) *Phases { return &Phases{of: make([]crossed, h)} }

// count is how many pairs phase i has.
func (p *Phases) count(i int) int { return max(0, p.pairs-i+len(p.of)-1) / len(p.of) }

// Add takes the next pairs, less a centre each that stays the same (but see Shift) and is near their means.
func (p *Phases) Add(x, y []float64, centreX, centreY float64) {
	if y = y[:len(x)]; len(p.of) <= fewPhases && len(x) >= manyTurns*len(p.of) {
		p.addApart(x, y, centreX, centreY)
		return
	}
	addPhases(p, x, y, centreX, centreY)
}

// addPhases takes pairs phase after phase.
func addPhases[T int32 | float64](p *Phases, x, y []T, cx, cy float64) {
	y = y[:len(x)]
	for len(x) > 0 {
		next := p.pairs % len(p.of)
		k := min(len(x), len(p.of)-next)
		of, second := p.of[next:next+k], y[:k]
		for i, v := range x[:k] {
			d, e, m := float64(v)-cx, float64(second[i])-cy, &of[i]
			m.a += d
			m.b += e
			m.aa += float64(d * d)
			m.bb += float64(e * e)
			m.ab += float64(d * e)
		}
		x, y = x[k:], y[k:]
		p.pairs += k
	}
}

// Few phases are taken one by one, where all of them come many times in a portion.
const (
	fewPhases = 24
	manyTurns = 16
)

// turn is the number of pairs that are taken phase by phase at once: they stay in the nearest memory.
const turn = 1024

// addApart takes pairs phase by phase, whose sums then stay at hand; two phases at a time, neither of which waits for the
// other.
func (p *Phases) addApart(x, y []float64, cx, cy float64) {
	h := len(p.of)
	var sums [fewPhases]crossed
	for lo := 0; lo < len(x); {
		hi := min(lo+turn-turn%h, len(x))
		x, y := x[lo:hi], y[lo:hi]
		k := 0
		for ; k+1 < h; k += 2 {
			addTwo(&sums[k], &sums[k+1], x, y, k, h, cx, cy)
		}
		if k < h { // the last of an odd number, beside one that is not wanted
			addTwo(&sums[k], new(crossed), x, y, k, h, cx, cy)
		}
		lo = hi
	}
	for k := range h {
		of, m := &p.of[(p.pairs+k)%h], &sums[k]
		of.a += m.a
		of.b += m.b
		of.aa += m.aa
		of.bb += m.bb
		of.ab += m.ab
	}
	p.pairs += len(x)
}

// addTwo adds every h-th pair from the k-th on to m, and every h-th from the one behind it to n.
func addTwo(m, n *crossed, x, y []float64, k, h int, cx, cy float64) {
	u, v := *m, *n
	y = y[:len(x)]
	for ; k+1 < len(x); k += h {
		d, e := x[k]-cx, y[k]-cy
		u.a += d
		u.b += e
		u.aa += float64(d * d)
		u.bb += float64(e * e)
		u.ab += float64(d * e)
		d, e = x[k+1]-cx, y[k+1]-cy
		v.a += d
		v.b += e
		v.aa += float64(d * d)
		v.bb += float64(e * e)
		v.ab += float64(d * e)
	}
	if k < len(x) {
		d, e := x[k]-cx, y[k]-cy
		u.a += d
		u.b += e
		u.aa += float64(d * d)
		u.bb += float64(e * e)
		u.ab += float64(d * e)
	}
	*m, *n = u, v
}

// Shift moves the centres by a and b: what follows is given less the new ones.
func (p *Phases) Shift(a, b float64) {
	for i := range p.of {
		m, n := &p.of[i], float64(p.count(i))
		m.ab += float64(float64(a*b)*n) - float64(a*m.b) - float64(b*m.a)
		m.aa += float64(float64(a*a)*n) - float64(2*a*m.a)
		m.bb += float64(float64(b*b)*n) - float64(2*b*m.b)
		m.a -= float64(a * n)
		m.b -= float64(b * n)
	}
}

// T is the median over the phases of
//
//	r·sqrt((m − 2)/(1 − r²)),  m pairs with correlation r
//
// Phases of fewer than three pairs, with a constant side or a perfect correlation do not count; NaN where none does.
func (p *Phases) T() float64 {
	return p.median(func(m *crossed, n float64) float64 {
		aa, bb := m.aa-float64(m.a*m.a)/n, m.bb-float64(m.b*m.b)/n
		if !(aa > constantShare*m.aa) || !(bb > constantShare*m.bb) {
			return math.NaN()
		}
		r := (m.ab - float64(m.a*m.b)/n) / math.Sqrt(float64(aa*bb))
		rest := 1 - float64(r*r)
		if rest <= perfectShare {
			return math.NaN()
		}
		return r * math.Sqrt((n-2)/rest)
	})
}

// perfectShare is the 1 − r² of a perfect correlation that rounding leaves.
const perfectShare = 1e-14

// median is the median over the phases of what is not NaN of t, given a phase and its pairs.
func (p *Phases) median(t func(m *crossed, n float64) float64) float64 {
	var all []float64
	for i := range p.of {
		if n := p.count(i); n >= MinPairs {
			if v := t(&p.of[i], float64(n)); !math.IsNaN(v) {
				all = append(all, v)
			}
		}
	}
	return Quantile(all, 0.5)
}

// NonOverlapping is Phases.T of all pairs.
func NonOverlapping[T int32 | float64](x, y []T, h int) float64 {
	p := NewPhases(min(h, max(1, len(x))))
	addPhases(p, x, y, mean(x), mean(y))
	return p.T()
}

// mean is Mean of numbers of either kind.
func mean[T int32 | float64](x []T) float64 {
	var s float64
	for _, v := range x {
		s += float64(v)
	}
	return s / float64(max(1, len(x)))
}

// MeanT is the t of the mean of every h-th value of what was given as x, mean/(std/√m), ddof 1, the median over the h values
// to begin with, of phases with three values that are not all equal. The centre is what x was given less.
func (p *Phases) MeanT(centre float64) float64 {
	return p.median(func(m *crossed, n float64) float64 {
		aa := m.aa - float64(m.a*m.a)/n
		if !(aa > constantShare*m.aa) {
			return math.NaN()
		}
		return (centre + m.a/n) / math.Sqrt(aa/(n*(n-1)))
	})
}
