package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/qf-dev/qf/datasets"
)

// Report is what Verify found.
type Report struct {
	Head     Head
	Unsealed int // entries that a killed process put: the next seal takes them up
	Seals    int
	Findings []Finding // in order of their path
}

// Finding is something that is not as it was.
type Finding struct {
	Path   string // within the lake, or of a manifest
	Reason string
}

// Witness is a head that something outside the ledger remembers, such as a run's manifest.
type Witness struct {
	Path string
	Head Head
}

// Verify reads the ledger again: every entry against its seal and against itself, every seal against its name and those
// after it, and every witness against what is under its seal.
func (l *Ledger) Verify(ctx context.Context, witnesses ...Witness) (Report, error) {
	c, err := l.chain(ctx)
	if err != nil {
		return Report{}, err
	}
	digests, foreign, err := l.digests()
	if err != nil {
		return Report{}, err
	}
	known := c.all()
	r := Report{Seals: len(c.seals)}
	if r.Head, err = l.Head(ctx); err != nil {
		return Report{}, err
	}
	find := func(path, format string, a ...any) {
		r.Findings = append(r.Findings, Finding{path, fmt.Sprintf(format, a...)})
	}
	inLake := func(path ...string) string { return filepath.Join(append([]string{"ledger"}, path...)...) }
	for _, name := range foreign {
		find(inLake(name), "no name of an entry")
	}
	for name, err := range c.broken {
		find(inLake(seals, name), "%v", err)
	}
	for name, s := range c.seals {
		for _, p := range s.Parents {
			if _, ok := c.seals[p]; !ok && c.broken[p+ending] == nil {
				find(inLake(seals, p+ending), "is gone: seal %.12s came after it", name)
			}
		}
	}
	present := map[string]bool{}
	hashes, faults := make([]string, len(digests)), make([]error, len(digests))
	err = datasets.ForEach(ctx, writers, len(digests), func(_ context.Context, k int) error {
		_, hashes[k], faults[k] = l.read(digests[k])
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	for k, d := range digests {
		present[d] = !errors.Is(faults[k], fs.ErrNotExist)
		path := inLake(entries, d[:2], d+ending)
		switch {
		case known[d] == "" && faults[k] == nil:
			r.Unsealed++
		case known[d] != "" && known[d] != hashes[k]:
			find(path, "was changed: its hash is %.12s, sealed was %.12s", hashes[k], known[d])
		case faults[k] != nil:
			find(path, "%v", faults[k])
		}
	}
	for _, d := range sorted(known) {
		if !present[d] {
			find(inLake(entries, d[:min(2, len(d))], d+ending), "is gone: it was sealed")
		}
	}
	for _, w := range witnesses {
		if w.Head.Seal == "" {
			continue
		}
		if _, ok := c.seals[w.Head.Seal]; !ok {
			find(w.Path, "knows a head of %d trials, %.12s, that the ledger no longer holds", w.Head.Count, w.Head.Seal)
			continue
		}
		under := map[string]string{}
		c.under(w.Head.Seal, under, map[string]bool{})
		if len(under) != w.Head.Count {
			find(w.Path, "knows %d trials under %.12s, the ledger %d", w.Head.Count, w.Head.Seal, len(under))
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Path, b.Path) })
	return r, nil
}
