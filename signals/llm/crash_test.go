package llm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/signals/llm/llmtest"
)

// crashCache and crashURL name the variables that turn the test binary into a process that fills a
// cache until it is killed.
const (
	crashCache = "QF_TEST_CRASH_CACHE"
	crashURL   = "QF_TEST_CRASH_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashCache); dir != "" {
		report, err := Fill(context.Background(), OpenCache(dir), crashStudy(os.Getenv(crashURL)), days(60), FillOptions{Key: testKey})
		if err != nil || report.Failed > 0 {
			fmt.Fprintln(os.Stderr, err, report.Failures)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func crashStudy(url string) Config {
	c := study()
	c.BaseURL, c.Concurrency = url, 4
	return c
}

// TestKilledFillPaysNothingTwice kills fills at random instants until one gets through. An answer
// that is in the cache is never asked for again. At an endpoint that honours Idempotency-Key no
// answer is paid twice at all; at another, only those that were under way when the process died.
func TestKilledFillPaysNothingTwice(t *testing.T) {
	for _, idempotent := range []bool{true, false} {
		t.Run(fmt.Sprint("idempotent ", idempotent), func(t *testing.T) {
			s := &llmtest.Server{Key: testKey, Idempotent: idempotent, Rule: llmtest.Honest(3, 1), Fault: func(r llmtest.Request) llmtest.Fault {
				kind := llmtest.Slow
				if r.ID[0] == '0' {
					kind = llmtest.OutOfRange // and a repair
				}
				return llmtest.Fault{Kind: kind, Pause: 3 * time.Millisecond}
			}}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			dir := t.TempDir()
			cache, r := OpenCache(dir), rand.New(rand.NewPCG(5, 6))
			kills := 0
			for done := false; !done; {
				had, before := stored(t, cache), s.Requests()
				due := before + 1 + r.IntN(25)
				done = runUntilKilled(t, dir, s.URL(), func() bool { return s.Requests() >= due }, time.Duration(r.IntN(6000))*time.Microsecond)
				if !done {
					kills++
				}
				for _, e := range s.Log()[before:] {
					if had[Key(e.ID)] {
						t.Errorf("the answer to %s was in the cache and asked for again", e.ID)
					}
				}
			}
			twice := 0
			for _, n := range s.Billed() {
				twice += n - 1
			}
			if most := kills * 4; idempotent && twice > 0 || twice > most {
				t.Errorf("%d answers were paid twice over %d kills", twice, kills)
			}
			if kills == 0 {
				t.Error("no fill was killed")
			}
			if _, findings, err := cache.Verify(); len(findings) > 0 || err != nil {
				t.Error(findings, err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*", ".*"))
			if got := states(t, cache, crashStudy(s.URL()), days(60)); err != nil || len(left) > 0 || len(got[0])+len(got[1]) != 120 {
				t.Errorf("%v are left, %v", left, err)
			}
			t.Logf("%d kills, %d requests, %d paid twice", kills, s.Requests(), twice)
		})
	}
}

// stored are the requests whose answers are in the cache.
func stored(t *testing.T, c *Cache) map[Key]bool {
	t.Helper()
	keys, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	out := map[Key]bool{}
	for _, k := range keys {
		if _, err := c.Get(k); err != nil {
			t.Error(err)
		}
		out[k] = true
	}
	return out
}

// runUntilKilled fills in a process of its own and kills it a while after it is due, and reports
// whether it was done before.
func runUntilKilled(t *testing.T, dir, url string, due func() bool, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashCache+"="+dir, crashURL+"="+url)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !due() {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			return true
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(after)
	cmd.Process.Kill()
	return <-ended == nil
}
