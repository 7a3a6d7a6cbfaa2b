package reports

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest"
)

// Folder is the name of r's folder, {name}-{digest}, made of letters that every file system takes.
func Folder(r *backtest.Result) string { return safeName(r.Study.Name) + "-" + safeName(r.Digest) }

// maxNamePart bounds each half of a folder's name.
const maxNamePart = 100

func safeName(s string) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '-'
	}, s)
	safe = strings.TrimLeft(safe, ".-")
	if safe == "" {
		return "run"
	}
	return safe[:min(len(safe), maxNamePart)]
}

// writeFile writes a file and waits until it is on the disk.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// replace gives the folder from the name to. What stood there goes away once the new one is in place.
func replace(from, to string) error {
	old := from + ".old"
	err := os.Rename(to, old)
	switch {
	case errors.Is(err, os.ErrNotExist):
		old = ""
	case err != nil:
		return err
	}
	if err := os.Rename(from, to); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(old, to))
		}
		return err
	}
	if err := syncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(old)
}

// point makes link a relative symbolic link to name, or, where there are none, a file that holds it.
func point(link, name string) error {
	temporary := filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+suffix())
	if err := os.Symlink(name, temporary); err != nil {
		if err := os.WriteFile(temporary, []byte(name+"\n"), 0o666); err != nil {
			return err
		}
	}
	if err := os.Rename(temporary, link); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// abandoned is the age at which a temporary folder is taken for that of a process that died.
const abandoned = 24 * time.Hour

// sweep removes the temporary folders that dead processes left in dir.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), temporaryMark) && time.Since(info.ModTime()) > abandoned {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// temporaryMark stands in the name of everything that is not finished.
const temporaryMark = ".tmp-"

// suffix tells the temporary names of two writers apart.
func suffix() string { return temporaryMark + strconv.FormatUint(rand.Uint64(), 36) }

// locate finds the report.json of a run: path is the file, the run's folder, or the file that stands
// for a symbolic link to it.
func locate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return filepath.Join(path, reportFile), nil
	}
	if filepath.Base(path) == latestName {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		return filepath.Join(filepath.Dir(path), filepath.Base(string(bytes.TrimSpace(b))), reportFile), nil
	}
	return path, nil
}
