package metrics

// Groups numbers the distinct values of a column in ascending order: of[t] is the number of x[t]'s, from 0, or −1 where x is
// missing. sizes says how many rows have each; nil where no two share one, and then numbers are ranks. of has x's length.
// It takes O(n) time but for crowded data.
func (s *Sorter) Groups(of []int32, x []float64) (groups int, sizes []int32) {
	rows, tied := s.order(x)
	for t := range of[:len(x)] {
		of[t] = -1
	}
	g, any := int32(-1), false
	for i, t := range rows {
		if !tied[i] {
			g++
		} else {
			any = true
		}
		of[t] = g
	}
	if groups = int(g) + 1; any {
		sizes = make([]int32, groups)
		g = -1
		for i := range rows {
			if !tied[i] {
				g++
			}
			sizes[g]++
		}
	}
	return groups, sizes
}

// TwiceRanks writes twice the average rank, from 1, of each group into dst, given how many values each has, none of some;
// it gives the number of values. dst may be counts.
func TwiceRanks(dst, counts []int32) (n int) {
	below := int32(0)
	for g, c := range counts {
		dst[g] = 2*below + c + 1
		below += c
	}
	return int(below)
}

// Distinct is how many groups have rows.
func Distinct(counts []int32) (n int) {
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}

// Slots are where the rows of groups of equal values are gathered for quantile buckets: those of bucket b in slot b, and from
// slot K on each group that several of the K buckets share, in a slot of its own.
type Slots struct {
	K     int            // buckets; 0 for a constant
	Of    []uint8        // by group
	Sizes []float64      // of buckets
	Share []BucketWeight // what the rows of slot K + Group count in Bucket
}

// Cut cuts groups, none of some, into k ≤ 100 buckets as BucketWeights does: by ranks, of which a group may span several buckets
// in shares, but where there are just k values, each is a bucket. The memory of s is used again.
func (s *Slots) Cut(counts []int32, k int) {
	n, groups := 0, Distinct(counts)
	for _, c := range counts {
		n += int(c)
	}
	s.Of = append(s.Of[:0], make([]uint8, len(counts))...)
	s.Sizes, s.Share, s.K = s.Sizes[:0], s.Share[:0], 0
	if groups < 2 || k < 1 {
		return
	}
	s.K = k
	if groups == k {
		for g, c := range counts {
			if c > 0 {
				s.Of[g] = uint8(len(s.Sizes))
				s.Sizes = append(s.Sizes, float64(c))
			}
		}
		return
	}
	for b := range k {
		s.Sizes = append(s.Sizes, float64(BucketStart(b+1, n, k)-BucketStart(b, n, k)))
	}
	low, bucket, end, shared := 0, 0, BucketStart(1, n, k), 0
	for g, c := range counts {
		if c == 0 {
			continue
		}
		for end <= low {
			bucket++
			end = BucketStart(bucket+1, n, k)
		}
		high := low + int(c)
		if s.Of[g] = uint8(bucket); high <= end {
			low = high
			continue
		}
		s.Of[g] = uint8(k + shared)
		for low < high {
			to := min(high, end)
			if to > low {
				s.Share = append(s.Share, BucketWeight{shared, bucket, float64(to-low) / float64(c)})
			}
			if low = to; low < high {
				bucket++
				end = BucketStart(bucket+1, n, k)
			}
		}
		shared++
	}
}
