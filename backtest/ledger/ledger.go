package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/atomicfile"
)

// Ledger is the folder of a lake that holds what was tried. It may be used by many goroutines and processes at once.
type Ledger struct{ root string }

// Open opens the ledger of a lake, which need not exist until something is added.
func Open(lake *datasets.Lake) *Ledger { return &Ledger{filepath.Join(lake.Root(), "ledger")} }

const (
	entries = "entries"
	seals   = "seals"
	ending  = ".json"

	writers = 16 // files that are made durable at once
)

func (l *Ledger) entry(digest string) string {
	return filepath.Join(l.root, entries, digest[:2], digest+ending)
}

func (l *Ledger) seal(hash string) string { return filepath.Join(l.root, seals, hash+ending) }

// Add puts entries that are not there yet, and seals. The head is that of everything in the ledger, by whomever.
func (l *Ledger) Add(ctx context.Context, list ...Entry) (Head, error) {
	folders := map[string]bool{}
	for _, e := range list {
		folders[filepath.Dir(l.entry(e.Digest))] = true
	}
	fresh := make([]bool, len(list))
	for dir := range folders {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return Head{}, fmt.Errorf("ledger: %w", err)
		}
		clean(dir)
	}
	err := datasets.ForEach(ctx, writers, len(list), func(_ context.Context, k int) error {
		path := l.entry(list[k].Digest)
		if _, err := os.Lstat(path); err == nil {
			return nil
		}
		text, err := list[k].text()
		if err != nil {
			return fmt.Errorf("entry %s: %w", list[k].Digest, err)
		}
		fresh[k], err = atomicfile.WriteNew(path, text)
		return err
	})
	if err == nil && slices.Contains(fresh, true) {
		for dir := range folders {
			err = errors.Join(err, atomicfile.SyncFolder(dir), atomicfile.SyncFolder(filepath.Dir(dir)))
		}
	}
	if err != nil {
		return Head{}, fmt.Errorf("ledger: %w", err)
	}
	return l.sealAll(ctx)
}

// clean removes what killed writers left unfinished.
func clean(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".*"+atomicfile.Ending))
	for _, name := range left {
		if atomicfile.Dead(name) {
			os.Remove(name)
		}
	}
}

// digests lists the entries that there are, sealed or not, ascending. Names that no entry has are foreign.
func (l *Ledger) digests() (list, foreign []string, err error) {
	shards, err := names(filepath.Join(l.root, entries))
	for _, shard := range shards {
		files, err := names(filepath.Join(l.root, entries, shard))
		if err != nil {
			return nil, nil, err
		}
		for _, name := range files {
			digest, ok := strings.CutSuffix(name, ending)
			if !ok || !hexadecimal(digest, 32) || digest[:2] != shard {
				foreign = append(foreign, filepath.Join(entries, shard, name))
				continue
			}
			list = append(list, digest)
		}
	}
	return list, foreign, err
}

// names lists a folder, without what is being written; nothing where it is missing.
func names(dir string) (list []string, err error) {
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	for _, e := range found {
		if !strings.HasPrefix(e.Name(), ".") {
			list = append(list, e.Name())
		}
	}
	return list, nil
}

func hexadecimal(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// read reads an entry, and gives the hash of its file.
func (l *Ledger) read(digest string) (e *Entry, hash string, err error) {
	text, err := os.ReadFile(l.entry(digest))
	if err != nil {
		return nil, "", err
	}
	e, err = parse(digest, text)
	return e, hashOf(text), err
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Entries reads all entries, by digest. An entry that cannot be read is an error: Verify says more.
func (l *Ledger) Entries(ctx context.Context) ([]*Entry, error) {
	digests, _, err := l.digests()
	if err != nil {
		return nil, err
	}
	list := make([]*Entry, len(digests))
	err = datasets.ForEach(ctx, writers, len(digests), func(_ context.Context, k int) (err error) {
		if list[k], _, err = l.read(digests[k]); err != nil {
			err = fmt.Errorf("ledger entry %s: %w; qf ledger verify looks at all of them", l.entry(digests[k]), err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// sorted lists a set.
func sorted(set map[string]string) []string { return slices.Sorted(maps.Keys(set)) }
