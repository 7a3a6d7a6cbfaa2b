package reports

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
)

// distributionBins is the largest number of equally wide bins of a score's distribution.
const distributionBins = 60

// Distribution counts the score's values over the span and all instruments in equally wide bins
// [Lo + k·w, Lo + (k+1)·w), w = (Hi − Lo)/len(Counts). The bins reach four standard deviations to
// either side, or to the extreme values where those are nearer, rounded out to the cells in which
// evaluate counts; Below and Above count the rest.
type Distribution struct {
	N          int             `json:"n"`
	Missing    int             `json:"missing"`
	Mean       evaluate.Figure `json:"mean"`
	Std        evaluate.Figure `json:"std"` // ddof 1
	Min        evaluate.Figure `json:"min"`
	Max        evaluate.Figure `json:"max"`
	Lo         evaluate.Figure `json:"lo"`
	Hi         evaluate.Figure `json:"hi"`
	Below      int             `json:"below"`
	Above      int             `json:"above"`
	Counts     []int           `json:"counts"`
	Thresholds Thresholds      `json:"thresholds"`
}

// Thresholds are the score's level boundaries.
type Thresholds struct {
	StrongShort evaluate.Figure `json:"strong_short"`
	Short       evaluate.Figure `json:"short"`
	Long        evaluate.Figure `json:"long"`
	StrongLong  evaluate.Figure `json:"strong_long"`
}

// distribution is that of the score that was traded.
func distribution(r *backtest.Result) Distribution {
	cuts := r.Study.Signals.Thresholds
	d := Distribution{
		Mean: nan, Std: nan, Min: nan, Max: nan, Lo: nan, Hi: nan, Counts: []int{},
		Thresholds: Thresholds{
			StrongShort: evaluate.Figure(cuts.StrongShort), Short: evaluate.Figure(cuts.Short),
			Long: evaluate.Figure(cuts.Long), StrongLong: evaluate.Figure(cuts.StrongLong),
		},
	}
	counted := r.Figures.Distribution
	if k := slices.IndexFunc(counted, func(c *evaluate.Distribution) bool { return c.Signal == r.Traded }); k >= 0 {
		d.gather(counted[k], counted[k].Std())
	}
	return d
}

// gather fills d from finer cells of values with a standard deviation: bins are as wide as so many whole cells that there
// are at most distributionBins.
func (d *Distribution) gather(c *evaluate.Distribution, std float64) {
	d.N, d.Missing = c.N, c.Missing
	if c.N == 0 {
		return
	}
	d.Mean, d.Std, d.Min, d.Max = evaluate.Figure(c.Mean), evaluate.Figure(std), evaluate.Figure(c.Least), evaluate.Figure(c.Most)
	if !finite(std) {
		std = 0
	}
	width := 2.0 * evaluate.ScoreLimit / float64(len(c.Cells))
	place := func(v float64) int { return whole((v+evaluate.ScoreLimit)/width, len(c.Cells)-1) }
	lo, hi := place(max(c.Least, c.Mean-float64(4*std))), place(min(c.Most, c.Mean+float64(4*std)))+1
	each := (hi - lo + distributionBins - 1) / distributionBins
	bins := (hi - lo + each - 1) / each
	d.Below, d.Above, d.Counts = c.Below, c.Above, make([]int, bins)
	d.Lo = evaluate.Figure(float64(float64(lo)*width) - evaluate.ScoreLimit)
	d.Hi = evaluate.Figure(float64(float64(lo+each*bins)*width) - evaluate.ScoreLimit)
	for at, n := range c.Cells {
		switch bin := (at - lo) / each; {
		case at < lo:
			d.Below += n
		case bin >= bins:
			d.Above += n
		default:
			d.Counts[bin] += n
		}
	}
}

// whole is x without its fraction, held within 0 and most; NaN is 0. What Go makes of a float that an
// int cannot hold differs from machine to machine.
func whole(x float64, most int) int {
	if !(x > 0) {
		return 0
	}
	return int(min(x, float64(most)))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
