package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// FillOptions says how to fill, never what.
type FillOptions struct {
	Key       string            // of the endpoint; "" for none
	UserAgent string            // of requests; "" means qf
	Transport http.RoundTripper // nil: as http.DefaultTransport
	Progress  func(Progress)    // after each call, one at a time; nil for none
	Grace     time.Duration     // that answers under way get when ctx ends; 0 means 30 s
}

// Progress is how far a fill is.
type Progress struct {
	Done, Total    int     // calls to be asked
	Prompt, Answer int     // tokens
	USD            float64 // as FillReport.USD
	ETA            time.Duration
}

// FillReport is what a fill did.
type FillReport struct {
	Asked   int // = Valid + Invalid + Failed
	Valid   int
	Invalid int // also after the repair
	Failed  int
	Held    int // they were in the cache already
	Left    int // not asked because the fill ended before

	Prompt, Answer int     // tokens of the answers
	USD            float64 // with what Lost may have cost; NaN where the price of a model that was asked is not known
	Lost           int     // requests that may have been billed although no answer came: counted at their worst
	Failures       []error // each names its call
}

// maxFailures in a row end a fill: the endpoint is down.
const maxFailures = 10

// Fill asks for what the cache lacks of the questions and stores each answer as soon as it is there,
// before anything else is asked in its place. An answer that does not fit gets one attempt to repair
// it, which a later fill makes up for if this one could not. No other fill may run on the cache.
//
// When ctx ends, no request is sent any more; those under way get the grace to arrive, and Fill
// returns the context's cause. It also ends, with what was paid for in the cache, at the budget
// (ErrBudget), where the endpoint refuses the key or has no more credit, and where nothing is
// answered any more. Calls that failed alone are in the report, and not an error.
//
// A model of unknown price is refused where there is a budget.
func Fill(ctx context.Context, cache *Cache, cfg Config, questions []Question, o FillOptions) (FillReport, error) {
	if err := cfg.priced(); err != nil {
		return FillReport{}, err
	}
	calls, err := cfg.Calls(questions)
	if err != nil {
		return FillReport{}, err
	}
	unlock, err := cache.lock()
	if err != nil {
		return FillReport{}, err
	}
	defer unlock()
	f := &filler{cache: cache, config: cfg, options: o, start: time.Now()}
	if err := f.plan(calls, questions); err != nil {
		return f.report, err
	}
	err = f.run(ctx)
	f.report.Left = len(f.todo) - f.report.Asked
	return f.report, err
}

// priced refuses models of unknown price under a budget.
func (c Config) priced() error {
	if math.IsNaN(c.BudgetUSD) {
		return nil
	}
	var errs []error
	for _, m := range c.Models {
		if !m.Priced() {
			errs = append(errs, fmt.Errorf("model %s has no price, and budget_usd is set: give its input and output price, or leave the budget out", m.Name))
		}
	}
	return errors.Join(errs...)
}

func (c Config) workers() int { return max(1, c.Concurrency) }

// filler is one fill under way.
type filler struct {
	cache   *Cache
	config  Config
	options FillOptions
	start   time.Time
	asker   *asker
	todo    []task

	mu     sync.Mutex
	report FillReport
	row    int // failures since the last answer
}

// task is one call to be asked, or repaired.
type task struct {
	call  Call
	model Model
	name  string
	entry *Entry // nil, or one that lacks its repair
}

// plan lists the calls that are not in the cache, by question, then model.
func (f *filler) plan(calls [][]Call, questions []Question) error {
	seen := map[Key]bool{}
	for i, q := range questions {
		for m, model := range f.config.Models {
			call := calls[m][i]
			k := call.Key()
			if seen[k] {
				continue
			}
			seen[k] = true
			e, err := f.cache.Get(k)
			switch {
			case err != nil && !errors.Is(err, ErrMissing):
				return err
			case e != nil && !e.repairDue():
				f.report.Held++
			default:
				f.todo = append(f.todo, task{call, model, fmt.Sprintf("%s: %s", model.Name, q), e})
			}
		}
	}
	return nil
}

