package kernel

import (
	"math"
	"math/bits"
)

// Quantile writes the q-quantile of the trailing window into dst, interpolated linearly (type 7 of
// Hyndman and Fan 1996, the default of numpy and pandas): with the n values in ascending order and
// h = (n-1)·q,
//
//	dst[t] = v[⌊h⌋] + (h-⌊h⌋)·(v[⌊h⌋+1]-v[⌊h⌋]).
//
// The quantile of nothing is NaN. It takes O(len(x)·log window) time and panics if q is outside [0, 1].
func Quantile(dst, x []float64, window, minPeriods int, q float64) {
	NewQuantile(window, minPeriods, q).Next(dst, x)
}

// Median writes the middle value of the trailing window into dst, halfway between the two middle
// ones where their number is even: Quantile at one half.
func Median(dst, x []float64, window, minPeriods int) { NewMedian(window, minPeriods).Next(dst, x) }

// Rank writes the percentile rank of the newest value within its trailing window into dst, in (0, 1],
//
//	dst[t] = ( #{x[s] < x[t]} + (#{x[s] = x[t]}+1)/2 ) / n,  s = t-window+1 … t,
//
// so that ties share their average rank; NaN where x[t] is missing. It is pandas' rolling
// rank(pct=True) and takes O(len(x)·log window) time.
func Rank(dst, x []float64, window, minPeriods int) { NewRank(window, minPeriods).Next(dst, x) }

// NewQuantile is a Rolling of Quantile. It panics if q is outside [0, 1].
func NewQuantile(window, minPeriods int, q float64) Rolling {
	checkWindow(window, minPeriods)
	if !(q >= 0 && q <= 1) {
		panic("kernel: q outside [0, 1]")
	}
	return &history{window: window, f: func(dst, x []float64, from int) { quantiles(dst, x, from, window, max(minPeriods, 1), q) }}
}

// NewMedian is a Rolling of Median.
func NewMedian(window, minPeriods int) Rolling { return NewQuantile(window, minPeriods, 0.5) }

// NewRank is a Rolling of Rank.
func NewRank(window, minPeriods int) Rolling {
	checkWindow(window, minPeriods)
	return &history{window: window, f: func(dst, x []float64, from int) { ranks(dst, x, from, window, minPeriods) }}
}

// history carries the rows before a block that belong to windows that end in it.
type history struct {
	window int
	x      []float64
	f      func(dst, x []float64, from int) // of rows from on
}

func (h *history) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	from := len(h.x)
	h.x = append(h.x, x...)
	h.f(dst, h.x, from)
	if drop := len(h.x) - h.window + 1; drop > 0 {
		h.x = h.x[:copy(h.x, h.x[drop:])]
	}
}

func quantiles(dst, x []float64, from, window, minPeriods int, q float64) {
	o := newOrder(window, len(x))
	for lo := from; lo < len(x); lo += o.chunk {
		hi := min(lo+o.chunk, len(x))
		o.load(x, lo, hi)
		n, below := 0, 0 // values in the window, and those of them before place at
		at := 0
		for t := o.first; t < hi; t++ {
			if old := t - window; old >= o.first {
				if p := o.place[old-o.first]; p >= 0 {
					o.clear(p)
					n--
					if int(p) < at {
						below--
					}
				}
			}
			if p := o.place[t-o.first]; p >= 0 {
				o.set(p)
				n++
				if int(p) < at {
					below++
				}
			}
			if t < lo {
				continue
			}
			if n < minPeriods {
				dst[t-from] = nan
				continue
			}
			h := float64(n-1) * q
			k := int(h)
			for below > k {
				at = o.previous(at)
				below--
			}
			if !o.has(at) {
				at = o.next(at)
			}
			for below < k {
				at = o.next(at + 1)
				below++
			}
			y := o.sorted[at].value()
			if f := h - float64(k); f > 0 {
				y += float64(f * (o.sorted[o.next(at+1)].value() - y))
			}
			dst[t-from] = y
		}
	}
}

func ranks(dst, x []float64, from, window, minPeriods int) {
	o := newOrder(window, len(x))
	o.count = make([]int32, len(o.words)+1)
	o.ties = make([]int32, len(o.place))
	for lo := from; lo < len(x); lo += o.chunk {
		hi := min(lo+o.chunk, len(x))
		o.load(x, lo, hi)
		o.tie()
		n := 0
		for t := o.first; t < hi; t++ {
			if old := t - window; old >= o.first {
				if p := o.place[old-o.first]; p >= 0 {
					o.clear(p)
					o.tally(p, -1)
					n--
				}
			}
			p := o.place[t-o.first]
			if p >= 0 {
				o.set(p)
				o.tally(p, 1)
				n++
			}
			if t < lo {
				continue
			}
			if p < 0 || n < minPeriods {
				dst[t-from] = nan
				continue
			}
			// Of equal values the newest has the highest place.
			less, equal := o.before(p), 1
			if first := o.ties[p]; first < p {
				equal += less
				less = o.before(first)
				equal -= less
			}
			dst[t-from] = (float64(less) + float64(equal+1)/2) / float64(n)
		}
	}
}

