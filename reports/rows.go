package reports

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/qf-dev/qf/backtest"
)

// rowWriter writes a file that has every row of every run.
type rowWriter interface {
	add(*backtest.RunRows) error
	close() error
}

// fillWriter writes a file that has every fill of every run.
type fillWriter interface {
	add(*backtest.FillRow) error
	close() error
}

// rowSource gives what a result keeps of single rows; backtest.Result is one.
type rowSource interface {
	Rows(func(*backtest.RunRows) error) error
	Fills(func(*backtest.FillRow) error) error
}

// rowFiles are the files of single rows and of fills that formats ask for. The files of rows are written in one pass over
// them, and so are those of fills.
func rowFiles(dir string, r *backtest.Result, rows rowSource, formats []Format) []func() error {
	var out []func() error
	if slices.Contains(formats, Parquet) {
		out = append(out, func() error {
			return together(dir, []string{"equity.parquet", "positions.parquet"}, func(w []io.Writer) error { return writeReplays(w[0], w[1], r, rows) })
		})
	}
	var names []string
	var writers []func(io.Writer, *backtest.Result) (fillWriter, error)
	if slices.Contains(formats, CSV) {
		names, writers = append(names, "trades.csv"), append(writers, newTradesCSV)
	}
	if slices.Contains(formats, Parquet) {
		names, writers = append(names, "trades.parquet"), append(writers, newTradesParquet)
	}
	if len(names) > 0 {
		out = append(out, func() error {
			return together(dir, names, func(w []io.Writer) error { return writeFills(w, writers, r, rows) })
		})
	}
	return out
}

// writeReplays writes equity.parquet and positions.parquet.
func writeReplays(equity, positions io.Writer, r *backtest.Result, rows rowSource) error {
	e, err := newEquity(equity, r)
	if err != nil {
		return err
	}
	p, err := newPositions(positions, r)
	if err != nil {
		return err
	}
	writers := []rowWriter{e, p}
	err = rows.Rows(func(x *backtest.RunRows) error {
		for _, w := range writers {
			if err := w.add(x); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range writers {
		if err == nil {
			err = w.close()
		}
	}
	return err
}

// writeFills writes the fills to each writer.
func writeFills(to []io.Writer, writers []func(io.Writer, *backtest.Result) (fillWriter, error), r *backtest.Result, rows rowSource) error {
	var all []fillWriter
	for k, make := range writers {
		w, err := make(to[k], r)
		if err != nil {
			return err
		}
		all = append(all, w)
	}
	err := rows.Fills(func(f *backtest.FillRow) error {
		for _, w := range all {
			if err := w.add(f); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range all {
		if err == nil {
			err = w.close()
		}
	}
	return err
}

// together writes some files at once, each as writeFile does. What a file's disk refuses is an error that names it.
func together(dir string, names []string, write func([]io.Writer) error) error {
	var opened []io.Writer
	var next func() error
	next = func() error {
		k := len(opened)
		if k == len(names) {
			return write(opened)
		}
		return writeFile(filepath.Join(dir, names[k]), func(w io.Writer) error {
			opened = append(opened, named{names[k], w})
			return next()
		})
	}
	return next()
}

// named writes to a file, and names it where that fails.
type named struct {
	name string
	w    io.Writer
}

func (n named) Write(b []byte) (int, error) {
	k, err := n.w.Write(b)
	if err != nil {
		err = fmt.Errorf("%s: %w", n.name, err)
	}
	return k, err
}
