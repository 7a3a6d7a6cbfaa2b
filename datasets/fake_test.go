package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

var btc = Instrument{"binance-futures", "BTCUSDT"}

func day(s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

func part(t DataType, in Instrument, date string) Partition { return Partition{in, t, day(date)} }

// record makes n rows of p's feed, seeded by p and seed alone. Times rise from the day's start in
// steps of up to a second, with a step back now and then; nullable cells are null one time in eight.
func record(p Partition, n int, seed uint64) arrow.Record {
	schema, err := p.Type.Schema()
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(seed, uint64(p.Day)))
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, c := range p.Type.Columns() {
		if f, ok := b.Field(i).(*array.BinaryDictionaryBuilder); ok {
			if err := f.InsertStringDictValues(words(c.Values).(*array.String)); err != nil {
				panic(err)
			}
		}
	}
	local := p.Day.Start()
	for range n {
		local += rng.Int64N(1_000_000)
		at := local
		if rng.IntN(50) == 0 {
			at = max(p.Day.Start(), local-rng.Int64N(5_000_000))
		}
		for i, c := range p.Type.Columns() {
			f := b.Field(i)
			if c.Nullable && rng.IntN(8) == 0 {
				f.AppendNull()
				continue
			}
			switch f := f.(type) {
			case *array.TimestampBuilder:
				f.Append(arrow.Timestamp(at))
			case *array.Float64Builder:
				f.Append(float64(rng.IntN(1_000_000)) / 100)
			case *array.StringBuilder:
				f.Append(strconv.Itoa(rng.IntN(1_000_000_000)))
			case *array.BooleanBuilder:
				f.Append(rng.IntN(2) == 0)
			case *array.BinaryDictionaryBuilder:
				if err := f.AppendString(c.Values[rng.IntN(len(c.Values))]); err != nil {
					panic(err)
				}
			}
		}
	}
	return b.NewRecord()
}

// split cuts rec into batches of at most size rows.
func split(rec arrow.Record, size int64) []arrow.Record {
	var out []arrow.Record
	for lo := int64(0); lo < rec.NumRows(); lo += size {
		out = append(out, rec.NewSlice(lo, min(lo+size, rec.NumRows())))
	}
	return out
}

// cells prints every row of a record, one string a row, so that two of them compare by eye.
func cells(recs ...arrow.Record) []string {
	var out []string
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			row := ""
			for c := range int(rec.NumCols()) {
				row += rec.Column(c).ValueStr(i) + ","
			}
			out = append(out, row)
		}
	}
	return out
}

// drain reads everything and closes the reader.
func drain(t *testing.T, rr array.RecordReader, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	var out []string
	for rr.Next() {
		out = append(out, cells(rr.Record())...)
	}
	if rr.Err() != nil {
		t.Fatal(rr.Err())
	}
	return out
}

func newLake(t *testing.T) *Lake {
	t.Helper()
	l, err := OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// put writes rec as p in batches of size rows.
func put(t *testing.T, l *Lake, p Partition, rec arrow.Record, size int64) Info {
	t.Helper()
	w, err := l.Create(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, r := range split(rec, size) {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	info, err := w.Commit(sourceOf(p, rec))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func sourceOf(p Partition, rec arrow.Record) SourceMeta {
	h := sha256.New()
	for _, row := range cells(rec) {
		h.Write([]byte(row))
	}
	return SourceMeta{Path: p.String() + ".csv.gz", Bytes: rec.NumRows() * 40, SHA256: hex.EncodeToString(h.Sum(nil))}
}

// memSource serves day-files from memory.
type memSource struct {
	files map[Partition]*memFile
	mu    sync.Mutex
	opens []Partition
}

// memFile is one of them; each error is given where its name says.
type memFile struct {
	rec     arrow.Record
	batch   int64 // rows a batch; 0 means 100
	openErr error
	nextErr error // after half of the batches
	flaky   int   // openings that fail with nextErr before one succeeds; 0: all
	bad     []BadRow
	hang    bool // after half of the batches, until the context ends
	opened  int
}

func (s *memSource) Open(ctx context.Context, p Partition) (Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens = append(s.opens, p)
	f, ok := s.files[p]
	if !ok {
		return nil, fmt.Errorf("mem %s: %w", p, ErrNotFound)
	}
	if f.openErr != nil {
		return nil, f.openErr
	}
	f.opened++
	size := f.batch
	if size == 0 {
		size = 100
	}
	m := &memStream{refs: newRefs(), ctx: ctx, p: p, f: f, batches: split(f.rec, size), broken: f.nextErr != nil && (f.flaky == 0 || f.opened <= f.flaky)}
	m.all = len(m.batches)
	return m, nil
}

// identified is a memSource that implements Identifier.
type identified struct{ *memSource }

func (s identified) Identify(_ context.Context, p Partition) (SourceMeta, error) {
	f, ok := s.files[p]
	if !ok {
		return SourceMeta{}, ErrNotFound
	}
	return sourceOf(p, f.rec), nil
}

type memStream struct {
	*refs
	ctx     context.Context
	p       Partition
	f       *memFile
	batches []arrow.Record
	all     int
	broken  bool
	rec     arrow.Record
	err     error
}

func (s *memStream) Release()              { s.drop() }
func (s *memStream) Schema() *arrow.Schema { return s.f.rec.Schema() }
func (s *memStream) Record() arrow.Record  { return s.rec }
func (s *memStream) Err() error            { return s.err }
func (s *memStream) Meta() SourceMeta {
	m := sourceOf(s.p, s.f.rec)
	m.BadRows = int64(len(s.f.bad))
	return m
}
func (s *memStream) BadRows() []BadRow        { return s.f.bad }
func (s *memStream) Progress() (int64, int64) { return 1, 2 }
func (s *memStream) Next() bool {
	if len(s.batches) <= s.all/2 {
		if s.broken {
			s.err = s.f.nextErr
			return false
		}
		if s.f.hang {
			<-s.ctx.Done()
		}
	}
	if s.ctx.Err() != nil {
		s.err = context.Cause(s.ctx)
		return false
	}
	if len(s.batches) == 0 {
		return false
	}
	s.rec, s.batches = s.batches[0], s.batches[1:]
	return true
}

// passing is an error that another attempt may cure.
type passing struct{ after time.Duration }

func (passing) Error() string          { return "connection broke" }
func (p passing) Retry() time.Duration { return p.after }

// source has n rows for each partition.
func source(n int, parts ...Partition) *memSource {
	s := &memSource{files: map[Partition]*memFile{}}
	for _, p := range parts {
		s.files[p] = &memFile{rec: record(p, n, 1)}
	}
	return s
}

func parts(t DataType, in Instrument, first string, days int) []Partition {
	var out []Partition
	for i := range days {
		out = append(out, Partition{in, t, day(first) + Day(i)})
	}
	return out
}

func statuses(r FetchReport) []FetchStatus {
	var out []FetchStatus
	for _, e := range r.Entries {
		out = append(out, e.Status)
	}
	return out
}

func shuffled(ps []Partition) []Partition {
	ps = slices.Clone(ps)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	return ps
}
