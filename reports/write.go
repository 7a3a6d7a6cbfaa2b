package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/atomicfile"
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

// Write writes the folder of a run below dir and points dir/latest at it. The folder appears whole or
// not at all; one of the same name is replaced, and what others put into it is kept. Equal results give equal files, but for the qf
// version in manifest.json.
func Write(dir string, r *backtest.Result, o Options) error { return write(dir, r, r, o) }

func write(dir string, r *backtest.Result, rows rowSource, o Options) error {
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
	if err := CheckRuns(dir); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	sweepDead(dir)
	temporary := atomicfile.Temporary(filepath.Join(dir, name))
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	defer os.RemoveAll(temporary)
	if err := fill(temporary, r, rows, o); err != nil {
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
func fill(dir string, r *backtest.Result, rows rowSource, o Options) error {
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
	tasks := rowFiles(dir, r, rows, o.Formats)
	for _, f := range files {
		tasks = append(tasks, func() error {
			if err := writeFile(filepath.Join(dir, f.name), f.write); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			return nil
		})
	}
	errs := make([]error, len(tasks))
	var wait sync.WaitGroup
	for k, task := range tasks {
		wait.Go(func() { errs[k] = task() })
	}
	wait.Wait()
	return errors.Join(append(errs, atomicfile.SyncFolder(dir))...)
}
