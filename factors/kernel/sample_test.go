package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func sampleColumn(n int, offset float64) []float64 {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	x := make([]float64, n)
	for t := range x {
		x[t] = offset + r.NormFloat64()
		if r.IntN(50) == 0 {
			x[t] = []float64{math.NaN(), math.Inf(1), offset}[r.IntN(3)]
		}
	}
	return x
}

// A Sample says the same, to the bit, however its rows are cut.
func TestSampleIsMeanStd(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 5, 4095, 4096, 4097, 20_000} {
		for _, offset := range []float64{0, 1e8} {
			x := sampleColumn(n, offset)
			mean, std := MeanStd(x, 2)
			var s, first, second Sample
			half := n / 2 / sampleBlock * sampleBlock
			first.Add(x[:half])
			second.Add(x[half:])
			first.Append(&second)
			for rest := x; len(rest) > 0; {
				k := min(1+r.IntN(6000), len(rest))
				s.Add(rest[:k])
				rest = rest[k:]
			}
			for _, s := range []*Sample{&s, &first} {
				m, d := s.MeanStd(2)
				if math.Float64bits(m) != math.Float64bits(mean) || math.Float64bits(d) != math.Float64bits(std) {
					t.Errorf("%d values from %v: %v, %v in pieces; %v, %v whole", n, offset, m, d, mean, std)
				}
			}
			if n < 2 {
				continue
			}
			m, d := naiveMeanStd(x)
			if math.Abs(m-mean) > 1e-14*(1+offset) || math.Abs(d-std) > 1e-12*d {
				t.Errorf("%d values from %v: %v, %v; by definition %v, %v", n, offset, mean, std, m, d)
			}
		}
	}
}

func naiveMeanStd(x []float64) (mean, std float64) {
	var values []float64
	for _, v := range x {
		if finite(v) {
			values = append(values, v)
		}
	}
	sum, ref := 0.0, values[0]
	for _, v := range values {
		sum += v - ref
	}
	n := float64(len(values))
	mean = ref + sum/n
	ss := 0.0
	for _, v := range values {
		ss += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(ss / (n - 1))
}

func TestMeanStdOfEqualValuesIsZero(t *testing.T) {
	x := make([]float64, 10_000)
	for t := range x {
		x[t] = 0.1
	}
	if mean, std := MeanStd(x, 2); mean != 0.1 || std != 0 {
		t.Errorf("mean %v, std %v", mean, std)
	}
}

// Whether a value is missing later changes no bit of what comes before it, though columns without one are faster.
func TestMissingLaterChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	x := make([]float64, 500)
	for t := range x {
		x[t] = 1e3 + r.NormFloat64()
	}
	gap := append(x[:len(x):len(x)], math.NaN())
	for _, s := range rolling {
		for _, window := range []int{5, 7, 20, 60, 600} {
			for _, minPeriods := range []int{0, 3, min(window, 5)} {
				whole, before := make([]float64, len(x)), make([]float64, len(gap))
				s.run(whole, x, window, minPeriods)
				s.run(before, gap, window, minPeriods)
				same(t, s.name, whole, before[:len(x)])
			}
		}
	}
}
