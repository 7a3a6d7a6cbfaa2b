package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// pairs lists the kernels of two columns beside their definitions from the sums of squares and
// products about the means.
var pairs = []struct {
	name string
	run  func(dst, x, y []float64, window, minPeriods int)
	def  func(n, sxx, syy, sxy float64) float64
	// scale is the size that errors are measured by.
	scale func(n, sxx, syy float64) float64
}{
	{"Cov", Cov, func(n, _, _, sxy float64) float64 { return sxy / (n - 1) },
		func(n, sxx, syy float64) float64 { return math.Sqrt(sxx*syy) / n }},
	{"Corr", Corr, func(_, sxx, syy, sxy float64) float64 { return sxy / math.Sqrt(sxx*syy) },
		func(_, _, _ float64) float64 { return 1 }},
	{"Slope", func(dst, x, y []float64, window, minPeriods int) { Slope(dst, y, x, window, minPeriods) },
		func(_, sxx, _, sxy float64) float64 { return sxy / sxx },
		func(_, sxx, syy float64) float64 { return math.Sqrt(syy / sxx) }},
	{"Trend", func(dst, _, y []float64, window, minPeriods int) { Trend(dst, y, window, minPeriods) },
		func(_, sxx, _, sxy float64) float64 { return sxy / sxx },
		func(_, sxx, syy float64) float64 { return math.Sqrt(syy / sxx) }},
}

// about gives n and the sums of squares and products about the exact means, over complete pairs.
func about(x, y []float64) (n, sxx, syy, sxy float64) {
	var u, v []float64
	for i := range x {
		if finite(x[i]) && finite(y[i]) {
			u, v = append(u, x[i]), append(v, y[i])
		}
	}
	n = float64(len(u))
	distances := func(v []float64) []float64 {
		sum := exact(0)
		for _, a := range v {
			sum.Add(sum, exact(a))
		}
		sum.Quo(sum, exact(max(n, 1)))
		out := make([]float64, len(v))
		for i, a := range v {
			out[i], _ = exact(0).Sub(exact(a), sum).Float64()
		}
		return out
	}
	u, v = distances(u), distances(v)
	for i := range u {
		sxx, syy, sxy = sxx+u[i]*u[i], syy+v[i]*v[i], sxy+u[i]*v[i]
	}
	if slices.Max(append(u, 0)) == slices.Min(append(u, 0)) {
		sxx = 0
	}
	return n, sxx, syy, sxy
}

func TestPairsMatchDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const size = 260
	other, ramp := make([]float64, size), make([]float64, size)
	for i := range other {
		ramp[i] = float64(i)
		if other[i] = 100 + r.NormFloat64(); i%41 == 7 {
			other[i] = nan
		}
	}
	for _, k := range pairs {
		for name, y := range inputs(size) {
			x := other
			if k.name == "Trend" {
				x = ramp
			}
			for _, w := range []int{1, 2, 9, 50, 300} {
				got := make([]float64, size)
				k.run(got, x, y, w, w/2)
				for i := 0; i < size; i += 1 + w/9 {
					lo := max(i-w+1, 0)
					n, sxx, syy, sxy := about(x[lo:i+1], y[lo:i+1])
					want, scale := nan, 0.0
					if n >= float64(max(w/2, 2)) && sxx > 0 && (syy > 0 || k.name != "Corr") {
						want, scale = k.def(n, sxx, syy, sxy), k.scale(n, sxx, syy)
					}
					if !near(got[i], want, exactness, scale) {
						t.Fatalf("%s of %s, window %d at %d = %v, want %v", k.name, name, w, i, got[i], want)
					}
				}
			}
		}
	}
}

func TestPairsSeeTheirWindowAlone(t *testing.T) {
	x, y := inputs(200)["normal"], inputs(200)["holes"]
	for _, k := range pairs {
		full, part := make([]float64, 200), make([]float64, 200)
		k.run(full, x, y, 30, 5)
		for _, cut := range []int{1, 30, 31, 199} {
			k.run(part[:cut], x[:cut], y[:cut], 30, 5)
			same(t, k.name+" without the future", part[:cut], full[:cut])
		}
		z := slices.Clone(y)
		for i := range 77 {
			z[i] = 1e9
		}
		k.run(part, x, z, 30, 5)
		same(t, k.name+" with another past", part[77+29:], full[77+29:])
	}
}

func TestKyleVector(t *testing.T) {
	// numpy's least squares with intercept.
	volume := []float64{10, -5, 3, 8, -12, 6, -4, 9}
	change := []float64{0.02, -0.01, 0.005, 0.018, -0.02, 0.01, -0.009, 0.02}
	got := make([]float64, 8)
	if Slope(got, change, volume, 8, 8); !near(got[7], 0.0019272727272727273, 1e-14, 1) {
		t.Errorf("Slope = %v", got[7])
	}
}
