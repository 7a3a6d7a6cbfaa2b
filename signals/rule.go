package signals

import (
	"context"

	"github.com/qf-dev/qf/factors"
)

// Rule turns a score into target weights in [−1, 1], row by row, looking only at rows up to each.
type Rule interface {
	Targets(ctx context.Context, score *factors.Panel) (*factors.Panel, error)
}
