package llm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
)

// ErrBudget says that the next request might pass the budget.
var ErrBudget = errors.New("the budget is used up")

// budget keeps what is spent, and what requests under way may yet cost, below a cap.
type budget struct {
	cap float64 // USD; +Inf for none

	mu          sync.Mutex
	spent, held float64
	open        int           // reservations
	changed     chan struct{} // closed when a reservation ends
}

// newBudget takes a cap of NaN for none.
func newBudget(usd float64) *budget {
	if math.IsNaN(usd) {
		usd = math.Inf(1)
	}
	return &budget{cap: usd, changed: make(chan struct{})}
}

// reserve sets usd aside. Where it does not fit it waits for what the requests under way will leave,
// and fails with ErrBudget where there are none.
func (b *budget) reserve(ctx context.Context, usd float64) error {
	for ctx.Err() == nil {
		b.mu.Lock()
		if math.IsInf(b.cap, 1) || b.spent+b.held+usd <= b.cap {
			b.held += usd
			b.open++
			b.mu.Unlock()
			return nil
		}
		open, changed, spent := b.open, b.changed, b.spent
		b.mu.Unlock()
		if open == 0 {
			return fmt.Errorf("%w: %.4f of %g USD are spent, and the next request may cost %.4f; raise budget_usd or fill again",
				ErrBudget, spent, b.cap, usd)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	return context.Cause(ctx)
}

// settle ends a reservation of held USD, of which spent were billed.
func (b *budget) settle(held, spent float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent += spent
	b.held -= held
	if b.open--; b.open == 0 {
		b.held = 0 // no residue of rounding
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// total is what is spent so far.
func (b *budget) total() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}
