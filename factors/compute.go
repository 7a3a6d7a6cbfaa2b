package factors

import "context"

// Options says how to compute, never what.
type Options struct {
	Workers int // columns evaluated at once; 0 means GOMAXPROCS
}

// Compute evaluates the factors over the market frame, one panel each, in the order of fs. Shared
// intermediates are computed once. A missing input field is an error that names it.
func Compute(ctx context.Context, market *Frame, fs []Factor, o Options) (*Frame, error) {
	panic("factors: Compute")
}
