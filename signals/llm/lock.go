package llm

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/qf-dev/qf/datasets/atomicfile"
)

// lock makes the caller the only one to fill the cache, until unlock; two at once would pay for the
// same answers. It is the operating system's lock on the folder itself, so that nothing is left in
// it and a dead process holds nothing. Temporary files of dead fills are removed.
func (c *Cache) lock() (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return nil, err
	}
	l := flock.New(c.dir, flock.SetFlag(os.O_RDONLY))
	switch ok, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the cache: %w", err)
	case !ok:
		return nil, fmt.Errorf("%s: another fill is at work on this cache; wait for it, or stop it", c.dir)
	}
	left, _ := filepath.Glob(filepath.Join(c.dir, "??", ".*"+atomicfile.Ending))
	for _, temp := range left {
		if atomicfile.Dead(temp) {
			os.Remove(temp)
		}
	}
	return func() { l.Unlock() }, nil
}
