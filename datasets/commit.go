package datasets

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets/parquet"
)

// badRowsFile stands beside the data of a partition whose source had rows set aside.
const badRowsFile = "bad-rows.csv"

// Writer writes one partition. Nothing of it is seen until Commit; until then no other writer gets
// the partition.
type Writer struct {
	lake  *Lake
	p     Partition
	claim *claim
	*tools
}

var errDone = errors.New("lake: the partition was committed or given up already")

// tools is what writers of one feed use one after another.
type tools struct {
	feed  DataType
	out   *bufio.Writer
	pw    *parquet.Writer
	tally *tally
}

// toolboxes has the tools that no writer holds: a *sync.Pool for each feed.
var toolboxes sync.Map

// takeTools gives tools to write p to out with.
func takeTools(p Partition, out io.Writer) (*tools, error) {
	box, _ := toolboxes.LoadOrStore(p.Type, new(sync.Pool))
	if t, ok := box.(*sync.Pool).Get().(*tools); ok {
		t.out.Reset(out)
		t.tally.reset(p.Day)
		return t, t.pw.Reset(t.out)
	}
	schema, err := p.Type.Schema()
	if err != nil {
		return nil, err
	}
	t := &tools{feed: p.Type, out: bufio.NewWriterSize(out, 1<<16), tally: newTally(p)}
	t.pw, err = parquet.NewWriter(t.out, schema, shape(p.Type, schema.NumFields()))
	return t, err
}

func (t *tools) giveBack() {
	t.out.Reset(nil)
	box, _ := toolboxes.Load(t.feed)
	box.(*sync.Pool).Put(t)
}

// Create starts to write p, waiting while another writer, here or in another process, holds it. What
// a dead one left behind is cleaned up. The caller ends with Commit, and defers Abort.
func (l *Lake) Create(ctx context.Context, p Partition) (*Writer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	c, err := claimIn(ctx, l.root, l.path(p), l.sync)
	if err != nil {
		return nil, err
	}
	w := &Writer{lake: l, p: p, claim: c}
	if w.tools, err = takeTools(p, l.wrapped(c)); err != nil {
		c.drop()
		return nil, err
	}
	return w, nil
}

// shape is how a feed's files are laid out. A writer holds a page's values and a row group's encoded
// pages, so wide feeds get shorter ones of both. Books are the largest files by far, so they are dense.
func shape(feed DataType, columns int) parquet.WriterOptions {
	if columns > 32 {
		return parquet.WriterOptions{PageRows: 1 << 14, GroupRows: 1 << 17, Dense: true}
	}
	return parquet.WriterOptions{PageRows: 1 << 15, GroupRows: 1 << 19, Dense: feed == IncrementalBookL2}
}

// wrapped is where the bytes of c's file go.
func (l *Lake) wrapped(c *claim) io.Writer {
	if l.wrap != nil {
		return l.wrap(c)
	}
	return c
}

func (l *Lake) buffer(c *claim) *bufio.Writer { return bufio.NewWriterSize(l.wrapped(c), 1<<16) }

// Write appends rec, which has the feed's full schema. Every row's local_timestamp must be of the
// partition's day, or no reader would find it.
func (w *Writer) Write(rec arrow.Record) error {
	if w.tools == nil {
		return errDone
	}
	if err := w.tally.add(rec); err != nil {
		return err
	}
	return w.pw.Write(rec)
}

// Commit makes the file appear, whole and durable, in place of the one that was there, with rows
// that the source set aside in a side file next to it.
func (w *Writer) Commit(meta SourceMeta, bad ...BadRow) (Info, error) {
	if w.tools == nil {
		return Info{}, errDone
	}
	t := w.tally
	f := footer{Info: Info{Partition: w.p, Source: meta, Rows: t.rows, First: t.first, Last: t.last,
		OrderViolations: t.violations, Look: t.look()}, digests: t.digests()}
	f.Digest = combine(w.p.Type, f.digests)
	f.set(w.pw.SetMetadata)
	if err := w.pw.Close(); err != nil {
		return Info{}, err
	}
	if err := w.out.Flush(); err != nil {
		return Info{}, err
	}
	size, err := w.claim.Seek(0, io.SeekCurrent)
	if err != nil {
		return Info{}, err
	}
	f.Bytes = size
	if err := w.lake.setAside(filepath.Dir(w.claim.path), bad); err != nil {
		return Info{}, err
	}
	path := w.claim.path
	if err := w.claim.publish(); err != nil {
		return Info{}, err
	}
	w.tools.giveBack()
	w.tools = nil
	return f.Info, w.lake.displace(path)
}

// displace removes what stands beside a file that has just appeared under another name: the day as
// another tool wrote it, which the file replaces.
func (l *Lake) displace(path string) error {
	names, err := l.tables(filepath.Dir(path))
	for _, name := range names {
		if name != filepath.Base(path) {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), name)))
		}
	}
	return err
}

// Abort gives the partition up and removes what was written. After Commit it does nothing.
func (w *Writer) Abort() {
	w.claim.drop()
	if w.tools != nil {
		w.tools.giveBack()
		w.tools = nil
	}
}

// setAside writes the bad rows' side file in dir, or removes one that is no longer true.
func (l *Lake) setAside(dir string, bad []BadRow) error {
	path := filepath.Join(dir, badRowsFile)
	if len(bad) == 0 {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	c, err := claimFile(context.Background(), l.root, path)
	if err != nil {
		return err
	}
	defer c.drop()
	buf := l.buffer(c)
	rows := csv.NewWriter(buf)
	rows.Write([]string{"line", "error", "text"})
	for _, r := range bad {
		rows.Write([]string{strconv.FormatInt(r.Line, 10), r.Err, r.Text})
	}
	rows.Flush()
	if err := errors.Join(rows.Error(), buf.Flush()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return c.publish()
}
