package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"syscall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/parquet-go/parquet-go/format"
)

// ErrFormat is wrapped by the errors of Open and NewFile for what is not a whole Parquet file.
var ErrFormat = errors.New("not a valid Parquet file")

// File is an open Parquet file whose footer has been read. Its methods may be called from several
// goroutines, and several readers may be at work on it.
type File struct {
	r      io.ReaderAt
	closer io.Closer
	path   string
	size   int64
	footer *footer
	schema *arrow.Schema

	unchecked bool // page checksums are passed over, so that a test reaches the decoders
}

// Open opens the file at path and reads its footer. The caller closes it.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // the opening of a named pipe would wait for a writer
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: %w: not a file", path, ErrFormat)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	file, err := NewFile(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	file.closer, file.path = f, path
	return file, nil
}

// NewFile reads the footer of the Parquet file in the first size bytes of r.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	if err := f.readFooter(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	var fields []arrow.Field
	for i := range f.footer.leaves {
		l := &f.footer.leaves[i]
		if t, err := l.arrowType(); err == nil {
			fields = append(fields, arrow.Field{Name: l.name, Type: t, Nullable: l.repetition == format.Optional})
		}
	}
	f.schema = arrow.NewSchema(fields, nil)
	return f, nil
}

// tail is the length of the footer's length and the magic after it.
const tail = 8

func (f *File) readFooter() error {
	if f.size < int64(len(magic))+tail {
		return fmt.Errorf("%d bytes are too few", f.size)
	}
	var ends [len(magic) + tail]byte
	if err := readAt(f.r, ends[:len(magic)], 0); err != nil {
		return err
	}
	if err := readAt(f.r, ends[len(magic):], f.size-tail); err != nil {
		return err
	}
	if string(ends[:4]) != magic || string(ends[8:]) != magic {
		return fmt.Errorf("starts with %q and ends with %q, want %q", ends[:4], ends[8:], magic)
	}
	n := int64(binary.LittleEndian.Uint32(ends[4:]))
	limit := f.size - tail - n
	if limit < int64(len(magic)) {
		return fmt.Errorf("a footer of %d bytes in a file of %d", n, f.size)
	}
	b := make([]byte, n)
	err := readAt(f.r, b, limit)
	if err == nil {
		f.footer, err = parseFooter(b, limit)
	}
	if err == nil {
		err = f.checkSeal(b, limit)
	}
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	return nil
}

// readAt fills b from offset off on.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Schema lists the columns that can be read, with the types as which they are read unless
// ReadOptions asks for another: all times are timestamp[us, UTC], all integers int64, all floating
// point float64.
func (f *File) Schema() *arrow.Schema { return f.schema }

// Columns names all columns, those too that cannot be read.
func (f *File) Columns() []string {
	var names []string
	for i := range f.footer.leaves {
		names = append(names, f.footer.leaves[i].name)
	}
	return names
}

// Metadata gives a copy of the footer's keys and values.
func (f *File) Metadata() map[string]string { return maps.Clone(f.footer.meta) }

// Value is that of one of the footer's keys.
func (f *File) Value(key string) (string, bool) {
	v, ok := f.footer.meta[key]
	return v, ok
}

// Writer is what wrote the file, by its own name.
func (f *File) Writer() string { return f.footer.writer }

// Sealed reports whether footer and page headers carry digests, which held: those of files that
// older versions or other tools wrote do not.
func (f *File) Sealed() bool { return f.footer.sealed }

// Path is the file that Open opened.
func (f *File) Path() string { return f.path }

// Rows is the number of rows in the file.
func (f *File) Rows() int64 { return f.footer.rows }

// Size is the file's length in bytes.
func (f *File) Size() int64 { return f.size }

// Close closes the file that Open opened. Readers of it must have been released.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
