package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/atomicfile"
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

// CheckRuns reports what stands where Write would point at the newest run in dir, and is not qf's.
func CheckRuns(dir string) error {
	link := filepath.Join(dir, latestName)
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return nil // what else is wrong with dir shows when it is written to
	}
	if info.Mode().IsRegular() {
		if b, err := readBounded(link); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			if _, err := os.Stat(filepath.Join(dir, string(bytes.TrimSpace(b)), reportFile)); err == nil {
				return nil // a link where the system has none
			}
		}
	}
	return fmt.Errorf("%s is not a link of qf's, and qf keeps one to the newest run there: move it away, or give another folder with --out or report.dir", link)
}

// ownFiles are those that Write may leave in a run's folder.
var ownFiles = []string{
	reportFile, manifestFile, htmlFile, "ic.csv", "windows.csv", "trades.csv", "trades.parquet", "equity.parquet", "positions.parquet",
}

// replace gives the folder from the name to. What stood there goes away once the new one is in place, but
// for files that are not ours, which move over. Where another writer of the same run puts its folder there
// meanwhile, the last one stays.
func replace(from, to string) error {
	var olds []string
	for try := 1; ; try++ {
		old := from + strconv.Itoa(len(olds)) + oldEnding
		err := os.Rename(to, old)
		if err == nil {
			olds = append(olds, old)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err = os.Rename(from, to); err == nil {
			break
		}
		if try == 9 || !errors.Is(err, fs.ErrExist) {
			if len(olds) > 0 {
				err = errors.Join(err, os.Rename(olds[0], to))
			}
			return err
		}
	}
	if err := atomicfile.SyncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	for _, old := range olds {
		for _, name := range foreign(old) {
			if err := os.Rename(filepath.Join(old, name), filepath.Join(to, name)); err != nil {
				return err
			}
		}
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	return nil
}

// foreign names what is in a run's folder and not ours.
func foreign(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !slices.Contains(ownFiles, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// point makes link a relative symbolic link to name, or, where there are none, a file that holds it.
func point(link, name string) error {
	temporary := atomicfile.Temporary(link)
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

// sweepDead removes the temporary folders and links that dead processes left in dir.
func sweepDead(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".*"+atomicfile.Ending))
	for _, path := range left {
		if atomicfile.Dead(path) {
			os.RemoveAll(path)
		}
	}
	left, _ = filepath.Glob(filepath.Join(dir, ".*"+atomicfile.Ending+"?"+oldEnding))
	for _, path := range left { // a run whose place another was about to take
		temporary := path[:len(path)-len(oldEnding)-1]
		if !atomicfile.Dead(temporary) {
			continue
		}
		if os.Rename(path, atomicfile.Meant(temporary)) != nil && len(foreign(path)) == 0 { // another is in place
			os.RemoveAll(path)
		}
	}
}

// oldEnding marks a folder whose place another one takes.
const oldEnding = ".old"

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
