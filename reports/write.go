package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qf-dev/qf/backtest"
)

// Options says what Write puts into a run's folder.
type Options struct {
	Version string   // qf's, for manifest.json
	Formats []Format // beside report.json and manifest.json; nil: what the study asks for
}

// folderFormats are those that a run's folder can hold.
var folderFormats = []Format{HTML, JSON, CSV, Parquet}

// Names of the files in a run's folder.
const (
	reportFile   = "report.json"
	manifestFile = "manifest.json"
	htmlFile     = "report.html"
	latestName   = "latest"
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

// Write writes the folder of a run below dir and points dir/latest at it. The folder appears whole or
// not at all; one of the same name is replaced. Equal results give equal files, but for the qf
// version in manifest.json.
func Write(dir string, r *backtest.Result, o Options) error {
	if o.Formats == nil {
		for _, name := range r.Study.Report.Formats {
			o.Formats = append(o.Formats, Format(strings.ToLower(name)))
		}
	}
	for _, f := range o.Formats {
		if !slices.Contains(folderFormats, f) {
			return fmt.Errorf("write report: format %q: want html, json, csv or parquet", f)
		}
	}
	name := Folder(r)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	sweep(dir)
	temporary := filepath.Join(dir, "."+name+suffix())
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	defer os.RemoveAll(temporary)
	if err := fill(temporary, r, o); err != nil {
		return fmt.Errorf("write report %s: %w", name, err)
	}
	if err := replace(temporary, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("write report %s: %w", name, err)
	}
	if err := point(filepath.Join(dir, latestName), name); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// fill writes the files of a run into a folder.
func fill(dir string, r *backtest.Result, o Options) error {
	run := &Run{Report: New(r)}
	var err error
	if run.Manifest, err = NewManifest(r, run.Report, o.Version); err != nil {
		return err
	}
	files := []document{
		{reportFile, func(w io.Writer) error { return Render(w, JSON, run) }},
		{manifestFile, func(w io.Writer) error { return writeJSON(w, run.Manifest) }},
	}
	for _, f := range []Format{HTML, CSV} {
		if slices.Contains(o.Formats, f) {
			again, err := rerendered(f, run)
			if err != nil {
				return err
			}
			files = append(files, again...)
		}
	}
	if slices.Contains(o.Formats, CSV) {
		files = append(files, document{"trades.csv", func(w io.Writer) error { return writeTrades(w, r) }})
	}
	if slices.Contains(o.Formats, Parquet) {
		files = append(files,
			document{"equity.parquet", func(w io.Writer) error { return writeEquity(w, r) }},
			document{"positions.parquet", func(w io.Writer) error { return writePositions(w, r) }})
	}
	errs := make([]error, len(files))
	var wait sync.WaitGroup
	for k, f := range files {
		wait.Go(func() {
			if err := writeFile(filepath.Join(dir, f.name), f.write); err != nil {
				errs[k] = fmt.Errorf("%s: %w", f.name, err)
			}
		})
	}
	wait.Wait()
	return errors.Join(append(errs, syncFolder(dir))...)
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
