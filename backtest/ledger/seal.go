package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/atomicfile"
)

// Head is the newest seal, under which Count entries are.
type Head struct {
	Count int    `json:"count"`
	Seal  string `json:"head"` // its hash; empty of an empty ledger
}

// seal is a link of the chain. Its name is the SHA-256 of its file.
type seal struct {
	Parents []string `json:"parents"` // seals, ascending
	Entries []sealed `json:"entries"` // by digest; none where it only joins
}

// sealed is an entry with the SHA-256 of its file.
type sealed struct {
	Digest string `json:"digest"`
	SHA256 string `json:"sha256"`
}

// chain is all seals by name. Some may be broken: they are no part of it.
type chain struct {
	seals  map[string]seal
	broken map[string]error
}

// chain reads the seals.
func (l *Ledger) chain(ctx context.Context) (*chain, error) {
	files, err := names(filepath.Join(l.root, seals))
	if err != nil {
		return nil, err
	}
	c := &chain{seals: map[string]seal{}, broken: map[string]error{}}
	list, faults := make([]seal, len(files)), make([]error, len(files))
	err = datasets.ForEach(ctx, writers, len(files), func(_ context.Context, k int) error {
		text, err := os.ReadFile(filepath.Join(l.root, seals, files[k]))
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		if hashOf(text)+ending != files[k] {
			faults[k] = errors.New("its content is not that of its name: it was changed")
		} else if err := json.Unmarshal(text, &list[k]); err != nil {
			faults[k] = fmt.Errorf("not a seal: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for k, name := range files {
		if faults[k] != nil {
			c.broken[name] = faults[k]
			continue
		}
		c.seals[strings.TrimSuffix(name, ending)] = list[k]
	}
	return c, nil
}

// tips lists the seals that no seal names, ascending.
func (c *chain) tips() []string {
	tips := map[string]string{}
	for name := range c.seals {
		tips[name] = ""
	}
	for _, s := range c.seals {
		for _, p := range s.Parents {
			delete(tips, p)
		}
	}
	return sorted(tips)
}

// under collects the entries of a seal and of all before it. A seal that is missing ends the way.
func (c *chain) under(name string, into map[string]string, seen map[string]bool) {
	for left := []string{name}; len(left) > 0; {
		name, left = left[len(left)-1], left[:len(left)-1]
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, e := range c.seals[name].Entries {
			into[e.Digest] = e.SHA256
		}
		left = append(left, c.seals[name].Parents...)
	}
}

// all collects the entries of every seal.
func (c *chain) all() map[string]string {
	set := map[string]string{}
	for _, s := range c.seals {
		for _, e := range s.Entries {
			set[e.Digest] = e.SHA256
		}
	}
	return set
}

// Head is the newest seal, without writing anything: where branches are not joined yet, it is what joins them.
func (l *Ledger) Head(ctx context.Context) (Head, error) {
	c, err := l.chain(ctx)
	if err != nil {
		return Head{}, err
	}
	tips := c.tips()
	switch len(tips) {
	case 0:
		return Head{}, nil
	case 1:
		return Head{len(c.all()), tips[0]}, nil
	}
	text, err := json.Marshal(seal{tips, []sealed{}})
	return Head{len(c.all()), hashOf(append(text, '\n'))}, err
}

// sealAll seals what is not, and joins branches.
func (l *Ledger) sealAll(ctx context.Context) (Head, error) {
	c, err := l.chain(ctx)
	if err != nil {
		return Head{}, err
	}
	known := c.all()
	digests, _, err := l.digests()
	if err != nil {
		return Head{}, err
	}
	digests = slices.DeleteFunc(digests, func(d string) bool { return known[d] != "" })
	s := seal{Parents: c.tips(), Entries: []sealed{}}
	for _, d := range digests {
		_, hash, err := l.read(d)
		if err != nil {
			return Head{}, fmt.Errorf("ledger entry %s: %w; qf ledger verify looks at all of them", l.entry(d), err)
		}
		s.Entries = append(s.Entries, sealed{d, hash})
		known[d] = hash
	}
	if len(s.Entries) == 0 && len(s.Parents) < 2 {
		return Head{len(known), strings.Join(s.Parents, "")}, nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return Head{}, err
	}
	text = append(text, '\n')
	h := Head{len(known), hashOf(text)}
	dir := filepath.Join(l.root, seals)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return Head{}, fmt.Errorf("ledger: %w", err)
	}
	clean(dir)
	if _, err := atomicfile.WriteNew(l.seal(h.Seal), text); err != nil {
		return Head{}, fmt.Errorf("ledger: %w", err)
	}
	return h, atomicfile.SyncFolder(dir)
}
