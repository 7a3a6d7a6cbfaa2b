package bars

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/qf-dev/qf/datasets"
)

// The bar cache holds the tables of day-files, a file for each month, feed and definition, at
//
//	bars/feed={fold}/def={hash}/exchange={E}/symbol={S}/month={YYYY-MM}/data.parquet
//
// below the lake's root; where a month would have too many rows, the file is a day's, in date={D}. Its
// metadata names the definition, the cache's version and, for each day, rows, what crosses midnight
// and the digest of the day-file (and of the trades' that made the labels, where they did): a table of
// another one is not used and is replaced. It has a digest of the list of days and one of each column,
// and a file in which one of them differs is not used at all.
const cacheVersion = "2"

const (
	metaVersion    = "qf.bars.version"
	metaDefinition = "qf.bars.definition"
	metaDays       = "qf.bars.days"
	metaDigest     = "qf.bars.digest." // and a column's name; metaDays' own stands without one
)

// maxMonthRows is how many rows a month's file may have.
const maxMonthRows = 1 << 21

// keptDay is a day of a file of the cache.
type keptDay struct {
	Day    string `json:"day"`
	Rows   int    `json:"rows"`
	Source string `json:"source"`
	Buy    string `json:"buy,omitempty"` // table.tail
	Sell   string `json:"sell,omitempty"`

	table *table
}

func (f *feedFold) cachePath(in datasets.Instrument, span string) string {
	sum := sha256.Sum256([]byte(f.definition))
	return path.Join("bars", "feed="+f.name, "def="+hex.EncodeToString(sum[:8]),
		"exchange="+url.PathEscape(in.Exchange), "symbol="+url.PathEscape(in.Symbol), span, "data.parquet")
}

func monthOf(d datasets.Day) string { return "month=" + d.String()[:len("2006-01")] }

func dayOf(d datasets.Day) string { return "date=" + d.String() }

// cached reads the tables of one file of the cache; none where it has nothing that fits. A damaged
// one does not fit.
func (f *feedFold) cached(s Store, path string) []keptDay {
	rec, meta, err := s.ReadTable(path)
	if err != nil {
		return nil
	}
	defer rec.Release()
	days := f.daysOf(meta)
	if days == nil {
		return nil
	}
	all := newTable(len(f.fields))
	if int(rec.NumCols()) != len(f.fields)+1 {
		return nil
	}
	ts, ok := rec.Column(0).(*array.Timestamp)
	if !ok || meta[metaDigest+tsField.Name] != digest(arrow.TimestampTraits.CastToBytes(ts.TimestampValues())) {
		return nil
	}
	all.ts = slices.Clone(arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(ts.TimestampValues())))
	for c, name := range f.fields {
		col, ok := rec.Column(c + 1).(*array.Float64)
		if !ok || rec.ColumnName(c+1) != name || col.NullN() > 0 || meta[metaDigest+name] != digest(arrow.Float64Traits.CastToBytes(col.Float64Values())) {
			return nil
		}
		all.cols[c] = slices.Clone(col.Float64Values())
	}
	at := 0
	for i := range days {
		d := &days[i]
		if d.Rows < 0 || d.Rows > len(all.ts)-at {
			return nil
		}
		d.table = all.slice(at, at+d.Rows)
		at += d.Rows
		var err1, err2 error
		d.table.tail[0], err1 = decodeFloats(d.Buy)
		d.table.tail[1], err2 = decodeFloats(d.Sell)
		if err1 != nil || err2 != nil || len(d.table.tail[0]) != len(d.table.tail[1]) {
			return nil
		}
	}
	if at != len(all.ts) {
		return nil
	}
	return days
}

// daysOf lists the days of a file, without tables; none where it is not one of this definition.
func (f *feedFold) daysOf(meta map[string]string) (days []keptDay) {
	if meta[metaVersion] != cacheVersion || meta[metaDefinition] != f.definition ||
		meta[metaDigest] != digest([]byte(meta[metaDays])) || json.Unmarshal([]byte(meta[metaDays]), &days) != nil {
		return nil
	}
	return days
}