// order knows the ascending order of a stretch of the input, so that a sliding window over the
// stretch is a set of places in that order. Sorting a stretch of several windows at once costs each
// value little, and a window's order statistics are then bit scans.
type order struct {
	window, chunk int
	first         int      // the row of place[0]: window-1 rows before the chunk's own
	place         []int32  // place of each row in sorted; -1 where the value is missing
	sorted, spare []keyed  // ascending by key, ties by row
	words         []uint64 // bit p: sorted[p] is in the window
	some          []uint64 // bit i: words[i] is not 0
	// For Rank alone:
	count []int32 // Fenwick tree over the words' numbers of bits
	ties  []int32 // the lowest place that holds the same value
}

// keyed is a value as an integer of the same order, and its row in the stretch.
type keyed struct {
	key uint64
	row int32
}

const signBit = 1 << 63

// key maps floats to integers in ascending order; both zeros are one.
func key(v float64) uint64 {
	b := math.Float64bits(v + 0)
	if b&signBit != 0 {
		return ^b
	}
	return b | signBit
}

func (k keyed) value() float64 {
	if k.key&signBit != 0 {
		return math.Float64frombits(k.key &^ signBit)
	}
	return math.Float64frombits(^k.key)
}

func newOrder(window, n int) *order {
	window = min(window, n) // a longer one never loses a row
	o := &order{window: window, chunk: max(4*window, 4096)}
	size := min(o.chunk+window, n)
	o.place = make([]int32, size)
	o.sorted = make([]keyed, size)
	o.spare = make([]keyed, size)
	o.words = make([]uint64, size/64+1)
	o.some = make([]uint64, len(o.words)/64+1)
	return o
}

// load sorts rows [lo, hi) and the window-1 rows before them, and empties the window.
func (o *order) load(x []float64, lo, hi int) {
	o.first = max(lo-o.window+1, 0)
	clear(o.words)
	clear(o.some)
	clear(o.count)
	o.sorted = o.sorted[:0]
	o.place = o.place[:hi-o.first]
	for j, v := range x[o.first:hi] {
		if finite(v) {
			o.sorted = append(o.sorted, keyed{key(v), int32(j)})
		} else {
			o.place[j] = -1
		}
	}
	o.sort()
	for p, k := range o.sorted {
		o.place[k.row] = int32(p)
	}
}

// sort orders o.sorted by key, byte by byte from the lowest, which keeps the rows of ties in order.
// Bytes that all keys share are passed over.
func (o *order) sort() {
	var counts [8][256]int32
	for _, k := range o.sorted {
		for b := range counts {
			counts[b][byte(k.key>>(8*b))]++
		}
	}
	from, to := o.sorted, o.spare[:len(o.sorted)]
	for b := range counts {
		c, shift := &counts[b], 8*b
		if len(from) == 0 || int(c[byte(from[0].key>>shift)]) == len(from) {
			continue
		}
		start := int32(0)
		for d, n := range c {
			c[d] = start
			start += n
		}
		for _, k := range from {
			d := byte(k.key >> shift)
			to[c[d]] = k
			c[d]++
		}
		from, to = to, from
	}
	o.sorted, o.spare = from, to
}

func (o *order) set(p int32) {
	o.words[p>>6] |= 1 << (p & 63)
	o.some[p>>12] |= 1 << (p >> 6 & 63)
}

func (o *order) clear(p int32) {
	o.words[p>>6] &^= 1 << (p & 63)
	if o.words[p>>6] == 0 {
		o.some[p>>12] &^= 1 << (p >> 6 & 63)
	}
}

func (o *order) has(at int) bool { return o.words[at>>6]>>(at&63)&1 != 0 }

// next is the lowest place of the window at or after at; there must be one.
func (o *order) next(at int) int {
	i := at >> 6
	w := o.words[i] >> (at & 63) << (at & 63)
	if w == 0 {
		i++
		j := i >> 6
		s := o.some[j] >> (i & 63) << (i & 63)
		for s == 0 {
			j++
			s = o.some[j]
		}
		i = j<<6 + bits.TrailingZeros64(s)
		w = o.words[i]
	}
	return i<<6 + bits.TrailingZeros64(w)
}

// previous is the highest place of the window before at; there must be one.
func (o *order) previous(at int) int {
	i := at >> 6
	w := o.words[i] & (1<<(at&63) - 1)
	if w == 0 {
		j := i >> 6
		s := o.some[j] & (1<<(i&63) - 1)
		for s == 0 {
			j--
			s = o.some[j]
		}
		i = j<<6 + 63 - bits.LeadingZeros64(s)
		w = o.words[i]
	}
	return i<<6 + 63 - bits.LeadingZeros64(w)
}

// tie fills ties.
func (o *order) tie() {
	first := 0
	for p, k := range o.sorted {
		if k.key != o.sorted[first].key {
			first = p
		}
		o.ties[p] = int32(first)
	}
}

// tally adds d to the count of p's word.
func (o *order) tally(p, d int32) {
	for i := int(p>>6) + 1; i < len(o.count); i += i & -i {
		o.count[i] += d
	}
}

// before is the number of the window's places below p.
func (o *order) before(p int32) int {
	n := bits.OnesCount64(o.words[p>>6] & (1<<(p&63) - 1))
	for i := int(p >> 6); i > 0; i &= i - 1 {
		n += int(o.count[i])
	}
	return n
}
