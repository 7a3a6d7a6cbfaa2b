package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets/parquet"
)

// tableKey precedes the keys of a derived table's metadata in the footer.
const tableKey = "qf.table."

// ReadTable reads a derived table that WriteTable wrote; the error wraps ErrNotFound where there is none.
// meta is what WriteTable was given. The caller releases the record.
func (l *Lake) ReadTable(path string) (rec arrow.Record, meta map[string]string, err error) {
	file, meta, err := l.openTable(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	full := filepath.Join(l.root, path)
	rows, err := file.Read(context.Background(), parquet.ReadOptions{Schema: file.Schema(), Allocator: l.mem})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", full, err)
	}
	defer rows.Release()
	if rec, err = l.readAll(rows); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", full, err)
	}
	return rec, meta, nil
}

// OpenTable reads the named columns of a derived table, in small batches, and holds little of it at a time. Of one that is
// not as it was written some rows may be given before Err says so; CheckTable says so first. The caller releases the
// reader.
func (l *Lake) OpenTable(path string, columns ...string) (array.RecordReader, map[string]string, error) {
	file, meta, err := l.openTable(path)
	if err != nil {
		return nil, nil, err
	}
	var fields []arrow.Field
	for _, name := range columns {
		for _, i := range file.Schema().FieldIndices(name) {
			fields = append(fields, file.Schema().Field(i))
		}
	}
	if len(fields) != len(columns) {
		file.Close()
		return nil, nil, fmt.Errorf("%s: want columns %v, have %v", filepath.Join(l.root, path), columns, file.Schema())
	}
	rows, err := file.Read(context.Background(), parquet.ReadOptions{Schema: arrow.NewSchema(fields, nil), Allocator: l.mem, BatchRows: tablePage, Window: tableWindow})
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(l.root, path), err)
	}
	return &tableReader{RecordReader: rows, refs: newRefs(), file: file}, meta, nil
}

// Pages of derived tables are short, since many are read side by side.
const (
	tablePage   = 1 << 11
	tableWindow = 16 << 10
)

// tableReader closes the file that it reads.
type tableReader struct {
	array.RecordReader
	*refs
	file *parquet.File
}

func (r *tableReader) Retain() { r.refs.Retain() }

func (r *tableReader) Release() {
	if r.drop() {
		r.RecordReader.Release()
		r.file.Close()
	}
}

// CheckTable gives a derived table's metadata as ReadTable does, once the whole of its file was found to be as it was
// written. It decodes nothing.
func (l *Lake) CheckTable(path string) (map[string]string, error) {
	file, meta, err := l.openTable(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if !file.Sealed() {
		return nil, fmt.Errorf("%s: the footer carries no digest of itself", filepath.Join(l.root, path))
	}
	if err := file.Check(context.Background()); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(l.root, path), err)
	}
	return meta, nil
}

// Tables lists the derived tables below a folder of the lake, in order.
func (l *Lake) Tables(dir string) (paths []string, err error) {
	if _, err := l.tablePath(dir); err != nil {
		return nil, err
	}
	err = fs.WalkDir(os.DirFS(l.root), filepath.ToSlash(dir), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err == nil && !e.IsDir() && e.Name() == dataFile:
			paths = append(paths, filepath.FromSlash(path))
		}
		return err
	})
	return paths, err
}

// openTable opens a derived table's file, which the caller closes.
func (l *Lake) openTable(path string) (*parquet.File, map[string]string, error) {
	full, err := l.tablePath(path)
	if err != nil {
		return nil, nil, err
	}
	file, err := parquet.Open(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("lake table %s: %w", path, ErrNotFound)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", full, err)
	}
	meta := map[string]string{}
	for k, v := range file.Metadata() {
		if name, ok := strings.CutPrefix(k, tableKey); ok {
			meta[name] = v
		}
	}
	return file, meta, nil
}

// readAll joins the batches of rows into one record.
func (l *Lake) readAll(rows array.RecordReader) (arrow.Record, error) {
	var batches []arrow.Record
	defer func() {
		for _, b := range batches {
			b.Release()
		}
	}()
	n := int64(0)
	for rows.Next() {
		b := rows.Record()
		b.Retain()
		batches = append(batches, b)
		n += b.NumRows()
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(batches) == 1 {
		batches[0].Retain()
		return batches[0], nil
	}
	cols := make([]arrow.Array, rows.Schema().NumFields())
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range rows.Schema().Fields() {
		if len(batches) == 0 {
			b := array.NewBuilder(l.mem, f.Type)
			cols[i] = b.NewArray()
			b.Release()
			continue
		}
		parts := make([]arrow.Array, len(batches))
		for k, b := range batches {
			parts[k] = b.Column(i)
		}
		var err error
		if cols[i], err = array.Concatenate(parts, l.mem); err != nil {
			return nil, err
		}
	}
	return array.NewRecord(rows.Schema(), cols, n), nil
}

// WriteTable writes a derived table (the bar cache) as a whole Parquet file at path below the lake's
// root, with the same atomic commit as ticks, replacing what is there.
func (l *Lake) WriteTable(ctx context.Context, path string, rec arrow.Record, meta map[string]string) error {
	full, err := l.tablePath(path)
	if err != nil {
		return err
	}
	c, err := claimFile(ctx, l.root, full)
	if err != nil {
		return err
	}
	defer c.drop()
	if err := l.writeTable(c, rec, meta); err != nil {
		return fmt.Errorf("%s: %w", full, err)
	}
	return nil
}

func (l *Lake) writeTable(c *claim, rec arrow.Record, meta map[string]string) error {
	out := l.buffer(c)
	w, err := parquet.NewWriter(out, rec.Schema(), parquet.WriterOptions{PageRows: tablePage, GroupRows: 4 * tablePage})
	if err != nil {
		return err
	}
	if err := w.Write(rec); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		w.SetMetadata(tableKey+k, meta[k])
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return c.publish()
}

// RemoveTable removes a derived table, if it is there, with the folder that it leaves empty.
func (l *Lake) RemoveTable(path string) error {
	full, err := l.tablePath(path)
	if err != nil {
		return err
	}
	if err := os.Remove(full); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	os.Remove(filepath.Dir(full))
	return nil
}

// tablePath refuses a path that would leave the lake or stand among its ticks.
func (l *Lake) tablePath(path string) (string, error) {
	if !filepath.IsLocal(path) || path == "." {
		return "", fmt.Errorf("lake table %q: not a path below the lake", path)
	}
	top, _, _ := strings.Cut(filepath.ToSlash(filepath.Clean(path)), "/")
	if _, err := ParseDataType(top); err == nil {
		return "", fmt.Errorf("lake table %q: the folder belongs to the feed %s", path, top)
	}
	return filepath.Join(l.root, path), nil
}
