package llm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qf-dev/qf/signals/llm/llmtest"
)

// bill is what a server billed, at the prices of the models.
func bill(s *llmtest.Server, models []Model) float64 {
	return s.Bill(func(name string) (float64, float64) {
		for _, m := range models {
			if m.Name == name {
				return m.Input, m.Output
			}
		}
		return math.NaN(), math.NaN()
	})
}

// TestBudgetIsNeverPassed has eight requests at once at an endpoint that repeats itself, cuts
// connections after billing, hides usage and gives answers to be repaired, under caps that let
// through anything from nothing to nearly all. What the server billed stays below the cap at every
// request, and what Fill says is spent is at least that.
func TestBudgetIsNeverPassed(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	stopped, whole := 0, 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			c, questions := study(), days(12)
			c.Models, c.Concurrency = Prices(), 8
			c.BudgetUSD = math.Exp(-6 + 8*r.Float64())
			s := &llmtest.Server{Rule: llmtest.Honest(seed, 1)}
			random := llmtest.RandomFaults(seed, 0.5, llmtest.ServerError, llmtest.TooManyRequests, llmtest.Cut, llmtest.Dropped,
				llmtest.NoUsage, llmtest.InvalidJSON, llmtest.NoObject, llmtest.Slow)
			s.Fault = func(req llmtest.Request) llmtest.Fault {
				if usd := bill(s, c.Models); usd > c.BudgetUSD {
					t.Errorf("%v USD are billed before request %d, the budget is %v", usd, req.N, c.BudgetUSD)
				}
				f := random(req)
				f.RetryAfter, f.Pause = "1", time.Duration(req.N%7)*time.Second
				return f
			}
			report, _, err := fill(t, s, OpenCache(t.TempDir()), c, questions)
			usd := bill(s, c.Models)
			if usd > c.BudgetUSD || report.USD > c.BudgetUSD || usd > report.USD+1e-12 {
				t.Errorf("billed %v USD, reported %v, budget %v", usd, report.USD, c.BudgetUSD)
			}
			switch {
			case err == nil:
				whole++
			case !errors.Is(err, ErrBudget):
				t.Errorf("%v", err)
			default:
				stopped++
				if !strings.Contains(err.Error(), "raise budget_usd") || report.Left == 0 {
					t.Errorf("%+v, %v", report, err)
				}
				// The cap is used: not even the dearest request, with its repair, would have fit.
				if left := c.BudgetUSD - report.USD; left > 0.1 {
					t.Errorf("%v of %v USD are left", left, c.BudgetUSD)
				}
			}
		})
	}
	if stopped < seeds/5 || whole < seeds/8 {
		t.Errorf("%d fills were stopped and %d not: the test shows little", stopped, whole)
	}
}

// TestBilledRetriesCountOnce has a call whose first two answers are cut: the third is settled from
// its usage, the others at their worst.
func TestBilledRetriesCountOnce(t *testing.T) {
	c, questions := study(), days(1)
	c.Models = c.Models[1:2]
	worst := calls(t, c, questions)[0][0].worst().Cost(c.Models[0])
	for _, tc := range []struct {
		budget   float64
		requests int
	}{{3.5, 3}, {2.5, 2}, {1.5, 1}, {0.5, 0}} {
		c.BudgetUSD = tc.budget * worst
		s := &llmtest.Server{Fault: llmtest.FirstTries(2, llmtest.Fault{Kind: llmtest.Cut})}
		report, _, err := fill(t, s, OpenCache(t.TempDir()), c, questions)
		if s.Requests() != tc.requests || (tc.requests == 3) != (err == nil) || err != nil && !errors.Is(err, ErrBudget) {
			t.Errorf("%v worst cases: %d requests, %v", tc.budget, s.Requests(), err)
		}
		want := float64(min(tc.requests, 2)) * worst
		if tc.requests == 3 {
			want += Usage{Prompt: report.Prompt, Complete: report.Answer}.Cost(c.Models[0])
		}
		if math.Abs(report.USD-want) > 1e-12 {
			t.Errorf("%v worst cases: %v USD, want %v", tc.budget, report.USD, want)
		}
	}
}

// TestBudgetWaitsForWhatIsUnderWay has room for one worst case at a time.
func TestBudgetWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1)
		var wg sync.WaitGroup
		var mu sync.Mutex
		most, now := 0, 0
		for range 8 {
			wg.Go(func() {
				if err := b.reserve(t.Context(), 0.6); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				b.settle(0.6, 0.05)
			})
		}
		wg.Wait()
		if most != 1 || math.Abs(b.total()-0.4) > 1e-12 {
			t.Errorf("%d at once, %v spent", most, b.total())
		}
		if err := b.reserve(t.Context(), 0.61); !errors.Is(err, ErrBudget) {
			t.Errorf("%v", err)
		}
	})
}
