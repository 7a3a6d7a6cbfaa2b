package signals

import (
	"context"
	"fmt"
	"math"

	"github.com/qf-dev/qf/factors"
)

// Cap limits the targets of Rule: each to ±Each, and then all of a bar, in proportion, so that the
// sum of their absolute values is at most Gross.
type Cap struct {
	Rule  Rule
	Each  float64 // 0: none
	Gross float64 // 0: none
}

// Targets limits the rule's.
func (r Cap) Targets(ctx context.Context, score *factors.Panel) (*factors.Panel, error) {
	if !(r.Each >= 0) || !(r.Gross >= 0) {
		return nil, fmt.Errorf("caps are %v on each target and %v on their sum, want 0 or more", r.Each, r.Gross)
	}
	gross := make([]float64, score.Len())
	each, err := adjust(ctx, r.Rule, score, func(_ int, _, target []float64) {
		for t, w := range target {
			if r.Each > 0 {
				w = within(w, r.Each)
			}
			target[t] = w
			gross[t] += math.Abs(w)
		}
	})
	if err != nil || r.Gross == 0 {
		return each, err
	}
	return adjust(ctx, given{each}, score, func(_ int, _, target []float64) {
		for t, g := range gross {
			if g > r.Gross {
				target[t] *= r.Gross / g
			}
		}
	})
}

// given is a rule whose targets are there already.
type given struct{ targets *factors.Panel }

func (g given) Targets(context.Context, *factors.Panel) (*factors.Panel, error) {
	return g.targets, nil
}
