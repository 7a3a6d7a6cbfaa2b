package tardistest

import (
	"sync"

	"github.com/qf-dev/qf/datasets"
)

// file is a day-file as it is sent.
type file struct {
	body []byte
	md5  string // hex
}

// cache keeps the files that were made last, up to a number of bytes. Its zero value is empty.
type cache struct {
	mu      sync.Mutex
	entries map[datasets.Partition]*entry
	order   []datasets.Partition // of finished entries, oldest first
	bytes   int64
}

type entry struct {
	once sync.Once
	f    *file
	err  error
}

// get gives p's file, made once even where several ask for it at the same time. Errors are not kept.
func (c *cache) get(p datasets.Partition, limit int64, produce func() (*file, error)) (*file, error) {
	c.mu.Lock()
	if c.entries == nil {
		c.entries = make(map[datasets.Partition]*entry)
	}
	e := c.entries[p]
	if e == nil {
		e = new(entry)
		c.entries[p] = e
	}
	c.mu.Unlock()
	e.once.Do(func() {
		e.f, e.err = produce()
		c.keep(p, e, limit)
	})
	return e.f, e.err
}

// keep counts a finished entry and drops the oldest ones beyond the limit.
func (c *cache) keep(p datasets.Partition, e *entry, limit int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err != nil {
		delete(c.entries, p)
		return
	}
	c.order = append(c.order, p)
	c.bytes += int64(len(e.f.body))
	for c.bytes > limit {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= int64(len(c.entries[oldest].f.body))
		delete(c.entries, oldest)
	}
}

const defaultCacheBytes = 64 << 20

func orDefaultBytes(n int64) int64 {
	if n == 0 {
		return defaultCacheBytes
	}
	return n
}
