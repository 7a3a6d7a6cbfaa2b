package datasets

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/datasets/atomicfile"
)

// crashLake names the variable that turns the test binary into a process that writes a lake until
// it is killed.
const crashLake = "QF_TEST_CRASH_LAKE"

// crashLocks, where it is set, gives that process locks that are never refused, as a folder has that
// machines share without sharing its locks.
const crashLocks = "QF_TEST_CRASH_LOCKS"

// crashSource is what it imports: some days, an empty one, and a grouped file.
func crashSource() (Source, []Partition) {
	want := parts(Trades, btc, "2024-01-01", 6)
	want = append(want, part(IncrementalBookL2, btc, "2024-01-01"))
	src := source(1500, want...)
	src.files[want[2]].rec = record(want[2], 0, 1)
	src.files[want[3]].bad = []BadRow{{1, "x", "y"}}
	group := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	g := newGroup(group, 1500, manyNames)
	src.files[group] = g.files[group]
	return crashing{src, g}, append(want, group)
}

// crashing opens the group where one is asked for.
type crashing struct {
	*memSource
	group groupSource
}

func (s crashing) Open(ctx context.Context, p Partition) (Stream, error) {
	if p.Grouped() {
		return s.group.Open(ctx, p)
	}
	return s.memSource.Open(ctx, p)
}

func importForever(root string) {
	if os.Getenv(crashLocks) != "" {
		tryLock = (*flock.Flock).TryRLock
	}
	l, err := OpenLake(root)
	if err != nil {
		panic(err)
	}
	src, want := crashSource()
	fmt.Println("writing")
	for {
		r, err := Fetch(context.Background(), src, l, want, FetchOptions{Replace: true})
		if err != nil {
			panic(err)
		}
		for _, e := range r.Entries {
			if e.Err != nil {
				panic(e.Err)
			}
		}
	}
}

// content is every file of the lake.
func content(t *testing.T, l *Lake) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range files(t, l) {
		b, err := os.ReadFile(l.root + "/" + f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(b)
	}
	return out
}

// whole fails the test where a file of the lake is not what it says.
func whole(t *testing.T, l *Lake) {
	t.Helper()
	all, err := l.All()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Verify(context.Background(), l, all, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Severity == Fault {
			t.Fatalf("%s: %s", f.Partition, f.Text)
		}
	}
}

// Two processes write the same days again and again, and are killed. What can be read at any time is
// whole, with locks and with locks that keep nobody out.
func TestKilledAtAnyInstant(t *testing.T) {
	for _, locks := range []string{"", "never refused"} {
		t.Run("locks "+locks, func(t *testing.T) { killWriters(t, locks) })
	}
}

