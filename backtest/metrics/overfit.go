package metrics

import (
	"math"
	"math/bits"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// Overfit is how the best trial of one half of the periods does on the other, over all ways to halve them.
type Overfit struct {
	Probability float64 // PBO: share of the halvings after which the best ranks no better than the median
	Logits      []float64
	Slope       float64 // of the best's ratio out of sample on that in sample, over the halvings; below 0: the better it looked, the worse it did
	Intercept   float64
	Loss        float64 // share of the halvings after which the best loses
}

// CSCV is combinatorially symmetric cross-validation. The periods are cut into an even number of blocks, as equal as can
// be; each choice of half of the blocks is a sample, in the order of combinations. With n* the trial of the largest ratio
// mean/std (ddof 1) in the sample, the first of equals, and r its rank among the N trials in the other blocks (1 the worst,
// equal ones share theirs):
//
//	ω = r/(N + 1),  λ = ln(ω/(1 − ω)),  Probability = share of the λ ≤ 0
//
// returns are by trial, then period. A half in which a trial never moves has ratio 0 where it earns nothing, else none, and
// ranks last. NaN for fewer than two trials or where a half has fewer than two periods. It takes
// O(trials·blocks) for each of the combinations, 12,870 of 16 blocks. Bailey, Borwein, López de Prado and Zhu (2017).
func CSCV(returns [][]float64, blocks int) Overfit {
	if blocks < 2 || blocks%2 != 0 || blocks > 20 {
		panic("metrics: CSCV wants an even number of blocks from 2 to 20")
	}
	nan := math.NaN()
	none := Overfit{nan, nil, nan, nan, nan}
	if len(returns) < 2 || len(returns[0]) < 2*blocks {
		return none
	}
	sums := make([]halves, len(returns))
	for i, x := range returns {
		if len(x) != len(returns[0]) {
			panic("metrics: CSCV of unequal lengths")
		}
		sums[i] = newHalves(x, blocks)
	}
	var o Overfit
	var in, out []float64 // of the best
	ratios := make([]float64, len(sums))
	below, lost := 0, 0
	for _, chosen := range combinations(blocks, blocks/2) {
		best := -1
		top := math.Inf(-1)
		for i := range sums {
			if r := sums[i].ratio(chosen); best < 0 || r > top {
				best, top = i, r
			}
			ratios[i] = sums[i].ratio(^chosen & (1<<blocks - 1))
		}
		rank := 1.0
		for i, r := range ratios {
			switch {
			case r < ratios[best]:
				rank++
			case r == ratios[best] && i != best:
				rank += 0.5
			}
		}
		omega := rank / float64(len(sums)+1)
		lambda := portable.Log(omega / (1 - omega))
		if omega == 0.5 {
			lambda = 0
		}
		o.Logits = append(o.Logits, lambda)
		if lambda <= 0 {
			below++
		}
		if ratios[best] < 0 {
			lost++
		}
		if Defined(top) && Defined(ratios[best]) {
			in, out = append(in, top), append(out, ratios[best])
		}
	}
	n := float64(len(o.Logits))
	o.Probability, o.Loss = float64(below)/n, float64(lost)/n
	o.Slope, o.Intercept = line(in, out)
	return o
}

// line is the least-squares line of y on x; NaN where x is constant or shorter than 2.
func line(x, y []float64) (slope, intercept float64) {
	if len(x) < 2 || Constant(x) {
		return math.NaN(), math.NaN()
	}
	mx, my := Mean(x), Mean(y)
	slope = products(x, y, mx, my) / squares(x, mx)
	return slope, my - float64(slope*mx)
}

// halves gives the ratio of a series over any choice of its blocks, from the sums of each about the series' mean.
type halves struct {
	mean   float64
	blocks []block
}

type block struct{ n, sum, squares, least, most float64 }

func newHalves(x []float64, blocks int) halves {
	h := halves{mean: Mean(x)}
	for b := range blocks {
		part := x[b*len(x)/blocks : (b+1)*len(x)/blocks]
		s := block{n: float64(len(part)), least: part[0], most: part[0]}
		for _, v := range part {
			d := v - h.mean
			s.sum += d
			s.squares += float64(d * d)
			s.least, s.most = min(s.least, v), max(s.most, v)
		}
		h.blocks = append(h.blocks, s)
	}
	return h
}

func (h *halves) ratio(chosen uint32) float64 {
	s := block{least: math.Inf(1), most: math.Inf(-1)}
	for c := chosen; c != 0; c &= c - 1 {
		b := &h.blocks[bits.TrailingZeros32(c)]
		s.n += b.n
		s.sum += b.sum
		s.squares += b.squares
		s.least, s.most = min(s.least, b.least), max(s.most, b.most)
	}
	switch {
	case s.least == 0 && s.most == 0:
		return 0
	case s.least == s.most:
		return math.Inf(-1)
	}
	m := s.sum / s.n
	return (h.mean + m) / math.Sqrt((s.squares-float64(s.sum*m))/(s.n-1))
}

// combinations lists the choices of k of n as bits, in lexicographic order of their members.
func combinations(n, k int) (list []uint32) {
	var add func(chosen uint32, from, left int)
	add = func(chosen uint32, from, left int) {
		if left == 0 {
			list = append(list, chosen)
			return
		}
		for i := from; i <= n-left; i++ {
			add(chosen|1<<i, i+1, left-1)
		}
	}
	add(0, 0, k)
	return list
}
