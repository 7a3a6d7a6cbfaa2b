package tardis

import (
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
		err = os.Rename(f.Name(), f.name)
	}
	if err == nil {
		f.name = ""
	}
	return err
}

// abort removes the file unless it was committed.
func (f *rawFile) abort() {
	if f.name != "" {
		f.Close()
		os.Remove(f.Name())
		f.name = ""
	}
}
