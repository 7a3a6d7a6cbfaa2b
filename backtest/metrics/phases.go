package metrics

import "math"

// Phases gathers, for each of the h pairs to begin with, the moments of every h-th pair: what the t of pairs that do
// not overlap is made of, whichever is the first. It takes pairs in order, in portions of any size, and 5·h numbers.
type Phases struct {
	next             int // phase of the next pair
	n                []int32
	a, b, aa, bb, ab []float64 // Σ of the deviations, their squares and products
}

// NewPhases begins for h phases.
func NewPhases(h int) *Phases {
	of := func() []float64 { return make([]float64, h) }
	return &Phases{n: make([]int32, h), a: of(), b: of(), aa: of(), bb: of(), ab: of()}
}

// Add takes the next pairs, less a centre each that stays the same and is near their means.
func (p *Phases) Add(x, y []float64, centreX, centreY float64) {
	if y = y[:len(x)]; len(x) >= manyTurns*len(p.n) {
		addPhasesApart(p, x, y, centreX, centreY)
		return
	}
	addPhases(p, x, y, centreX, centreY)
}

func addPhases[T int32 | float64](p *Phases, x, y []T, cx, cy float64) {
	y = y[:len(x)]
	for len(x) > 0 {
		k := min(len(x), len(p.n)-p.next)
		addPhasesInTurn(p, x[:k], y[:k], cx, cy)
		x, y = x[k:], y[k:]
		p.next = (p.next + k) % len(p.n)
	}
}

// Shift moves the centres by a and b: what follows is given less the new ones.
func (p *Phases) Shift(a, b float64) {
	for i, m := range p.n {
		n := float64(m)
		p.ab[i] += float64(float64(a*b)*n) - float64(a*p.b[i]) - float64(b*p.a[i])
		p.aa[i] += float64(float64(a*a)*n) - float64(2*a*p.a[i])
		p.bb[i] += float64(float64(b*b)*n) - float64(2*b*p.b[i])
		p.a[i] -= float64(a * n)
		p.b[i] -= float64(b * n)
	}
}

// manyTurns is how often all phases must come in a portion to be taken one after the other.
const manyTurns = 16

// addPhasesApart takes pairs phase by phase, whose sums then stay at hand.
func addPhasesApart(p *Phases, x, y []float64, cx, cy float64) {
	h := len(p.n)
	for k := range h {
		at := (p.next + k) % h
		var a, b, aa, bb, ab float64
		n := 0
		for i := k; i < len(x); i += h {
			d, e := x[i]-cx, y[i]-cy
			n++
			a += d
			b += e
			aa += float64(d * d)
			bb += float64(e * e)
			ab += float64(d * e)
		}
		p.n[at] += int32(n)
		p.a[at] += a
		p.b[at] += b
		p.aa[at] += aa
		p.bb[at] += bb
		p.ab[at] += ab
	}
	p.next = (p.next + len(x)) % h
}

// addPhasesInTurn takes pairs of successive phases, none of them twice.
func addPhasesInTurn[T int32 | float64](p *Phases, x, y []T, cx, cy float64) {
	at, to := p.next, p.next+len(x)
	n, a, b, aa, bb, ab := p.n[at:to], p.a[at:to], p.b[at:to], p.aa[at:to], p.bb[at:to], p.ab[at:to]
	for i, v := range x {
		d, e := float64(v)-cx, float64(y[i])-cy
		n[i]++
		a[i] += d
		b[i] += e
		aa[i] += float64(d * d)
		bb[i] += float64(e * e)
		ab[i] += float64(d * e)
	}
}

// T is the median over the phases of
//
//	r·sqrt((m − 2)/(1 − r²)),  m pairs with correlation r
//
// Phases of fewer than three pairs, with a constant side or a perfect correlation do not count; NaN where none does.
func (p *Phases) T() float64 {
	return p.median(func(i int, n float64) float64 {
		aa, bb := p.aa[i]-float64(p.a[i]*p.a[i])/n, p.bb[i]-float64(p.b[i]*p.b[i])/n
		if !(aa > constantShare*p.aa[i]) || !(bb > constantShare*p.bb[i]) {
			return math.NaN()
		}
		r := (p.ab[i] - float64(p.a[i]*p.b[i])/n) / math.Sqrt(float64(aa*bb))
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
func (p *Phases) median(t func(i int, n float64) float64) float64 {
	var all []float64
	for i, n := range p.n {
		if n >= MinPairs {
			if v := t(i, float64(n)); !math.IsNaN(v) {
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

// NonOverlappingMean is the t of the mean of every h-th value, mean/(std/√m), ddof 1, the median over the h values to
// begin with, of phases with three values that are not all equal.
func NonOverlappingMean(u []float64, h int) float64 {
	p, m := NewPhases(min(h, max(1, len(u)))), Mean(u)
	p.Add(u, u, m, m)
	return p.MeanT(m)
}

// MeanT is NonOverlappingMean of what was given as x, less the centre.
func (p *Phases) MeanT(centre float64) float64 {
	return p.median(func(i int, n float64) float64 {
		aa := p.aa[i] - float64(p.a[i]*p.a[i])/n
		if !(aa > constantShare*p.aa[i]) {
			return math.NaN()
		}
		return (centre + p.a[i]/n) / math.Sqrt(aa/(n*(n-1)))
	})
}
