package datasets

import (
	"context"
	"sync"
	"sync/atomic"
)

// forEach calls f for 0 … n−1, in that order of starting, on at most workers goroutines at once. The
// first error cancels the context that the others see, and is returned once all have ended.
func forEach(ctx context.Context, workers, n int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
