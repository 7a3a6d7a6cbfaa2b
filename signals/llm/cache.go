package llm

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/atomicfile"
)

// ErrMissing says that the cache lacks a call.
var ErrMissing = errors.New("not in the cache")

// Cache is a folder with one JSON file per call, {key}.json in a subfolder of the key's first two
// characters. It may be committed: it holds no secret.
type Cache struct{ dir string }

// OpenCache opens a folder, which need not exist yet.
func OpenCache(dir string) *Cache { return &Cache{dir} }

// Dir is the folder.
func (c *Cache) Dir() string { return c.dir }

// Path is the file of a call, whether it is there or not.
func (c *Cache) Path(k Key) string { return filepath.Join(c.dir, string(k[:2]), string(k)+entryEnding) }

const entryEnding = ".json"

// maxEntry bounds a file: two answers, escaped.
const maxEntry = 16 * maxBody

// Get reads the entry of a call. The error is ErrMissing where there is none, and names the file
// where it is not as it was written.
func (c *Cache) Get(k Key) (*Entry, error) {
	path := c.Path(k)
	f, err := datasets.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("call %.12s: %w", k, ErrMissing)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
	if err != nil {
		return nil, err
	}
	if len(file) > maxEntry {
		return nil, fmt.Errorf("%s: larger than any cache entry", path)
	}
	e, err := unmarshalEntry(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if e.Key != k {
		return nil, fmt.Errorf("%s: it is the entry of %s", path, e.Key)
	}
	return e, nil
}

// Put writes an entry, whole or not at all.
func (c *Cache) Put(e *Entry) error {
	path := c.Path(e.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(path, e.marshal())
}

// List gives the keys of all entries, sorted.
func (c *Cache) List() ([]Key, error) {
	var keys []Key
	err := c.walk(func(path string, k Key) {
		if k != "" {
			keys = append(keys, k)
		}
	})
	slices.Sort(keys)
	return keys, err
}

// Verify reads every entry and gives their number and what is wrong: files that were changed, that
// are not entries or stand in the wrong place, and answers that their text does not give.
func (c *Cache) Verify() (entries int, findings []error, err error) {
	err = c.walk(func(path string, k Key) {
		if k == "" {
			findings = append(findings, fmt.Errorf("%s: not a cache entry", path))
			return
		}
		entries++
		e, err := c.Get(k)
		if err == nil {
			err = e.reread()
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
		}
		if err != nil {
			findings = append(findings, err)
		}
	})
	return entries, findings, err
}

// reread checks the entry's answer against the text that it was read from.
func (e *Entry) reread() error {
	a, invalid := e.Exchanges[len(e.Exchanges)-1].answer()
	if (a == nil) != (e.Answer == nil) || a != nil && *a != *e.Answer {
		return fmt.Errorf("its answer is not what its text says today: %s", invalid)
	}
	return nil
}

// walk visits the JSON files of the folder in order; the key is empty where a file's name and place
// are not those of an entry. Hidden files and folders are passed over.
func (c *Cache) walk(visit func(path string, k Key)) error {
	return filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == c.dir && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), ".") && path != c.dir:
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || filepath.Ext(path) != entryEnding:
			return nil
		}
		k := Key(strings.TrimSuffix(d.Name(), entryEnding))
		if !k.valid() || c.Path(k) != filepath.Clean(path) {
			k = ""
		}
		visit(path, k)
		return nil
	})
}

// valid reports whether k has the form of a key.
func (k Key) valid() bool {
	return len(k) == 64 && strings.Trim(string(k), "0123456789abcdef") == ""
}
