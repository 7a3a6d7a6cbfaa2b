package metrics

import "math"

const (
	digitBits = 11
	digits    = 6 // 6 · 11 ≥ 64
	radix     = 1 << digitBits
)

type sortEntry struct {
	key uint64
	row int32
}

// Order gives the rows at which x is defined (neither NaN nor infinite) in ascending order of x, ties by
// row. It is a stable radix sort on the floats' ordered bit patterns: O(n) whatever the values.
func Order(x []float64) []int32 {
	var counts [digits][radix]int32
	entries := make([]sortEntry, 0, len(x))
	for t, v := range x {
		if !Defined(v) {
			continue
		}
		b := math.Float64bits(v + 0) // −0 ties with 0
		if b>>63 == 1 {
			b = ^b
		} else {
			b |= 1 << 63
		}
		entries = append(entries, sortEntry{b, int32(t)})
		for d := range digits {
			counts[d][b>>(d*digitBits)&(radix-1)]++
		}
	}
	n := len(entries)
	other := make([]sortEntry, n)
	for d := range digits {
		c := &counts[d]
		if n > 0 && int(c[entries[0].key>>(d*digitBits)&(radix-1)]) == n {
			continue // all values share this digit
		}
		sum := int32(0)
		for i, k := range c {
			c[i], sum = sum, sum+k
		}
		for _, e := range entries {
			k := e.key >> (d * digitBits) & (radix - 1)
			other[c[k]] = e
			c[k]++
		}
		entries, other = other, entries
	}
	rows := make([]int32, n)
	for i, e := range entries {
		rows[i] = e.row
	}
	return rows
}

// Ranks writes the average ranks, from 1, of some of x's rows: those with place[t] ≥ 0. The rank of
// row t goes to dst[place[t]]. order is Order(x). Ties get the
// mean of the ranks that they share. It takes O(len(order)) time.
func Ranks(dst, x []float64, order, place []int32) {
	rank := 0 // of the last row that is placed
	var tied []int32
	first := 0 // rank of tied's first row
	flush := func() {
		r := float64(2*first+len(tied)-1) / 2
		for _, p := range tied {
			dst[p] = r
		}
		tied = tied[:0]
	}
	last := math.NaN()
	for _, t := range order {
		p := place[t]
		if p < 0 {
			continue
		}
		rank++
		if v := x[t]; v != last {
			if len(tied) > 1 {
				flush()
			}
			tied = append(tied[:0], p)
			last, first = v, rank
			dst[p] = float64(rank)
			continue
		}
		tied = append(tied, p)
	}
	if len(tied) > 1 {
		flush()
	}
}

// AverageRanks writes the ranks of x, from 1, into dst, ties with the mean of the ranks that they
// share. All values must be defined.
func AverageRanks(dst, x []float64) {
	place := make([]int32, len(x))
	for t := range place {
		place[t] = int32(t)
	}
	Ranks(dst, x, Order(x), place)
}

// Defined reports whether v is a number: NaN and the infinities count as missing.
func Defined(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }
