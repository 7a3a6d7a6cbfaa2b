package metrics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// noise is an AR(1) series of the given memory, with an offset so that means matter.
func noise(n int, phi float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	v := 0.0
	for t := range x {
		v = phi*v + r.NormFloat64()
		x[t] = v + 3
	}
	return x
}

// gamma is γ_l by its definition.
func gamma(u []float64, l int) float64 {
	m, s := Mean(u), 0.0
	for t := l; t < len(u); t++ {
		s += (u[t] - m) * (u[t-l] - m)
	}
	return s / float64(len(u))
}

func TestLongRunVarianceIsItsDefinition(t *testing.T) {
	for _, n := range []int{3, 10, 57, 1000} {
		for _, phi := range []float64{-0.6, 0, 0.97} {
			u := noise(n, phi, uint64(n))
			if n == 1000 {
				u[500] = 1e9 // a spike leaves no residue
			}
			for _, h := range []int{1, 2, 7, 24, 400, 2000} {
				hh, scale := gamma(u, 0), gamma(u, 0)
				for l := 1; l < h && l < n; l++ {
					hh += 2 * gamma(u, l)
					scale += 2 * math.Abs(gamma(u, l))
				}
				if got := HansenHodrick(u, h); math.Abs(got-hh) > 1e-11*scale {
					t.Errorf("HansenHodrick(n=%d, phi=%v, h=%d) = %v, want %v", n, phi, h, got, hh)
				}
				nw := gamma(u, 0)
				for l := 1; l <= h && l < n; l++ {
					nw += 2 * (1 - float64(l)/float64(h+1)) * gamma(u, l)
				}
				if got := NeweyWest(u, h); math.Abs(got-nw) > 1e-11*scale {
					t.Errorf("NeweyWest(n=%d, phi=%v, L=%d) = %v, want %v", n, phi, h, got, nw)
				}
			}
		}
	}
}

func TestLongRunVarianceFallsBack(t *testing.T) {
	u := make([]float64, 200) // alternating: γ_1 = −γ_0, so S = γ0 + 2γ1 < 0
	for i := range u {
		u[i] = float64(i % 2)
	}
	if s := HansenHodrick(u, 2); s >= 0 {
		t.Fatalf("HansenHodrick = %v, want a negative variance", s)
	}
	m := Mean(u)
	s, fallback := longRunVariance(u, 2, m, squares(u, m))
	if want := NeweyWest(u, 4); !fallback || s != want || s <= 0 {
		t.Errorf("LongRunVariance = %v, %v, want Newey–West's %v", s, fallback, want)
	}
	if got := Test(u, 2, 1.5); got.Method != ByNeweyWest || got.T != got.HansenHodrick {
		t.Errorf("Test = %+v, want %s", got, ByNeweyWest)
	}
}

func TestHeadline(t *testing.T) {
	for _, c := range []struct {
		n, h   int
		method string
	}{{1000, 10, ByHansenHodrick}, {999, 10, ByCosines}, {100, 10, ByCosines}, {99, 10, Insufficient}, {2, 1, Insufficient}} {
		u := noise(c.n, 0.5, 7)
		s, few := Test(u, c.h, 1.25), SmallSampleT(u, c.h)
		want := map[string]float64{ByHansenHodrick: s.HansenHodrick, ByCosines: few.T, Insufficient: math.NaN()}[c.method]
		if s.Method != c.method || math.Float64bits(s.T) != math.Float64bits(want) && !(math.IsNaN(s.T) && math.IsNaN(want)) {
			t.Errorf("n=%d h=%d: %s t=%v, want %s t=%v", c.n, c.h, s.Method, s.T, c.method, want)
		}
		if s.NEffective > float64(c.n) || s.Method == ByCosines && (s.NEffective != few.NEffective || s.P != few.P) {
			t.Errorf("n=%d h=%d: n_effective %v, p %v, of %+v", c.n, c.h, s.NEffective, s.P, few)
		}
		if s.NonOverlapping != 1.25 {
			t.Errorf("t_non_overlapping %v, want what was given", s.NonOverlapping)
		}
	}
}

// The mean of z(x)·z(y) is their correlation.
func TestTestedSeriesMeanIsPearson(t *testing.T) {
	x, y := noise(500, 0.9, 1), noise(500, 0.2, 2)
	zx, zy := make([]float64, 500), make([]float64, 500)
	standardize(zx, x)
	standardize(zy, y)
	s := 0.0
	for i := range zx {
		s += zx[i] * zy[i]
	}
	if got, want := s/500, Pearson(x, y); math.Abs(got-want) > 1e-14 {
		t.Errorf("mean of u = %v, Pearson = %v", got, want)
	}
}

// Of every second pair: 0, 2, 4 has r = 1/2 and t = r·sqrt(1/(1 − r²)) = 1/√3; 1, 3, 5 stands below. The t is the median of both, whichever comes first.
func TestNonOverlapping(t *testing.T) {
	x, y := []float64{1, 1, 2, 2, 3, 3}, []float64{1, 1, 3, 2, 2, 6}
	// (1, 1), (2, 2), (3, 6): Σab = 5, Σaa = 2, Σbb = 14, r² = 25/28, t = 5/√28·√(1/(3/28)) = 5/√3
	if got, want := NonOverlapping(x, y, 2), (1/math.Sqrt(3)+5/math.Sqrt(3))/2; math.Abs(got-want) > 1e-14 {
		t.Errorf("t = %v, want %v", got, want)
	}
	if got, want := NonOverlapping(x[1:], y[1:], 2), 5/math.Sqrt(3); math.Abs(got-want) > 1e-14 { // of phase 1 there are two pairs
		t.Errorf("t = %v, want %v", got, want)
	}
	if got := NonOverlapping(x, x, 2); !math.IsNaN(got) {
		t.Errorf("a perfect correlation gives t = %v, want NaN", got)
	}
	// 1, 2, 3 twice: mean 2, std 1, so 2·√3.
	p := NewPhases(2)
	p.Add(x, x, 1, 1)
	if got, want := p.MeanT(1), 2*math.Sqrt(3); math.Abs(got-want) > 1e-14 {
		t.Errorf("t of the mean = %v, want %v", got, want)
	}
}

// Any phase by itself, and portions.
func TestPhases(t *testing.T) {
	x, y := noise(997, 0.8, 3), noise(997, 0.3, 4)
	for i := range x {
		x[i] += 100
	}
	for _, h := range []int{1, 2, 7, 100, 331, 996, 2000} {
		var all []float64
		for phase := range min(h, len(x)) {
			var fx, fy []float64
			for i := phase; i < len(x); i += h {
				fx, fy = append(fx, x[i]), append(fy, y[i])
			}
			if r := Pearson(fx, fy); r*r < 1 && len(fx) >= MinPairs {
				all = append(all, r*math.Sqrt(float64(len(fx)-2)/(1-r*r)))
			}
		}
		want := Quantile(all, 0.5)
		if got := NonOverlapping(x, y, h); math.Abs(got-want) > 1e-9*math.Abs(want) || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("h = %d: %v, want %v", h, got, want)
		}
		p := NewPhases(h)
		for lo := 0; lo < len(x); lo += 13 {
			hi := min(lo+13, len(x))
			p.Add(x[lo:hi], y[lo:hi], Mean(x), Mean(y))
		}
		if got := p.T(); math.Abs(got-want) > 1e-9*math.Abs(want) || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("h = %d, in portions: %v, want %v", h, got, want)
		}
	}
}

func TestAutocorrelationIsItsDefinition(t *testing.T) {
	trend := make([]float64, 300)
	for i := range trend {
		trend[i] = float64(i)
	}
	half := make([]float64, 301)
	for i := range half {
		half[i] = math.Cos(math.Pi * float64(i) / 300)
	}
	for _, x := range [][]float64{noise(3, 0, 1), noise(400, 0.3, 2), noise(5000, 0.995, 3), trend, half, {1, 2, 1, 2}} {
		got := Autocorrelation(x)
		for k, r := range got {
			if want := gamma(x, k) / gamma(x, 0); math.Abs(r-want) > 1e-12 {
				t.Errorf("n=%d: rho_%d = %v, want %v", len(x), k, r, want)
			}
			if (r <= 0) != (k == len(got)-1) {
				t.Errorf("n=%d: rho_%d = %v of %d", len(x), k, r, len(got))
			}
		}
	}
	if tau := IntegratedTime(Autocorrelation(noise(200_000, 0.9, 4))); math.Abs(tau-19) > 2 { // (1 + φ)/(1 − φ)
		t.Errorf("tau of AR 0.9 = %v, want about 19", tau)
	}
	if !math.IsNaN(IntegratedTime(Autocorrelation([]float64{1, 1, 1, 1}))) {
		t.Error("a constant has an integrated time")
	}
}

func TestWhatCannotBeComputedIsNaN(t *testing.T) {
	flat, one := []float64{0.1, 0.1, 0.1}, []float64{0.1}
	s := InferSharpe(flat)
	for name, v := range map[string]float64{
		"Pearson of a constant":    Pearson(flat, []float64{1, 2, 3}),
		"Pearson of two pairs":     Pearson([]float64{1, 2}, []float64{1, 2}),
		"Mean of nothing":          Mean(nil),
		"Std of one":               Std(one),
		"Sharpe without risk":      Sharpe(flat, 0, 365),
		"Sortino without downside": Sortino(flat, 0, 365),
		"Omega without loss":       Omega(flat, 0),
		"Calmar without drawdown":  Calmar(0.1, 0),
		"CAGR of a ruin":           CAGR(-1, 1),
		"ES of nothing":            ExpectedShortfall(nil, 0.05),
		"hit rate of nothing":      HitRate(nil),
		"PSR of a constant":        s.Probabilistic(0),
		"MinTRL of a loser":        SharpeInference{-0.1, 100, 0, 3}.MinTrackRecord(0, 0.95),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s = %v, want NaN", name, v)
		}
	}
	if v := Std(flat); v != 0 {
		t.Errorf("Std of equal values = %v, want 0", v)
	}
}

func TestHolmLeavesOutWhatIsNoTest(t *testing.T) {
	got := Holm([]float64{0.04, math.NaN(), 0.01})
	if got[0] != 0.04 || !math.IsNaN(got[1]) || got[2] != 0.02 {
		t.Errorf("Holm = %v, want [0.04 NaN 0.02]", got)
	}
}

func TestBuckets(t *testing.T) {
	v := vectors(t)
	for _, c := range v.Derived.Buckets {
		if len(c.Values)%c.K != 0 {
			continue // qcut interpolates its edges; the definition here is floor(k·(rank − 1)/n) + 1
		}
		for rank, row := range inOrder(c.Values) {
			if got := bucketOf(rank, len(c.Values), c.K); got != c.First[row] {
				t.Errorf("bucket of row %d of %v = %d, want %d", row, c.Values, got, c.First[row])
			}
		}
	}
	for i, c := range v.Alphalens.Quantize {
		if c.Args.ByGroup || c.Args.ZeroAware {
			continue // no groups here, and no split at zero
		}
		for day, f := range v.Alphalens.Fixtures[c.Args.Factor.Fixture].Factor {
			for rank, row := range inOrder(f) {
				if got, want := bucketOf(rank, len(f), c.Args.Quantiles), c.Expected.Values[day*len(f)+int(row)]; got != want {
					t.Errorf("case %d: bucket of row %d = %d, want %d", i, row, got, want)
				}
			}
		}
	}
}

// bucketOf is the bucket, from 1, whose ranks hold this one.
func bucketOf(rank, n, k int) int {
	for b := range k {
		if rank < BucketStart(b+1, n, k) {
			return b + 1
		}
	}
	return 0
}

// The bucket of rank i is floor(k·i/n).
func TestBucketStart(t *testing.T) {
	for n := 1; n < 40; n++ {
		for k := 1; k < 12; k++ {
			for i := range n {
				if got, want := bucketOf(i, n, k), k*i/n+1; got != want {
					t.Errorf("rank %d of %d in %d buckets: %d, want %d", i, n, k, got, want)
				}
			}
		}
	}
}

func BenchmarkRank(b *testing.B) {
	x := noise(129_600, 0.99, 1)
	start, end := make([]int32, len(x)), make([]int32, len(x))
	var s Sorter
	for b.Loop() {
		s.Rank(start, end, x)
	}
}

func BenchmarkSpearman(b *testing.B) {
	x, y := noise(129_600, 0.99, 1), noise(129_600, 0, 2)
	for b.Loop() {
		Spearman(x, y)
	}
}

func BenchmarkHansenHodrick(b *testing.B) {
	x := noise(129_600, 0.99, 1)
	for b.Loop() {
		HansenHodrick(x, 4320)
	}
}

func BenchmarkAutocorrelation(b *testing.B) {
	for name, phi := range map[string]float64{"short": 0.2, "long": 0.9999} {
		x := noise(129_600, phi, 1)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Autocorrelation(x)
			}
		})
	}
}

// Equity 1, 0.8, 0.88, 1.1, 0.55 is 0.2, 0.12, 0 and 0.5 below its highest.
func TestUlcer(t *testing.T) {
	if got, want := Ulcer([]float64{-0.2, 0.1, 0.25, -0.5}), math.Sqrt((0.04+0.0144+0.25)/4); math.Abs(got-want) > 1e-15 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Ulcer(nil); !math.IsNaN(got) {
		t.Errorf("of nothing %v, want NaN", got)
	}
}

// inOrder are the rows of x in ascending order, ties by row.
func inOrder(x []float64) []int {
	rows := make([]int, len(x))
	for k := range rows {
		rows[k] = k
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	return rows
}

// standardize writes (x − mean)/std with ddof 0 into dst.
func standardize(dst, x []float64) {
	m := Mean(x)
	scale := 1 / math.Sqrt(squares(x, m)/float64(len(x)))
	for t, v := range x {
		dst[t] = (v - m) * scale
	}
}
