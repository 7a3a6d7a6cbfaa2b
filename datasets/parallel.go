package datasets

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// ForEach calls f for 0 … n−1, in that order of starting, on at most workers goroutines at once (0:
// GOMAXPROCS), and waits for all of them. The first error cancels the context that the others see, and is
// returned, as is the cause of ctx. Each call writes places of its own, so that the result does not depend on
// the number of workers.
func ForEach(ctx context.Context, workers, n int, f func(context.Context, int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
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

// ForAll is ForEach on all processors, for what neither fails nor stops.
func ForAll(n int, f func(int)) {
	_ = ForEach(context.Background(), 0, n, func(_ context.Context, i int) error {
		f(i)
		return nil
	})
}
