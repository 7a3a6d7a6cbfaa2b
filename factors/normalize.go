package factors

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors/kernel"
)

// Method says how a factor is made comparable before it is weighed.
type Method string

const (
	Rolling      Method = "rolling"       // trailing mean and std over Normalization.Window
	Expanding    Method = "expanding"     // mean and std of everything so far
	Fixed        Method = "fixed"         // given Mean and Std
	CrossSection Method = "cross_section" // over the instruments present at that bar
	Rank         Method = "rank"          // 2·(trailing percentile rank) − 1
	None         Method = "none"          // as it is
	FullSample   Method = "full_sample"   // mean and std of the whole sample: looks ahead
)

// DefaultNormalizeWindow is the window of Rolling and Rank where a study gives none.
var DefaultNormalizeWindow = Window{Time: 30 * 24 * time.Hour}

// Normalization is how one component becomes a z. The zero value is Rolling over DefaultNormalizeWindow.
type Normalization struct {
	Method     Method  `yaml:"method"`
	Window     Window  `yaml:"window"`      // Rolling, Rank
	MinPeriods int     `yaml:"min_periods"` // bars; 0 means a quarter of the window, rounded up, and 2 for Expanding
	Mean       float64 `yaml:"mean"`        // Fixed
	Std        float64 `yaml:"std"`         // Fixed
	Clip       float64 `yaml:"clip"`        // z is held within ±Clip; 0 means no limit
}

// Fewest values that a deviation is taken of: in time, and across instruments.
const (
	minSample       = 2
	minCrossSection = 3
)

// start checks the normalization on a grid and gives what begins one instrument. It is nil for the cross-section,
// which needs all instruments, and for the full sample, which needs Fit.
func (n Normalization) start(g *Grid) (func() Eval, error) {
	if n.Clip < 0 || math.IsNaN(n.Clip) {
		return nil, fmt.Errorf("clip is %v, want 0 or more", n.Clip)
	}
	switch n.Method {
	case "", Rolling:
		w, m, err := n.window(g)
		return rolled(func() kernel.Rolling { return kernel.NewZScore(w, m) }), err
	case Rank:
		w, m, err := n.window(g)
		return func() Eval {
			rank := kernel.NewRank(w, m)
			return func(z []float64, in [][]float64) {
				rank.Next(z, in[0])
				for t, pct := range z {
					z[t] = 2*pct - 1
				}
			}
		}, err
	case Expanding:
		m := max(n.MinPeriods, minSample)
		return func() Eval {
			mean, dev := kernel.NewExpandingMean(m), kernel.NewExpandingStd(m)
			var std scratch
			return func(z []float64, in [][]float64) {
				x, std := in[0], std.of(len(z))
				mean.Next(z, x)
				dev.Next(std, x)
				for t := range z {
					z[t] = standardize(x[t], z[t], std[t])
				}
			}
		}, nil
	case Fixed:
		if !(n.Std > 0) || math.IsInf(n.Std, 0) || math.IsNaN(n.Mean) || math.IsInf(n.Mean, 0) {
			return nil, fmt.Errorf("fixed mean %v and std %v: want numbers, and std above 0", n.Mean, n.Std)
		}
		return stateless(func(z []float64, in [][]float64) {
			for t, v := range in[0] {
				z[t] = standardize(v, n.Mean, n.Std)
			}
		}), nil
	case None:
		return carried, nil
	case CrossSection, FullSample:
		return nil, nil
	}
	return nil, fmt.Errorf("method %q is unknown: want one of %s", n.Method, strings.Join(methods, ", "))
}

var methods = []string{
	string(Rolling), string(Expanding), string(Fixed), string(CrossSection), string(Rank), string(None), string(FullSample),
}

// window is the window in bars and the least number of values in it.
func (n Normalization) window(g *Grid) (w, minPeriods int, err error) {
	win := n.Window
	if win == (Window{}) {
		win = DefaultNormalizeWindow
	}
	if w, err = win.In(g); err != nil {
		return 0, 0, fmt.Errorf("normalize: %w", err)
	}
	m := n.MinPeriods
	if m == 0 {
		m = ShareOf(0.25, w)
	}
	if m < 0 || m > w {
		return 0, 0, fmt.Errorf("normalize: min_periods is %d bars, want 1 to the window's %d", m, w)
	}
	return w, m, nil
}

// standardize is (x−mean)/std; NaN where one of them is missing or std is 0.
func standardize(x, mean, std float64) float64 {
	if !(std > 0) || math.IsInf(x, 0) {
		return math.NaN()
	}
	return (x - mean) / std
}

// crossSection standardizes each row of x over the instruments present at that bar.
func crossSection(z, x [][]float64, row []float64) {
	for t := range x[0] {
		for i := range x {
			row[i] = x[i][t]
		}
		mean, std := kernel.MeanStd(row, minCrossSection)
		for i := range z {
			z[i][t] = standardize(row[i], mean, std)
		}
	}
}

// clip holds z within ±k; 0 means no limit.
func clip(z []float64, k float64) {
	if k == 0 {
		return
	}
	for t, v := range z {
		if v > k {
			z[t] = k
		} else if v < -k {
			z[t] = -k
		}
	}
}

// flat is the share of a normalization's std below which a component's own is called a trap.
const flat = 0.01

// trap says that a component's z has hardly any deviation.
func (n Normalization) trap(c Component, in datasets.Instrument, mean, std float64) error {
	return fmt.Errorf("%s of %s varies by %.2g %% of the std that it is normalized by (%s): it adds a near constant %+.3g to the composite",
		c.Factor, in, 100*std, n.method(), c.Weight*mean)
}

func (n Normalization) method() Method {
	if n.Method == "" {
		return Rolling
	}
	return n.Method
}

// Validate reports what is wrong with the normalization on a grid, or nil.
func (n Normalization) Validate(g *Grid) error {
	_, err := n.start(g)
	return err
}

// Lookback is the number of bars that a z of the normalization takes its statistics from; 0 where it
// has no trailing window.
func (n Normalization) Lookback(g *Grid) int {
	switch n.Method {
	case "", Rolling, Rank:
		if w, _, err := n.window(g); err == nil {
			return w
		}
	}
	return 0
}
