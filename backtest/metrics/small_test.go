package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"pgregory.net/rapid"
)

// Two-sided probabilities of Student's t: the tabulated critical values of any textbook.
func TestStudentTwoSided(t *testing.T) {
	for _, c := range []struct {
		freedom  int
		t, p, by float64
	}{{1, 12.7062047, 0.05, 1e-8}, {4, 2.7764451, 0.05, 1e-8}, {5, -2.5705818, 0.05, 1e-8}, {10, 2.2281389, 0.05, 1e-8}, {10, 3.1692727, 0.01, 1e-8},
		{45, 2.0141034, 0.05, 1e-8}, {2, 0, 1, 0}, {1, 1, 0.5, 1e-15}} {
		if p := StudentTwoSided(c.t, c.freedom); math.Abs(p-c.p) > c.by {
			t.Errorf("t %v with %d: p %v, want %v", c.t, c.freedom, p, c.p)
		}
	}
	for freedom := 1; freedom <= 60; freedom++ { // gonum's incomplete beta function
		for _, x := range []float64{0.01, 0.3, 1, 2, 3.5, 6, 20, 1e3} {
			v := float64(freedom)
			want := mathext.RegIncBeta(v/2, 0.5, v/(v+x*x))
			if p := StudentTwoSided(x, freedom); math.Abs(p-want) > 1e-13*want {
				t.Errorf("t %v with %d: p %v, want %v", x, freedom, p, want)
			}
		}
	}
	if !math.IsNaN(StudentTwoSided(math.NaN(), 3)) {
		t.Error("a p of no t")
	}
}

// The definition, with a cosine for every value.
func naiveSmallSample(u []float64, h int) SmallSample {
	n, cosines := float64(len(u)), len(u)/(2*h)
	mean, squares := 0.0, 0.0
	for _, v := range u {
		mean += v / n
	}
	for _, v := range u {
		squares += (v - mean) * (v - mean)
	}
	s := 0.0
	for j := 1; j <= cosines; j++ {
		lambda := 0.0
		for t, v := range u {
			lambda += math.Sqrt(2/n) * v * math.Cos(math.Pi*float64(j)*(float64(t)+0.5)/n)
		}
		s += lambda * lambda / float64(cosines)
	}
	return SmallSample{T: mean / math.Sqrt(s/n), NEffective: min(n, squares/s), Freedom: cosines}
}

func TestSmallSampleAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.IntRange(1, 200).Draw(t, "h")
		n := rapid.IntRange(10*h, 60*h).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		u := make([]float64, n)
		sum := 0.0
		for i := range u {
			sum += r.NormFloat64()
			if u[i] = sum + 0.1; i%h == 0 {
				sum = 0
			}
		}
		got, want := SmallSampleT(u, h), naiveSmallSample(u, h)
		// blocks of h/32 values, at most 64 of them the half of the shortest cosine's wave
		if math.Abs(got.T-want.T) > 1e-3*(1+math.Abs(want.T)) || math.Abs(got.NEffective-want.NEffective) > 2e-3*want.NEffective || got.Freedom != want.Freedom {
			t.Fatalf("%+v, want %+v", got, want)
		}
		if h < 2*blocksPerHorizon && math.Abs(got.T-want.T) > 1e-9*(1+math.Abs(want.T)) {
			t.Fatalf("%+v, want %+v: every block is one value", got, want)
		}
		if math.Signbit(got.T) != math.Signbit(Mean(u)) {
			t.Fatalf("t %v beside a mean of %v", got.T, Mean(u))
		}
		b := NewBlocks(h)
		for rest := u; len(rest) > 0; {
			k := rapid.IntRange(1, len(rest)).Draw(t, "portion")
			b.Add(rest[:k])
			rest = rest[k:]
		}
		if again := b.Test(); again != got {
			t.Fatalf("%+v in portions, %+v at once", again, got)
		}
	})
}

