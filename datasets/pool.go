package datasets

import (
	"math/bits"
	"sync"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// pool lends the buffers of record batches: a batch's buffers come back when the last reference to
// it is released, whoever holds that, and serve the next batch. Their content is whatever was left
// in them.
type pool struct {
	classes [40]sync.Pool // of *[]byte whose capacity is 1 << index
}

// Buffers is the allocator of all batches of ticks, those that are brought in and those that are read, so that a
// thousand small files cost no more than one. It rounds sizes up to powers of two, which suits batches and is dear
// for what is kept. It is safe for concurrent use.
var Buffers memory.Allocator = new(pool)

const minBuffer = 64

func (p *pool) Allocate(size int) []byte {
	class := bits.Len(uint(max(size, minBuffer) - 1))
	if b, ok := p.classes[class].Get().(*[]byte); ok {
		return (*b)[:size]
	}
	return make([]byte, size, 1<<class)
}

func (p *pool) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	grown := p.Allocate(size)
	copy(grown, b)
	p.Free(b)
	return grown
}

func (p *pool) Free(b []byte) {
	class := bits.Len(uint(cap(b))) - 1
	if cap(b) < minBuffer || cap(b) != 1<<class {
		return // not one of ours
	}
	b = b[:0]
	p.classes[class].Put(&b)
}
