package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestAFileAppearsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Create(path) // no lock keeps a second writer out
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "first")
	fmt.Fprint(g, "second")
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Errorf("before Publish: %q", b)
	}
	for _, step := range []struct {
		f    *File
		want string
	}{{g, "second"}, {f, "first"}} {
		if err := step.f.Publish(); err != nil {
			t.Fatal(err)
		}
		step.f.Drop()
		if b, _ := os.ReadFile(path); string(b) != step.want {
			t.Errorf("after Publish: %q, want %q", b, step.want)
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v", info.Mode())
	}
	if got := names(t, dir); got != "a.json" {
		t.Errorf("left %s", got)
	}
}

func TestDropLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if Dead(f.Name()) {
		t.Error("a living writer's file counts as dead")
	}
	if got := Meant(f.Name()); got != filepath.Join(dir, "a") {
		t.Errorf("%s is meant for %s", f.Name(), got)
	}
	f.Drop()
	f.Drop()
	if got := names(t, dir); got != "" {
		t.Errorf("left %s", got)
	}
	if _, err := Create(filepath.Join(dir, "none", "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

func TestFailedPublishKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	if got := names(t, dir); got != "a" {
		t.Errorf("left %s", got)
	}
}

// Of many writers of one name the first wins, and the others leave nothing; a file system without links does the same.
func TestWriteNew(t *testing.T) {
	for _, unlinked := range []bool{false, true} {
		if unlinked {
			link = func(string, string) error { return errors.ErrUnsupported }
			defer func() { link = os.Link }()
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		var wg sync.WaitGroup
		var won atomic.Int32
		for k := range 20 {
			wg.Go(func() {
				if first, err := WriteNew(path, []byte(fmt.Sprint("writer ", k))); err != nil {
					t.Error(err)
				} else if first {
					won.Add(1)
				}
			})
			if unlinked {
				wg.Wait()
			}
		}
		wg.Wait()
		kept, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(kept), "writer ") || won.Load() != 1 {
			t.Errorf("%q, %v: %d writers were first, want one", kept, err, won.Load())
		}
		if first, err := WriteNew(path, []byte("late")); first || err != nil {
			t.Errorf("a late writer: first %v, %v", first, err)
		}
		if now, _ := os.ReadFile(path); string(now) != string(kept) {
			t.Errorf("%q became %q", kept, now)
		}
		if got := names(t, dir); got != "a" {
			t.Errorf("left %s", got)
		}
	}
	if _, err := WriteNew(filepath.Join(t.TempDir(), "none", "a"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

// Files of a process of this machine are dead once it has ended, those of others after a day.
func TestDead(t *testing.T) {
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := func(place string, pid int) string {
		return filepath.Join(dir, fmt.Sprintf(".data.parquet.%s-%d-1x%s", place, pid, Ending))
	}
	old := time.Now().Add(-25 * time.Hour)
	for _, c := range []struct {
		path string
		age  time.Time
		want bool
	}{
		{name(place(), gone.Process.Pid), time.Now(), true},
		{name(place(), os.Getpid()), old, false},
		{name("elsewhere-00000000", gone.Process.Pid), time.Now(), false},
		{name("elsewhere-00000000", os.Getpid()), old, true},
		{filepath.Join(dir, ".data.parquet.tmp"), old, true},
		{filepath.Join(dir, ".bad-rows.csv.tmp"), time.Now(), false},
		{filepath.Join(dir, "data.parquet"), old, false},
		{filepath.Join(dir, "a.tmp"), old, false},
	} {
		if err := os.WriteFile(c.path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(c.path, c.age, c.age); err != nil {
			t.Fatal(err)
		}
		if got := Dead(c.path); got != c.want {
			t.Errorf("Dead(%s) = %v", filepath.Base(c.path), got)
		}
	}
}
