package metrics

// BucketStart is the rank, from 0 and ties by time, at which quantile bucket b of k, from 0, begins among n
// values. The value of rank i is then in bucket
//
//	floor(k·i/n)
func BucketStart(b, n, k int) int { return (b*n + k - 1) / k }
