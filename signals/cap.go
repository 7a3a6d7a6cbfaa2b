package signals

import (
	"fmt"

	"github.com/qf-dev/qf/factors"
)

// Cap limits each target of Rule to ±Each.
type Cap struct {
	Rule Rule
	Each float64 // 0: none
}

// Start begins the limited rule.
func (r Cap) Start(g *factors.Grid, instrument int) (Stepper, error) {
	if !(r.Each >= 0) {
		return nil, fmt.Errorf("cap on each target is %v, want 0 or more", r.Each)
	}
	return wrap(r.Rule, g, instrument, func(target, _ []float64, _ Rows) {
		for t, w := range target {
			if r.Each > 0 {
				target[t] = within(w, r.Each)
			}
		}
	})
}
