package llm

import "errors"

// ErrMissing says that the cache lacks a call.
var ErrMissing = errors.New("not in the cache")

// Cache is a folder with one JSON file per call, named by its key. It may be committed: it holds no secret.
type Cache struct{ dir string }

// OpenCache opens a folder, which need not exist yet.
func OpenCache(dir string) *Cache { return &Cache{dir} }
