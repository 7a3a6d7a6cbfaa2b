package datasets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

// grouped gives record's rows a symbol each, seeded, out of names, as batches of size rows whose
// dictionary grows.
func grouped(t DataType, rec arrow.Record, names []string, size int64) []arrow.Record {
	rng := rand.New(rand.NewPCG(7, 7))
	var known []string
	var out []arrow.Record
	for _, r := range split(rec, size) {
		codes := array.NewInt32Builder(memory.DefaultAllocator)
		for range r.NumRows() {
			n := names[rng.IntN(len(names))]
			if rng.IntN(3) == 0 {
				n = names[0]
			}
			i := slices.Index(known, n)
			if i < 0 {
				i = len(known)
				known = append(known, n)
			}
			codes.Append(int32(i))
		}
		dict := array.NewDictionaryArray(t.GroupedSchema().Field(0).Type, codes.NewArray(), words(known))
		out = append(out, array.NewRecord(t.GroupedSchema(), append([]arrow.Array{dict}, r.Columns()...), r.NumRows()))
	}
	return out
}

// bySymbol is what a grouped file's split has to be.
func bySymbol(batches []arrow.Record) map[string][]string {
	out := map[string][]string{}
	for _, r := range batches {
		for i, row := range cells(r) {
			symbol := r.Column(0).ValueStr(i)
			out[NormalizeSymbol(symbol)] = append(out[NormalizeSymbol(symbol)], strings.TrimPrefix(row, symbol+","))
		}
	}
	return out
}

// groupSource serves one grouped file.
type groupSource struct {
	*memSource
	batches []arrow.Record
}

func newGroup(p Partition, n int, names []string) groupSource {
	s := groupSource{memSource: source(n, p)}
	s.batches = grouped(p.Type, s.files[p].rec, names, 37)
	return s
}

func (s groupSource) Open(ctx context.Context, p Partition) (Stream, error) {
	st, err := s.memSource.Open(ctx, p)
	if err == nil {
		m := st.(*memStream)
		m.batches, m.all = s.batches, len(s.batches)
	}
	return st, err
}

var manyNames = []string{"BTC-PERPETUAL", "ETH-PERPETUAL", "btc_usdc-perpetual", "A/B:C", "SOL_USDC-PERPETUAL"}