// slice is rows [from, to) of the table, without what crosses midnight.
func (t *table) slice(from, to int) *table {
	part := newTable(len(t.cols))
	part.ts = t.ts[from:to:to]
	for c, col := range t.cols {
		part.cols[c] = col[from:to:to]
	}
	return part
}

// write writes a file of the cache with these days.
func (f *feedFold) write(ctx context.Context, s Store, path string, days []keptDay) error {
	all := newTable(len(f.fields))
	for i := range days {
		d := &days[i]
		d.Rows, d.Buy, d.Sell = len(d.table.ts), encodeFloats(d.table.tail[0]), encodeFloats(d.table.tail[1])
		all.ts = append(all.ts, d.table.ts...)
		for c, col := range d.table.cols {
			all.cols[c] = append(all.cols[c], col...)
		}
	}
	list, err := json.Marshal(days)
	if err != nil {
		return err
	}
	meta := map[string]string{
		metaVersion: cacheVersion, metaDefinition: f.definition, metaDays: string(list), metaDigest: digest(list),
		metaDigest + tsField.Name: digest(arrow.Int64Traits.CastToBytes(all.ts)),
	}
	columns := make([]column, len(f.fields))
	for c, name := range f.fields {
		columns[c] = column{name, all.cols[c]}
		meta[metaDigest+name] = digest(arrow.Float64Traits.CastToBytes(all.cols[c]))
	}
	rec := record(all.ts, columns, false)
	defer rec.Release()
	return s.WriteTable(ctx, path, rec, meta)
}

func digest(b []byte) string {
	sum := xxh3.Hash128(b).Bytes()
	return hex.EncodeToString(sum[:])
}

