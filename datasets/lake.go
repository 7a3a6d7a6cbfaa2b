package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets/atomicfile"
	"github.com/qf-dev/qf/datasets/parquet"
)

// Lake is a folder of Hive-partitioned Parquet files,
//
//	{root}/{type}/exchange={E}/symbol={S}/date={YYYY-MM-DD}/data.parquet
//
// in which a file is there whole or not at all. It may be used by many goroutines and processes at once.
type Lake struct {
	root string
	sync func(folder string) error // makes a folder's entries durable, now or later

	// For tests: what every written file passes through, where it is not nil, and what tables and batches
	// that are read are allocated from, where that is not the default.
	wrap         func(io.Writer) io.Writer
	mem, batches memory.Allocator
}

// Info is what a lake file's footer records.
type Info struct {
	Partition       Partition
	Source          SourceMeta
	Rows            int64
	Bytes           int64  // of the Parquet file
	First, Last     int64  // local_timestamp of the first and the last row; 0 without rows
	OrderViolations int64  // rows whose local_timestamp is below their predecessor's
	Digest          string // of schema version and all cells: equal cells give equal digests
	Look            Look   // at its prices
}

// OpenLake opens the lake at root, which need not exist until something is written.
func OpenLake(root string) (*Lake, error) {
	if root == "" {
		return nil, errors.New("lake: no folder given")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("lake: %w", err)
	}
	if fi, err := os.Stat(root); err == nil && !fi.IsDir() {
		return nil, fmt.Errorf("lake %s: not a folder", root)
	}
	return &Lake{root: root, sync: atomicfile.SyncFolder, mem: memory.DefaultAllocator, batches: Buffers}, nil
}

// Root is the lake's folder.
func (l *Lake) Root() string { return l.root }

// path is p's file, as qf writes it.
func (l *Lake) path(p Partition) string { return filepath.Join(l.root, p.path()) }

// find is p's file, whatever tool named it: DuckDB calls it data_0.parquet, Spark and Arrow part-0.parquet. The
// error wraps fs.ErrNotExist where the folder of the day has none, and names two where it has more than
// one, since nothing says which of them counts.
func (l *Lake) find(p Partition) (string, error) {
	own := l.path(p)
	names, err := l.tables(filepath.Dir(own))
	switch {
	case err != nil:
		return own, err
	case len(names) == 0:
		return own, fs.ErrNotExist
	case len(names) > 1:
		return own, fmt.Errorf("%s holds two files, %s and %s: keep the one that counts", filepath.Dir(own), names[0], names[1])
	}
	return filepath.Join(filepath.Dir(own), names[0]), nil
}

// tables lists the Parquet files in a folder; none where it is missing.
func (l *Lake) tables(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, err
	}
	for _, e := range entries {
		if (e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0) && filepath.Ext(e.Name()) == ".parquet" && !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "_") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Stat reads the footer of p's file. The error wraps ErrNotFound where there is none. A file that
// another tool wrote records nothing of it, so its rows are read, all of them, and Source is zero.
func (l *Lake) Stat(p Partition) (Info, error) {
	f, ours, err := l.footer(p)
	if err != nil || ours {
		return f.Info, err
	}
	if f, err = l.measure(context.Background(), p, nil); err != nil {
		return Info{}, err
	}
	return f.Info, nil
}

// footer is the cheap part of Stat: it reports false for a file that another tool wrote, of which
// only rows and bytes are then known.
func (l *Lake) footer(p Partition) (f footer, ours bool, err error) {
	file, err := l.open(p)
	if err != nil {
		return f, false, err
	}
	defer file.Close()
	if f, ours, err = readFooter(file, p); err != nil {
		return f, ours, fmt.Errorf("%s: %w", file.Path(), err)
	}
	return f, ours, nil
}

// open opens p's file; the error names it and wraps ErrNotFound where there is none.
func (l *Lake) open(p Partition) (*parquet.File, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	path, err := l.find(p)
	var file *parquet.File
	if err == nil {
		file, err = parquet.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lake %s: %w", p, ErrNotFound)
	}
	if errors.Is(err, parquet.ErrFormat) {
		return nil, fmt.Errorf("%w; fetching or importing the day again replaces it", err)
	}
	return file, err
}

