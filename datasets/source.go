package datasets

import (
	"context"
	"errors"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
)

// Reasons for which a source has no day-file, to branch on with errors.Is.
var (
	// ErrNotFound: the venue published nothing under that name, or the lake does not hold it.
	ErrNotFound = errors.New("not found")
	// ErrKeyNeeded: the day is for sale and no key was given; other days may still be free.
	ErrKeyNeeded = errors.New("needs an API key")
	// ErrUnreachable: no answer came from the server, and none has come before. Other days will fare alike.
	ErrUnreachable = errors.New("nobody answers")
	// ErrKeyRefused: the key that was given is not accepted. No other day will do better.
	ErrKeyRefused = errors.New("API key refused")
)

// Source opens day-files, from the vendor's server or from local files.
type Source interface {
	// Open starts reading p. Its error wraps ErrNotFound, ErrKeyNeeded or ErrKeyRefused where one
	// of them is the cause. The caller releases the stream.
	Open(ctx context.Context, p Partition) (Stream, error)
}

// Identifier is a Source that can tell what it would read without decoding it: local files, whose
// digest costs one pass over the compressed bytes. Fetch then refuses a partition that the lake
// already has from another source instead of passing it over.
type Identifier interface {
	// Identify gives Path, Bytes and SHA256 as the stream's Meta would, or Open's error.
	Identify(ctx context.Context, p Partition) (SourceMeta, error)
}

// Stream is one day-file as record batches in file order, with the feed's full schema (see
// DataType.Schema); for a grouped symbol (see Instrument.Grouped) the schema is GroupedSchema's. A
// file without rows is a stream without batches. A record is valid until the next call of Next
// unless it is retained. A stream that ends without Err has been checked to its last byte: gzip
// trailer, length and checksum all agreed. A stream may also implement Quarantine.
type Stream interface {
	array.RecordReader
	// Meta describes what was read; valid once Next has returned false without an error.
	Meta() SourceMeta
	// Progress gives the compressed bytes read so far and in all (-1 while unknown). It may be
	// called from another goroutine than Next.
	Progress() (done, total int64)
}

// Quarantine is a Stream that was allowed to set malformed rows aside.
type Quarantine interface {
	// BadRows lists them in file order; valid once Next has returned false without an error.
	BadRows() []BadRow
}

// BadRow is one row that was set aside.
type BadRow struct {
	Line int64  // counted from 1, the header included
	Text string // as it stands in the file, cut where it is very long
	Err  string // what is wrong with it
}

// SourceMeta says where a lake file's rows come from, without host or absolute path, so that equal
// sources give equal bytes.
type SourceMeta struct {
	Path    string // {exchange}/{type}/{YYYY}/{MM}/{DD}/{SYMBOL}.csv.gz, or the local file's base name
	Bytes   int64  // as transferred, compressed
	SHA256  string // of those bytes, hex
	BadRows int64  // rows set aside, where that was allowed
}

// Retryable is implemented by an error of Open or of a Stream, to be found with errors.As, when
// reading the whole partition again from its start may succeed: a connection that broke in the
// middle of the body, a body that did not match its checksum. What the stream gave before the error
// is then to be thrown away. An error without it will be the same the next time.
type Retryable interface {
	error
	// Retry says how long to wait, at least, before the next attempt; 0 leaves it to the caller.
	Retry() (after time.Duration)
}
