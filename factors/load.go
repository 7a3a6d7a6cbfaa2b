package factors

import (
	"github.com/qf-dev/qf/datasets/bars"
)

// Load lays the bars of several instruments on one grid: time bars on the common labels, other bars
// alone. It is the one place where null becomes NaN. A field that only some instruments have is NaN
// for the others. barsPerYear is for bars that are not time bars; 0 where the study gives none.
func Load(series []*bars.Series, barsPerYear float64) (*Frame, error) {
	panic("factors: Load")
}