func TestGroupedFileBecomesItsSymbols(t *testing.T) {
	for _, dt := range DataTypes() {
		p := part(dt, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
		src := newGroup(p, 2000, manyNames)
		src.files[p].bad = []BadRow{{5, "x", "y"}}
		l := newLake(t)
		e := fetchAll(t, src, l, []Partition{p}, FetchOptions{}).Entries[0]
		if e.Status != Fetched || e.Info.Rows != 2000 || len(e.Symbols) != len(manyNames) || e.Err != nil {
			t.Fatalf("%s: %+v", dt, e)
		}
		for symbol, want := range bySymbol(src.batches) {
			q := part(dt, Instrument{"deribit", symbol}, "2024-01-01")
			if d := cmp.Diff(want, drain2(t, l, q)); d != "" {
				t.Errorf("%s %s: %s", dt, symbol, d)
			}
			if info, err := l.Stat(q); err != nil || info.Source != e.Info.Source || info.Rows != int64(len(want)) {
				t.Errorf("%s %s: %+v, %v", dt, symbol, info, err)
			}
		}
		if got := files(t, l); len(got) != len(manyNames)+2 {
			t.Errorf("%s: lake holds %q", dt, got)
		}
		src.opens = nil
		again := fetchAll(t, src, l, []Partition{p}, FetchOptions{}).Entries[0]
		if again.Status != Present || len(src.opens) != 0 || !cmp.Equal(again.Symbols, e.Symbols) || again.Info != e.Info {
			t.Errorf("%s: again %+v", dt, again)
		}
	}
}

func TestSplitterKeepsOrderOverManySpills(t *testing.T) {
	p := part(Liquidations, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	batches := grouped(p.Type, record(p, 3000, 9), manyNames, 50)
	l := newLake(t)
	c, err := claimFile(context.Background(), l.root, l.groupPath(p, spillFile))
	if err != nil {
		t.Fatal(err)
	}
	defer c.drop()
	s, err := newSplitter(p, &spill{c, l.buffer(c)})
	if err != nil {
		t.Fatal(err)
	}
	s.limit = 20_000
	for _, b := range batches {
		if err := s.add(b); err != nil {
			t.Fatal(err)
		}
	}
	symbols, err := s.finish()
	if err != nil {
		t.Fatal(err)
	}
	if s.batches < 5*len(manyNames) {
		t.Errorf("only %d batches spilled", s.batches)
	}
	got := map[string][]string{}
	for _, sym := range symbols {
		if err := s.rows(sym, func(r arrow.Record) error {
			got[sym.Symbol] = append(got[sym.Symbol], cells(r)...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(bySymbol(batches), got); d != "" {
		t.Error(d)
	}
}

func TestGroupResumesAfterAnInterruption(t *testing.T) {
	p := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	src := newGroup(p, 500, manyNames)
	whole := newLake(t)
	fetchAll(t, src, whole, []Partition{p}, FetchOptions{})
	first := l0(whole, p, "A-B-C")
	for _, damage := range []func(l *Lake){
		func(l *Lake) { os.Remove(l.groupPath(p, receiptFile)) },
		func(l *Lake) { os.Remove(l0(l, p, "A-B-C")); os.Remove(l.groupPath(p, receiptFile)) },
		func(l *Lake) { os.Remove(l0(l, p, "ETH-PERPETUAL")) },
		func(l *Lake) { os.WriteFile(l0(l, p, "ETH-PERPETUAL"), []byte("PAR1"), 0o666) },
		func(l *Lake) { os.WriteFile(l.groupPath(p, receiptFile), []byte("{"), 0o666) },
		func(l *Lake) { os.WriteFile(deadTemp(l.groupPath(p, spillFile)), []byte("left"), 0o666) },
	} {
		l := newLake(t)
		fetchAll(t, src, l, []Partition{p}, FetchOptions{})
		damage(l)
		if r := fetchAll(t, src, l, []Partition{p}, FetchOptions{}); r.Count(Fetched)+r.Count(Present) != 1 {
			t.Errorf("%+v", r)
		}
		if a, b := files(t, whole), files(t, l); !slices.Equal(a, b) {
			t.Errorf("lake holds %q, want %q", b, a)
		}
		a, _ := os.ReadFile(first)
		b, _ := os.ReadFile(l0(l, p, "A-B-C"))
		if string(a) != string(b) {
			t.Error("not the same bytes")
		}
	}
}

// l0 is the path of a symbol's partition on the group's day.
func l0(l *Lake, p Partition, symbol string) string {
	p.Symbol = symbol
	return l.path(p)
}

func TestGroupMeetsPartitionsOfOtherSources(t *testing.T) {
	p := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	own := part(Trades, Instrument{"deribit", "ETH-PERPETUAL"}, "2024-01-01")
	src := newGroup(p, 500, manyNames)
	strict := struct {
		groupSource
		Identifier
	}{src, identified{src.memSource}}

	l := newLake(t)
	put(t, l, own, record(own, 7, 1), 7)
	e := fetchAll(t, strict, l, []Partition{p}, FetchOptions{}).Entries[0]
	if e.Status != Failed || !errors.Is(e.Err, ErrOtherSource) || !strings.Contains(e.Err.Error(), "1 of 5 symbols were left as they are: deribit/trades/ETH-PERPETUAL/2024-01-01") {
		t.Errorf("%+v", e)
	}
	if _, err := os.Stat(l.groupPath(p, receiptFile)); err == nil {
		t.Error("a receipt for a group that is not complete")
	}
	if e = fetchAll(t, strict, l, []Partition{p}, FetchOptions{Replace: true}).Entries[0]; e.Status != Fetched {
		t.Errorf("with Replace: %+v", e)
	}
	if d := cmp.Diff(bySymbol(src.batches)[own.Symbol], drain2(t, l, own)); d != "" {
		t.Error(d)
	}

	l = newLake(t)
	kept := put(t, l, own, record(own, 7, 1), 7)
	if e = fetchAll(t, src, l, []Partition{p}, FetchOptions{}).Entries[0]; e.Status != Fetched || !slices.Contains(e.Symbols, kept) {
		t.Errorf("a source that cannot identify: %+v", e)
	}
}

func TestGroupedFileOfNoRowsAndOfBadSymbols(t *testing.T) {
	p := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	l := newLake(t)
	if e := fetchAll(t, newGroup(p, 0, manyNames), l, []Partition{p}, FetchOptions{}).Entries[0]; e.Status != Empty {
		t.Errorf("%+v", e)
	}
	if e := fetchAll(t, newGroup(p, 0, manyNames), l, []Partition{p}, FetchOptions{}).Entries[0]; e.Status != Present {
		t.Errorf("%+v", e)
	}
	for _, name := range []string{"..", "", "SPOT", strings.Repeat("X", 200)} {
		l := newLake(t)
		e := fetchAll(t, newGroup(p, 100, []string{"BTC", name}), l, []Partition{p}, FetchOptions{}).Entries[0]
		if e.Status != Failed {
			t.Errorf("symbol %q: %+v", name, e)
		}
		if left, _ := filepath.Glob(l.root + "/*"); len(left) != 0 {
			t.Errorf("symbol %q left %v", name, left)
		}
	}
	src := newGroup(p, 100, manyNames)
	src.files[p].nextErr = fmt.Errorf("PERPETUALS.csv.gz: unexpected EOF")
	l = newLake(t)
	if e := fetchAll(t, src, l, []Partition{p}, FetchOptions{}).Entries[0]; e.Status != Failed || len(files(t, l)) != 0 {
		t.Errorf("%+v, left %q", e, files(t, l))
	}
}
