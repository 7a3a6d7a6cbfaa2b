// Package radix sorts columns of numbers by their rows.
//
//  1. A value's key is its distance from the smallest, as a whole number of up to 50 bits, a bit that is free, and its row.
//  2. Keys are dealt out into parts by their first bits, straight from the column.
//  3. Each part is dealt out again by the next bits in which its keys differ, as many as it takes for a few keys a cell, and
//     so are cells that hold many. What few keys remain is inserted into place.
//  4. Values that share a key and differ, as beside others that are far away, get keys of their own by their own distances.
//     The free bit of those that equal the one before is set.
//
// That takes O(n) time but for values over hundreds of orders of magnitude, and 8 bytes a value, 16 where one part holds
// most of them.
package radix

import (
	"cmp"
	"iter"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	digit = 11
	radix = 1 << digit

	// few is the number of keys that are inserted into place faster than they are dealt out.
	few = 20

	// keyLimit bounds the bits of a key, so that a product with the scale is off by less than 1.
	keyLimit = 50

	// samples is about the number of values that show whether a column is crowded.
	samples = 500
)

// Sorter sorts columns; its memory serves one after the other.
type Sorter struct {
	keys   []uint64
	pads   []*pad // by worker
	starts [radix + 1]int
}

// Part is rows of a column in ascending order of value, ties by row.
type Part struct {
	x       []float64
	keys    []uint64
	rowBits int
}

// Len is the number of rows.
func (p *Part) Len() int { return len(p.keys) }

// Row is the i-th.
func (p *Part) Row(i int) int { return int(p.keys[i] & (1<<(p.rowBits&63) - 1)) }

// sampled are some of its values.
func (p *Part) sampled(yield func(float64) bool) {
	for i := 0; i < p.Len(); i += 1 + p.Len()/samples {
		if !yield(p.x[p.Row(i)]) {
			return
		}
	}
}

// Run is the end of the run of equal values that begins with the i-th.
func (p *Part) Run(i int) int {
	for i++; i < len(p.keys) && p.keys[i]>>(p.rowBits&63)&1 != 0; i++ {
	}
	return i
}

// same reports whether the i-th key is that of the one before, but for the row.
func (p *Part) same(i int) bool { return (p.keys[i]^p.keys[i-1])>>(p.rowBits&63) == 0 }

// Sort calls each for parts of the rows of x whose value is finite, and says how many of them stand before the part. Equal values stand in one part. Parts come in any order, side by side on up to so many workers; each
// may change x at its own part's rows.
func (s *Sorter) Sort(x []float64, workers int, each func(p *Part, before int)) {
	low, high, n := math.Inf(1), math.Inf(-1), 0
	for _, v := range x {
		if v-v == 0 {
			if v < low {
				low = v
			}
			if v > high {
				high = v
			}
			n++
		}
	}
	if n == 0 {
		return
	}
	rowBits := max(bits.Len(uint(len(x)-1)), 1)
	keyBits := min(63-rowBits, keyLimit)
	first := min(bits.Len(uint(n/64)), digit) // parts of 64 rows and more
	s.deal(x, newKeying(low, high, keyBits, sampled(x)), n, rowBits, keyBits-first)
	var next atomic.Int64
	work := func(m *pad) {
		for d := int(next.Add(1)) - 1; d < 1<<first; d = int(next.Add(1)) - 1 {
			if lo, hi := s.starts[d], s.starts[d+1]; lo < hi {
				p := &Part{x, s.keys[lo:hi], rowBits}
				m.sort(p, keyBits)
				each(p, lo)
			}
		}
	}
	var wg sync.WaitGroup
	for len(s.pads) < workers {
		s.pads = append(s.pads, new(pad))
	}
	for _, m := range s.pads[1:workers] {
		wg.Go(func() { work(m) })
	}
	work(s.pads[0])
	wg.Wait()
}

// keying turns values into keys that never fall as values grow: floor((v − low)·scale), both halved where their distance
// would be infinite; or, of values that lie crowded beside others that are far away, their leading bits.
type keying struct {
	half, low, scale float64

	crowded bool
	least   uint64
	shift   int
}

func newKeying(low, high float64, keyBits int, sample iter.Seq[float64]) keying {
	k := keying{half: 1, low: low}
	if math.IsInf(high-low, 0) {
		k.half, k.low, high = 0.5, low/2, high/2
	}
	if high == k.low {
		return k
	}
	k.scale = min(float64(uint64(1)<<keyBits-1)/(high-k.low), math.MaxFloat64)
	var cells [256]int
	n, most := 0, 0
	for v := range sample {
		c := &cells[k.of(v)>>(keyBits-8)]
		*c++
		n++
		most = max(most, *c)
	}
	if 4*most > n {
		k.crowded, k.least = true, ordered(low)
		k.shift = max(bits.Len64(ordered(high/k.half)-k.least)-keyBits, 0)
	}
	return k
}

