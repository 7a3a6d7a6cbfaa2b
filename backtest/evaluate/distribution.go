package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// Distribution is how many values of a signal, over all instruments, lie in each of equally wide cells from −ScoreLimit to
// ScoreLimit, below and above.
type Distribution struct {
	Signal                   string
	N, Missing, Below, Above int
	Cells                    []int
	Mean, Least, Most        float64 // NaN of nothing

	m2 float64
}

const (
	// ScoreLimit bounds the cells, and scoreCells is their number.
	ScoreLimit = 16
	scoreCells = 1 << 14
)

func newDistribution(signal string) *Distribution {
	nan := math.NaN()
	return &Distribution{Signal: signal, Cells: make([]int, scoreCells), Mean: nan, Least: nan, Most: nan}
}

// Std is the sample deviation; NaN below two values.
func (v *Distribution) Std() float64 {
	if v.N < 2 {
		return math.NaN()
	}
	return math.Sqrt(v.m2 / float64(v.N-1))
}

// add takes the next values; moments are merged as Chan, Golub and LeVeque (1983) do.
func (v *Distribution) add(x []float64) {
	var n, sum, squares float64
	ref := v.Mean
	for _, f := range x {
		if !metrics.Defined(f) {
			v.Missing++
			continue
		}
		if v.N == 0 && n == 0 {
			v.Mean, v.Least, v.Most, ref = 0, f, f, f
		}
		n++
		d := f - ref
		sum += d
		squares += float64(d * d)
		if f < v.Least {
			v.Least = f
		} else if f > v.Most {
			v.Most = f
		}
		switch at := (f + ScoreLimit) * (scoreCells / (2 * ScoreLimit)); {
		case at < 0:
			v.Below++
		case at >= scoreCells:
			v.Above++
		default:
			v.Cells[int(at)]++
		}
	}
	if n == 0 {
		return
	}
	had := float64(v.N)
	d := ref + sum/n - v.Mean
	v.m2 += squares - float64(sum*sum)/n + float64(float64(d*d)*had*n)/(had+n)
	v.Mean += d * n / (had + n)
	v.N += int(n)
}
