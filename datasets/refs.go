package datasets

import "sync/atomic"

// refs counts the references to a reader, as Arrow's readers do.
type refs struct{ n atomic.Int64 }

func newRefs() *refs {
	r := &refs{}
	r.n.Store(1)
	return r
}

// Retain adds a reference.
func (r *refs) Retain() { r.n.Add(1) }

// drop takes one away and reports whether it was the last.
func (r *refs) drop() bool {
	n := r.n.Add(-1)
	if n < 0 {
		panic("datasets: released too often")
	}
	return n == 0
}
