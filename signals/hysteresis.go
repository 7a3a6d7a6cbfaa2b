package signals

import (
	"errors"
	"fmt"

	"github.com/qf-dev/qf/factors"
)

// Hysteresis is a Threshold whose levels are left at other scores than they are entered at: a level
// that was entered by its cut is kept while the score stays beyond its exit, strictly. When it is
// left, the next weaker level of the same side is kept on the same terms. A missing score ends all
// of them.
type Hysteresis struct {
	Threshold
	Exit Cuts // each at its entering cut or nearer to neutral
}

// Validate reports all that is wrong with the cuts, the exits and the weights, or nil.
func (r Hysteresis) Validate() error {
	errs := []error{r.Threshold.Validate()}
	e, c := r.Exit, r.Cuts
	if !(e.StrongShort <= e.Short && e.Short <= e.Long && e.Long <= e.StrongLong) {
		errs = append(errs, fmt.Errorf("exits: want strong_short <= short <= long <= strong_long, have %v, %v, %v, %v", e.StrongShort, e.Short, e.Long, e.StrongLong))
	}
	if !(e.StrongLong <= c.StrongLong && e.Long <= c.Long && e.Short >= c.Short && e.StrongShort >= c.StrongShort) {
		errs = append(errs, fmt.Errorf("exits: want each at its threshold or nearer to neutral, have %+v for %+v", e, c))
	}
	return errors.Join(errs...)
}

// Next is the level of score f after level last.
func (r Hysteresis) Next(last Level, f float64) Level {
	enter := r.LevelOf(f)
	switch {
	case enter == NoLevel || last == NoLevel:
		return enter
	case last == StrongLong && f > r.Exit.StrongLong:
		return StrongLong
	case last >= Long && f > r.Exit.Long:
		return max(enter, Long)
	case last == StrongShort && f < r.Exit.StrongShort:
		return StrongShort
	case last <= Short && f < r.Exit.Short:
		return min(enter, Short)
	}
	return enter
}

// Start begins with no level.
func (r Hysteresis) Start(*factors.Grid, int) (Stepper, error) {
	level := NoLevel
	return steps(func(target, score []float64, _ Rows) {
		for t, f := range score {
			level = r.Next(level, f)
			target[t] = r.Weights.Of(level)
		}
	}), r.Validate()
}
