package factors

import (
	"context"
	"sync"
	"sync/atomic"
)

// forEach calls f for 0 … n-1 on up to that many workers and waits for all of them. The first error
// stops the rest and is returned, as is the cause of ctx.
func forEach(ctx context.Context, workers, n int, f func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
