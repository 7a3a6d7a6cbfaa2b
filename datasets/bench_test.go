package datasets

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
)

// benchRows is a batch of trades as a source would give it.
const benchRows = 1 << 15

// BenchmarkWrite is the lake's share of an import: digests, checks, encoding, commit.
func BenchmarkWrite(b *testing.B) {
	l, err := OpenLake(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p := part(Trades, btc, "2024-01-01")
	rec := record(p, benchRows, 1)
	const batches = 32
	for b.Loop() {
		w, err := l.Create(context.Background(), p)
		if err != nil {
			b.Fatal(err)
		}
		for range batches {
			if err := w.Write(rec); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := w.Commit(SourceMeta{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(batches*benchRows), "ns/row")
}

// BenchmarkTally is the part of it that digests and checks.
func BenchmarkTally(b *testing.B) {
	p := part(Trades, btc, "2024-01-01")
	rec := record(p, benchRows, 1)
	t := newTally(p)
	for b.Loop() {
		if err := t.add(rec); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkSplit brings in a grouped file of ten million trades of 300 symbols.
func BenchmarkSplit(b *testing.B) {
	p := part(Trades, Instrument{"deribit", "PERPETUALS"}, "2024-01-01")
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("COIN%d-PERPETUAL", i))
	}
	const rows = 10_000_000
	src := newGroup(p, benchRows, names)
	var batches []arrow.Record
	for _, r := range grouped(p.Type, src.files[p].rec, names, benchRows) {
		for range rows/benchRows + 1 {
			batches = append(batches, r)
		}
	}
	src.batches = batches
	for b.Loop() {
		l, err := OpenLake(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		if r, err := Fetch(context.Background(), src, l, []Partition{p}, FetchOptions{}); err != nil || r.Count(Fetched) != 1 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
