package metrics

// BucketStart is the rank, from 0, at which quantile bucket b of k, from 0, begins among n values. The value
// of rank i is then in bucket
//
//	floor(k·i/n)
func BucketStart(b, n, k int) int { return (b*n + k - 1) / k }

// BucketWeight says that of each row of a group of equal values the share Weight counts in Bucket.
type BucketWeight struct {
	Group, Bucket int
	Weight        float64 // in (0, 1]; a group's weights add up to 1
}

// BucketWeights cuts values into k = min(q, groups) quantile buckets of equal size. counts are the sizes of the
// groups of equal values, in ascending order of value, all positive. A group takes the ranks [a, a + n) and each of
// its rows counts in bucket b with the weight
//
//	|[a, a + n) ∩ [BucketStart(b), BucketStart(b + 1))| / n
//
// which is what breaking ties at random gives in expectation: rows of a value that only one bucket has weigh 1, and the
// sum of weights of a bucket is its size whatever the ties. With no more values than buckets, each value is a
// bucket. A constant signal has no buckets. The pairs come by group, then bucket, in O(groups + q) time.
func BucketWeights(counts []int, q int) (weights []BucketWeight, k int) {
	groups := len(counts)
	if groups < 2 || q < 1 {
		return nil, 0
	}
	weights = make([]BucketWeight, 0, groups+q)
	if groups <= q {
		for g := range counts {
			weights = append(weights, BucketWeight{g, g, 1})
		}
		return weights, groups
	}
	n := 0
	for _, c := range counts {
		n += c
	}
	low, bucket := 0, 0 // rank of the group's first row, and the bucket of it
	for g, c := range counts {
		high := low + c
		for from := low; from < high; {
			end := BucketStart(bucket+1, n, q)
			if end <= from {
				bucket++
				continue
			}
			to := min(high, end)
			weights = append(weights, BucketWeight{g, bucket, float64(to-from) / float64(c)})
			from = to
		}
		low = high
	}
	return weights, q
}
