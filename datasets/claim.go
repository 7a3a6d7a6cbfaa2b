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
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/qf-dev/qf/datasets/atomicfile"
)

// claim is one writer's file in the making. It is written under a name that no other writer has, so
// the rename at its end decides alone what readers see, and two writers can at worst do the same work
// twice. That they seldom do is the lock's doing: a hidden file beside it, on which the operating
// system's lock is held while the file is written. A process that dies loses it with its last breath.
// Where a shared folder has no locks, or locks that are not shared, nothing else is lost.
type claim struct {
	*atomicfile.File
	lock       *flock.Flock // nil where the file system has none
	root, path string
}

// lockRetry is how often a writer asks for a lock that another one holds.
const lockRetry = 50 * time.Millisecond

// lockEnding is that of the files on which locks are held.
const lockEnding = ".lock"

func lockOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+lockEnding)
}

// tryLock takes the operating system's lock. Tests put one in its place that is never refused.
var tryLock = (*flock.Flock).TryLock

// claimFile waits until no other writer holds path, then begins its file. Folders between root and path
// are made, each durably.
func claimFile(ctx context.Context, root, path string) (*claim, error) {
	return claimIn(ctx, root, path, atomicfile.SyncFolder)
}

// claimIn is claimFile that leaves it to sync to make the entries of a folder durable.
func claimIn(ctx context.Context, root, path string, sync func(dir string) error) (*claim, error) {
	for ctx.Err() == nil {
		if err := makeDir(filepath.Dir(path), sync); err != nil {
			return nil, err
		}
		c, err := begin(root, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // not there: another writer gave up and removed the folder
			return nil, err
		}
		if c != nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockRetry):
		}
	}
	return nil, context.Cause(ctx)
}

// begin gives nil where another writer holds path or has just let it go.
func begin(root, path string) (*claim, error) {
	lock, held, err := takeLock(path, os.O_RDWR|os.O_CREATE)
	if !held {
		return nil, err
	}
	atomicfile.Clear(path)
	f, err := atomicfile.Create(path)
	if err != nil {
		letGo(lock)
		return nil, err
	}
	return &claim{f, lock, root, path}, nil
}

// takeLock locks path; a file system without locks refuses nobody.
func takeLock(path string, flag int) (lock *flock.Flock, held bool, err error) {
	lock = flock.New(lockOf(path), flock.SetFlag(flag), flock.SetPermissions(0o666))
	held, err = tryLock(lock)
	switch {
	case errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK):
		lock.Close()
		return nil, true, nil
	case !held:
		return nil, false, err
	}
	// Between opening and locking, the holder before us may have removed the file: the lock counts only
	// if it is on the file that now has the name.
	if sameFile(lock) {
		return lock, true, nil
	}
	lock.Unlock()
	return nil, false, nil
}

func sameFile(lock *flock.Flock) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(lock.Path())
	return err == nil && os.SameFile(locked, named)
}

// letGo gives a lock up and leaves nothing of it.
func letGo(lock *flock.Flock) error {
	if lock == nil {
		return nil
	}
	os.Remove(lock.Path())
	return lock.Unlock()
}

// publish makes the file appear, durably, and gives up the claim. After an error the claim still has to
// be dropped.
func (c *claim) publish() error {
	if err := c.Publish(); err != nil {
		return err
	}
	return letGo(c.lock)
}

// drop removes the temporary file and the folders that it leaves empty. After publish it does nothing.
func (c *claim) drop() {
	if c.File.File == nil {
		return
	}
	c.Drop()
	letGo(c.lock)
	removeEmpty(filepath.Dir(c.path), c.root)
}

// removeEmpty removes dir and the folders above it, up to root, that are empty.
func removeEmpty(dir, root string) {
	for ; dir != root && len(dir) > len(root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break
		}
	}
}

// sweep removes what dead writers left among the lake's days. What living ones hold is theirs, and what
// cannot be removed stays.
func (l *Lake) sweep() {
	days := "*/" + exchangePart + "*/" + symbolPart + "*/" + datePart + "*/"
	left, _ := fs.Glob(os.DirFS(l.root), days+".*"+atomicfile.Ending)
	for _, name := range left {
		if path := filepath.Join(l.root, name); atomicfile.Dead(path) {
			os.Remove(path)
			removeEmpty(filepath.Dir(path), l.root)
		}
	}
	left, _ = fs.Glob(os.DirFS(l.root), days+".*"+lockEnding)
	for _, name := range left {
		base := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "."), lockEnding)
		path := filepath.Join(l.root, filepath.Dir(name), base)
		if lock, held, err := takeLock(path, os.O_RDWR); err == nil && held {
			letGo(lock)
			removeEmpty(filepath.Dir(path), l.root)
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
		if err := atomicfile.SyncFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // given up again, with all in it
			return err
		}
	}
	return nil
}
