package scratch

import (
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// fill appends values at random lengths.
func fill[T float64 | int32](t *testing.T, r *rand.Rand, c *Column[T], x []T) {
	t.Helper()
	for len(x) > 0 {
		k := min(len(x), []int{1, 7, 8192, 1 + r.IntN(20_000)}[r.IntN(4)])
		part := slices.Clone(x[:k])
		if err := c.Append(part); err != nil {
			t.Fatal(err)
		}
		clear(part) // the column has a copy
		x = x[k:]
	}
}

// wantValues reads parts at random and compares them with what was appended.
func wantValues[T float64 | int32](t *testing.T, r *rand.Rand, c *Column[T], want []T) {
	t.Helper()
	if c.Len() != len(want) {
		t.Fatalf("%d values, want %d", c.Len(), len(want))
	}
	var buf []T
	for k := range 50 {
		lo := r.IntN(len(want) + 1)
		hi := lo + r.IntN(len(want)-lo+1)
		if k == 0 {
			lo, hi = 0, len(want)
		}
		got, err := c.View(&buf, lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(bytesOf(got), bytesOf(want[lo:hi])) {
			t.Fatalf("values [%d, %d) are others", lo, hi)
		}
		if k%2 == 0 {
			buf = nil
		}
	}
}

func TestColumns(t *testing.T) {
	for _, limit := range []int64{0, segmentBytes, 5 * segmentBytes, 1 << 40} {
		r := rand.New(rand.NewPCG(uint64(limit), 1))
		t.Setenv("TMPDIR", t.TempDir())
		s := New(limit)
		floats, ints := make([]float64, 70_000), make([]int32, 150_001)
		for i := range floats {
			floats[i] = r.NormFloat64()
		}
		floats[3], floats[60_000] = math.Float64frombits(0x7ff8000000000123), math.Copysign(0, -1) // to the bit
		for i := range ints {
			ints[i] = int32(r.Uint32())
		}
		f, n, empty := Floats(s), Ints(s), Floats(s)
		fill(t, r, f, floats)
		fill(t, r, n, ints)
		wantValues(t, r, f, floats)
		wantValues(t, r, n, ints)
		if got, err := empty.View(new([]float64), 0, 0); len(got) > 0 || err != nil {
			t.Errorf("an empty column has %v, %v", got, err)
		}
		if spilled := s.file != nil; spilled != (limit < 1<<40) {
			t.Errorf("limit %d: a file %t", limit, spilled)
		}
		onHeap := 0
		for _, x := range f.segments {
			onHeap += len(bytesOf(x.values))
		}
		for _, x := range n.segments {
			onHeap += len(bytesOf(x.values))
		}
		if int64(onHeap) > limit {
			t.Errorf("%d bytes on the heap, want at most %d", onHeap, limit)
		}
		if names, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); err != nil || len(names) > 0 {
			t.Errorf("a folder lists %v (%v)", names, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	}
}

// A view of one segment on the heap is the column's memory: nothing is copied.
func TestViewIsTheMemory(t *testing.T) {
	c := Floats(New(1 << 30))
	x := make([]float64, 20_000)
	if err := c.Append(x); err != nil {
		t.Fatal(err)
	}
	for _, span := range [][2]int{{0, 8192}, {8192, 16_384}, {16_384, 20_000}, {100, 200}} {
		if n := testing.AllocsPerRun(10, func() {
			if _, err := c.View(new([]float64), span[0], span[1]); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("view [%d, %d) allocates", span[0], span[1])
		}
	}
}

// Columns of one space, each in a goroutine of its own, and several readers of one column.
func TestColumnsSideBySide(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := New(3 * segmentBytes)
	defer s.Close()
	shared := Floats(s)
	want := make([]float64, 40_000)
	for i := range want {
		want[i] = float64(i)
	}
	if err := shared.Append(want); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(g, 2))
			c, x := Ints(s), make([]int32, 50_000)
			for i := range x {
				x[i] = int32(g)<<20 + int32(i)
			}
			for k := 0; k < len(x); k += 5000 {
				if err := c.Append(x[k : k+5000]); err != nil {
					t.Error(err)
				}
			}
			wantValues(t, r, c, x)
			wantValues(t, r, shared, want)
		})
	}
	wg.Wait()
}

// fullDisk takes so many bytes and no more.
type fullDisk struct {
	file
	room int
}

func (f *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, &fs.PathError{Op: "write", Path: "scratch", Err: syscall.ENOSPC}
	}
	return f.file.WriteAt(b, at)
}

func TestFullDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := New(0)
	s.create = func() (file, error) {
		f, err := unlinked()
		return &fullDisk{f, 3 * segmentBytes}, err
	}
	defer s.Close()
	c := Floats(s)
	x := make([]float64, 3*8192+5000)
	for i := range x {
		x[i] = float64(i)
	}
	if err := c.Append(x); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Append(x); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("a full disk gives %v", err)
		}
		wantValues(t, rand.New(rand.NewPCG(1, 3)), c, x) // what was there is there
	}
	s = New(0)
	s.create = func() (file, error) { return nil, fs.ErrPermission }
	if err := Floats(s).Append(x); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("a folder that takes no file gives %v", err)
	}
}

func TestClosed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := New(0)
	c := Floats(s)
	if err := c.Append(make([]float64, 10_000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.View(new([]float64), 0, 10); !errors.Is(err, ErrClosed) {
		t.Errorf("a view of a closed space: %v", err)
	}
	if err := c.Append(make([]float64, 10_000)); !errors.Is(err, ErrClosed) {
		t.Errorf("appended to a closed space: %v", err)
	}
}

// A file that cannot be unlinked while it is open goes with Close.
func TestListed(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := (listed{f}).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Name()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// Freed columns give their heap and their places in the file to others.
func TestFree(t *testing.T) {
	s := New(2 * segmentBytes)
	defer s.Close()
	n := 4 * segmentBytes / 8
	x := make([]float64, n)
	for round := range 20 {
		a, b := Floats(s), Ints(s)
		for k := range x {
			x[k] = float64(round*n + k)
		}
		y := []int32{int32(round), 7}
		if err := errors.Join(a.Append(x), b.Append(y)); err != nil {
			t.Fatal(err)
		}
		got, err := a.View(new([]float64), 0, n)
		if err != nil || !slices.Equal(got, x) {
			t.Fatalf("round %d: other values, %v", round, err)
		}
		a.Free()
		b.Free()
		if a.Len() != 0 {
			t.Errorf("%d values after Free", a.Len())
		}
	}
	if left := s.left.Load(); left != 2*segmentBytes {
		t.Errorf("%d bytes of heap are left, want all", left)
	}
	if end := s.end.Load(); end > 2*segmentBytes {
		t.Errorf("the file has %d bytes, want those of one round", end)
	}
}
