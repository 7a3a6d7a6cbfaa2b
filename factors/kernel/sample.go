package kernel

import "math"

// sampleBlock is the number of rows whose moments are taken together before they are merged.
const sampleBlock = 4096

// Sample is MeanStd of a column that comes in pieces. The rows are cut into blocks counted from the
// first one, and the moments of the blocks are merged in order, so that the result depends on the
// values alone, to the bit, and not on the pieces. The zero Sample is empty.
type Sample struct {
	blocks []blockMoments
	rest   []float64 // the block in progress
}

// Add takes the next rows; NaN and ±Inf are missing.
func (s *Sample) Add(x []float64) {
	for len(x) > 0 {
		if len(s.rest) == 0 && len(x) >= sampleBlock {
			s.blocks = append(s.blocks, momentsOf(x[:sampleBlock]))
			x = x[sampleBlock:]
			continue
		}
		if s.rest == nil {
			s.rest = make([]float64, 0, sampleBlock)
		}
		n := min(sampleBlock-len(s.rest), len(x))
		s.rest = append(s.rest, x[:n]...)
		x = x[n:]
		if len(s.rest) == sampleBlock {
			s.blocks = append(s.blocks, momentsOf(s.rest))
			s.rest = s.rest[:0]
		}
	}
}

// Append adds the rows of another sample after those of s, which must be whole blocks.
func (s *Sample) Append(next *Sample) {
	if len(s.rest) > 0 {
		panic("kernel: Append after an unfinished block")
	}
	s.blocks = append(s.blocks, next.blocks...)
	s.rest = append(s.rest, next.rest...)
}

// Reset empties the sample and keeps its memory.
func (s *Sample) Reset() { s.blocks, s.rest = s.blocks[:0], s.rest[:0] }

// MeanStd gives the mean and the sample standard deviation of the rows so far, as MeanStd does.
func (s *Sample) MeanStd(minPeriods int) (mean, std float64) {
	var m blockMoments
	for _, b := range s.blocks {
		m = m.merge(b)
	}
	return m.merge(momentsOf(s.rest)).meanStd(minPeriods)
}

// blockMoments are the number of values, their mean less ref, which is one of the values, and
// m2 = Σ (x-mean)². An offset common to all values costs no digits.
type blockMoments struct{ n, ref, mean, m2 float64 }

// momentsOf takes two passes over a block, the second of which mends the rounding of the first.
func momentsOf(x []float64) blockMoments {
	ref, ok := firstFinite(x)
	if !ok {
		return blockMoments{}
	}
	n := float64(len(x))
	sum := sumFrom(x, ref)
	if !finite(sum) {
		n, sum = sumOfFinite(x, ref)
	}
	mean := sum / n
	d, dd := squaresFrom(x, ref, mean)
	if !finite(dd) {
		d, dd = squaresOfFinite(x, ref, mean)
	}
	return blockMoments{n, ref, mean, max(0, dd-float64(d*d)/n)}
}

func firstFinite(x []float64) (float64, bool) {
	for _, v := range x {
		if finite(v) {
			return v, true
		}
	}
	return 0, false
}

// sumFrom is Σ (x-ref), not finite where one of x is not.
func sumFrom(x []float64, ref float64) float64 {
	var a, b, c, d float64 // four chains of additions run side by side
	t := 0
	for ; t+4 <= len(x); t += 4 {
		a += x[t] - ref
		b += x[t+1] - ref
		c += x[t+2] - ref
		d += x[t+3] - ref
	}
	for ; t < len(x); t++ {
		a += x[t] - ref
	}
	return (a + b) + (c + d)
}

func sumOfFinite(x []float64, ref float64) (n, sum float64) {
	for _, v := range x {
		if finite(v) {
			n++
			sum += v - ref
		}
	}
	return n, sum
}

// squaresFrom is Σ d and Σ d², d = (x-ref)-mean.
func squaresFrom(x []float64, ref, mean float64) (s, ss float64) {
	var a, b, aa, bb float64
	t := 0
	for ; t+2 <= len(x); t += 2 {
		p, q := (x[t]-ref)-mean, (x[t+1]-ref)-mean
		a += p
		b += q
		aa += float64(p * p)
		bb += float64(q * q)
	}
	for ; t < len(x); t++ {
		p := (x[t] - ref) - mean
		a += p
		aa += float64(p * p)
	}
	return a + b, aa + bb
}

func squaresOfFinite(x []float64, ref, mean float64) (s, ss float64) {
	for _, v := range x {
		if finite(v) {
			d := (v - ref) - mean
			s += d
			ss += float64(d * d)
		}
	}
	return s, ss
}

// merge follows Chan, Golub and LeVeque (1983).
func (a blockMoments) merge(b blockMoments) blockMoments {
	switch {
	case b.n == 0:
		return a
	case a.n == 0:
		return b
	}
	n := a.n + b.n
	d := (b.ref - a.ref) + (b.mean - a.mean)
	shift := float64(d * (b.n / n))
	return blockMoments{n, a.ref, a.mean + shift, a.m2 + b.m2 + float64(float64(d*a.n)*shift)}
}

func (a blockMoments) meanStd(minPeriods int) (mean, std float64) {
	mean, std = nan, nan
	if a.n >= float64(max(minPeriods, 1)) {
		mean = a.ref + a.mean
	}
	if a.n >= float64(max(minPeriods, 2)) {
		std = math.Sqrt(a.m2 / (a.n - 1))
	}
	return mean, std
}