func (k *keying) of(v float64) uint64 {
	if k.crowded {
		return (ordered(v) - k.least) >> (k.shift & 63)
	}
	return uint64(int64((float64(v*k.half) - k.low) * k.scale))
}

// ordered maps floats to integers of the same order; −0 and 0 are one.
func ordered(v float64) uint64 {
	b := math.Float64bits(v + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// sampled are some of the finite values.
func sampled(x []float64) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for t := 0; t < len(x); t += 1 + len(x)/samples {
			if v := x[t]; v-v == 0 && !yield(v) {
				return
			}
		}
	}
}

// deal makes the keys, in parts by what stands before their last so many bits.
func (s *Sorter) deal(x []float64, key keying, n, rowBits, last int) {
	s.starts = [radix + 1]int{}
	for _, v := range x {
		if v-v == 0 {
			s.starts[(key.of(v)>>(last&63)&(radix-1))+1]++
		}
	}
	for d := range radix {
		s.starts[d+1] += s.starts[d]
	}
	at := s.starts
	s.keys = slices.Grow(s.keys[:0], n)[:n]
	for t, v := range x {
		if v-v == 0 {
			k := key.of(v)
			d := k >> (last & 63) & (radix - 1)
			s.keys[at[d]] = k<<((rowBits+1)&63) | uint64(t)
			at[d]++
		}
	}
}

// pad is the memory of sorting one part at a time.
type pad struct {
	spare  []uint64
	counts [][]int32 // by depth
}

// sort orders the keys of a part, which stand in order of rows.
func (m *pad) sort(p *Part, keyBits int) {
	m.spread(p.keys, p.rowBits+1, 0)
	for i := 1; i < len(p.keys); i++ {
		if !p.same(i) {
			continue
		}
		j := i + 1
		for j < len(p.keys) && p.same(j) {
			j++
		}
		m.sortValues(&Part{p.x, p.keys[i-1 : j], p.rowBits}, keyBits)
		i = j
	}
}

// spread orders keys, those that agree but for the row as they stand.
func (m *pad) spread(keys []uint64, rowBits, depth int) {
	if len(keys) <= few {
		insert(keys)
		return
	}
	differ := uint64(0)
	for _, k := range keys {
		differ |= k ^ keys[0]
	}
	top := bits.Len64(differ >> (rowBits & 63))
	if top == 0 {
		return
	}
	width := min(bits.Len(uint(len(keys)))+1, digit, top)
	shift := (rowBits + top - width) & 63
	if depth == len(m.counts) {
		m.counts = append(m.counts, make([]int32, radix))
	}
	mask := uint64(1)<<width - 1
	counts := m.counts[depth][:mask+1]
	clear(counts)
	for _, k := range keys {
		counts[k>>shift&mask]++
	}
	sum, most := int32(0), int32(0)
	for d, n := range counts {
		counts[d] = sum
		sum += n
		most = max(most, n)
	}
	m.spare = slices.Grow(m.spare[:0], len(keys))[:len(keys)]
	out := m.spare
	for _, k := range keys {
		d := k >> shift & mask
		out[counts[d]] = k
		counts[d]++
	}
	copy(keys, out)
	if most <= few {
		insert(keys)
		return
	}
	from := int32(0)
	for _, to := range counts { // each is now where its cell ends
		if to-from > 1 {
			m.spread(keys[from:to], rowBits, depth+1)
		}
		from = to
	}
}

// insert orders keys of which each is near its place.
func insert(keys []uint64) {
	for i := 1; i < len(keys); i++ {
		k, j := keys[i], i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
	}
}

// sortValues orders rows whose keys agree by value, those of many by keys of their own.
func (m *pad) sortValues(p *Part, keyBits int) {
	v := p.x[p.Row(0)]
	low, high, sorted, free := v, v, true, uint64(1)<<p.rowBits
	for i := range p.keys[1:] {
		last := v
		if v = p.x[p.Row(i+1)]; v == last {
			p.keys[i+1] |= free
			continue
		}
		sorted = sorted && v > last
		low, high = min(low, v), max(high, v)
	}
	if sorted {
		return
	}
	rows := free - 1
	if key := newKeying(low, high, keyBits, p.sampled); len(p.keys) > few && key.of(high) > 0 {
		for i, k := range p.keys {
			p.keys[i] = key.of(p.x[k&rows])<<(p.rowBits+1) | k&rows
		}
		m.sort(p, keyBits)
		return
	}
	slices.SortStableFunc(p.keys, func(a, b uint64) int { return cmp.Compare(p.x[a&rows], p.x[b&rows]) })
	for i, k := range p.keys {
		if p.keys[i] = k &^ free; i > 0 && p.x[k&rows] == p.x[p.keys[i-1]&rows] {
			p.keys[i] |= free
		}
	}
}
