// Package scratch keeps columns of numbers that a computation writes once, in order, and reads back in parts: on the
// heap up to a limit, beyond it in a temporary file, so that memory does not grow with the columns.
//
// The file is made with the first value that it takes, in the folder that TMPDIR names (see os.TempDir), and unlinked
// at once where the system allows that: whatever happens to the process, nothing stays behind. It is read and written
// by position and not mapped, so that what is in it does not count as memory of the process.
package scratch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// segmentBytes is the length of a piece of a column, which lies in one place.
const segmentBytes = 64 << 10

// Space is the memory of some columns. Several goroutines may use it, each its own columns.
type Space struct {
	left    atomic.Int64 // bytes of heap
	end     atomic.Int64 // of the file
	free    []int64      // places of segments in it that may be written again
	create  func() (file, error)
	mu      sync.Mutex
	file    file
	closed  bool
	failure error // of the file's making
}

// file is what a Space needs of a file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// ErrClosed is wrapped by the errors of columns whose Space was closed.
var ErrClosed = errors.New("scratch space is closed")

// New makes a Space whose columns hold so many bytes on the heap, beside up to 64 KiB of each column that is still
// being written.
func New(limit int64) *Space {
	s := &Space{create: unlinked}
	s.left.Store(limit)
	return s
}

// Close frees what all columns hold, which cannot be used any more.
func (s *Space) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	f := s.file
	if s.file = nil; f == nil {
		return nil
	}
	return f.Close()
}

// opened gives the file, and makes it first where there is none.
func (s *Space) opened() (file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.file == nil && s.failure == nil {
		s.file, s.failure = s.create()
	}
	return s.file, s.failure
}

// write appends bytes to the file and says where they are.
func (s *Space) write(b []byte) (at int64, err error) {
	f, err := s.opened()
	if err != nil {
		return 0, fmt.Errorf("scratch file in %s: %w; set TMPDIR to a folder that can be written to", os.TempDir(), err)
	}
	if at = s.place(); at < 0 {
		at = s.end.Add(int64(len(b))) - int64(len(b))
	}
	if _, err := f.WriteAt(b, at); err != nil {
		return 0, fmt.Errorf("scratch file of %d MiB in %s: %w; set TMPDIR to a folder with more room, or allow more memory", at>>20, os.TempDir(), err)
	}
	return at, nil
}

// place is where a segment was that is not needed any more, or −1.
func (s *Space) place() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free)
	if n == 0 {
		return -1
	}
	at := s.free[n-1]
	s.free = s.free[:n-1]
	return at
}

func (s *Space) read(b []byte, at int64) error {
	f, err := s.opened()
	if err == nil {
		_, err = f.ReadAt(b, at)
	}
	if err != nil {
		return fmt.Errorf("scratch file in %s: %w", os.TempDir(), err)
	}
	return nil
}

// unlinked makes a temporary file that no folder lists.
func unlinked() (file, error) {
	f, err := os.CreateTemp("", "qf-scratch-*")
	if err != nil {
		return nil, err
	}
	if os.Remove(f.Name()) == nil {
		return f, nil
	}
	return listed{f}, nil // a system that keeps the name of an open file
}

// listed is a temporary file that is removed when it is closed.
type listed struct{ *os.File }

func (f listed) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

// Column is a column of float64 or int32. One goroutine at a time appends; once it has, several may read.
type Column[T float64 | int32] struct {
	space    *Space
	segments []segment[T] // all of them full
	tail     []T          // what comes after them
	rows     int
}

// segment is a piece of a column, on the heap or in the file.
type segment[T float64 | int32] struct {
	values []T
	at     int64 // in the file, where values is nil
}

// Floats makes an empty column of float64.
func Floats(s *Space) *Column[float64] { return &Column[float64]{space: s} }

// Ints makes an empty column of int32.
func Ints(s *Space) *Column[int32] { return &Column[int32]{space: s} }

