package metrics

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Sorted is the ascending order of a column's defined values, ties by row.
type Sorted struct {
	Rows []int32 // row of each
	tied []bool  // equal to its predecessor
}

const (
	digitBits  = 11
	radix      = 1 << digitBits
	sortDigits = 3 // a key keeps 33 bits
	rowBits    = 64 - sortDigits*digitBits
	rowMask    = 1<<rowBits - 1
)

// Sorter sorts columns; its memory serves one after the other.
type Sorter struct {
	keys, other []uint64
	rows        []int32
	tied        []bool
}

// Order sorts the rows at which x is defined (neither NaN nor infinite). It is a stable radix sort on the
// leading 33 bits of the range that the floats' ordered bit patterns span, after which the few runs
// that agree in those are sorted by value: O(n) but for crowded data. It panics on 2³⁰ rows or more.
func Order(x []float64) Sorted {
	rows, tied := new(Sorter).order(x)
	return Sorted{rows, tied}
}

// order is Order in the memory of s.
func (s *Sorter) order(x []float64) (rows []int32, ties []bool) {
	if len(x) > rowMask/2 {
		panic("metrics: Order of too many rows")
	}
	low, high, n := uint64(math.MaxUint64), uint64(0), 0
	for _, v := range x {
		if Defined(v) {
			b := orderedBits(v)
			low, high = min(low, b), max(high, b)
			n++
		}
	}
	if n == 0 {
		return nil, nil
	}
	shift := max(0, bits.Len64(high-low)-sortDigits*digitBits)
	var counts [sortDigits][radix]int32
	s.keys, s.other = slices.Grow(s.keys[:0], n)[:n], slices.Grow(s.other[:0], n)[:n]
	keys, other, at := s.keys, s.other, 0
	for t, v := range x {
		if Defined(v) {
			k := (orderedBits(v)-low)>>shift<<rowBits | uint64(t)
			keys[at] = k
			at++
			counts[0][k>>rowBits&(radix-1)]++
			counts[1][k>>(rowBits+digitBits)&(radix-1)]++
			counts[2][k>>(rowBits+2*digitBits)]++
		}
	}
	for d := range sortDigits {
		c, sum := &counts[d], int32(0)
		if int(c[keys[0]>>(rowBits+d*digitBits)&(radix-1)]) == n {
			continue // all have this digit
		}
		for i, k := range c {
			c[i], sum = sum, sum+k
		}
		for _, k := range keys {
			digit := k >> (rowBits + d*digitBits) & (radix - 1)
			other[c[digit]] = k
			c[digit]++
		}
		keys, other = other, keys
	}
	s.rows, s.tied = slices.Grow(s.rows[:0], n)[:n], slices.Grow(s.tied[:0], n)[:n]
	rows, ties = s.rows, s.tied
	clear(ties)
	for i, k := range keys {
		rows[i] = int32(k & rowMask)
	}
	for i := 0; i < n; {
		j := i + 1
		for j < n && keys[j]>>rowBits == keys[i]>>rowBits {
			j++
		}
		if j-i > 1 && shift > 0 {
			slices.SortStableFunc(rows[i:j], func(a, b int32) int { return cmp.Compare(x[a], x[b]) })
		}
		for k := i + 1; k < j; k++ {
			ties[k] = shift == 0 || x[rows[k]] == x[rows[k-1]]
		}
		i = j
	}
	return rows, ties
}

// orderedBits maps floats to integers of the same order; −0 and 0 are one.
func orderedBits(v float64) uint64 {
	b := math.Float64bits(v + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
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
