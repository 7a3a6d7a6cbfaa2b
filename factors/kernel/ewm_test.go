package kernel

import (
	"math"
	"testing"
)

func TestEWMMatchesDefinition(t *testing.T) {
	for name, x := range inputs(120) {
		for _, alpha := range []float64{0.01, 0.3, 1} {
			for _, adjust := range []bool{true, false} {
				mean, std := make([]float64, len(x)), make([]float64, len(x))
				EWMMean(mean, x, alpha, adjust, 1)
				EWMStd(std, x, alpha, adjust, 3)
				for i := range x {
					w, v := weights(x[:i+1], alpha, adjust)
					total, cross, m, ss, scale := 0.0, 0.0, 0.0, 0.0, 0.0
					for j := range w {
						cross += 2 * total * w[j] // (Σw)² − Σw²
						total += w[j]
					}
					for j := range w {
						m += w[j] / total * v[j]
						scale = math.Max(scale, math.Abs(v[j]))
					}
					for j := range w {
						ss += w[j] / total * (v[j] - m) * (v[j] - m)
					}
					wantMean, wantStd := nan, nan
					if len(v) >= 1 {
						wantMean = m
					}
					if len(v) >= 3 && alpha < 1 {
						wantStd = math.Sqrt(ss * total * total / cross)
					}
					if !near(mean[i], wantMean, 1e-12, scale) || !near(std[i], wantStd, 1e-9, scale) {
						t.Fatalf("%s, alpha %v, adjust %v at %d: mean, std = %v, %v, want %v, %v", name, alpha, adjust, i, mean[i], std[i], wantMean, wantStd)
					}
				}
			}
		}
	}
}

// weights are those of the values of x, oldest first.
func weights(x []float64, alpha float64, adjust bool) (w, v []float64) {
	age := 1.0
	for _, u := range x {
		age *= 1 - alpha
		if !finite(u) {
			continue
		}
		total := 0.0
		for j := range w {
			w[j] *= age
			total += w[j]
		}
		switch {
		case len(w) == 0 || adjust:
			w = append(w, 1)
		default:
			w = append(w, alpha)
			for j := range w {
				w[j] /= total + alpha
			}
		}
		v, age = append(v, u), 1
	}
	return w, v
}

func TestEWMIsCausal(t *testing.T) {
	x := inputs(100)["holes"]
	full, part := make([]float64, 100), make([]float64, 100)
	for _, run := range []func(dst, x []float64, alpha float64, adjust bool, minPeriods int){EWMMean, EWMStd} {
		run(full, x, 0.1, true, 5)
		for _, cut := range []int{1, 50, 99} {
			run(part[:cut], x[:cut], 0.1, true, 5)
			same(t, "without the future", part[:cut], full[:cut])
		}
	}
}
