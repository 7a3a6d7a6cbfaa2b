package reports

import (
	"math"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// distributionBins is the number of equally wide bins of a score's distribution.
const distributionBins = 60

// Distribution counts the composite's values over the span and all instruments in equally wide bins
// [Lo + k·w, Lo + (k+1)·w), w = (Hi − Lo)/len(Counts). The bins reach four standard deviations to
// either side, or to the extreme values where those are nearer; Below and Above count the rest.
type Distribution struct {
	N          int             `json:"n"`
	Missing    int             `json:"missing"`
	Mean       backtest.Figure `json:"mean"`
	Std        backtest.Figure `json:"std"` // ddof 1
	Min        backtest.Figure `json:"min"`
	Max        backtest.Figure `json:"max"`
	Lo         backtest.Figure `json:"lo"`
	Hi         backtest.Figure `json:"hi"`
	Below      int             `json:"below"`
	Above      int             `json:"above"`
	Counts     []int           `json:"counts"`
	Thresholds Thresholds      `json:"thresholds"`
}

// Thresholds are the composite's level boundaries.
type Thresholds struct {
	StrongShort backtest.Figure `json:"strong_short"`
	Short       backtest.Figure `json:"short"`
	Long        backtest.Figure `json:"long"`
	StrongLong  backtest.Figure `json:"strong_long"`
}

func distribute(p *factors.Panel, lo, hi int, cuts signals.Cuts) Distribution {
	d := Distribution{
		Mean: nan, Std: nan, Min: nan, Max: nan, Lo: nan, Hi: nan, Counts: []int{},
		Thresholds: Thresholds{
			StrongShort: backtest.Figure(cuts.StrongShort), Short: backtest.Figure(cuts.Short),
			Long: backtest.Figure(cuts.Long), StrongLong: backtest.Figure(cuts.StrongLong),
		},
	}
	mean, m2 := 0.0, 0.0
	least, most := math.Inf(1), math.Inf(-1)
	for i := range p.Instruments {
		for _, v := range p.Col(i)[lo:hi] {
			if !finite(v) {
				d.Missing++
				continue
			}
			d.N++
			delta := v - mean
			mean += delta / float64(d.N)
			m2 += float64(delta * (v - mean))
			least, most = math.Min(least, v), math.Max(most, v)
		}
	}
	if d.N == 0 {
		return d
	}
	d.Mean, d.Min, d.Max = backtest.Figure(mean), backtest.Figure(least), backtest.Figure(most)
	std := 0.0
	if d.N > 1 {
		std = math.Sqrt(m2 / float64(d.N-1))
		d.Std = backtest.Figure(std)
	}
	from, to := math.Max(least, mean-float64(4*std)), math.Min(most, mean+float64(4*std))
	if !(to > from) {
		from, to = mean-0.5, mean+0.5
	}
	if !finite(to - from) { // values whose squares or differences are beyond a float's range
		d.Mean, d.Std = backtest.Figure(mean), nan
		return d
	}
	d.Lo, d.Hi, d.Counts = backtest.Figure(from), backtest.Figure(to), make([]int, distributionBins)
	for i := range p.Instruments {
		for _, v := range p.Col(i)[lo:hi] {
			switch {
			case !finite(v):
			case v < from:
				d.Below++
			case v > to:
				d.Above++
			default:
				d.Counts[whole((v-from)/(to-from)*distributionBins, distributionBins-1)]++
			}
		}
	}
	return d
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
