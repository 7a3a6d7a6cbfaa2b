package opinions

import (
	"math"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
)

// null is a figure that cannot be computed.
var null = evaluate.Figure(math.NaN())

// Reasons that several rows give.
const (
	noSides = "no valid answer takes a side and has a forward return"
	oneTime = "fewer than two times of asking, or all with the same value"
)

// reasons collects why figures of a row are null, by their key.
type reasons map[string]string

func (why reasons) all(text string, keys ...string) {
	for _, key := range keys {
		why[key] = text
	}
}

// null makes a figure that is no number null and says why, unless that was said before.
func (why reasons) null(key string, f *evaluate.Figure, text string) {
	if metrics.Defined(float64(*f)) {
		return
	}
	if *f = null; why[key] == "" {
		why[key] = text
	}
}

// given is nil where there is no reason.
func (why reasons) given() map[string]string {
	if len(why) == 0 {
		return nil
	}
	return why
}
