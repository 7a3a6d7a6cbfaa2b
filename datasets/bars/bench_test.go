package bars

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/datasets"
)

// randomTrades is a day of n trades with the feed's full schema.
func randomTrades(d datasets.Day, n int) arrow.Record {
	rng := rand.New(rand.NewPCG(1, uint64(d)))
	schema, err := datasets.Trades.Schema()
	if err != nil {
		panic(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	side := b.Field(3).(*array.BinaryDictionaryBuilder)
	names := array.NewStringBuilder(memory.DefaultAllocator)
	names.AppendValues([]string{"buy", "sell", "unknown"}, nil)
	if err := side.InsertStringDictValues(names.NewStringArray()); err != nil {
		panic(err)
	}
	price := 600000.0
	for i := range n {
		at := arrow.Timestamp(d.Start() + int64(i)*datasets.MicrosPerDay/int64(n))
		price += float64(rng.IntN(5) - 2)
		b.Field(0).(*array.TimestampBuilder).Append(at - 5000)
		b.Field(1).(*array.TimestampBuilder).Append(at)
		b.Field(2).AppendNull()
		if err := side.AppendString([]string{"buy", "sell"}[rng.IntN(2)]); err != nil {
			panic(err)
		}
		b.Field(4).(*array.Float64Builder).Append(price / 10)
		b.Field(5).(*array.Float64Builder).Append(float64(1+rng.IntN(4000)) / 1000)
	}
	return b.NewRecord()
}

// fill writes a day-file of the lake.
func fill(t testing.TB, lake *datasets.Lake, p datasets.Partition, recs ...arrow.Record) {
	t.Helper()
	w, err := lake.Create(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Commit(datasets.SourceMeta{Path: "made up"}); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkTradeBars is a day of 400,000 trades to 1-minute bars, without reading them.
func BenchmarkTradeBars(b *testing.B) {
	const n = 400_000
	day := randomTrades(day0, n)
	var recs []arrow.Record
	for i := int64(0); i < n; i += 1 << 15 {
		s := day.NewSlice(i, min(i+1<<15, n))
		recs = append(recs, array.NewRecord(arrow.NewSchema([]arrow.Field{day.Schema().Field(1), day.Schema().Field(3), day.Schema().Field(4), day.Schema().Field(5)}, nil),
			[]arrow.Array{s.Column(1), s.Column(3), s.Column(4), s.Column(5)}, s.NumRows()))
	}
	b.ReportAllocs()
	for b.Loop() {
		f := newTradeBars(Spec{Every: time.Minute}, linear, day0)
		for _, r := range recs {
			if err := f.add(r); err != nil {
				b.Fatal(err)
			}
		}
		f.table()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/trade")
}

// BenchmarkBuild is four days of 400,000 trades, from Parquet, by bar definition and cache.
func BenchmarkBuild(b *testing.B) {
	const days, n = 4, 400_000
	lake, err := datasets.OpenLake(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for d := range datasets.Day(days) {
		fill(b, lake, datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0 + d}, randomTrades(day0+d, n))
	}
	for _, c := range []struct {
		name  string
		spec  Spec
		cache bool
	}{
		{"1m", Spec{Every: time.Minute}, false},
		{"1m/cached", Spec{Every: time.Minute}, true},
		{"tick", Spec{Kind: TickBars, Size: 1}, false},
		{"tick100", Spec{Kind: TickBars, Size: 100}, false},
		{"dollar", Spec{Kind: DollarBars, Size: 1e7}, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s, err := Build(context.Background(), lake, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + days, Spec: c.spec}, Options{NoCache: !c.cache})
				if err != nil {
					b.Fatal(err)
				}
				s.Record.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/days/n, "ns/trade")
		})
	}
}

// BenchmarkBlocks plays two days of 400,000 trades and 400,000 best prices, by bars and fields.
func BenchmarkBlocks(b *testing.B) {
	const days, n = 2, 400_000
	lake, err := datasets.OpenLake(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	schema, err := datasets.BookTicker.Schema()
	if err != nil {
		b.Fatal(err)
	}
	for d := range datasets.Day(days) {
		fill(b, lake, datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0 + d}, randomTrades(day0+d, n))
		rng := rand.New(rand.NewPCG(1, uint64(d)))
		rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		bid := 60000.0
		for i := range n {
			bid += float64(rng.IntN(3)-1) / 10
			at := arrow.Timestamp((day0 + d).Start() + int64(i)*datasets.MicrosPerDay/n + 50_000)
			for c, f := range schema.Fields() {
				switch f.Name {
				case datasets.Timestamp, datasets.LocalTimestamp:
					rows.Field(c).(*array.TimestampBuilder).Append(at)
				case "bid_price":
					rows.Field(c).(*array.Float64Builder).Append(bid)
				case "ask_price":
					rows.Field(c).(*array.Float64Builder).Append(bid + 0.1)
				default:
					rows.Field(c).(*array.Float64Builder).Append(float64(rng.IntN(9000)) / 1000)
				}
			}
		}
		fill(b, lake, datasets.Partition{Instrument: btc, Type: datasets.BookTicker, Day: day0 + d}, rows.NewRecord())
	}
	single := Spec{Kind: TickBars, Size: 1}
	for _, c := range []struct {
		name   string
		spec   Spec
		fields []string
	}{
		{"tick/labels", single, nil},
		{"tick/close", single, []string{"close"}},
		{"tick/trades", single, []string{"close", "turnover", "buy_turnover", "sell_turnover", "ofi_100t"}},
		{"tick/quotes", single, []string{"close", "bid", "ask", "spread"}},
		{"tick2/quotes", Spec{Kind: TickBars, Size: 2}, []string{"close", "bid", "ask", "spread"}},
		{"1s/quotes", Spec{Every: time.Second}, []string{"close", "bid", "ask", "spread"}},
		{"1m/quotes", Spec{Every: time.Minute}, []string{"close", "bid", "ask", "spread"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + days, Spec: c.spec, Feeds: []datasets.DataType{datasets.BookTicker}}
			s, err := OpenSource(context.Background(), lake, []Request{q}, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range s.Blocks(context.Background(), Want{Hi: s.Rows(), Fields: c.fields}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Rows()), "ns/row")
		})
	}
}

// BenchmarkBestBars is a million quotes to 1-minute bars, without reading them.
func BenchmarkBestBars(b *testing.B) {
	const n = 1_000_000
	schema, err := datasets.BookTicker.Schema(append([]string{datasets.LocalTimestamp}, bestColumns(datasets.BookTicker)...)...)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	bid := 60000.0
	for i := range n {
		if rng.IntN(5) == 0 {
			bid += float64(rng.IntN(3)-1) / 10
		}
		rows.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(day0.Start() + int64(i)*datasets.MicrosPerDay/n))
		for c, v := range []float64{bid, bid + 0.1, float64(rng.IntN(9000)) / 1000, float64(rng.IntN(9000)) / 1000} {
			rows.Field(1 + c).(*array.Float64Builder).Append(v)
		}
	}
	day := rows.NewRecord()
	cut := newCutter(day0)
	cut.every = time.Minute.Microseconds()
	fold := bestFold("", datasets.BookTicker)
	b.ReportAllocs()
	for b.Loop() {
		to := fold.start(cut)
		for i := int64(0); i < n; i += 1 << 15 {
			s := day.NewSlice(i, min(i+1<<15, n))
			if err := to.add(s); err != nil {
				b.Fatal(err)
			}
			s.Release()
		}
		to.table()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/quote")
}
