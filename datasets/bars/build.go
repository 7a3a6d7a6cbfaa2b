package bars

import (
	"context"

	"github.com/qf-dev/qf/datasets"
)

// Request is what Build makes bars of.
type Request struct {
	Instrument datasets.Instrument
	Contract   datasets.Contract
	Spec       Spec
	First, End datasets.Day // days [First, End)
	// Feeds names the feeds whose columns are wanted beside those of trades, which are always built.
	Feeds []datasets.DataType
}

// Options says how, never what.
type Options struct {
	Workers int  // days folded at once; 0 means GOMAXPROCS
	NoCache bool // neither read nor write the bar cache
}

// Build folds the lake's ticks into bars. The result is the same to the bit whatever Workers is and
// whether the cache was warm. The caller releases Series.Record.
func Build(ctx context.Context, lake *datasets.Lake, q Request, o Options) (*Series, error) {
	panic("bars: Build")
}
