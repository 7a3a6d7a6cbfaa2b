package backtest

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
)

// ScoreCounts is the distribution of a streamed composite: how many values lie in each of equally wide cells from
// −ScoreLimit to ScoreLimit, below and above.
type ScoreCounts struct {
	N, Missing, Below, Above int
	Cells                    []int
	Mean, Least, Most        float64

	m2 float64
}

// Std is the sample deviation.
func (v *ScoreCounts) Std() float64 { return math.Sqrt(v.m2 / float64(v.N-1)) }

const (
	// ScoreLimit bounds the cells, and scoreCells is their number.
	ScoreLimit = 16
	scoreCells = 1 << 14
)

func (v *ScoreCounts) add(x []float64) {
	if v.Cells == nil {
		v.Cells = make([]int, scoreCells)
	}
	var n, sum, squares float64
	ref := v.Mean
	for _, f := range x {
		if !metrics.Defined(f) {
			v.Missing++
			continue
		}
		if v.N == 0 && n == 0 {
			v.Least, v.Most, ref = f, f, f
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
