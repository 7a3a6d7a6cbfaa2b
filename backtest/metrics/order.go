package metrics

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/factors/kernel/radix"
)

// Sorted is the ascending order of a column's defined values, ties by row.
type Sorted struct {
	Rows []int32 // row of each
	tied []bool  // equal to its predecessor
}

// Sorter sorts columns; its memory serves one after the other.
type Sorter struct {
	radix radix.Sorter
	rows  []int32
	tied  []bool
}

// Order sorts the rows at which x is defined (neither NaN nor infinite), of which there may be 2³¹.
func Order(x []float64) Sorted {
	rows, tied := new(Sorter).order(x)
	return Sorted{rows, tied}
}

// order is Order in the memory of s.
func (s *Sorter) order(x []float64) (rows []int32, tied []bool) {
	n := 0
	for _, v := range x {
		if Defined(v) {
			n++
		}
	}
	s.rows, s.tied = slices.Grow(s.rows[:0], n)[:n], slices.Grow(s.tied[:0], n)[:n]
	s.radix.Sort(x, math.Inf(-1), 1, func(p *radix.Part, before int) {
		rows, tied := s.rows[before:], s.tied[before:]
		for i := 0; i < p.Len(); {
			for j, first := p.Run(i), i; i < j; i++ {
				rows[i], tied[i] = int32(p.Row(i)), i > first
			}
		}
	})
	return s.rows, s.tied
}

// Places are the pairs that some of a column's rows belong to, in ascending order of value, ties by row.
// The zero Places is ready for Select and keeps its memory from one to the next.
type Places struct {
	At   []int32
	tied []bool // of the same value as its predecessor
}

// Select fills p with place[t] of the rows t for which that is not negative. It takes O(n) time.
func (s Sorted) Select(p *Places, place []int32) {
	places := slices.Grow(p.At[:0], len(s.Rows))[:len(s.Rows)]
	ties := slices.Grow(p.tied[:0], len(s.Rows))[:len(s.Rows)]
	n, tied := 0, false // tied with the last row that has a place
	for i, t := range s.Rows {
		tied = tied && s.tied[i]
		if at := place[t]; at >= 0 {
			places[n], ties[n] = at, tied
			n++
			tied = true
		}
	}
	p.At, p.tied = places[:n], ties[:n]
}

// run is the end of the run of equal values that begins at i.
func (p *Places) run(i int) int {
	j := i + 1
	for j < len(p.tied) && p.tied[j] {
		j++
	}
	return j
}

// Rank writes twice the average ranks, which are then whole, into dst, by place: ranks count from 1, and ties
// get the mean of those that they share.
func (p *Places) Rank(dst []int32) {
	for i := 0; i < len(p.At); {
		j := p.run(i)
		for _, at := range p.At[i:j] {
			dst[at] = int32(i + j + 1)
		}
		i = j
	}
}

// RankProducts is Spearman's correlation: Pearson of two columns' average ranks, given twice as Rank writes them. It
// writes z(x)·z(y) of each pair, whose mean that is, into dst. Its sums are whole, and exact up to 250,000 pairs. NaN,
// with dst left alone, for fewer than three pairs or where all are tied.
func RankProducts(dst []float64, x, y []int32) float64 {
	if len(x) < MinPairs {
		return math.NaN()
	}
	centre := int32(len(x) + 1) // twice the mean rank
	y = y[:len(x)]
	var xx, yy, xy float64
	for t, r := range x {
		a, b := float64(r-centre), float64(y[t]-centre)
		xx += float64(a * a)
		yy += float64(b * b)
		xy += float64(a * b)
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	root := math.Sqrt(float64(xx * yy))
	scale := float64(len(x)) / root
	for t, r := range x {
		dst[t] = float64(r-centre) * float64(y[t]-centre) * scale
	}
	return max(-1, min(1, xy/root))
}

// AverageRanks writes the ranks of x, from 1, into dst, ties with the mean of the ranks that they
// share. All values must be defined.
func AverageRanks(dst, x []float64) {
	place := make([]int32, len(x))
	for t := range place {
		place[t] = int32(t)
	}
	var p Places
	Order(x).Select(&p, place)
	twice := make([]int32, len(x))
	p.Rank(twice)
	for t, r := range twice {
		dst[t] = float64(r) / 2
	}
}

// Defined reports whether v is a number: NaN and the infinities count as missing.
func Defined(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }
