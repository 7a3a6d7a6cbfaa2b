package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
)

// FetchOptions says how to fetch. The zero value fetches what is not there, four files at a time.
type FetchOptions struct {
	Verb        string // begins the errors of the entries; "" means fetch
	Concurrency int    // files at once; 0 means 4
	Attempts    int    // readings of one file whose errors are Retryable; 0 means 3
	// MinWait is how long the second attempt waits, doubled for each further one; 0 means 2 s. An
	// error that asks for more gets it.
	MinWait time.Duration
	// Replace fetches partitions again that the lake has from another source.
	Replace bool
	// Now is the time of the fetch, from a source that goes on publishing: a day whose file is not there yet is not asked for,
	// and one that the lake has as empty is asked for again in its first week. Zero: the source is finished.
	Now time.Time
	// Observe, where it is not nil, is told what happens, from one goroutine at a time.
	Observe func(FetchEvent)
}

const (
	// published is when a day's file is there, after the day's end: the vendor says about 06:00 UTC.
	published = 6 * time.Hour
	// settledAfter is how long an empty file may still become another one: a recorder may be late.
	settledAfter = 7 * 24 * time.Hour
)

// due reports whether the file of a day is there by the time of the fetch.
func (o FetchOptions) due(d Day) bool {
	return o.Now.IsZero() || !o.Now.Before(time.UnixMicro((d + 1).Start()).Add(published))
}

// doubtful reports whether an empty day may have been filled since it was fetched.
func (o FetchOptions) doubtful(d Day) bool {
	return !o.Now.IsZero() && o.Now.Before(time.UnixMicro((d + 1).Start()).Add(settledAfter))
}

// FetchEvent is one step of a fetch.
type FetchEvent struct {
	Partition Partition
	Kind      EventKind
	// Done and Total are compressed bytes of the file, Total −1 while unknown. (Progress)
	Done, Total int64
	Entry       FetchEntry    // (Finished)
	Wait        time.Duration // (Retrying)
	Err         error         // (Retrying)
}

// EventKind says which step a FetchEvent tells of.
type EventKind uint8

const (
	Started  EventKind = iota // its file is being opened; again for each attempt
	Progress                  // more of it has been read
	Retrying                  // an attempt failed, for Err; the next one comes after Wait
	Finished                  // Entry is final; also for a partition that was there already
)

// FetchStatus says what became of a partition.
type FetchStatus uint8

const (
	NotReached FetchStatus = iota // the fetch was stopped before it, or in the middle of it
	Fetched                       // it is in the lake now
	Empty                         // the same, and its source has no rows: known empty
	Present                       // the lake had it
	NotFound                      // the source has nothing under that name
	KeyNeeded                     // the source wants an API key for it
	Failed                        // Err says why
	NotYet                        // the day is not over, or its file not out
	// Known from the vendor's metadata, and not asked for:
	Unlisted   // the symbol was not listed on that day
	Unexported // the day is not out yet
	Unfed      // the symbol has no such feed
)

// String is the status in words, as a report prints it.
func (s FetchStatus) String() string {
	return [...]string{"not reached", "fetched", "empty", "already there", "missing", "needs a key", "failed", "not there yet", "not listed", "not exported yet", "no such feed"}[s]
}

// ErrOtherSource: the lake has the partition from another source, and Replace was not given.
var ErrOtherSource = errors.New("the lake has this day from another source")

// errNotYet: a file of a day that is going on would be known empty, or cut, for ever.
var errNotYet = errors.New("the day's file is not there yet: it comes out about 06:00 UTC of the day after")

// FetchEntry is one partition's line of the report.
type FetchEntry struct {
	Partition Partition
	Status    FetchStatus
	Info      Info  // of the lake's file: Fetched, Empty, Present
	Err       error // NotReached, NotFound, KeyNeeded, Failed, NotYet
	// Symbols are the partitions that a grouped file became; Info then sums their rows and bytes.
	Symbols []Info
	// Damaged says what was wrong with the file that the lake had, where one was and did not read.
	Damaged error
}

// FetchReport says what became of every partition asked for, in Partition.Compare's order.
type FetchReport struct{ Entries []FetchEntry }

// Count is the number of entries with that status.
func (r FetchReport) Count(s FetchStatus) int {
	n := 0
	for _, e := range r.Entries {
		if e.Status == s {
			n++
		}
	}
	return n
}

// Fetch brings the wanted partitions from src into the lake. What the lake has already is passed
// over after a look at its footer; a file that does not read is fetched again. The last and the
// first day of each series go first, so that a bad key or range shows at once. A partition that
// fails is an entry of the report and the others go on. A grouped symbol's file becomes the
// partitions of its symbols. Temporary files that dead processes left in the lake are removed first.
// The error is not nil when the fetch stopped early: the cause of ctx's end, or one that wraps
// ErrKeyRefused, or ErrUnreachable, where the first two files found nobody. The lake and the report are
// valid then too.
func Fetch(ctx context.Context, src Source, lake *Lake, want []Partition, o FetchOptions) (FetchReport, error) {
	want = slices.Clone(want)
	slices.SortFunc(want, Partition.Compare)
	want = slices.Compact(want)
	report := FetchReport{make([]FetchEntry, len(want))}
	for i, p := range want {
		report.Entries[i] = FetchEntry{Partition: p, Err: errors.New("not reached")}
	}
	o.Verb = cmp.Or(o.Verb, "fetch")
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	if o.Attempts <= 0 {
		o.Attempts = 3
	}
	if o.MinWait <= 0 {
		o.MinWait = 2 * time.Second
	}
	lake.sweep()
	made := &folders{dirs: map[string]bool{}}
	together := *lake
	together.sync = made.add
	f := &fetch{src: src, lake: &together, o: o, splitting: make(chan struct{}, 1)}
	order := endsFirst(want)
	err := ForEach(ctx, o.Concurrency, len(order), func(ctx context.Context, i int) error {
		e := &report.Entries[order[i]]
		f.one(ctx, e)
		f.observe(FetchEvent{Partition: e.Partition, Kind: Finished, Entry: *e})
		if errors.Is(e.Err, ErrKeyRefused) {
			return e.Err
		}
		return f.reach(e)
	})
	if failed := made.sync(); err == nil && failed != nil {
		err = fmt.Errorf("lake: %w", failed)
	}
	return report, err
}

// reach ends the fetch when two files, as many as a series has ends, have found nobody and none has found
// anybody.
func (f *fetch) reach(e *FetchEntry) error {
	f.watching.Lock()
	defer f.watching.Unlock()
	switch {
	case errors.Is(e.Err, ErrUnreachable):
		if f.alone++; f.alone >= 2 && !f.reached {
			return e.Err
		}
	case e.Status != Present && e.Status != NotReached && e.Status != KeyNeeded:
		f.reached = true
	}
	return nil
}

// endsFirst gives the order in which sorted partitions are fetched: each series' last and first day,
// then the others.
func endsFirst(want []Partition) []int {
	var ends, rest []int
	for i := 0; i < len(want); {
		j := i + 1
		for j < len(want) && want[j].Type == want[i].Type && want[j].Instrument == want[i].Instrument {
			j++
		}
		if ends = append(ends, j-1); j-1 > i {
			ends = append(ends, i)
		}
		for k := i + 1; k < j-1; k++ {
			rest = append(rest, k)
		}
		i = j
	}
	return append(ends, rest...)
}

// fetch is what the workers of one Fetch share.
type fetch struct {
	src       Source
	lake      *Lake
	o         FetchOptions
	watching  sync.Mutex
	reached   bool          // a file has been answered
	alone     int           // files that nobody answered for
	splitting chan struct{} // held by the one that works on a grouped file
}

func (f *fetch) observe(e FetchEvent) {
	if f.o.Observe != nil {
		f.watching.Lock()
		defer f.watching.Unlock()
		f.o.Observe(e)
	}
}

// one brings one partition in and fills its entry.
func (f *fetch) one(ctx context.Context, e *FetchEntry) {
	err := f.attempts(ctx, e)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		e.Status, err = NotReached, context.Cause(ctx)
	case errors.Is(err, ErrNotFound):
		e.Status = NotFound
	case errors.Is(err, ErrKeyNeeded):
		e.Status = KeyNeeded
	case err == errNotYet:
		e.Status = NotYet
	default:
		e.Status = Failed
	}
	if e.Err = err; err != nil {
		e.Err = fmt.Errorf("%s %s: %w", f.o.Verb, e.Partition, err)
	}
}

// attempts reads the partition again while the source says that this may help.
func (f *fetch) attempts(ctx context.Context, e *FetchEntry) error {
	for n := 1; ; n++ {
		err := f.attempt(ctx, e)
		var again Retryable
		if n == f.o.Attempts || !errors.As(err, &again) {
			return err
		}
		pause := max(again.Retry(), f.o.MinWait<<min(n-1, 6))
		f.observe(FetchEvent{Partition: e.Partition, Kind: Retrying, Wait: pause, Err: err})
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return context.Cause(ctx)
		}
	}
}

func (f *fetch) attempt(ctx context.Context, e *FetchEntry) error {
	p := e.Partition
	if err := p.Validate(); err != nil {
		return err
	}
	if !f.o.due(p.Day) {
		return errNotYet
	}
	if p.Grouped() {
		return f.group(ctx, e)
	}
	if done, err := f.there(ctx, e); done || err != nil {
		return err
	}
	w, err := f.lake.Create(ctx, p)
	if err != nil {
		return err
	}
	defer w.Abort()
	if done, err := f.there(ctx, e); done || err != nil { // another process may have been at it
		return err
	}
	meta, bad, err := f.read(ctx, p, w.Write)
	if err != nil {
		return err
	}
	if e.Info, err = w.Commit(meta, bad...); err != nil {
		return err
	}
	if e.Status = Fetched; e.Info.Rows == 0 {
		e.Status = Empty
	}
	return nil
}

// there reports whether the lake has the partition already, from the source that is asked for.
func (f *fetch) there(ctx context.Context, e *FetchEntry) (bool, error) {
	old, ours, err := f.lake.footer(e.Partition)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		e.Damaged = err
		return false, nil
	}
	same, err := f.same(ctx, e.Partition, old.Source, ours)
	if !same || err != nil {
		return false, err
	}
	if _, ok := f.src.(Identifier); ok { // the source is at hand: a doubt is worth writing the file anew
		if !old.sealed {
			return false, nil
		}
		if e.Damaged = f.lake.check(ctx, e.Partition); e.Damaged != nil {
			return false, context.Cause(ctx)
		}
	}
	if old.Rows == 0 && f.o.doubtful(e.Partition.Day) {
		return false, nil
	}
	e.Status, e.Info = Present, old.Info
	return true, nil
}

// same reports whether what the lake has from old needs no fetching. Where the source can say what
// it would read, that is the test, and anything else is refused without Replace; otherwise all that
// is there counts, unless it is to be replaced.
func (f *fetch) same(ctx context.Context, p Partition, old SourceMeta, ours bool) (bool, error) {
	id, ok := f.src.(Identifier)
	if !ok {
		return !f.o.Replace, nil
	}
	meta, err := id.Identify(ctx, p)
	if err != nil {
		return false, err
	}
	same := ours && old.SHA256 == meta.SHA256
	if !same && !f.o.Replace {
		return false, fmt.Errorf("%w: it has %s, this is %s", ErrOtherSource, describe(old), describe(meta))
	}
	return same, nil
}

func describe(m SourceMeta) string {
	if m.SHA256 == "" {
		return "a file that qf did not write"
	}
	return fmt.Sprintf("%s (sha256 %.12s…)", m.Path, m.SHA256)
}

// read opens p and passes its records to write.
func (f *fetch) read(ctx context.Context, p Partition, write func(arrow.Record) error) (SourceMeta, []BadRow, error) {
	f.observe(FetchEvent{Partition: p, Kind: Started, Total: -1})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := f.src.Open(ctx, p)
	if err != nil {
		return SourceMeta{}, nil, err
	}
	defer s.Release()
	err = pump(ctx, cancel, s, write, func() {
		done, total := s.Progress()
		f.observe(FetchEvent{Partition: p, Kind: Progress, Done: done, Total: total})
	})
	if err != nil {
		return SourceMeta{}, nil, err
	}
	var bad []BadRow
	if q, ok := s.(Quarantine); ok {
		bad = q.BadRows()
	}
	return s.Meta(), bad, nil
}

// pump moves the records of s to write in two stages, so that one core reads while another writes.
// It ends s's context with the first error of write.
func pump(ctx context.Context, cancel context.CancelCauseFunc, s Stream, write func(arrow.Record) error, progress func()) error {
	records := make(chan arrow.Record, 1)
	go func() {
		defer close(records)
		for s.Next() {
			rec := s.Record()
			rec.Retain()
			select {
			case records <- rec:
			case <-ctx.Done():
				rec.Release()
				return
			}
		}
	}()
	for rec := range records { // to the end even after an error: the reader must have ended
		if ctx.Err() == nil {
			if err := write(rec); err != nil {
				cancel(err)
			}
			progress()
		}
		rec.Release()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	progress()
	return s.Err()
}