func killWriters(t *testing.T, locks string) {
	kills := 50
	if testing.Short() {
		kills = 5
	}
	src, want := crashSource()
	reference := newLake(t)
	fetchAll(t, src, reference, want, FetchOptions{})
	wanted := content(t, reference)

	l := newLake(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for k := 0; k < kills; k += 2 {
		var pair []*exec.Cmd // two writers at once
		for range 2 {
			c := exec.Command(os.Args[0], "-test.run=^$")
			c.Env = append(os.Environ(), crashLake+"="+l.root, crashLocks+"="+locks)
			c.Stderr = new(bytes.Buffer)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "writing\n" {
				t.Fatalf("%q, %v", line, err)
			}
			pair = append(pair, c)
		}
		for _, c := range pair {
			time.Sleep(time.Duration(rng.IntN(40_000)) * time.Microsecond)
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if c.Wait(); c.ProcessState.Exited() {
				t.Fatalf("a writer failed: %s", c.Stderr)
			}
		}
		whole(t, l)
	}
	r := fetchAll(t, src, l, want, FetchOptions{})
	if r.Count(Failed)+r.Count(NotReached) > 0 {
		t.Errorf("%+v", r)
	}
	if d := cmp.Diff(wanted, content(t, l)); d != "" {
		t.Errorf("after %d kills and a last fetch: %s", kills, d)
	}
}

// Without locks two fetches do the same work, and both say so: each file is whole, and one of theirs.
func TestTwoFetchesWithoutLocks(t *testing.T) {
	tryLock = (*flock.Flock).TryRLock
	defer func() { tryLock = (*flock.Flock).TryLock }()
	src, want := crashSource()
	reference := newLake(t)
	fetchAll(t, src, reference, want, FetchOptions{})
	wanted := content(t, reference)
	for range 10 {
		l := newLake(t)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				r, err := Fetch(context.Background(), src, l, shuffled(want), FetchOptions{Concurrency: 3, Replace: true})
				if err != nil || r.Count(Failed)+r.Count(NotReached) > 0 {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		wg.Wait()
		if d := cmp.Diff(wanted, content(t, l)); d != "" {
			t.Error(d)
		}
	}
}

func TestTwoFetchesAtOnce(t *testing.T) {
	src, want := crashSource()
	l := newLake(t)
	var reports [2]FetchReport
	var wg sync.WaitGroup
	for i := range reports {
		wg.Go(func() {
			other, err := OpenLake(l.root)
			if err != nil {
				t.Error(err)
				return
			}
			if reports[i], err = Fetch(context.Background(), src, other, shuffled(want), FetchOptions{Concurrency: 3}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range want {
		a, b := reports[0].Entries[i], reports[1].Entries[i]
		if n := map[FetchStatus]int{Fetched: 1, Empty: 1}; n[a.Status]+n[b.Status] != 1 || (a.Status != Present && b.Status != Present) {
			t.Errorf("%s: %s and %s", a.Partition, a.Status, b.Status)
		}
	}
	whole(t, l)
	for f := range content(t, l) {
		if strings.HasSuffix(f, atomicfile.Ending) || strings.HasSuffix(f, lockEnding) {
			t.Errorf("left %s", f)
		}
	}
}

// fullAfter fails once n bytes were written, in all files together.
type fullAfter struct {
	mu   *sync.Mutex
	left *int
	to   io.Writer
}

func (f fullAfter) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(b) > *f.left {
		n, _ := f.to.Write(b[:*f.left])
		*f.left = 0
		return n, errFull
	}
	*f.left -= len(b)
	return f.to.Write(b)
}

func TestFullDisk(t *testing.T) {
	src, want := crashSource()
	reference := newLake(t)
	fetchAll(t, src, reference, want, FetchOptions{})
	wanted := content(t, reference)
	for _, room := range []int{0, 100, 5_000, 30_000, 100_000, 150_000, 200_000} {
		l := newLake(t)
		left, mu := room, &sync.Mutex{}
		l.wrap = func(w io.Writer) io.Writer { return fullAfter{mu, &left, w} }
		r := fetchAll(t, src, l, want, FetchOptions{})
		if left == 0 && r.Count(Failed) == 0 {
			t.Errorf("room for %d bytes: %v", room, statuses(r))
		}
		for _, e := range r.Entries {
			if e.Status == Failed && !errors.Is(e.Err, errFull) {
				t.Errorf("%v", e.Err)
			}
		}
		for f, b := range content(t, l) {
			if b != wanted[f] {
				t.Errorf("room for %d bytes: %s is not whole", room, f)
			}
		}
		l.wrap = nil
		fetchAll(t, src, l, want, FetchOptions{})
		if d := cmp.Diff(wanted, content(t, l)); d != "" {
			t.Errorf("room for %d bytes, then enough: %s", room, d)
		}
	}
}

func TestFullDiskKeepsTheOldFile(t *testing.T) {
	src, want := crashSource()
	l := newLake(t)
	fetchAll(t, src, l, want, FetchOptions{})
	before := content(t, l)
	l.wrap = func(io.Writer) io.Writer { return failing{} }
	r := fetchAll(t, src, l, want, FetchOptions{Replace: true})
	if r.Count(Failed) != len(want) {
		t.Errorf("%v", statuses(r))
	}
	if d := cmp.Diff(before, content(t, l)); d != "" {
		t.Error(d)
	}
}

func TestFailedRenameLeavesNothing(t *testing.T) {
	l := newLake(t)
	p := part(Trades, btc, "2024-01-01")
	if err := os.MkdirAll(l.path(p)+"/in the way", 0o777); err != nil {
		t.Fatal(err)
	}
	r := fetchAll(t, source(10, p), l, []Partition{p}, FetchOptions{})
	if r.Entries[0].Status != Failed || len(files(t, l)) != 0 {
		t.Errorf("%+v, left %q", r.Entries[0], files(t, l))
	}
}
