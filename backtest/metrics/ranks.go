package metrics

import (
	"math/bits"
	"slices"

	"github.com/qf-dev/qf/factors/kernel/radix"
)

// Bits is a set of rows.
type Bits []uint64

// Count is the number of rows.
func (b Bits) Count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Ranks are a column's, in a form from which those among some of its rows follow without sorting again (Thinned).
type Ranks struct {
	N, Distinct int  // defined values, and those of them that differ
	Defined     Bits // the rows of N
	Tied        bool // N > Distinct
}

// Sorter ranks columns; its memory serves one after the other.
type Sorter struct{ radix radix.Sorter }

// Rank writes, by row of x, how many values are smaller into start, and how many are not larger into end, both −1 where x is
// missing. The average rank of a row, counted from 1, is (start + end + 1)/2. Both have x's length.
func (s *Sorter) Rank(start, end []int32, x []float64) Ranks {
	r := Ranks{Defined: make(Bits, (len(x)+63)/64)}
	for t, v := range x {
		if Defined(v) {
			r.Defined[t>>6] |= 1 << (t & 63)
			r.N++
		} else {
			start[t], end[t] = -1, -1
		}
	}
	s.radix.Sort(x, 1, func(p *radix.Part, before int) {
		for i := 0; i < p.Len(); {
			from, j := int32(before+i), p.Run(i)
			r.Distinct++
			for ; i < j; i++ {
				t := p.Row(i)
				start[t], end[t] = from, int32(before+j)
			}
		}
	})
	r.Tied = r.Distinct < r.N
	return r
}

// Thinned turns the ranks of a column into those among the rows that are left when some are dropped. Its memory serves one
// column after the other.
type Thinned struct {
	Distinct int // values that differ among the rows left

	words   []thinWord
	dropped int
	taken   []int32 // by start: rows of it that were dropped
	firsts  [][2]int32
}

// thinWord is 64 places in ascending order.
type thinWord struct {
	bits  uint64 // those that are dropped
	below int32  // dropped before them
}

// Begin prepares for a column.
func (t *Thinned) Begin(r Ranks) {
	n := r.N/64 + 1
	t.words = slices.Grow(t.words[:0], n)[:n]
	clear(t.words)
	t.firsts, t.dropped, t.Distinct = t.firsts[:0], 0, r.Distinct
	if r.Tied {
		t.taken = slices.Grow(t.taken[:0], r.N)[:r.N]
		clear(t.taken)
	}
}

// Drop leaves out a row that has these ranks.
func (t *Thinned) Drop(start, end int32) {
	at := start
	if end > start+1 {
		if at += t.taken[start]; at == start {
			t.firsts = append(t.firsts, [2]int32{start, end})
		}
		t.taken[start]++
	} else {
		t.Distinct--
	}
	t.words[at>>6].bits |= 1 << (at & 63)
	t.dropped++
}

// Close ends dropping.
func (t *Thinned) Close() {
	below := int32(0)
	for k := range t.words {
		t.words[k].below = below
		below += int32(bits.OnesCount64(t.words[k].bits))
	}
	for _, g := range t.firsts {
		if t.taken[g[0]] == g[1]-g[0] {
			t.Distinct--
		}
	}
}

// Of writes what is left of ranks, starts or ends alike, of the rows of a set, closed up.
func (t *Thinned) Of(dst, rank []int32, rows Bits) []int32 {
	dst = slices.Grow(dst[:0], len(rank))
	for k, w := range rows {
		part := rank[64*k : min(64*k+64, len(rank))]
		switch {
		case w == 0:
		case w == ^uint64(0) && t.dropped == 0:
			dst = append(dst, part...)
		case w == ^uint64(0):
			n := len(dst)
			dst = dst[:n+64]
			out := dst[n:]
			for j, r := range part {
				x := &t.words[r>>6]
				out[j] = r - x.below - int32(bits.OnesCount64(x.bits&(1<<(r&63)-1)))
			}
		default:
			for ; w != 0; w &= w - 1 {
				r := part[bits.TrailingZeros64(w)]
				x := &t.words[r>>6]
				dst = append(dst, r-x.below-int32(bits.OnesCount64(x.bits&(1<<(r&63)-1))))
			}
		}
	}
	return dst
}

// AverageRanks writes the ranks of x, from 1, into dst, ties with the mean of the ranks that they
// share. All values must be defined.
func AverageRanks(dst, x []float64) {
	start, end := make([]int32, len(x)), make([]int32, len(x))
	new(Sorter).Rank(start, end, x)
	for t, s := range start {
		dst[t] = float64(s+end[t]+1) / 2
	}
}
