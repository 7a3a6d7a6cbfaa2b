package tardis

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// rawFile is a copy of the vendor's file in the making. It gets its name once it is complete.
type rawFile struct {
	*os.File
	name string // "" once it is settled
}

func createRaw(dir, name string) (*rawFile, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return nil, err
	}
	return &rawFile{f, filepath.Join(dir, name)}, nil
}

// commit makes the file durable and visible.
func (f *rawFile) commit() error {
	err := f.Chmod(0o644)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = f.publish()
	}
	if err == nil {
		f.name = ""
	}
	return err
}

// publish gives the file its name. One of that name that holds something else is not ours to replace.
func (f *rawFile) publish() error {
	err := os.Link(f.Name(), f.name)
	if _, there := os.Lstat(f.name); err != nil && there == nil {
		same, err := sameContent(f.Name(), f.name)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%s is there already and differs from what the server sends: it stays as it is; move it away, or keep raw files in another folder", f.name)
		}
		return os.Remove(f.Name())
	}
	if err != nil { // a file system without links
		return os.Rename(f.Name(), f.name)
	}
	return os.Remove(f.Name())
}

func sameContent(a, b string) (bool, error) {
	var sums [2][sha256.Size]byte
	for i, path := range []string{a, b} {
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return false, err
		}
		h.Sum(sums[i][:0])
	}
	return sums[0] == sums[1], nil
}

// abort removes the file unless it was committed.
func (f *rawFile) abort() {
	if f.name != "" {
		f.Close()
		os.Remove(f.Name())
		f.name = ""
	}
}
