// Package atomicfile makes files appear whole or not at all.
//
//  1. Create opens a temporary file beside the one that is to be, under a hidden
//     name that no other writer has: it holds the machine, the process and a
//     random number. It needs no lock, so that writers on machines that share a
//     folder but no locks cannot spoil each other's files.
//  2. Publish makes the bytes durable and renames: the last writer wins, and each
//     published file is one writer's from the first byte to the last.
//  3. PublishNew gives the name only where nothing has it yet: the first writer
//     wins, and nobody waits for anybody.
//  4. Drop removes what was not published. What a killed process leaves behind is
//     told by Dead, from the name alone where that process ran here;
//     Clear removes it.
package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Ending is that of every temporary name.
const Ending = ".tmp"

// stale is the age from which what another machine left unfinished counts as dead: its processes
// cannot be asked, and no writer is silent for so long.
const stale = 24 * time.Hour

// place names the process space of this machine: numbers of processes mean something within it
// alone. Containers share a machine and often its name, but not the numbers.
var place = sync.OnceValue(func() string {
	host, _ := os.Hostname()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, _ := os.Readlink("/proc/self/ns/pid")
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %s %s", host, boot, space)
	host, _, _ = strings.Cut(host, ".")
	host = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, host)
	return fmt.Sprintf("%.12s-%08x", host, h.Sum32())
})

// Temporary gives a hidden name beside path that no other writer has, of the form
// .BASE.HOST-SPACE-PROCESS-RANDOM.tmp.
func Temporary(path string) string {
	name := fmt.Sprintf(".%s.%s-%d-%s%s", filepath.Base(path), place(), os.Getpid(), strconv.FormatUint(rand.Uint64(), 36), Ending)
	return filepath.Join(filepath.Dir(path), name)
}

// Meant gives the path that the temporary name was made for.
func Meant(temporary string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(temporary), "."), Ending)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[:i]
	}
	return filepath.Join(filepath.Dir(temporary), name)
}

// Dead reports whether path, whose name is a temporary one, is left over: its process ran here and has
// ended, or it ran elsewhere, or is not told, and the file was last written a day ago.
func Dead(path string) bool {
	name, ok := strings.CutSuffix(filepath.Base(path), Ending)
	if !ok || !strings.HasPrefix(name, ".") {
		return false
	}
	parts := strings.Split(name[strings.LastIndexByte(name, '.')+1:], "-")
	if len(parts) == 4 && parts[0]+"-"+parts[1] == place() {
		if pid, err := strconv.Atoi(parts[2]); err == nil {
			return ended(pid)
		}
	}
	info, err := os.Lstat(path)
	return err == nil && time.Since(info.ModTime()) > stale
}

// Clear removes what dead writers of path left beside it.
func Clear(path string) {
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*"+Ending))
	for _, name := range left {
		if Dead(name) {
			os.Remove(name)
		}
	}
}

// ended reports whether this machine has no process pid.
func ended(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer p.Release()
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// File is a file in the making, written under a temporary name.
type File struct {
	*os.File        // nil once it is published or dropped
	path     string // its name to be
}

// Create begins a file that Publish will call path. Its folder must be there. The caller defers Drop.
func Create(path string) (*File, error) {
	f, err := os.OpenFile(Temporary(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &File{f, path}, nil
}

// Publish makes the file durable and gives it its name, in place of the one that was there, whose
// permissions it takes over. After an error it still has to be dropped.
func (f *File) Publish() error {
	if old, err := os.Stat(f.path); err == nil && old.Mode().IsRegular() {
		if err := f.Chmod(old.Mode().Perm()); err != nil && runtime.GOOS != "windows" {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), f.path); err != nil {
		return err
	}
	f.File = nil
	return SyncFolder(filepath.Dir(f.path))
}

// PublishNew makes the file durable and gives it its name, unless there is such a file already: then it is false and nothing
// changes. Of several writers one alone gets true. After false or an error the file still has to be dropped.
// The name is durable once SyncFolder was called.
func (f *File) PublishNew() (bool, error) {
	if err := f.Sync(); err != nil {
		return false, err
	}
	err := link(f.Name(), f.path)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) { // a file system without links: of two writers at the same instant the last wins
		if _, err = os.Lstat(f.path); err == nil {
			return false, nil
		}
		err = os.Rename(f.Name(), f.path)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.Drop()
	return true, nil
}

// link gives a file a second name. Tests put one in its place that there is not.
var link = os.Link

// WriteNew puts data at path, whole, unless there is a file already: see PublishNew.
func WriteNew(path string, data []byte) (bool, error) {
	f, err := Create(path)
	if err != nil {
		return false, err
	}
	defer f.Drop()
	if _, err := f.File.Write(data); err != nil {
		return false, err
	}
	return f.PublishNew()
}

// Drop removes the temporary file. After Publish it does nothing.
func (f *File) Drop() {
	if f.File == nil {
		return
	}
	f.Close()
	os.Remove(f.Name())
	f.File = nil
}

// Write puts data at path, whole or not at all.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Drop()
	if _, err := f.File.Write(data); err != nil {
		return err
	}
	return f.Publish()
}

// SyncFolder makes the names in dir durable, where the system can.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" { // a folder cannot be synced there; NTFS keeps names in its journal
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
