package kernel

import (
	"math"
	"math/bits"
)

// order keeps the values of a window in ascending order, in leaves of up to leafSize. A row costs two searches, of the
// leaf and in it, and the moves of half a leaf: O(log window) where leaves are few.
type order struct {
	window int
	past   []float64 // the window's rows; once full, the oldest stands at place at
	at     int
	n      int // values
	leaves [][]uint64
	lows   []uint64 // the smallest key of each leaf
	counts []int32  // Fenwick tree of the leaves' numbers of keys
	spare  [][]uint64
}

const leafSize = 256

// next takes a row and gives the place of its key, which is NaN's to ignore.
func (o *order) next(v float64) (p, i int) {
	old := nan
	if len(o.past) < o.window {
		o.past = append(o.past, v)
	} else {
		old = o.past[o.at]
		o.past[o.at] = v
		if o.at++; o.at == o.window {
			o.at = 0
		}
	}
	switch {
	case finite(old) && finite(v):
		return o.replace(key(old), key(v))
	case finite(old):
		o.remove(o.find(key(old)))
	case finite(v):
		return o.insert(key(v))
	}
	return 0, 0
}

// find is the leaf in which k belongs, and how many of its keys are at most k.
func (o *order) find(k uint64) (p, i int) {
	if len(o.lows) > 1 {
		p = max(upper(o.lows, k)-1, 0)
	}
	return p, upper(o.leaves[p], k)
}

// upper is the number of keys in ascending order that are at most k. Its steps are no branches, which would be guessed
// wrong half of the time.
func upper(keys []uint64, k uint64) int {
	base := uint(0)
	for n := uint(len(keys)); n > 0; {
		half := (n + 1) >> 1
		_, above := bits.Sub64(k, keys[base+half-1], 0)
		base += half & uint(above-1)
		n -= half
	}
	return int(base)
}

func (o *order) insert(k uint64) (p, i int) {
	if o.n++; o.n == 1 {
		o.leaves, o.lows = append(o.leaves[:0], append(o.leaf(), k)), append(o.lows[:0], k)
		o.recount()
		return 0, 0
	}
	p, i = o.find(k)
	leaf := o.leaves[p]
	leaf = leaf[:len(leaf)+1]
	copy(leaf[i+1:], leaf[i:])
	leaf[i] = k
	o.leaves[p], o.lows[p] = leaf, leaf[0]
	if len(leaf) < leafSize {
		o.count(p, 1)
		return p, i
	}
	// A full leaf becomes two.
	half := append(o.leaf(), leaf[leafSize/2:]...)
	o.leaves[p] = leaf[:leafSize/2]
	o.leaves = append(o.leaves, nil)
	copy(o.leaves[p+2:], o.leaves[p+1:])
	o.leaves[p+1] = half
	o.lows = append(o.lows, 0)
	copy(o.lows[p+2:], o.lows[p+1:])
	o.lows[p+1] = half[0]
	o.recount()
	if i >= leafSize/2 {
		return p + 1, i - leafSize/2
	}
	return p, i
}

// remove takes away the i-th key of leaf p, from 1.
func (o *order) remove(p, i int) {
	o.n--
	leaf := o.leaves[p]
	copy(leaf[i-1:], leaf[i:])
	leaf = leaf[:len(leaf)-1]
	o.leaves[p] = leaf
	if len(leaf) > 0 {
		o.lows[p] = leaf[0]
	}
	// A leaf that is nearly empty is joined to the next.
	if q := p + 1; q < len(o.leaves) && len(leaf)+len(o.leaves[q]) <= leafSize/2 {
		o.leaves[p] = append(leaf, o.leaves[q]...)
		o.lows[p] = o.leaves[p][0]
		p = q
	} else if len(leaf) > 0 {
		o.count(p, -1)
		return
	}
	o.spare = append(o.spare, o.leaves[p][:0])
	o.leaves = append(o.leaves[:p], o.leaves[p+1:]...)
	o.lows = append(o.lows[:p], o.lows[p+1:]...)
	o.recount()
}

// replace removes a key and inserts another.
func (o *order) replace(old, k uint64) (p, i int) {
	p, i = o.find(old)
	leaf := o.leaves[p]
	if k < leaf[0] && p > 0 || p+1 < len(o.lows) && k >= o.lows[p+1] {
		o.remove(p, i)
		return o.insert(k)
	}
	i--
	j := upper(leaf, k)
	if j > i {
		j--
		copy(leaf[i:j], leaf[i+1:])
	} else {
		copy(leaf[j+1:i+1], leaf[j:])
	}
	leaf[j] = k
	o.lows[p] = leaf[0]
	return p, j
}

// leaf is an empty one.
func (o *order) leaf() []uint64 {
	if n := len(o.spare); n > 0 {
		leaf := o.spare[n-1]
		o.spare = o.spare[:n-1]
		return leaf
	}
	return make([]uint64, 0, leafSize)
}

// recount fills counts.
func (o *order) recount() {
	o.counts = append(o.counts[:0], 0)
	for p, leaf := range o.leaves {
		o.counts = append(o.counts, int32(len(leaf)))
		for step := 1; step < (p+1)&-(p+1); step *= 2 {
			o.counts[p+1] += o.counts[p+1-step]
		}
	}
}

func (o *order) count(p int, by int32) {
	for p++; p < len(o.counts); p += p & -p {
		o.counts[p] += by
	}
}

// before is the number of keys in the leaves before p.
func (o *order) before(p int) int {
	n := int32(0)
	for ; p > 0; p &= p - 1 {
		n += o.counts[p]
	}
	return int(n)
}

// at gives the leaf and the place in it of the k-th smallest key, from 0.
func (o *order) place(k int) (p, i int) {
	left := int32(k)
	for step := 1 << (bits.Len(uint(len(o.counts)-1)) - 1); step > 0; step /= 2 {
		if p+step < len(o.counts) && o.counts[p+step] <= left {
			p += step
			left -= o.counts[p]
		}
	}
	return p, int(left)
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

// valueOf is the inverse of key.
func valueOf(k uint64) float64 {
	if k&signBit != 0 {
		return math.Float64frombits(k &^ signBit)
	}
	return math.Float64frombits(^k)
}
