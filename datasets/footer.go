package datasets

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/datasets/parquet"
)

// Keys of a lake file's footer metadata. A column's digest stands under footerDigest + its name.
const (
	footerVersion    = "qf.schema_version"
	footerSource     = "qf.source.path"
	footerBytes      = "qf.source.bytes"
	footerSHA256     = "qf.source.sha256"
	footerBadRows    = "qf.source.bad_rows"
	footerRows       = "qf.rows"
	footerFirst      = "qf.first_local_timestamp"
	footerLast       = "qf.last_local_timestamp"
	footerViolations = "qf.order_violations"
	footerDigest     = "qf.digest."
)

// footer is what a lake file says about itself.
type footer struct {
	Info
	digests   map[string]string // per column
	sealed    bool              // it carries a digest of itself, which held
	rewritten bool              // another tool wrote it and carried a record of ours over
}

// set writes the footer's metadata, always in the same order.
func (f footer) set(put func(key, value string)) {
	number := func(key string, n int64) { put(key, strconv.FormatInt(n, 10)) }
	number(footerVersion, SchemaVersion)
	put(footerSource, f.Source.Path)
	number(footerBytes, f.Source.Bytes)
	put(footerSHA256, f.Source.SHA256)
	number(footerBadRows, f.Source.BadRows)
	number(footerRows, f.Rows)
	number(footerFirst, f.First)
	number(footerLast, f.Last)
	number(footerViolations, f.OrderViolations)
	put(footerLook, f.Look.encode())
	for _, c := range f.Partition.Type.Columns() {
		put(footerDigest+c.Name, f.digests[c.Name])
	}
}

// ownWriter begins the name under which qf writes. Another tool may carry our metadata over into a
// file of its own, of which they are then not true.
const ownWriter = "qf"

// isOurs reports whether qf wrote the file as one of a lake.
func isOurs(file *parquet.File) bool {
	_, ok := file.Value(footerVersion)
	return ok && strings.HasPrefix(file.Writer(), ownWriter)
}

// errForeignEmpty: only our own record says that a day is known to be empty.
var errForeignEmpty = errors.New("no rows, and no record of qf that the day is empty: fetch or import it")

// readFooter reads what file records about itself. It reports false for a file that another tool
// wrote: only Partition, Rows and Bytes are then known.
func readFooter(file *parquet.File, p Partition) (footer, bool, error) {
	f := footer{Info: Info{Partition: p, Rows: file.Rows(), Bytes: file.Size()}, digests: map[string]string{}, sealed: file.Sealed()}
	m := file.Metadata()
	version, ok := m[footerVersion]
	if ours := strings.HasPrefix(file.Writer(), ownWriter); !ours || !ok {
		f.rewritten = ok
		switch {
		case ours && !f.sealed: // a table of ours is sealed
			return f, true, fmt.Errorf("footer: no %s", footerVersion)
		case f.Rows == 0:
			return f, false, errForeignEmpty
		}
		return f, false, nil
	}
	if version != strconv.Itoa(SchemaVersion) {
		return f, true, fmt.Errorf("schema version %q, this qf reads %d: fetch the day again with --replace", version, SchemaVersion)
	}
	var bad error
	number := func(key string) int64 {
		n, err := strconv.ParseInt(m[key], 10, 64)
		if err != nil && bad == nil {
			bad = fmt.Errorf("footer: %s is %q, want a whole number", key, m[key])
		}
		return n
	}
	f.Source = SourceMeta{m[footerSource], number(footerBytes), m[footerSHA256], number(footerBadRows)}
	f.First, f.Last, f.OrderViolations = number(footerFirst), number(footerLast), number(footerViolations)
	f.Look = decodeLook(m[footerLook])
	if rows := number(footerRows); bad == nil && rows != f.Rows {
		bad = fmt.Errorf("footer: %d rows recorded, %d there", rows, f.Rows)
	}
	for _, c := range p.Type.Columns() {
		if f.digests[c.Name] = m[footerDigest+c.Name]; f.digests[c.Name] == "" && bad == nil {
			bad = fmt.Errorf("footer: no digest of column %s", c.Name)
		}
	}
	f.Digest = combine(p.Type, f.digests)
	return f, true, bad
}
