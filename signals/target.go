package signals

import (
	"context"
	"math"

	"github.com/qf-dev/qf/factors"
)

// adjust gives the targets of a rule after f has changed each instrument's column of them. f sees
// the score beside them and must look at rows up to each alone. Where the score is missing the
// target is 0 and stays so, whatever f does.
func adjust(ctx context.Context, rule Rule, score *factors.Panel, f func(i int, score, target []float64)) (*factors.Panel, error) {
	targets, err := rule.Targets(ctx, score)
	if err != nil {
		return nil, err
	}
	cols := make([][]float64, len(score.Instruments))
	for i := range cols {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		cols[i] = append([]float64(nil), targets.Col(i)...)
		f(i, score.Col(i), cols[i])
		for t, s := range score.Col(i) {
			if math.IsNaN(s) {
				cols[i][t] = 0
			}
		}
	}
	return factors.NewPanel(targets.Name, score.Grid, cols...), nil
}

// within holds a target within ±limit.
func within(w, limit float64) float64 { return max(-limit, min(limit, w)) }
