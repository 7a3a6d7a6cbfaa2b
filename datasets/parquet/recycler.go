package parquet

import (
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// recycler is an allocator that keeps what is freed for the next batch, so that a reader whose
// records are released as they should be allocates the memory of one or two batches. A retained
// record keeps its memory to itself. Records may be released on any goroutine.
type recycler struct {
	mem    memory.Allocator
	mu     sync.Mutex
	lent   map[*byte][]byte // as allocated, by first byte
	free   [][]byte
	closed bool
}

// keep bounds the free list: a batch of a wide table has a few buffers a column.
const keep = 1024

func (r *recycler) Allocate(size int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.take(size)
	if size > 0 {
		r.lent[&b[0]] = b
	}
	return b[:size]
}

func (r *recycler) take(size int) []byte {
	for i, b := range slices.Backward(r.free) {
		if size <= len(b) && len(b) <= 2*size+64 {
			r.free = slices.Delete(r.free, i, i+1)
			return b
		}
	}
	return r.mem.Allocate(size)
}

func (r *recycler) Reallocate(size int, b []byte) []byte {
	out := r.Allocate(size)
	copy(out, b)
	r.Free(b)
	return out
}

func (r *recycler) Free(b []byte) {
	if len(b) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	whole := r.lent[&b[0]]
	delete(r.lent, &b[0])
	if r.closed || len(r.free) == keep {
		r.mem.Free(whole)
	} else {
		r.free = append(r.free, whole)
	}
}

// close gives back what is kept and keeps nothing from then on.
func (r *recycler) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, b := range r.free {
		r.mem.Free(b)
	}
	r.free = nil
}
