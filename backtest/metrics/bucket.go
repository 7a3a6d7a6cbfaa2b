package metrics

// Bucket is the quantile bucket, from 1, of the value with the given rank (from 0, ties by time) among n:
//
//	floor(k·rank/n) + 1
func Bucket(rank, n, k int) int { return k*rank/n + 1 }
