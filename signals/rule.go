// Package signals turns scores into target weights.
//
//  1. A Threshold cuts a score into five levels, each a target weight in [−1, 1]; Hysteresis leaves a level at another
//     score than it is entered at.
//  2. Other rules wrap a rule and change its targets: MinHold keeps them, RegimeScale and VolatilityTarget size them by a
//     factor, Cap limits them, Cadence says how often they may change.
//  3. A rule is started once for each instrument. Its Stepper then takes the rows in order, a block at a time; what it
//     carries from one block to the next makes the cutting invisible.
//
// A target looks at rows up to its own alone. Where the score is missing it is 0.
package signals

import (
	"context"
	"math"

	"github.com/qf-dev/qf/factors"
)

// Rule turns a score into target weights in [−1, 1].
type Rule interface {
	// Start begins with row 0 of an instrument of g, whose labels are not needed. The error says what is wrong with the
	// rule.
	Start(g *factors.Grid, instrument int) (Stepper, error)
}

// Stepper is a rule with the state that it carries.
type Stepper interface {
	// Step writes the targets of the rows that follow those before. target and score have a value a row.
	Step(target, score []float64, rows Rows)
}

// Rows are what a rule may know of successive rows of one instrument beside the score.
type Rows struct {
	Lo     int                         // row of the grid at which they begin
	Close  []int64                     // their labels, Unix µs
	Factor func(name string) []float64 // the values of a factor of the study
}

// steps is a Stepper that is its Step.
type steps func(target, score []float64, rows Rows)

// Step calls it.
func (f steps) Step(target, score []float64, rows Rows) { f(target, score, rows) }

// Targets steps a rule through the rows of a score in one block. frame has the panels that the rule looks at, and may
// be nil. The panel is named "target".
func Targets(ctx context.Context, rule Rule, score *factors.Panel, frame *factors.Frame) (*factors.Panel, error) {
	cols := make([][]float64, len(score.Instruments))
	for i := range cols {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s, err := rule.Start(score.Grid, i)
		if err != nil {
			return nil, err
		}
		cols[i] = make([]float64, score.Len())
		s.Step(cols[i], score.Col(i), Rows{Close: score.Close, Factor: func(name string) []float64 {
			return frame.Panel(name).Col(i)
		}})
	}
	return factors.NewPanel("target", score.Grid, cols...), nil
}

// wrapped is a Stepper of which change alters the targets. Where the score is missing the target is 0, whatever it does.
type wrapped struct {
	of     Stepper
	change func(target, score []float64, rows Rows)
}

// wrap starts the rule that another one wraps.
func wrap(of Rule, g *factors.Grid, instrument int, change func(target, score []float64, rows Rows)) (Stepper, error) {
	s, err := of.Start(g, instrument)
	return wrapped{s, change}, err
}

func (w wrapped) Step(target, score []float64, rows Rows) {
	w.of.Step(target, score, rows)
	w.change(target, score, rows)
	for t, f := range score {
		if math.IsNaN(f) {
			target[t] = 0
		}
	}
}

// within holds a target within ±limit.
func within(w, limit float64) float64 { return max(-limit, min(limit, w)) }
