package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBlockLengthVector(t *testing.T) {
	v := vectors(t).Block
	near(t, "stationary block length", BlockLength(v.X)/v.Expected.Stationary, 1, v.Rtol)
	if b := BlockLength([]float64{1, 1, 1, 1}); !math.IsNaN(b) {
		t.Errorf("block length of a constant = %v, want NaN", b)
	}
	for n := 3; n < 30; n++ { // short series have one, too
		if b := BlockLength(noise(n, 0.5, uint64(n))); !(b >= 1 && b <= float64(n)) {
			t.Errorf("block length of %d values = %v", n, b)
		}
	}
}

// Blocks have the wanted mean length, cover every value alike and wrap at the end.
func TestStationary(t *testing.T) {
	const n, block = 50, 8
	r := rand.NewPCG(1, 1)
	dst := make([]int32, 200_000)
	Stationary(dst, n, block, r)
	begun, seen := 1, make([]int, n)
	for i, at := range dst {
		seen[at]++
		if i > 0 && at != (dst[i-1]+1)%n {
			begun++
		}
	}
	// A block that begins by chance where the last one ended does not show.
	if mean := float64(len(dst)) / float64(begun) * (1 - 1./n); math.Abs(mean-block) > 0.2 {
		t.Errorf("mean block length %v, want %v", mean, block)
	}
	for at, k := range seen {
		if math.Abs(float64(k)-float64(len(dst))/n) > 600 {
			t.Errorf("value %d was drawn %d times, want about %d", at, k, len(dst)/n)
		}
	}
	Stationary(dst[:1000], n, 1, r)
	same := 0
	for i := 1; i < 1000; i++ {
		if dst[i] == (dst[i-1]+1)%n {
			same++
		}
	}
	if same > 50 {
		t.Errorf("%d of 1000 independent draws follow their predecessor", same)
	}
}

// The interval for the mean of white noise is about ±1.96/√n around it.
func TestIntervalOfAMean(t *testing.T) {
	x := noise(400, 0, 9)
	r := rand.NewPCG(2, 2)
	index, means := make([]int32, len(x)), make([]float64, 2000)
	for k := range means {
		Stationary(index, len(x), BlockLength(x), r)
		s := 0.0
		for _, i := range index {
			s += x[i]
		}
		means[k] = s / float64(len(x))
	}
	low, high := Interval(means, 0.95)
	if width := (high - low) / 2 * math.Sqrt(400); math.Abs(width-1.96*Std(x)) > 0.25 || low > Mean(x) || high < Mean(x) {
		t.Errorf("interval [%v, %v] of a mean of %v", low, high, Mean(x))
	}
	if low, _ := Interval([]float64{1, math.NaN(), 2}, 0.95); !math.IsNaN(low) {
		t.Errorf("interval of a figure that often cannot be computed begins at %v, want NaN", low)
	}
}