func TestSmallSampleRefuses(t *testing.T) {
	for name, u := range map[string][]float64{
		"nine horizons":    make([]float64, 18),
		"a hundred":        make([]float64, 200),
		"all are equal":    slices.Repeat([]float64{0.1}, 40),
		"all are zero":     make([]float64, 40),
		"nothing was seen": nil,
	} {
		for i := range u {
			if name != "all are equal" && name != "all are zero" {
				u[i] = float64(i % 3)
			}
		}
		if s := SmallSampleT(u, 2); !math.IsNaN(s.T) || !math.IsNaN(s.P) || !math.IsNaN(s.NEffective) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// knowsNothing is the tested series of a score that knows nothing about the returns h bars ahead, averaged over
// instruments whose scores and returns have a correlation of 0.7: an AR(1) of 0.97 or, with a memory of so many
// bars, a moving sum.
func knowsNothing(r *rand.Rand, n, instruments, h, memory int) []float64 {
	const shared = 0.7
	draw := func(common float64) float64 {
		return math.Sqrt(shared)*common + math.Sqrt(1-shared)*r.NormFloat64()
	}
	before := max(memory, 200)
	market, mood := make([]float64, n+h), make([]float64, n+before)
	for i := range market {
		market[i] = r.NormFloat64()
	}
	for i := range mood {
		mood[i] = r.NormFloat64()
	}
	u := make([]float64, n)
	for range instruments {
		log := make([]float64, n+h+1)
		for i, x := range market {
			log[i+1] = log[i] + draw(x)
		}
		f, ahead := make([]float64, n), make([]float64, n)
		steps, x := make([]float64, n+before), 0.0
		for i, common := range mood {
			steps[i] = draw(common)
			switch {
			case memory == 0:
				x = 0.97*x + steps[i]
			case i >= memory:
				x += steps[i] - steps[i-memory]
			default:
				x += steps[i]
			}
			if i >= before {
				f[i-before] = x
			}
		}
		for i := range ahead {
			ahead[i] = log[i+h] - log[i]
		}
		standardize(f, f)
		standardize(ahead, ahead)
		for i := range u {
			u[i] += f[i] * ahead[i] / float64(instruments)
		}
	}
	return u
}

// Of scores that know nothing about one in twenty is significant at 5 %, and the first bar of the window does
// not decide.
func TestSmallSampleOnNoise(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of simulations")
	}
	const day = 24
	for _, c := range []struct{ n, h, memory, instruments, runs int }{
		{90 * day, 24, 14 * day, 1, 1000}, {90 * day, 24, 14 * day, 10, 1000}, // 1d on 90 days
		{90 * day, 72, 14 * day, 1, 1000}, {90 * day, 72, 14 * day, 10, 1000},
		{108 * day, 9 * day, 14 * day, 1, 1000},
		{90, 1, 14, 1, 2000}, // daily bars
	} {
		for _, memory := range []int{0, c.memory} {
			significant := make([]bool, c.runs)
			moves := make([][]float64, c.runs)
			var wg sync.WaitGroup
			for w := range 2 {
				wg.Go(func() {
					for seed := w; seed < c.runs; seed += 2 {
						u := knowsNothing(rand.New(rand.NewPCG(uint64(seed), 77)), c.n, c.instruments, c.h, memory)
						s := SmallSampleT(u, c.h)
						significant[seed] = s.P < 0.05
						for phase := c.h / 4; phase > 0 && phase < c.h; phase += c.h / 4 {
							if later := SmallSampleT(u[phase:], c.h); !math.IsNaN(later.T) {
								moves[seed] = append(moves[seed], math.Abs(later.T-s.T))
							}
						}
					}
				})
			}
			wg.Wait()
			hits, moved := 0, slices.Concat(moves...)
			for _, s := range significant {
				if s {
					hits++
				}
			}
			share := 100 * float64(hits) / float64(c.runs)
			what := fmt.Sprintf("n/h = %d, h = %d, memory %d, %d instruments: %.1f %% of noise is significant, t moves by %.2f over start phases",
				c.n/c.h, c.h, memory, c.instruments, share, Quantile(moved, 0.5))
			t.Log(what)
			if share < 3 || share > 10 || len(moved) > 0 && Quantile(moved, 0.5) > 0.3 {
				t.Error(what + ": want 3 to 10 % and a median move of less than 0.3")
			}
		}
	}
}

func TestBucketWeights(t *testing.T) {
	type w = BucketWeight
	for _, c := range []struct {
		name   string
		counts []int
		q      int
		want   []w
		k      int
	}{
		{"no ties: floor(k·i/n)", []int{1, 1, 1, 1, 1, 1, 1}, 3, []w{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 1, 1}, {4, 1, 1}, {5, 2, 1}, {6, 2, 1}}, 3},
		{"a group over all buckets", []int{1, 6, 1, 1}, 3, []w{{0, 0, 1}, {1, 0, 2. / 6}, {1, 1, 3. / 6}, {1, 2, 1. / 6}, {2, 2, 1}, {3, 2, 1}}, 3},
		{"it ends where a bucket does", []int{1, 2, 3}, 2, []w{{0, 0, 1}, {1, 0, 1}, {2, 1, 1}}, 2},
		{"fewer values than buckets", []int{20, 60, 20}, 5, []w{{0, 0, 1}, {1, 1, 1}, {2, 2, 1}}, 3},
		{"a constant", []int{9}, 5, nil, 0},
		{"nothing", nil, 5, nil, 0},
	} {
		got, k := BucketWeights(c.counts, c.q)
		if !slices.Equal(got, c.want) || k != c.k {
			t.Errorf("%s: %v of %d, want %v of %d", c.name, got, k, c.want, c.k)
		}
	}
}

// The weights are the mean over all orders of tied rows.
func TestBucketWeightsAreExpectations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.IntRange(2, 8).Draw(t, "q")
		counts := rapid.SliceOfN(rapid.IntRange(1, 9), q+1, 30).Draw(t, "counts")
		got, k := BucketWeights(counts, q)
		n := 0
		for _, c := range counts {
			n += c
		}
		sizes, share := make([]float64, k), make([]float64, len(counts))
		low := 0
		at := 0
		for g, c := range counts {
			in := make([]float64, k) // of the group's ranks, as many in each bucket
			for rank := low; rank < low+c; rank++ {
				in[k*rank/n]++
			}
			for b, rows := range in {
				if rows == 0 {
					continue
				}
				if w := got[at]; w != (BucketWeight{g, b, rows / float64(c)}) {
					t.Fatalf("%v: group %d has %v, want %v in %d", counts, g, w, rows/float64(c), b)
				}
				sizes[b] += rows
				share[g] += got[at].Weight
				at++
			}
			low += c
		}
		if at != len(got) || k != q {
			t.Fatalf("%d weights of %d buckets, want %d of %d", len(got), k, at, q)
		}
		for g, s := range share {
			if math.Abs(s-1) > 1e-15*float64(k) {
				t.Fatalf("group %d weighs %v", g, s)
			}
		}
	})
}