// rowsOf is the number of values in a segment.
func rowsOf[T float64 | int32]() int {
	var v T
	return segmentBytes / int(unsafe.Sizeof(v))
}

// bytesOf is the memory of values.
func bytesOf[T float64 | int32](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*unsafe.SliceData(x))))
}

// Len is the number of values that were appended.
func (c *Column[T]) Len() int { return c.rows }

// Append adds values at the end; they are copied. An error, as of a full disk, may leave the first of them added.
func (c *Column[T]) Append(x []T) error {
	n := rowsOf[T]()
	for len(x) > 0 {
		if len(c.tail) == 0 && len(x) >= n {
			if err := c.seal(x[:n], true); err != nil {
				return err
			}
			c.rows += n
			x = x[n:]
			continue
		}
		if c.tail == nil && len(c.segments) > 0 {
			c.tail = make([]T, 0, n)
		}
		k := min(len(x), n-len(c.tail))
		if c.tail = append(c.tail, x[:k]...); len(c.tail) == n {
			if err := c.seal(c.tail, false); err != nil {
				c.tail = c.tail[:n-k]
				return err
			}
			if c.tail = c.tail[:0]; c.segments[len(c.segments)-1].values != nil {
				c.tail = nil // the segment has the memory now
			}
		}
		c.rows += k
		x = x[k:]
	}
	return nil
}

// Free empties the column and gives its memory back to the Space, for other columns. Views of it end.
func (c *Column[T]) Free() {
	c.space.mu.Lock()
	defer c.space.mu.Unlock()
	for _, s := range c.segments {
		if s.values != nil {
			c.space.left.Add(segmentBytes)
		} else {
			c.space.free = append(c.space.free, s.at)
		}
	}
	c.segments, c.tail, c.rows = nil, nil, 0
}

// seal adds a segment: on the heap where there is room, and copied where the memory is not ours, else in the file.
func (c *Column[T]) seal(x []T, foreign bool) error {
	if !c.space.take() {
		at, err := c.space.write(bytesOf(x))
		if err == nil {
			c.segments = append(c.segments, segment[T]{at: at})
		}
		return err
	}
	if foreign {
		x = slices.Clone(x)
	}
	c.segments = append(c.segments, segment[T]{values: x})
	return nil
}

// take reserves a segment on the heap, where there is room.
func (s *Space) take() bool {
	if s.left.Add(-segmentBytes) >= 0 {
		return true
	}
	s.left.Add(segmentBytes)
	return false
}

// View gives values [lo, hi): the column's own memory where they lie on the heap in one place, so that it must not be
// written to, else buf, filled and made longer where it is too short. Values that lie in one segment of 64 KiB do. It panics where there are
// no such values.
func (c *Column[T]) View(buf *[]T, lo, hi int) ([]T, error) {
	if lo < 0 || lo > hi || hi > c.rows {
		panic(fmt.Sprintf("scratch: values [%d, %d) of a column of %d", lo, hi, c.rows))
	}
	n := rowsOf[T]()
	if k := lo / n; lo < hi && hi <= (k+1)*n {
		if x := c.heap(k); x != nil {
			return x[lo-k*n : hi-k*n], nil
		}
	}
	*buf = slices.Grow((*buf)[:0], hi-lo)[:hi-lo]
	for to := *buf; lo < hi; {
		k := lo / n
		m := min(hi, (k+1)*n) - lo
		if x := c.heap(k); x != nil {
			copy(to[:m], x[lo-k*n:])
		} else if err := c.space.read(bytesOf(to[:m]), c.segments[k].at+int64(lo-k*n)*int64(segmentBytes/n)); err != nil {
			return nil, err
		}
		to, lo = to[m:], lo+m
	}
	return *buf, nil
}

// heap is segment k, the tail being the last, or nil where it is in the file.
func (c *Column[T]) heap(k int) []T {
	if k == len(c.segments) {
		return c.tail
	}
	return c.segments[k].values
}
