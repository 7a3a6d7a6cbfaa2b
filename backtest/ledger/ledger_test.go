package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

const firstDay = datasets.Day(19_000)

// scored is what a study of one setting, its fee, earned over some days: noise of its own.
func scored(t testing.TB, setting, days int) (*study.Study, *portfolio.Account) {
	t.Helper()
	s := study.Default()
	s.Data.Instruments = study.Instruments{{Instrument: datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}}}
	s.Data.From, s.Data.To = firstDay, firstDay+datasets.Day(days)
	s.Execution.TakerBps = float64(setting) / 8
	a := &portfolio.Account{Span: study.Span{From: firstDay.Start(), To: (firstDay + datasets.Day(days)).Start()}}
	r := rand.New(rand.NewPCG(uint64(setting), 7))
	for d := range days {
		a.Days = append(a.Days, portfolio.Day{Day: firstDay + datasets.Day(d), Return: 0.01 * r.NormFloat64()})
	}
	return s, a
}

func entryOf(t testing.TB, setting int) Entry {
	t.Helper()
	s, a := scored(t, setting, 90)
	e, known, err := NewEntry(s, a)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	return e
}

func entriesOf(t testing.TB, from, to int) (list []Entry) {
	for k := from; k < to; k++ {
		list = append(list, entryOf(t, k))
	}
	return list
}

func open(t testing.TB, root string) *Ledger {
	t.Helper()
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	return Open(lake)
}

func add(t testing.TB, l *Ledger, list ...Entry) Head {
	t.Helper()
	h, err := l.Add(context.Background(), list...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// verify fails unless exactly the findings that are wanted are made, each told by a part of its path and reason.
func verify(t testing.TB, l *Ledger, witnesses []Witness, want ...string) Report {
	t.Helper()
	r, err := l.Verify(context.Background(), witnesses...)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != len(want) {
		t.Fatalf("found %v, want %q", r.Findings, want)
	}
	for k, f := range r.Findings {
		if line := f.Path + ": " + f.Reason; !strings.Contains(line, want[k]) {
			t.Errorf("found %q, want %q", line, want[k])
		}
	}
	return r
}

func TestTheSameAgainAddsNothing(t *testing.T) {
	l := open(t, t.TempDir())
	if h, err := l.Head(context.Background()); err != nil || h != (Head{}) {
		t.Fatalf("an empty ledger has the head %v, %v", h, err)
	}
	one := add(t, l, entriesOf(t, 0, 3)...)
	if again := add(t, l, entriesOf(t, 0, 3)...); again != one || again.Count != 3 {
		t.Errorf("the same again: %v, want %v of 3", again, one)
	}
	two := add(t, l, entryOf(t, 3), entryOf(t, 1))
	if two.Count != 4 || two.Seal == one.Seal {
		t.Errorf("one more: %v after %v", two, one)
	}
	r := verify(t, l, []Witness{{"runs/a", one}, {"runs/b", two}, {"runs/old", Head{}}})
	if r.Head != two || r.Seals != 2 || r.Unsealed != 0 {
		t.Errorf("%+v, want %v, two seals and nothing unsealed", r, two)
	}
}

func TestEntryHoldsItsReturns(t *testing.T) {
	s, a := scored(t, 1, 30)
	a.Days[7].Hole, a.Days[8].Hole = 2, 1
	e, known, err := NewEntry(s, a)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	if want := []Stretch{{firstDay, 7}, {firstDay + 9, 21}}; len(e.Stretches) != 2 || e.Stretches[0] != want[0] || e.Stretches[1] != want[1] {
		t.Errorf("stretches %v, want %v", e.Stretches, want)
	}
	text, err := e.text()
	if err != nil {
		t.Fatal(err)
	}
	read, err := parse(e.Digest, text)
	if err != nil {
		t.Fatal(err)
	}
	days, returns := read.Daily()
	daily, _ := a.Daily()
	for k, v := range daily {
		if returns[k] != v || k >= 7 && days[k] != firstDay+datasets.Day(k+2) {
			t.Fatalf("day %d is %v, %v; want %v", k, days[k], returns[k], v)
		}
	}
	if got := metrics.InferSharpe(daily); float64(read.Sharpe) != got.Ratio || float64(read.Kurtosis) != got.Kurtosis {
		t.Errorf("%+v, want %+v", read, got)
	}
	for k := range a.Days {
		a.Days[k].Return = 0
	}
	e, _, _ = NewEntry(s, a)
	if text, err = e.text(); err != nil || !strings.Contains(string(text), `"sharpe_per_day":null`) {
		t.Errorf("a trial that never traded: %s, %v", text, err)
	}
	if _, err := parse(e.Digest, text); err != nil {
		t.Error(err)
	}
	a.Unknown = &portfolio.Unknown{Reason: "funding"}
	if _, known, _ := NewEntry(s, a); known {
		t.Error("what is not known was scored")
	}
}

// What is traded and over which span makes a trial another one; what it is called, judged by and written to does not.
func TestDigest(t *testing.T) {
	of := func(change func(*study.Study, *study.Span)) string {
		s, a := scored(t, 1, 30)
		change(s, &a.Span)
		d, err := Digest(s, a.Span)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	same := of(func(*study.Study, *study.Span) {})
	for name, change := range map[string]func(*study.Study, *study.Span){
		"name":       func(s *study.Study, _ *study.Span) { s.Name = "other" },
		"lake":       func(s *study.Study, _ *study.Span) { s.Data.Lake = "/elsewhere" },
		"bootstrap":  func(s *study.Study, _ *study.Span) { s.Evaluation.Bootstrap = 5 },
		"report":     func(s *study.Study, _ *study.Span) { s.Report.Dir = "x" },
		"rows":       func(_ *study.Study, a *study.Span) { a.Lo, a.Hi, a.Index = 5, 9, 1 },
		"delays run": func(s *study.Study, _ *study.Span) { s.Evaluation.Delays = nil },
	} {
		if of(change) != same {
			t.Errorf("another %s makes another trial", name)
		}
	}
	seen := map[string]string{same: "nothing"}
	for name, change := range map[string]func(*study.Study, *study.Span){
		"fee":        func(s *study.Study, _ *study.Span) { s.Execution.TakerBps++ },
		"threshold":  func(s *study.Study, _ *study.Span) { s.Signals.Thresholds.Long = 0.6 },
		"weight":     func(s *study.Study, _ *study.Span) { s.Composite.Components[0].Weight = 1 },
		"span":       func(_ *study.Study, a *study.Span) { a.From++ },
		"instrument": func(s *study.Study, _ *study.Span) { s.Data.Instruments[0].Symbol = "ETHUSDT" },
		"formula":    func(s *study.Study, _ *study.Span) { s.Define = study.Definitions{{Name: "a", Expr: "close"}} },
	} {
		d := of(change)
		if seen[d] != "" {
			t.Errorf("another %s makes the trial of another %s", name, seen[d])
		}
		seen[d] = name
	}
}

func TestWhatIsGoneOrChangedShows(t *testing.T) {
	fresh := func() (l *Ledger, heads []Witness) {
		l = open(t, t.TempDir())
		for k := range 4 {
			heads = append(heads, Witness{fmt.Sprint("run ", k), add(t, l, entriesOf(t, 3*k, 3*k+3)...)})
		}
		return l, heads
	}
	l, heads := fresh()
	verify(t, l, heads)

	victim := entryOf(t, 4)
	os.Remove(l.entry(victim.Digest))
	verify(t, l, heads, victim.Digest+ending+": is gone: it was sealed")
	add(t, l, entryOf(t, 99)) // life goes on; the hole stays
	verify(t, l, heads, victim.Digest+ending+": is gone: it was sealed")
	add(t, l, victim) // and heals when it is scored again
	verify(t, l, heads)

	l, heads = fresh()
	text, _ := os.ReadFile(l.entry(victim.Digest))
	os.WriteFile(l.entry(victim.Digest), []byte(strings.Replace(string(text), `"study":"study"`, `"study":"other"`, 1)), 0o666)
	verify(t, l, heads, "was changed")
	os.WriteFile(l.entry(victim.Digest), text[:100], 0o666)
	verify(t, l, heads, "was changed")
	if _, err := l.Entries(context.Background()); err == nil || !strings.Contains(err.Error(), victim.Digest) || !strings.Contains(err.Error(), "qf ledger verify") {
		t.Errorf("a cut entry: %v; want its name and what to do", err)
	}

	// A seal in the middle is missed by the next one, and the last by the manifest that knows it.
	l, heads = fresh()
	os.Remove(l.seal(heads[1].Head.Seal))
	verify(t, l, heads[2:3], heads[1].Head.Seal+ending+": is gone", "run 2: knows 9 trials")
	l, heads = fresh()
	os.Remove(l.seal(heads[3].Head.Seal))
	if r := verify(t, l, nil); r.Unsealed != 3 {
		t.Errorf("%d unsealed, want 3", r.Unsealed)
	}
	verify(t, l, heads, "run 3: knows a head of 12 trials")
	for _, e := range entriesOf(t, 9, 12) {
		os.Remove(l.entry(e.Digest))
	}
	verify(t, l, heads, "run 3: knows a head of 12 trials")

	l, heads = fresh()
	path := l.seal(heads[0].Head.Seal)
	text, _ = os.ReadFile(path)
	os.WriteFile(path, []byte(strings.Replace(string(text), "[", "[ ", 1)), 0o666)
	verify(t, l, nil, "it was changed")
	os.WriteFile(path, nil, 0o666)
	verify(t, l, nil, "it was changed")

	l, _ = fresh()
	os.WriteFile(filepath.Join(l.root, entries, victim.Digest[:2], "notes.txt"), nil, 0o666)
	verify(t, l, nil, "no name of an entry")
}

// TestProcess is what other tests start as processes: it adds entries, in batches, until it is done or killed.
func TestProcess(t *testing.T) {
	task := os.Getenv("QF_LEDGER_TASK")
	if task == "" {
		t.Skip("a part of other tests")
	}
	var root string
	var from, to, batch int
	if _, err := fmt.Sscanf(task, "%d %d %d %s", &from, &to, &batch, &root); err != nil {
		t.Fatal(err)
	}
	l := open(t, root)
	for k := from; k < to; k += batch {
		add(t, l, entriesOf(t, k, min(k+batch, to))...)
	}
}

func process(root string, from, to, batch int) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcess$")
	cmd.Env = append(os.Environ(), "QF_LEDGER_TASK="+fmt.Sprintf("%d %d %d %s", from, to, batch, root))
	return cmd
}

// Three processes add at once, some of it the same.
func TestProcessesAtOnce(t *testing.T) {
	root := t.TempDir()
	var running []*exec.Cmd
	for _, part := range [][2]int{{0, 80}, {60, 140}, {120, 200}} {
		cmd := process(root, part[0], part[1], 7)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	l := open(t, root)
	before := verify(t, l, nil)
	h := add(t, l, entriesOf(t, 0, 200)...)
	r := verify(t, l, []Witness{{"before", before.Head}, {"after", h}})
	if h.Count != 200 || r.Unsealed != 0 {
		t.Errorf("%+v, unsealed %d: want 200 trials, all sealed", h, r.Unsealed)
	}
	if again := add(t, l, entriesOf(t, 0, 200)...); again != h {
		t.Errorf("again: %v, want %v", again, h)
	}
}

// A process that is killed at any instant leaves a ledger that verifies, and the rerun finishes it.
func TestKilledAnywhere(t *testing.T) {
	root := t.TempDir()
	l := open(t, root)
	r := rand.New(rand.NewPCG(1, 1))
	kills := 20
	if testing.Short() {
		kills = 5
	}
	var heads []Witness
	for k := range kills {
		cmd := process(root, 10*k, 10*k+30, 1+k%3)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(5+r.IntN(120)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		found := verify(t, l, heads)
		heads = append(heads, Witness{"after kill " + strconv.Itoa(k), found.Head})
	}
	n := 10*kills + 20
	h := add(t, l, entriesOf(t, 0, n)...)
	if found := verify(t, l, heads); h.Count != n || found.Unsealed != 0 {
		t.Errorf("finished: %v, %d unsealed; want %d, all sealed", h, found.Unsealed, n)
	}
	add(t, l, entriesOf(t, 0, n)...)
	if left, _ := filepath.Glob(filepath.Join(l.root, "*", "*", ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFamily(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	add(t, l, entriesOf(t, 0, 20)...)
	other, a := scored(t, 100, 90)
	other.Data.Instruments[0].Symbol = "ETHUSDT"
	e, _, _ := NewEntry(other, a)
	add(t, l, e)
	late, b := scored(t, 101, 90)
	b.Span = study.Span{From: b.Span.To, To: (firstDay + 180).Start()}
	for k := range b.Days {
		b.Days[k].Day += 90
	}
	e, _, _ = NewEntry(late, b)
	add(t, l, e)
	half, c := scored(t, 102, 90)
	c.Span = study.Span{From: (firstDay + 45).Start(), To: (firstDay + 135).Start()}
	for k := range c.Days {
		c.Days[k].Day += 45
	}
	e, _, _ = NewEntry(half, c)
	h := add(t, l, e)

	s, own := scored(t, 3, 90)
	f, err := l.Family(ctx, s, own.Span)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Trials) != 21 || f.Head != h {
		t.Fatalf("a family of %d under %v, want 21 under %v: 20 of the span and the one that overlaps", len(f.Trials), f.Head, h)
	}
	days := own.SingleDays()
	over := f.Over(days)
	if _, same := over.On(days); len(same) != 20 {
		t.Errorf("%d trials know the same days, want 20", len(same))
	}
	// By the definition, pair by pair.
	var sum, pairs float64
	var ratios []float64
	for i, x := range over.Trials {
		ratios = append(ratios, metrics.Sharpe(x.Returns, 0, 1))
		for j, y := range over.Trials {
			if i != j {
				cut := (&Family{Trials: []Trial{y}}).Over(x.Daily).Trials[0]
				back := (&Family{Trials: []Trial{x}}).Over(cut.Daily).Trials[0]
				sum, pairs = sum+metrics.Pearson(back.Returns, cut.Returns), pairs+1
			}
		}
	}
	d, want := over.Deflation(), metrics.Deflate(ratios, sum/pairs)
	if d.Trials != 21 || math.Abs(d.Correlation-want.Correlation) > 1e-12 || math.Abs(d.Best-want.Best) > 1e-12 {
		t.Errorf("deflation %+v, want %+v", d, want)
	}
	short := f.Over(days[:5])
	if got := short.Deflation(); got.Trials != 20 {
		t.Errorf("%d trials know the first five days, want 20", got.Trials)
	}
	if none := (&Family{}).Deflation(); none.Best != 0 || none.Trials != 0 {
		t.Errorf("an empty family: %+v", none)
	}
}

func TestEntryIsSmall(t *testing.T) {
	e := entryOf(t, 1)
	text, err := json.Marshal(e)
	if err != nil || len(text) > 1500 {
		t.Errorf("an entry of 90 days takes %d bytes, %v", len(text), err)
	}
}
