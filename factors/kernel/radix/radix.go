// Package radix sorts columns of numbers by their rows.
//
//  1. A value's key is the leading bits of it, from the common range of all, and its row.
//  2. Keys of many rows are dealt out into parts by their first bits, straight from the column.
//  3. Each part is sorted by the next bits, 11 at a time, in scratch of its own size; then the few keys that agree so far by
//     what is left, and last by value.
//
// That takes O(n) time but for crowded data, and 8 bytes a value, 16 below 30,000 rows or where one part holds most of them.
package radix

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	digit = 11
	radix = 1 << digit
)

// Sorter sorts columns; its memory serves one after the other.
type Sorter struct {
	keys   []uint64
	spare  sync.Pool // of *[]uint64
	starts [radix + 1]int
}

// Part is rows of a column in ascending order of value, ties by row.
type Part struct {
	x       []float64
	keys    []uint64
	rowBits int
	exact   bool // keys hold the whole of each value
}

// Len is the number of rows.
func (p *Part) Len() int { return len(p.keys) }

// Row is the i-th.
func (p *Part) Row(i int) int { return int(p.keys[i] & (1<<p.rowBits - 1)) }

// Run is the end of the run of equal values that begins with the i-th.
func (p *Part) Run(i int) int {
	keys, rowBits := p.keys, p.rowBits&63
	j := i + 1
	for j < len(keys) && keys[j]>>rowBits == keys[i]>>rowBits {
		j++
	}
	if j == i+1 || p.exact {
		return j
	}
	v, end := p.x[p.Row(i)], i+1
	for end < j && p.x[p.Row(end)] == v {
		end++
	}
	return end
}

// Sort calls each for parts of the rows of x whose value is a number above floor, and says how many of them stand before
// the part. Equal values stand in one part. Parts come in any order, side by side on up to so many workers; each
// may change x at its own part's rows.
func (s *Sorter) Sort(x []float64, floor float64, workers int, each func(p *Part, before int)) {
	low, high, n := uint64(math.MaxUint64), uint64(0), 0
	for _, v := range x {
		if v > floor && v <= math.MaxFloat64 {
			b := ordered(v)
			low, high = min(low, b), max(high, b)
			n++
		}
	}
	if n == 0 {
		return
	}
	rowBits := max(bits.Len(uint(len(x)-1)), 1)
	keyBits := min(63-rowBits, max(bits.Len64(high-low), 1))
	shift := bits.Len64(high-low) - keyBits
	// Parts of 16,000 rows and more: to set up the counts of a digit takes as long as some thousand rows.
	first := min(max(bits.Len(uint(n>>14))-1, 0), digit, keyBits)
	s.deal(x, floor, low, max(shift, 0), n, rowBits, keyBits-first)
	var next atomic.Int64
	work := func() {
		for d := int(next.Add(1)) - 1; d < 1<<first; d = int(next.Add(1)) - 1 {
			if lo, hi := s.starts[d], s.starts[d+1]; lo < hi {
				p := &Part{x, s.keys[lo:hi], rowBits, shift <= 0}
				s.sort(p, keyBits-first)
				each(p, lo)
			}
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// deal makes the keys, in parts by what stands before their last so many bits.
func (s *Sorter) deal(x []float64, floor float64, low uint64, shift, n, rowBits, last int) {
	s.starts = [radix + 1]int{}
	for _, v := range x {
		if v > floor && v <= math.MaxFloat64 {
			s.starts[(ordered(v)-low)>>(shift&63)>>(last&63)+1]++
		}
	}
	for d := range radix {
		s.starts[d+1] += s.starts[d]
	}
	at := s.starts
	s.keys = slices.Grow(s.keys[:0], n)[:n]
	for t, v := range x {
		if v > floor && v <= math.MaxFloat64 {
			k := (ordered(v) - low) >> (shift & 63)
			d := k >> (last & 63)
			s.keys[at[d]] = k<<(rowBits&63) | uint64(t)
			at[d]++
		}
	}
}

// sort orders the keys of a part, which differ in so many bits before the row and stand in order of rows.
func (s *Sorter) sort(p *Part, differ int) {
	digits := 3
	if len(s.keys) > len(p.keys) { // the first bits have done much
		digits = 2
	}
	digits = min(digits, (differ+digit-1)/digit)
	done := p.rowBits + differ - digits*digit // the lowest bit sorted by
	if done = max(done, p.rowBits); len(p.keys) < 64 {
		done = 63 // all agree: none has 64 bits
	} else {
		s.sortDigits(p.keys, done, digits)
	}
	for i := 0; i < len(p.keys); {
		j := i + 1
		for j < len(p.keys) && p.keys[j]>>(done&63) == p.keys[i]>>(done&63) {
			j++
		}
		if j > i+1 && done > p.rowBits {
			sortKeys(p.keys[i:j])
		}
		if j > i+1 && !p.exact {
			p.sortValues(p.keys[i:j])
		}
		i = j
	}
}

func (s *Sorter) sortDigits(keys []uint64, from, digits int) {
	spare, ok := s.spare.Get().(*[]uint64)
	if !ok {
		spare = new([]uint64)
	}
	*spare = slices.Grow((*spare)[:0], len(keys))[:len(keys)]
	var counts [3][radix]int32
	for _, k := range keys {
		k >>= from & 63
		counts[0][k&(radix-1)]++
		counts[1][k>>digit&(radix-1)]++
		if digits > 2 {
			counts[2][k>>(2*digit)&(radix-1)]++
		}
	}
	in, out := keys, *spare
	for d := range digits {
		at, by := &counts[d], from+d*digit
		if int(at[in[0]>>by&(radix-1)]) == len(keys) {
			continue // all have this digit
		}
		sum := int32(0)
		for i, n := range at {
			at[i], sum = sum, sum+n
		}
		for _, k := range in {
			i := k >> (by & 63) & (radix - 1)
			out[at[i]] = k
			at[i]++
		}
		in, out = out, in
	}
	if &in[0] != &keys[0] {
		copy(keys, in)
	}
	s.spare.Put(spare)
}

// sortKeys orders keys, most often a few.
func sortKeys(keys []uint64) {
	if len(keys) > 32 {
		slices.Sort(keys)
		return
	}
	for i := 1; i < len(keys); i++ {
		k, j := keys[i], i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
	}
}

// sortValues orders runs of keys that agree but for the row by value.
func (p *Part) sortValues(keys []uint64) {
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j]>>p.rowBits == keys[i]>>p.rowBits {
			j++
		}
		if j > i+1 {
			rows := uint64(1)<<p.rowBits - 1
			slices.SortStableFunc(keys[i:j], func(a, b uint64) int { return cmp.Compare(p.x[a&rows], p.x[b&rows]) })
		}
		i = j
	}
}

// ordered maps floats to integers of the same order; −0 and 0 are one.
func ordered(v float64) uint64 {
	b := math.Float64bits(v + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}