func encodeFloats(x []float64) string {
	b := make([]byte, 0, 8*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decodeFloats(s string) ([]float64, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%8 != 0 {
		return nil, base64.CorruptInputError(len(b))
	}
	var x []float64
	for ; len(b) > 0; b = b[8:] {
		x = append(x, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return x, nil
}

// sourceDigest is what a cached table of day i has to be of.
func (f *source) sourceDigest(i int) string {
	if f.labels != nil {
		return f.parts[i].info.Digest + " " + f.labels[i].info.Digest
	}
	return f.parts[i].info.Digest
}

// pick finds day i among those of a file.
func (f *source) pick(days []keptDay, i int) *table {
	k := f.place(days, i)
	if k < 0 {
		return nil
	}
	days[k].table.day = i
	return days[k].table
}

// place is where day i stands among those of a file; −1 where it does not.
func (f *source) place(days []keptDay, i int) int {
	day := f.parts[i].info.Partition.Day.String()
	return slices.IndexFunc(days, func(d keptDay) bool { return d.Day == day && d.Source == f.sourceDigest(i) })
}

// shelf is where a source's days of one month are kept.
type shelf struct {
	store Store
	q     Request
	src   *source
	cut   func(int) (cutter, error)
	month string
	days  []int // of src.parts, those that are present

	fresh  []int    // of days, those that the cache lacks
	tables []*table // theirs
	left   atomic.Int64
}

// shelves sorts the days that are there into months.
func (f *source) shelves(s Store, q Request, cut func(int) (cutter, error)) (all []*shelf) {
	for i, p := range f.parts {
		if p.presence != Present {
			continue
		}
		month := monthOf(p.info.Partition.Day)
		if len(all) == 0 || all[len(all)-1].month != month {
			all = append(all, &shelf{store: s, q: q, src: f, cut: cut, month: month})
		}
		last := all[len(all)-1]
		last.days = append(last.days, i)
	}
	return all
}

// loadAll passes the table of each day of the shelves to done, from many goroutines: first those that
// the cache holds for these very files, then the others, which are folded and kept, a month as soon as
// it is whole. Of shelves that are not wanted those that the cache holds are not read. A lake that cannot
// be written to still gives bars, so that is an error only where mustKeep says so.
func loadAll(ctx context.Context, workers int, shelves []*shelf, mustKeep bool, wanted func(*shelf) bool, done func(h *shelf, day int, t *table)) (kept Kept, err error) {
	err = datasets.ForEach(ctx, workers, len(shelves), func(_ context.Context, i int) error {
		if h := shelves[i]; wanted == nil || wanted(h) {
			h.load(done)
		} else {
			h.look()
		}
		return nil
	})
	if err != nil {
		return kept, err
	}
	type job struct {
		*shelf
		k int // of fresh
	}
	var jobs []job
	for _, h := range shelves {
		for k := range h.fresh {
			jobs = append(jobs, job{h, k})
		}
		h.tables = make([]*table, len(h.fresh))
		h.left.Store(int64(len(h.fresh)))
		kept.There += len(h.days) - len(h.fresh)
	}
	kept.Built = len(jobs)
	return kept, datasets.ForEach(ctx, workers, len(jobs), func(ctx context.Context, i int) error {
		h, k := jobs[i].shelf, jobs[i].k
		t, err := h.src.read(ctx, h.store, h.q, h.fresh[k], h.cut)
		if err != nil {
			return err
		}
		h.tables[k] = t
		done(h, h.fresh[k], t)
		if h.left.Add(-1) > 0 {
			return nil
		}
		if !h.src.noCache {
			if err := h.keep(ctx); err != nil && mustKeep {
				return fmt.Errorf("bars %s: not kept: %w", h.q.Instrument, err)
			}
		}
		h.tables = nil
		return context.Cause(ctx)
	})
}

// load passes what the cache has of the shelf's days to done.
func (h *shelf) load(done func(*shelf, int, *table)) {
	f := h.src
	read := func(span string) []keptDay {
		if f.noCache {
			return nil
		}
		return f.cached(h.store, f.cachePath(h.q.Instrument, span))
	}
	month := read(h.month)
	for _, i := range h.days {
		t := f.pick(month, i)
		if t == nil {
			t = f.pick(read(dayOf(f.parts[i].info.Partition.Day)), i)
		}
		if t != nil {
			done(h, i, t)
		} else {
			h.fresh = append(h.fresh, i)
		}
	}
}

// look finds out which of the shelf's days the cache lacks, without reading their tables.
func (h *shelf) look() {
	f := h.src
	listed := func(span string) []keptDay {
		meta, err := h.store.CheckTable(f.cachePath(h.q.Instrument, span))
		if err != nil || f.noCache {
			return nil
		}
		return f.daysOf(meta)
	}
	month := listed(h.month)
	for _, i := range h.days {
		if f.place(month, i) < 0 && f.place(listed(dayOf(f.parts[i].info.Partition.Day)), i) < 0 {
			h.fresh = append(h.fresh, i)
		}
	}
}

// keep writes the shelf's days, now that all of them have tables, with whatever else the month's file has.
func (h *shelf) keep(ctx context.Context) error {
	f, in := h.src, h.q.Instrument
	path := f.cachePath(in, h.month)
	var fresh []keptDay
	for k, i := range h.fresh {
		fresh = append(fresh, keptDay{Day: f.parts[i].info.Partition.Day.String(), Source: f.sourceDigest(i), table: h.tables[k]})
	}
	days := slices.DeleteFunc(f.cached(h.store, path), func(old keptDay) bool {
		return slices.ContainsFunc(fresh, func(d keptDay) bool { return d.Day == old.Day })
	})
	days = append(days, fresh...)
	rows := 0
	for _, d := range days {
		rows += len(d.table.ts)
	}
	if rows > maxMonthRows {
		for k, i := range h.fresh {
			if err := f.write(ctx, h.store, f.cachePath(in, dayOf(f.parts[i].info.Partition.Day)), fresh[k:k+1]); err != nil {
				return err
			}
		}
		return nil
	}
	slices.SortFunc(days, func(a, b keptDay) int { return strings.Compare(a.Day, b.Day) })
	if err := f.write(ctx, h.store, path, days); err != nil {
		return err
	}
	if r, ok := h.store.(interface{ RemoveTable(string) error }); ok { // files of days, as an older qf kept them
		for _, i := range h.days {
			if err := r.RemoveTable(f.cachePath(in, dayOf(f.parts[i].info.Partition.Day))); err != nil {
				return err
			}
		}
	}
	return nil
}
