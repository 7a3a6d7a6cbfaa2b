package backtest

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"
)

// A study that is stopped says why, and leaves nothing running: while it learns, plays or closes its figures.
func TestStoppedStudyLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	lake, s := simulatedLake(t, ofTrades("tick", 1), nil, "composite.normalize={method: full_sample}")
	enough := errors.New("enough")
	for stage := range 4 {
		ctx, cancel := context.WithCancelCause(t.Context())
		seen := 0
		r, err := Backtest(ctx, lake, s, Options{Workers: 3, block: 97, Log: func(string, ...any) {
			if seen++; seen > stage {
				cancel(enough)
			}
		}})
		cancel(nil)
		if !errors.Is(err, enough) || r != nil {
			t.Errorf("stopped at stage %d: %v, %v", stage, r, err)
		}
	}
}
