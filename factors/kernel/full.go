package kernel

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// PercentRank writes the percentile rank of each value among all of x into dst: the average rank of those that
// equal it, counted from 1, over the number of values; NaN where x is missing. dst may be x. It looks
// ahead. A stable radix sort takes O(n) time, for crowded data O(n log n), and 24 bytes of scratch a
// value. It panics on 2³⁰ rows or more.
func PercentRank(dst, x []float64) {
	if len(dst) != len(x) {
		panic("kernel: dst and input differ in length")
	}
	keys, shift, smallest := rankKeys(x)
	ties := 0 // of the smallest value, which are not among the keys
	for _, v := range x {
		if v == smallest && finite(v) {
			ties++
		}
	}
	n := float64(len(keys) + ties)
	// Every row is written once, after the last look at its value: dst may be x.
	for t, v := range x {
		if !finite(v) {
			dst[t] = nan
		} else if v == smallest {
			dst[t] = float64(ties+1) / (2 * n)
		}
	}
	var values []ranked
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j]>>rowBits == keys[i]>>rowBits {
			j++
		}
		if j == i+1 {
			dst[keys[i]&rowMask] = float64(ties+j) / n
			i = j
			continue
		}
		values = values[:0]
		for _, key := range keys[i:j] {
			values = append(values, ranked{x[key&rowMask], key})
		}
		if shift > 0 {
			sortRanked(values)
		}
		for first := i; i < j; {
			k := i
			for k < j && values[k-first].value == values[i-first].value {
				keys[k] = values[k-first].key
				k++
			}
			pct := float64(2*ties+i+k+1) / (2 * n)
			for _, key := range keys[i:k] {
				dst[key&rowMask] = pct
			}
			i = k
		}
	}
}

// ranked is a value and its key.
type ranked struct {
	value float64
	key   uint64
}

// sortRanked sorts by value; most often there are a few that differ in their last bits.
func sortRanked(v []ranked) {
	if len(v) > 32 {
		slices.SortFunc(v, func(a, b ranked) int { return cmp.Compare(a.value, b.value) })
		return
	}
	for i := 1; i < len(v); i++ {
		x, k := v[i], i
		for ; k > 0 && v[k-1].value > x.value; k-- {
			v[k] = v[k-1]
		}
		v[k] = x
	}
}

const (
	rankDigit = 11
	rankWidth = 1 << rankDigit
	rankKey   = 3 * rankDigit // bits of a key
	rowBits   = 64 - rankKey
	rowMask   = 1<<rowBits - 1
)

// rankKeys sorts the values of x but the smallest: the leading bits of each, from their common range, and its row.
// Values that differ in the trailing shift bits alone stand in no order.
func rankKeys(x []float64) (keys []uint64, shift int, smallest float64) {
	if len(x) > rowMask/2 {
		panic("kernel: ranks of too many rows")
	}
	smallest = math.Inf(1)
	for _, v := range x {
		if finite(v) && v < smallest {
			smallest = v
		}
	}
	// A smallest value apart from the others, as a deviation of 0 is, would take most of the keys' range.
	low, high, n := uint64(math.MaxUint64), uint64(0), 0
	for _, v := range x {
		if finite(v) && v > smallest {
			b := orderedBits(v)
			low, high = min(low, b), max(high, b)
			n++
		}
	}
	if n == 0 {
		return nil, 0, smallest
	}
	shift = max(0, bits.Len64(high-low)-rankKey)
	var counts [3][rankWidth]int32
	keys, other := make([]uint64, 0, n), make([]uint64, n)
	for t, v := range x {
		if finite(v) && v > smallest {
			k := (orderedBits(v)-low)>>shift<<rowBits | uint64(t)
			keys = append(keys, k)
			for d := range counts {
				counts[d][k>>(rowBits+d*rankDigit)&(rankWidth-1)]++
			}
		}
	}
	for d := range counts {
		c, sum := &counts[d], int32(0)
		for i, k := range c {
			c[i], sum = sum, sum+k
		}
		for _, k := range keys {
			digit := k >> (rowBits + d*rankDigit) & (rankWidth - 1)
			other[c[digit]] = k
			c[digit]++
		}
		keys, other = other, keys
	}
	return keys, shift, smallest
}

// orderedBits maps floats to integers of the same order; −0 and 0 are one.
func orderedBits(v float64) uint64 {
	b := math.Float64bits(v + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// SampleQuantiles gives the type 7 quantiles of all values in x at each of q; NaN where there is none. It
// counts values by their leading bits and sorts those alone that a quantile may be among: O(n) time.
func SampleQuantiles(x []float64, q ...float64) []float64 {
	const shift = 44 // 2²⁰ counts
	counts := make([]int32, 1<<(64-shift))
	n := 0
	for _, v := range x {
		if finite(v) {
			counts[orderedBits(v)>>shift]++
			n++
		}
	}
	out := make([]float64, len(q))
	for k, q := range q {
		if out[k] = nan; n > 0 {
			at := float64(n-1) * q
			i := min(int(at), n-1)
			a, b := selected(x, counts, i, min(i+1, n-1), shift)
			out[k] = a + float64((at-float64(i))*(b-a))
		}
	}
	return out
}

// selected gives the i-th and the j-th smallest value, j being i or its successor.
func selected(x []float64, counts []int32, i, j, shift int) (a, b float64) {
	bucket := func(i int) (at uint64, before int) {
		for i-before >= int(counts[at]) {
			before += int(counts[at])
			at++
		}
		return at, before
	}
	first, before := bucket(i)
	last, _ := bucket(j)
	var in []float64
	for _, v := range x {
		if finite(v) {
			if at := orderedBits(v) >> shift; at == first || at == last {
				in = append(in, v)
			}
		}
	}
	slices.Sort(in)
	return in[i-before], in[j-before]
}
