package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// busyWait is the wait after a 429 that names none.
	busyWait = time.Minute
	// patience is the longest wait; an endpoint that asks for more ends the fill.
	patience = 15 * time.Minute
)

// stop is an error that ends the whole fill.
type stop struct{ error }

// Unwrap gives the error itself.
func (s stop) Unwrap() error { return s.error }

// asker puts calls to the endpoint under the pace and the budget of one fill.
type asker struct {
	config   Config
	client   *client
	pace     *pace
	budget   *budget
	inFlight context.Context // of requests: it outlives that of the fill by the grace
	sending  atomic.Int64    // requests under way
	answers  atomic.Int64    // so far, of all calls; an answer counts before its request is over

	mu      sync.Mutex
	ended   chan struct{}             // closed when the next request is over
	formats map[string]ResponseFormat // that a model's endpoint takes, where it is not the configured one
	lost    int                       // requests that may have been billed without an answer
}

func newAsker(cfg Config, inFlight context.Context, o FillOptions) *asker {
	return &asker{
		config: cfg, client: newClient(cfg.BaseURL, cfg.workers(), o), inFlight: inFlight,
		pace: newPace(cfg.RequestsPerMinute, cfg.TokensPerMinute), budget: newBudget(cfg.BudgetUSD),
		ended: make(chan struct{}), formats: map[string]ResponseFormat{},
	}
}

// next is closed when the next request is over.
func (a *asker) next() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended
}

// over says that a request is.
func (a *asker) over() {
	a.sending.Add(-1)
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.ended)
	a.ended = make(chan struct{})
}

// ask sends a call, with the turns of a repair if it is one, until there is an answer: again, with
// doubled waits, after what may pass; in a weaker format where the endpoint does not take this one.
// While the endpoint refuses for its rate limit everybody waits, and a call gives up only once
// nobody has had an answer over all its tries, those whose requests are still under way included.
func (a *asker) ask(ctx context.Context, call Call, m Model, repair []Message) (Exchange, error) {
	retries, refusals, answers := 0, 0, a.answers.Load()
	for {
		format := a.format(call)
		x, err := a.send(ctx, call, m, repair, format)
		var r *refusal
		if !errors.As(err, &r) {
			return x, err
		}
		if fatal := r.stops(a.config, call.Model, a.client.key); fatal != nil && !r.format() {
			return Exchange{}, stop{fatal}
		}
		switch {
		case r.format() && a.weaken(call, format):
		case r.after > patience:
			return Exchange{}, stop{fmt.Errorf("%w; the endpoint wants to be asked again in %s", r, r.after)}
		case r.busy():
			for refusals == a.config.MaxRetries {
				next := a.next()
				others := a.sending.Load() // before answers: what is not under way any more has been counted
				if a.answers.Load() != answers {
					break
				}
				if others == 0 { // else one of them may be answered
					return Exchange{}, stop{fmt.Errorf("%w; no call was answered over %d tries: lower requests_per_minute or concurrency", r, refusals+1)}
				}
				select {
				case <-next:
				case <-ctx.Done():
					return Exchange{}, context.Cause(ctx)
				}
			}
			refusals++
			if now := a.answers.Load(); now != answers {
				refusals, answers = 0, now
			}
			a.pace.hold(backoff(cmp.Or(r.after, busyWait), refusals-1))
		case r.passing():
			if retries++; retries > a.config.MaxRetries {
				return Exchange{}, fmt.Errorf("%w (after %d tries)", r, retries)
			}
			if err := sleep(ctx, max(r.after, backoff(time.Second, retries-1))); err != nil {
				return Exchange{}, err
			}
		default:
			return Exchange{}, r
		}
	}
}

// send waits for the request's turn, sets its worst case aside, sends it and settles what was billed.
// A request that was cut counts as billed in full. Once sent it is not called back before the grace.
func (a *asker) send(ctx context.Context, call Call, m Model, repair []Message, format ResponseFormat) (Exchange, error) {
	worst := call.with(repair, format).worst()
	if err := a.pace.wait(ctx, worst.Prompt+worst.Complete); err != nil {
		return Exchange{}, err
	}
	held := worst.Cost(m)
	if err := a.budget.reserve(ctx, held); err != nil {
		if errors.Is(err, ErrBudget) {
			err = stop{err}
		}
		return Exchange{}, err
	}
	a.sending.Add(1)
	defer a.over()
	x, err := a.client.do(a.inFlight, call, repair, format)
	var r *refusal
	switch {
	case err == nil:
		a.answers.Add(1)
		a.budget.settle(held, x.Usage.Cost(m))
	case errors.As(err, &r) && r.billable:
		a.budget.settle(held, held)
		a.mu.Lock()
		a.lost++
		a.mu.Unlock()
	default:
		a.budget.settle(held, 0)
	}
	return x, err
}

// backoff is wait · 2^n, at most patience, and up to a quarter more so that not all come back together.
func backoff(wait time.Duration, n int) time.Duration {
	for ; n > 0 && wait < patience; n-- {
		wait *= 2
	}
	wait = min(wait, patience)
	return wait + rand.N(wait/4+1)
}

// format is the one to send a call in.
func (a *asker) format(c Call) ResponseFormat {
	a.mu.Lock()
	defer a.mu.Unlock()
	return cmp.Or(a.formats[c.Model], c.ResponseFormat)
}

// weaken notes that the model's endpoint does not take a format, and reports whether there is another.
func (a *asker) weaken(c Call, refused ResponseFormat) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cmp.Or(a.formats[c.Model], c.ResponseFormat) != refused {
		return true // somebody has been here meanwhile
	}
	weaker, ok := refused.weaker()
	if ok {
		a.formats[c.Model] = weaker
	}
	return ok
}

// repairTurns are what a repair adds to a call: what was answered and what does not fit.
func repairTurns(text, invalid string) []Message {
	const most = 4 << 10
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	if strings.TrimSpace(text) == "" {
		text = "(no answer)"
	}
	return []Message{{"assistant", text}, {"user", "That does not fit: " + invalid + `.
Answer again, with one JSON object and nothing else:
{"action": "long", "short" or "neutral", "confidence": 0 to 1, "position_size": -1 to 1, of the action's sign and 0 for neutral, "reasoning": a text}`}}
}
