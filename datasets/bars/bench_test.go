package bars

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/qf-dev/qf/datasets"
)

// benchTrades is a day of n random trades as record batches of 32k rows.
func benchTrades(b *testing.B, n int) []arrow.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	schema, err := datasets.Trades.Schema(append([]string{datasets.LocalTimestamp}, tradeColumns...)...)
	if err != nil {
		b.Fatal(err)
	}
	var recs []arrow.Record
	var rows [][]any
	for i := range n {
		at := day0.Start() + int64(i)*datasets.MicrosPerDay/int64(n)
		rows = append(rows, tradeAt(at, []string{"buy", "sell"}[rng.IntN(2)], 60000+float64(rng.IntN(10000))/10, float64(1+rng.IntN(4000))/1000))
		if len(rows) == 1<<15 || i == n-1 {
			recs = append(recs, batchOf(datasets.Trades, schema, rows))
			rows = rows[:0]
		}
	}
	return recs
}

// BenchmarkTradeBars is a day of 400,000 trades to 1-minute bars, without reading them.
func BenchmarkTradeBars(b *testing.B) {
	const n = 400_000
	recs := benchTrades(b, n)
	spec := Spec{Every: time.Minute}
	b.ReportAllocs()
	for b.Loop() {
		f := newTradeBars(spec, linear, day0)
		for _, r := range recs {
			if err := f.add(r); err != nil {
				b.Fatal(err)
			}
		}
		f.table()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/trade")
}
