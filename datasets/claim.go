package datasets

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// claim is the right of one writer to make one file appear. The temporary file is itself the lock:
// it stands beside the file under a fixed hidden name, and whoever holds the operating system's lock
// on it writes it. A process that dies loses the lock with its last breath, so the next writer takes
// the same temporary file over and starts it anew; one that lives keeps every other out. Nothing
// else is left in the lake.
type claim struct {
	*os.File
	lock       *flock.Flock
	root, path string
}

// lockRetry is how often a writer asks for a lock that another one holds.
const lockRetry = 50 * time.Millisecond

// tempEnding is that of every temporary file.
const tempEnding = ".tmp"

func tempOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+tempEnding)
}

// claimFile waits until no other writer holds path, then opens its temporary file, empty. Folders
// between root and path are made, each durably.
func claimFile(ctx context.Context, root, path string) (*claim, error) {
	return claimIn(ctx, root, path, syncDir)
}

// claimIn is claimFile that leaves it to sync to make the entries of a folder durable.
func claimIn(ctx context.Context, root, path string, sync func(dir string) error) (*claim, error) {
	for ctx.Err() == nil {
		if err := makeDir(filepath.Dir(path), sync); err != nil {
			return nil, err
		}
		c, err := takeTemp(path, os.O_RDWR|os.O_CREATE)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // not there: its last holder removed the folder
			return nil, err
		}
		if c != nil {
			c.root = root
			if err := c.Truncate(0); err != nil {
				c.drop()
				return nil, err
			}
			return c, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockRetry):
		}
	}
	return nil, context.Cause(ctx)
}

// takeTemp locks and opens path's temporary file. It gives nil where another writer holds it or has
// just let it go, with an error that wraps fs.ErrNotExist where there is none and flag does not make it.
func takeTemp(path string, flag int) (*claim, error) {
	temp := tempOf(path)
	lock := flock.New(temp, flock.SetFlag(flag), flock.SetPermissions(0o666))
	if ok, err := lock.TryLock(); !ok {
		return nil, err
	}
	// Between opening and locking, the holder before us may have renamed or removed the file: the
	// lock counts only if it is on the file that now has the name.
	f, err := os.OpenFile(temp, os.O_RDWR, 0)
	if err == nil {
		if sameFile(lock, f) {
			return &claim{File: f, lock: lock, path: path}, nil
		}
		f.Close()
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	lock.Unlock()
	return nil, err
}

func sameFile(lock *flock.Flock, f *os.File) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	opened, err := f.Stat()
	return err == nil && os.SameFile(locked, opened)
}

// publish makes the temporary file the file, durably, and gives up the claim. After an error the
// claim still has to be dropped.
func (c *claim) publish() error {
	if err := c.Sync(); err != nil {
		return err
	}
	if err := os.Rename(c.Name(), c.path); err != nil {
		return err
	}
	err := errors.Join(syncDir(filepath.Dir(c.path)), c.Close(), c.lock.Unlock())
	c.File = nil
	return err
}

// drop removes the temporary file and the folders that it leaves empty. After publish it does nothing.
func (c *claim) drop() {
	if c.File == nil {
		return
	}
	os.Remove(c.Name())
	c.Close()
	c.lock.Unlock()
	c.File = nil
	for dir := filepath.Dir(c.path); dir != c.root && len(dir) > len(c.root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break
		}
	}
}

// sweep removes the temporary files that dead writers left among the lake's days. Those of living
// ones are theirs, and what cannot be removed stays.
func (l *Lake) sweep() {
	left, _ := fs.Glob(os.DirFS(l.root), "*/"+exchangePart+"*/"+symbolPart+"*/"+datePart+"*/.*"+tempEnding)
	for _, temp := range left {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(temp), "."), tempEnding)
		if c, err := takeTemp(filepath.Join(l.root, filepath.Dir(temp), name), os.O_RDWR); err == nil && c != nil {
			c.root = l.root
			c.drop()
		}
	}
}

// makeDir makes dir and the folders above it, and has those that gained an entry synced.
func makeDir(dir string, sync func(dir string) error) error {
	for {
		err := os.Mkdir(dir, 0o777)
		switch {
		case err == nil:
			return sync(filepath.Dir(dir))
		case errors.Is(err, fs.ErrExist):
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if filepath.Dir(dir) == dir {
			return err
		}
		if err := makeDir(filepath.Dir(dir), sync); err != nil {
			return err
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// folders are those whose entries are made durable together: a series' folder once for all of its days.
// A day's own file and its entry in the day's folder are durable before that, so a crash in between
// loses days whole, and the next fetch brings them again.
type folders struct {
	mu   sync.Mutex
	dirs map[string]bool
}

func (f *folders) add(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs[dir] = true
	return nil
}

// sync makes all of them durable, those above first.
func (f *folders) sync() error {
	for _, dir := range slices.Sorted(maps.Keys(f.dirs)) {
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // given up again, with all in it
			return err
		}
	}
	return nil
}
