package signals

import (
	"errors"
	"fmt"
	"math"

	"github.com/qf-dev/qf/factors"
)

// Level is one of the five states of a score. A missing score has NoLevel.
type Level int8

const (
	StrongShort Level = iota - 2
	Short
	Neutral
	Long
	StrongLong
	NoLevel Level = 127
)

// String is the level's name in reports: "strong_long", "long", "neutral", "short", "strong_short",
// and "missing" for NoLevel.
func (l Level) String() string {
	switch l {
	case StrongShort:
		return "strong_short"
	case Short:
		return "short"
	case Neutral:
		return "neutral"
	case Long:
		return "long"
	case StrongLong:
		return "strong_long"
	}
	return "missing"
}

// Levels lists the five levels from strong long to strong short, the order of reports.
func Levels() []Level { return []Level{StrongLong, Long, Neutral, Short, StrongShort} }

// Threshold cuts a score F into five levels, each a target weight:
//
//	F > StrongLong, F > Long, F < Short, F < StrongShort, neutral otherwise
//
// all strictly, so that a boundary itself belongs to the level nearer neutral. A missing score has
// target 0.
type Threshold struct {
	Cuts    Cuts
	Weights Weights
}

// Cuts are the boundaries, StrongShort < Short < Long < StrongLong.
type Cuts struct {
	StrongLong  float64 `yaml:"strong_long"`
	Long        float64 `yaml:"long"`
	Short       float64 `yaml:"short"`
	StrongShort float64 `yaml:"strong_short"`
}

// Weights are the levels' target weights, fractions of equity in [−1, 1].
type Weights struct {
	StrongLong  float64 `yaml:"strong_long"`
	Long        float64 `yaml:"long"`
	Neutral     float64 `yaml:"neutral"`
	Short       float64 `yaml:"short"`
	StrongShort float64 `yaml:"strong_short"`
}

// DefaultCuts and DefaultWeights are those of a study that gives none.
var (
	DefaultCuts    = Cuts{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1}
	DefaultWeights = Weights{StrongLong: 1, Long: 0.5, Neutral: 0, Short: -0.5, StrongShort: -1}
)

// LevelOf is the level of a score; NoLevel where it is missing.
func (c Cuts) LevelOf(f float64) Level {
	switch {
	case math.IsNaN(f):
		return NoLevel
	case f > c.StrongLong:
		return StrongLong
	case f > c.Long:
		return Long
	case f < c.StrongShort:
		return StrongShort
	case f < c.Short:
		return Short
	}
	return Neutral
}

// Of is the weight of a level; 0 for NoLevel.
func (w Weights) Of(l Level) float64 {
	switch l {
	case StrongLong:
		return w.StrongLong
	case Long:
		return w.Long
	case Neutral:
		return w.Neutral
	case Short:
		return w.Short
	case StrongShort:
		return w.StrongShort
	}
	return 0
}

// Validate reports all that is wrong with the cuts and the weights, or nil.
func (r Threshold) Validate() error { return errors.Join(r.Cuts.Validate(), r.Weights.Validate()) }

// Validate reports whether the cuts are out of order, or nil.
func (c Cuts) Validate() error {
	if c.StrongShort < c.Short && c.Short < c.Long && c.Long < c.StrongLong {
		return nil
	}
	return fmt.Errorf("thresholds: want strong_short < short < long < strong_long, have %v, %v, %v, %v",
		c.StrongShort, c.Short, c.Long, c.StrongLong)
}

// Validate reports the weights outside [−1, 1], or nil.
func (w Weights) Validate() error {
	var errs []error
	for _, l := range Levels() {
		if v := w.Of(l); !(v >= -1 && v <= 1) {
			errs = append(errs, fmt.Errorf("weights: %s is %v, want −1 to 1", l, v))
		}
	}
	return errors.Join(errs...)
}

// LevelOf is Cuts.LevelOf.
func (r Threshold) LevelOf(f float64) Level { return r.Cuts.LevelOf(f) }

// Start begins the rule, which carries nothing. No target is missing: a missing score has target 0.
func (r Threshold) Start(*factors.Grid, int) (Stepper, error) {
	return steps(func(target, score []float64, _ Rows) {
		for t, f := range score {
			target[t] = r.Weights.Of(r.LevelOf(f))
		}
	}), r.Validate()
}
