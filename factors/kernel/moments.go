package kernel

import "math"

// Var writes the trailing sample variance of x into dst,
//
//	dst[t] = Σ (x[s]-m)² / (n-1),  s = t-window+1 … t,  m the mean and n the number of those x[s],
//
// and NaN where n < 2. Equal values give exactly 0. It takes O(len(x)) time. Merging follows Chan,
// Golub and LeVeque (1983).
func Var(dst, x []float64, window, minPeriods int) { spread(dst, x, window, minPeriods, variance) }

// Std writes the square root of Var into dst.
func Std(dst, x []float64, window, minPeriods int) { spread(dst, x, window, minPeriods, deviation) }

// ZScore writes how many trailing standard deviations x lies from its trailing mean into dst,
//
//	dst[t] = (x[t]-m) / s,  m and s the mean and Std of the window that ends at t,
//
// and NaN where x[t] is missing, where the window has fewer than two values or where s is 0.
// It takes O(len(x)) time.
func ZScore(dst, x []float64, window, minPeriods int) { spread(dst, x, window, minPeriods, score) }

// statistic says what spread makes of a window's moments.
type statistic uint8

const (
	variance statistic = iota
	deviation
	score
)

// moments are the number of values, their sum and mean less a reference, and m2 = Σ (x-m)². The
// reference is one of the values, so that an offset common to all of them costs no digits.
type moments struct{ n, sum, mean, m2 float64 }

// push adds one value, less the reference; inv is 1/(n+1).
func (a moments) push(v, inv float64) moments {
	sum := a.sum + v
	mean := float64(sum * inv)
	return moments{a.n + 1, sum, mean, a.m2 + float64((v-a.mean)*(v-mean))}
}

func spread(dst, x []float64, window, minPeriods int, what statistic) {
	check(len(dst), len(x), window, minPeriods)
	minPeriods = max(minPeriods, 2)
	size := min(window, len(x))
	tail := make([]moments, size+1) // tail[j]: the last block from offset j on
	end := 0.0                      // their reference: the last block's last value
	inv := inverses(size)
	whole := len(x) > 0 && finite(sumFrom(x, 0))
	for lo := 0; lo < len(x); lo += window {
		block := x[lo:min(lo+window, len(x))]
		out := dst[lo:][:len(block)]
		rest := tail[1:][:len(block)]
		if whole && lo > 0 {
			spreadWhole(out, block, rest, end-block[0], inv, what)
		} else {
			spreadBlock(out, block, rest, end, inv, minPeriods, what)
		}
		if len(block) < window {
			return
		}
		var b moments
		for j := len(block) - 1; j >= 0; j-- {
			if v := block[j]; finite(v) {
				if b.n == 0 {
					end = v
				}
				b = b.push(v-end, inv[int(b.n)+1])
			}
			tail[j] = b
		}
	}
}

// spreadBlock is spread of one block. rest are the moments of the block before from the next value on, less end.
func spreadBlock(out, block []float64, rest []moments, end float64, inv []float64, minPeriods int, what statistic) {
	var a moments
	start := 0.0 // a's reference: the block's first value
	for j, v := range block {
		if finite(v) {
			if a.n == 0 {
				start = v
			}
			a = a.push(v-start, inv[int(a.n)+1])
		}
		b := &rest[j]
		n := a.n + b.n
		if n < float64(minPeriods) {
			out[j] = nan
			continue
		}
		d := b.mean - a.mean + (end - start)
		shift := float64(d * float64(b.n*inv[int(n)]))
		y := (a.m2 + b.m2 + float64(float64(d*a.n)*shift)) / (n - 1)
		switch what {
		case deviation:
			y = math.Sqrt(y)
		case score:
			y = ((v - start) - (a.mean + shift)) / math.Sqrt(y)
			if !finite(y) {
				y = nan
			}
		}
		out[j] = y
	}
}

// spreadWhole is spreadBlock of a block but the first, in which and in the one before nothing is missing. apart is
// the difference between the references, end less the block's first value.
func spreadWhole(out, block []float64, rest []moments, apart float64, inv []float64, what statistic) {
	window := len(inv) - 1
	start, share, freedom := block[0], inv[window], float64(window)-1
	var n, sum, mean, m2 float64
	for j, v := range block {
		x := v - start
		n++
		sum += x
		next := float64(sum * inv[j+1])
		m2 += float64((x - mean) * (x - next))
		mean = next
		b := &rest[j]
		d := b.mean - mean + apart
		shift := float64(d * float64(b.n*share))
		y := (m2 + b.m2 + float64(float64(d*n)*shift)) / freedom
		switch what {
		case deviation:
			y = math.Sqrt(y)
		case score:
			y = (x - (mean + shift)) / math.Sqrt(y)
			if !finite(y) {
				y = nan
			}
		}
		out[j] = y
	}
}

// inverses gives 1/n for n = 0 … size, with 0 for 0.
func inverses(size int) []float64 {
	inv := make([]float64, size+1)
	for n := 1; n <= size; n++ {
		inv[n] = 1 / float64(n)
	}
	return inv
}