// run works through the tasks in order; the first error that stops keeps others from starting, and
// all that are under way are waited for.
func (f *filler) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	inFlight, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	f.asker = newAsker(f.config, inFlight, f.options)
	defer f.asker.client.close()

	done := make(chan struct{})
	var grace sync.WaitGroup
	grace.Go(func() { f.grant(ctx, done, cut) })
	// ctx, not the one that ForEach ends, is what the grace begins with.
	_ = datasets.ForEach(ctx, f.config.workers(), len(f.todo), func(_ context.Context, i int) error {
		if err := f.one(ctx, f.todo[i]); err != nil {
			cancel(err)
		}
		return nil
	})
	close(done)
	grace.Wait()

	f.report.USD, f.report.Lost = f.asker.budget.total(), f.asker.lost
	var s stop
	if err := context.Cause(ctx); !errors.As(err, &s) {
		return err
	}
	return s.error
}

// grant waits until ctx ends and cuts off what is still under way after the grace, unless all is done
// before.
func (f *filler) grant(ctx context.Context, done <-chan struct{}, cut context.CancelCauseFunc) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	timer := time.NewTimer(cmp.Or(f.options.Grace, 30*time.Second))
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		cut(errors.New("the answer did not come in time after the fill was stopped"))
	}
}

// one asks one call, stores what comes, and counts it. The error ends the fill.
func (f *filler) one(ctx context.Context, t task) error {
	e, err := f.answer(ctx, t)
	var s stop
	switch {
	case err == nil:
	case errors.As(err, &s):
		return stop{fmt.Errorf("%s: %w", t.name, s.error)}
	case ctx.Err() != nil:
		return err
	default:
		err = fmt.Errorf("%s: %w", t.name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report.Asked++
	switch {
	case err != nil:
		f.report.Failed++
		f.report.Failures = append(f.report.Failures, err)
		if f.row++; f.row >= maxFailures {
			return stop{fmt.Errorf("%d calls failed in a row, the last was %w", f.row, err)}
		}
	case e.State() == Valid:
		f.report.Valid++
	default:
		f.report.Invalid++
	}
	if err == nil {
		f.row = 0
	}
	f.progress()
	return nil
}

// answer asks for t's answer and, where it does not fit, for a repair. Whatever comes is stored before
// the next request.
func (f *filler) answer(ctx context.Context, t task) (*Entry, error) {
	e := t.entry
	if e == nil {
		x, err := f.asker.ask(ctx, t.call, t.model, nil)
		if err != nil {
			return nil, err
		}
		e = newEntry(t.call, time.Now().Add(-x.latency()))
		if err := f.store(e, x); err != nil {
			return nil, err
		}
	}
	if e.repairDue() {
		first := e.Exchanges[0]
		x, err := f.asker.ask(ctx, t.call, t.model, repairTurns(first.Text, e.Invalid))
		if err != nil {
			return nil, fmt.Errorf("repair: %w", err)
		}
		if err := f.store(e, x); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// store adds an exchange to an entry and writes it. What cannot be stored must not be paid for, so a
// failure ends the fill.
func (f *filler) store(e *Entry, x Exchange) error {
	e.add(x)
	f.mu.Lock()
	f.report.Prompt += x.Usage.Prompt
	f.report.Answer += x.Usage.Complete
	f.mu.Unlock()
	if err := f.cache.Put(e); err != nil {
		return stop{fmt.Errorf("store an answer: %w", err)}
	}
	return nil
}

// progress tells how far the fill is; the lock is held.
func (f *filler) progress() {
	if f.options.Progress == nil {
		return
	}
	r := f.report
	perCall := time.Since(f.start) / time.Duration(r.Asked)
	f.options.Progress(Progress{Done: r.Asked, Total: len(f.todo), Prompt: r.Prompt, Answer: r.Answer,
		USD: f.asker.budget.total(), ETA: perCall * time.Duration(len(f.todo)-r.Asked)})
}
