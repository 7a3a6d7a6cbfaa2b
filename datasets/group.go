package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow"
)

// receiptFile stands where the partition of a grouped symbol would be and says that the file has
// become its symbols' partitions. The rows while they are being sorted stand beside it, hidden.
const (
	receiptFile = "receipt.json"
	spillFile   = "spill"
)

// receipt is its content.
type receipt struct {
	SchemaVersion int             `json:"schema_version"`
	Path          string          `json:"path"` // SourceMeta
	Bytes         int64           `json:"bytes"`
	SHA256        string          `json:"sha256"`
	BadRows       int64           `json:"bad_rows"`
	Rows          int64           `json:"rows"`
	Symbols       []receiptSymbol `json:"symbols"` // sorted
}

type receiptSymbol struct {
	Symbol string `json:"symbol"`
	Rows   int64  `json:"rows"`
}

func (r receipt) source() SourceMeta { return SourceMeta{r.Path, r.Bytes, r.SHA256, r.BadRows} }

// groupPath is a file of a grouped symbol's day.
func (l *Lake) groupPath(p Partition, name string) string {
	return filepath.Join(filepath.Dir(l.path(p)), name)
}

// group brings a grouped file in: its rows are sorted by symbol through a temporary file, each
// symbol's partition is committed, then the receipt. After an interruption the partitions that are
// there already stay. Only one grouped file is worked on at a time, whatever Concurrency is, so that
// memory stays bounded.
func (f *fetch) group(ctx context.Context, e *FetchEntry) error {
	select {
	case f.splitting <- struct{}{}:
		defer func() { <-f.splitting }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p, l := e.Partition, f.lake
	if done, err := f.groupThere(ctx, e); done || err != nil {
		return err
	}
	out, err := claimFile(ctx, l.root, l.groupPath(p, receiptFile))
	if err != nil {
		return err
	}
	defer out.drop()
	if done, err := f.groupThere(ctx, e); done || err != nil { // another process may have been at it
		return err
	}
	rows, err := claimFile(ctx, l.root, l.groupPath(p, spillFile))
	if err != nil {
		return err
	}
	defer rows.drop()
	split, err := newSplitter(p, &spill{rows, l.buffer(rows)})
	if err != nil {
		return err
	}
	defer split.drop()
	meta, bad, err := f.read(ctx, p, split.add)
	if err != nil {
		return err
	}
	symbols, err := split.finish()
	if err != nil {
		return err
	}
	r := receipt{SchemaVersion, meta.Path, meta.Bytes, meta.SHA256, meta.BadRows, 0, []receiptSymbol{}}
	infos := make([]Info, len(symbols))
	var refused []error
	for i, s := range symbols {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		infos[i], err = f.symbol(ctx, Partition{s.Instrument, p.Type, p.Day}, meta, func(write func(arrow.Record) error) error {
			return split.rows(s, write)
		})
		if errors.Is(err, ErrOtherSource) {
			refused = append(refused, err)
		} else if err != nil {
			return fmt.Errorf("symbol %s: %w", s.Symbol, err)
		}
		r.Symbols = append(r.Symbols, receiptSymbol{s.Symbol, s.rows})
		r.Rows += s.rows
	}
	if len(refused) > 0 {
		return fmt.Errorf("%d of %d symbols were left as they are: %w", len(refused), len(symbols), refused[0])
	}
	if err := l.setAside(filepath.Dir(out.path), bad); err != nil {
		return err
	}
	if err := l.writeReceipt(out, r); err != nil {
		return err
	}
	e.fillGroup(r, infos)
	if e.Status = Fetched; r.Rows == 0 {
		e.Status = Empty
	}
	return nil
}

// symbol commits one symbol's partition of a grouped file, unless the lake has it.
func (f *fetch) symbol(ctx context.Context, p Partition, meta SourceMeta, rows func(write func(arrow.Record) error) error) (Info, error) {
	w, err := f.lake.Create(ctx, p)
	if err != nil {
		return Info{}, err
	}
	defer w.Abort()
	if old, ours, err := f.lake.footer(p); err == nil {
		_, strict := f.src.(Identifier)
		switch {
		case ours && old.Source.SHA256 == meta.SHA256:
			return old.Info, nil
		case !f.o.Replace && strict:
			return old.Info, fmt.Errorf("%s: %w: it has %s, this is %s", p, ErrOtherSource, describe(old.Source), describe(meta))
		case !f.o.Replace:
			return old.Info, nil
		}
	}
	if err := rows(w.Write); err != nil {
		return Info{}, err
	}
	return w.Commit(meta)
}

// groupThere reports whether a receipt says that the lake has the group, and it still has.
func (f *fetch) groupThere(ctx context.Context, e *FetchEntry) (bool, error) {
	l, p := f.lake, e.Partition
	path := l.groupPath(p, receiptFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var r receipt
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || r.SchemaVersion != SchemaVersion {
		e.Damaged = fmt.Errorf("%s: not a receipt of this version: %w", path, err)
		return false, nil
	}
	infos := make([]Info, len(r.Symbols))
	for i, s := range r.Symbols {
		old, _, err := l.footer(Partition{Instrument{p.Exchange, s.Symbol}, p.Type, p.Day})
		if err != nil {
			e.Damaged = err
			return false, nil
		}
		infos[i] = old.Info
	}
	same, err := f.same(ctx, p, r.source(), true)
	if same && r.Rows == 0 && f.o.doubtful(p.Day) {
		return false, nil
	}
	if same {
		e.Status = Present
		e.fillGroup(r, infos)
	}
	return same, err
}

// fillGroup sums the symbols' partitions up.
func (e *FetchEntry) fillGroup(r receipt, infos []Info) {
	e.Symbols = infos
	e.Info = Info{Partition: e.Partition, Source: r.source(), Rows: r.Rows}
	for _, i := range infos {
		e.Info.Bytes += i.Bytes
	}
}

func (l *Lake) writeReceipt(c *claim, r receipt) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	out := l.buffer(c)
	out.Write(append(text, '\n'))
	if err := out.Flush(); err != nil {
		return err
	}
	return c.publish()
}