// check compares p's file with its checksums.
func (l *Lake) check(ctx context.Context, p Partition) error {
	file, err := l.open(p)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Check(ctx); err != nil {
		return fmt.Errorf("%s: %w", file.Path(), err)
	}
	return nil
}

// read streams file's rows with the named columns of p's feed or all of them, in Arrow types of the
// feed's schema whatever tool wrote the file. What no file of ours holds is an error that names its row:
// NaN, an infinity, a negative price or amount.
func (l *Lake) read(ctx context.Context, file *parquet.File, p Partition, filter *parquet.Between, columns ...string) (array.RecordReader, error) {
	schema, err := p.Type.Schema(columns...)
	if err != nil {
		return nil, err
	}
	enums, least := map[string][]string{}, map[string]float64{}
	for _, c := range p.Type.Columns() {
		least[c.Name] = c.least()
		if c.Kind == Enum {
			enums[c.Name] = c.Values
		}
	}
	return file.Read(ctx, parquet.ReadOptions{Schema: schema, Enums: enums, Filter: filter, Finite: !isOurs(file), AtLeast: least, Allocator: l.batches})
}

// List gives the partitions of one feed of one instrument that the lake holds, by day.
func (l *Lake) List(t DataType, in Instrument) ([]Partition, error) {
	if err := (Partition{Instrument: in, Type: t}).Validate(); err != nil {
		return nil, err
	}
	dir := seriesDir(t, in)
	dates, err := l.folders(dir)
	if err != nil {
		return nil, err
	}
	var out []Partition
	for _, d := range dates {
		p, ok := partitionAt(filepath.Join(dir, d, dataFile))
		if !ok {
			continue
		}
		names, err := l.tables(filepath.Join(l.root, dir, d))
		if err != nil {
			return nil, fmt.Errorf("lake: %w", err)
		}
		if len(names) > 0 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, Partition.Compare)
	return out, nil
}

// Holds reports whether the lake has any of the days [first, end) of one feed of one instrument.
func (l *Lake) Holds(t DataType, in Instrument, first, end Day) (bool, error) {
	dir := seriesDir(t, in)
	dates, err := l.folders(dir)
	if err != nil {
		return false, err
	}
	for _, d := range dates {
		p, ok := partitionAt(filepath.Join(dir, d, dataFile))
		if !ok || p.Day < first || p.Day >= end {
			continue
		}
		if names, err := l.tables(filepath.Join(l.root, dir, d)); err != nil || len(names) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Instruments lists those of an exchange of which the lake has days of a feed, by symbol.
func (l *Lake) Instruments(t DataType, exchange string) ([]Instrument, error) {
	if validName("exchange", exchange) != nil {
		return nil, nil
	}
	symbols, err := l.folders(filepath.Join(string(t), exchangePart+escape(exchange)))
	if err != nil {
		return nil, err
	}
	var out []Instrument
	for _, s := range symbols {
		symbol, ok := hiveValue(s, symbolPart)
		if in := (Instrument{exchange, symbol}); ok && in.Validate() == nil {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, Instrument.Compare)
	return out, nil
}

// All gives every partition that the lake holds, in Partition.Compare's order. Files and folders
// that are none of the lake's are passed over.
func (l *Lake) All() ([]Partition, error) {
	var out []Partition
	for _, t := range DataTypes() {
		exchanges, err := l.folders(string(t))
		if err != nil {
			return nil, err
		}
		for _, e := range exchanges {
			exchange, ok := hiveValue(e, exchangePart)
			if !ok {
				continue
			}
			symbols, err := l.folders(filepath.Join(string(t), e))
			if err != nil {
				return nil, err
			}
			for _, s := range symbols {
				symbol, ok := hiveValue(s, symbolPart)
				in := Instrument{exchange, symbol}
				if !ok || in.Validate() != nil {
					continue
				}
				parts, err := l.List(t, in)
				if err != nil {
					return nil, err
				}
				out = append(out, parts...)
			}
		}
	}
	slices.SortFunc(out, Partition.Compare)
	return out, nil
}

// folders names the folders in dir, below the root; none where dir is missing.
func (l *Lake) folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(l.root, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lake: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
