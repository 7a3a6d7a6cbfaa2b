package llm

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace spaces requests: so many a minute, so many tokens a minute, and none while the endpoint wants
// to be left alone.
type pace struct {
	requests, tokens *rate.Limiter

	mu    sync.Mutex
	until time.Time // nobody sends before
}

func newPace(requestsPerMinute, tokensPerMinute float64) *pace {
	return &pace{requests: perMinute(requestsPerMinute), tokens: perMinute(tokensPerMinute)}
}

// perMinute lets through n a minute, evenly: at most a second's worth at once. 0 is no limit.
func perMinute(n float64) *rate.Limiter {
	if n <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(n/60), int(max(1, min(n/60, math.MaxInt32))))
}

// wait returns when a request with so many tokens may go.
func (p *pace) wait(ctx context.Context, tokens int) error {
	for {
		if err := p.pause(ctx); err != nil {
			return err
		}
		if err := p.requests.Wait(ctx); err != nil {
			return ended(ctx, err)
		}
		for tokens > 0 {
			n := min(tokens, p.tokens.Burst())
			if p.tokens.Limit() == rate.Inf {
				n = tokens
			}
			if err := p.tokens.WaitN(ctx, n); err != nil {
				return ended(ctx, err)
			}
			tokens -= n
		}
		if p.left() <= 0 {
			return context.Cause(ctx)
		}
	}
}

// ended is why a wait ended early: the context's cause, or that its deadline would come too soon.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// hold makes everybody wait for d from now, or as long as they have to anyway.
func (p *pace) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.until) {
		p.until = until
	}
}

// left is for how long nobody may send.
func (p *pace) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until)
}

// pause waits until nobody holds.
func (p *pace) pause(ctx context.Context) error {
	for d := p.left(); d > 0; d = p.left() {
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// sleep waits for d, or for the end of ctx, which is an error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
