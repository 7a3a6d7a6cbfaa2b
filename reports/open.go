package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/atomicfile"
)

// maxDocument bounds the bytes of a JSON document that is read back.
const maxDocument = 256 << 20

// Open reads a finished run from its folder (or from the report.json in it). What it returns shows
// the run as Write did, to the byte.
func Open(path string) (*Run, error) {
	file, err := locate(path)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	run := &Run{Report: &Report{}, Manifest: &Manifest{}}
	if err := readJSON(file, run.Report); err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	run.Report.complete()
	if err := run.Report.check(); err != nil {
		return nil, fmt.Errorf("open run: %s: %w", file, err)
	}
	if err := readJSON(filepath.Join(filepath.Dir(file), manifestFile), run.Manifest); err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	return run, nil
}

// complete fills in what documents did not say before they had a key for it.
func (d *Report) complete() {
	if d.Score == "" {
		d.Score = study.Composite
	}
	e := &d.Curves.Equity
	for _, c := range []*[]evaluate.Figure{&e.HoldDrawdown, &e.Unfunded, &e.ZeroCost} {
		if *c == nil {
			for range e.TS {
				*c = append(*c, nan)
			}
		}
	}
}

func readJSON(path string, v any) error {
	b, err := readBounded(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: not a report: %w (near byte %d)", path, err, d.InputOffset())
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := datasets.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxDocument {
		return nil, fmt.Errorf("%s: more than %d MiB: this is not a report", path, maxDocument>>20)
	}
	return b, nil
}

// check reports what a document lacks that drawing it counts on.
func (d *Report) check() error {
	if d.Schema > Schema {
		return fmt.Errorf("schema %d is newer than this qf knows (%d): update qf", d.Schema, Schema)
	}
	if d.Schema < 1 {
		return errors.New("no schema version: this is not a run's report")
	}
	e := d.Curves.Equity
	for _, n := range []int{len(e.Equity), len(e.Unfunded), len(e.ZeroCost), len(e.BuyAndHold), len(e.Drawdown), len(e.HoldDrawdown)} {
		if n != len(e.TS) {
			return fmt.Errorf("curves.equity: columns of %d and %d values", n, len(e.TS))
		}
	}
	for _, p := range d.Curves.Positions {
		if len(p.Price) != len(p.TS) || len(p.Weight) != len(p.TS) {
			return fmt.Errorf("curves.positions: %s: columns of unequal length", p.Instrument)
		}
	}
	if s := d.Distribution; s.N > 0 && len(s.Counts) == 0 {
		return errors.New("distribution: no counts")
	}
	for _, c := range d.Coverage {
		if c.Days > maxDays {
			return fmt.Errorf("coverage: %s: %d days", c.Instrument, c.Days)
		}
	}
	return nil
}

// maxDays bounds the days of a feed: more than any market has.
const maxDays = 100_000

// Rerender writes documents of a finished run again, into its folder, from what the folder holds:
// HTML gives report.html, and CSV gives ic.csv and windows.csv. trades.csv and the Parquet files need
// every bar of the run and come from qf backtest alone.
func Rerender(path string, formats ...Format) error {
	run, err := Open(path)
	if err != nil {
		return err
	}
	file, err := locate(path)
	if err != nil {
		return err
	}
	for _, f := range formats {
		documents, err := rerendered(f, run)
		if err != nil {
			return err
		}
		for _, doc := range documents {
			if err := replaceFile(filepath.Join(filepath.Dir(file), doc.name), doc.write); err != nil {
				return fmt.Errorf("write %s: %w", doc.name, err)
			}
		}
	}
	return nil
}

// document is one file of a run's folder.
type document struct {
	name  string
	write func(io.Writer) error
}

func rerendered(f Format, run *Run) ([]document, error) {
	switch f {
	case JSON:
		return nil, nil
	case HTML:
		return []document{{htmlFile, func(w io.Writer) error { return writeHTML(w, run) }}}, nil
	case CSV:
		return []document{
			{"ic.csv", func(w io.Writer) error { return writeIC(w, run.Report) }},
			{"windows.csv", func(w io.Writer) error { return writeWindows(w, run.Report) }},
		}, nil
	}
	return nil, fmt.Errorf("format %q cannot be made from a finished run: want html or csv, or run qf backtest again", f)
}

// replaceFile puts a file in place whole or not at all.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Drop()
	if err := write(f); err != nil {
		return err
	}
	return f.Publish()
}
