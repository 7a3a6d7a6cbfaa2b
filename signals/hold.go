package signals

import (
	"fmt"
	"math"

	"github.com/qf-dev/qf/factors"
)

// MinHold keeps a target of Rule for at least Bars bars once it has changed. A missing score ends
// the hold.
type MinHold struct {
	Rule Rule
	Bars int // at least 1; 1 changes nothing
}

// Start begins the held rule.
func (r MinHold) Start(g *factors.Grid, instrument int) (Stepper, error) {
	if r.Bars < 1 {
		return nil, fmt.Errorf("minimum holding time is %d bars, want 1 or more", r.Bars)
	}
	held, age := 0.0, r.Bars // bars since held began
	return wrap(r.Rule, g, instrument, func(target, score []float64, _ Rows) {
		for t, want := range target {
			switch {
			case math.IsNaN(score[t]):
				held, age = 0, r.Bars
			case want != held && age >= r.Bars:
				held, age = want, 1
			default:
				age++
			}
			target[t] = held
		}
	})
}

// Cadence lets the targets of Rule change only once in every stretch of Every: at its first bar.
// Stretches of time begin at whole multiples of it in UTC, and a bar labelled with their beginning
// is the first of them; stretches of bars are counted from the first row. A missing score has
// target 0 at once, until the next stretch begins.
type Cadence struct {
	Rule  Rule
	Every factors.Window // bars or time
}

// Start begins the rule that is held between the first bars of stretches.
func (r Cadence) Start(g *factors.Grid, instrument int) (Stepper, error) {
	var stretch func(t int, rows Rows) int64
	switch {
	case r.Every.Time > 0:
		length := r.Every.Time.Microseconds()
		stretch = func(t int, rows Rows) int64 { return rows.Close[t] / length }
	case r.Every.Bars > 0:
		stretch = func(t int, rows Rows) int64 { return int64((rows.Lo + t) / r.Every.Bars) }
	default:
		return nil, fmt.Errorf("rebalance cadence is %v, want bars or time", r.Every)
	}
	held, last := 0.0, int64(-1)
	return wrap(r.Rule, g, instrument, func(target, score []float64, rows Rows) {
		for t, want := range target {
			if now := stretch(t, rows); now != last {
				held, last = want, now
			}
			if math.IsNaN(score[t]) {
				held = 0
			}
			target[t] = held
		}
	})
}
