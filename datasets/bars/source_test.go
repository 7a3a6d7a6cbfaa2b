package bars_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/tardis"
	"github.com/qf-dev/qf/datasets/tardistest"
)

// marketDays brings the days of a simulated market into a lake.
type marketDays struct{ *tardistest.Market }

func (s marketDays) Open(_ context.Context, p datasets.Partition) (datasets.Stream, error) {
	var text bytes.Buffer
	if err := s.WriteDay(&text, p); err != nil {
		return nil, err
	}
	return marketDay{tardis.NewDecoder(&text, p, p.String(), 0), int64(text.Len()), p}, nil
}

type marketDay struct {
	*tardis.Decoder
	size int64
	p    datasets.Partition
}

func (s marketDay) Meta() datasets.SourceMeta {
	return datasets.SourceMeta{Path: s.p.String(), Bytes: s.size}
}
func (s marketDay) Progress() (done, total int64) { return s.size, s.size }

const (
	marketFirst = datasets.Day(19792) // 2024-03-10
	marketEnd   = marketFirst + 6
)

var (
	linear     = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	other      = datasets.Instrument{Exchange: "binance-futures", Symbol: "ETHUSDT"}
	inverse    = datasets.Instrument{Exchange: "bitmex", Symbol: "XBTUSD"}
	continuous = datasets.Instrument{Exchange: "deribit", Symbol: "BTC-PERPETUAL"}
)

var marketFeeds = []datasets.DataType{datasets.Trades, datasets.Quotes, datasets.BookSnapshot25, datasets.BookSnapshot5,
	datasets.DerivativeTicker, datasets.Liquidations}

// marketLake is a lake of six days of four instruments with every feed. About every sixth file is missing, and every
// feed is silent on some day; BTC-PERPETUAL is later than the others.
var marketLake = sync.OnceValues(func() (string, error) {
	root, err := os.MkdirTemp("", "qf-market")
	if err != nil {
		return "", err
	}
	bars.AfterTests = func() { os.RemoveAll(root) }
	lake, err := datasets.OpenLake(root)
	if err != nil {
		return "", err
	}
	market := &tardistest.Market{
		Seed: 3, Start: marketFirst - 1, Instruments: []datasets.Instrument{linear, other, inverse, continuous},
		TradesPerDay: 150, QuotesPerDay: 200, SnapshotEvery: 900, TickerEvery: 600,
	}
	r := rand.New(rand.NewPCG(9, 9))
	var want []datasets.Partition
	for _, in := range market.Instruments {
		for _, feed := range marketFeeds {
			silent := marketFirst + datasets.Day(r.IntN(6))
			market.Gaps = append(market.Gaps, tardistest.Gap{Range: datasets.DayRange(silent, silent), Instrument: in, Type: feed})
			for d := marketFirst - 1; d <= marketEnd; d++ {
				if r.IntN(6) > 0 && !(in == continuous && d < marketFirst+2) {
					want = append(want, datasets.Partition{Instrument: in, Type: feed, Day: d})
				}
			}
		}
	}
	_, err = datasets.Fetch(context.Background(), marketDays{market}, lake, want, datasets.FetchOptions{})
	return root, err
})

// drawRequests makes requests at random: of time bars several instruments, of others one.
func drawRequests(r *rand.Rand) []bars.Request {
	spec := bars.Spec{Kind: []bars.Kind{bars.TimeBars, bars.TimeBars, bars.TickBars, bars.TickBars, bars.VolumeBars, bars.DollarBars}[r.IntN(6)], Clock: bars.Clock(r.IntN(2)), TickWindows: [][]int{nil, {1}, {3, 20}, {2, 7, 400}}[r.IntN(4)]}
	switch spec.Kind {
	case bars.TimeBars:
		spec.Every = []time.Duration{time.Minute, 15 * time.Minute, 8 * time.Hour, 24 * time.Hour}[r.IntN(4)]
	case bars.TickBars:
		spec.Size = []float64{1, 1, 1, 2, 17}[r.IntN(5)]
	case bars.VolumeBars:
		spec.Size = []float64{0.01, 0.5, 3}[r.IntN(3)]
	case bars.DollarBars:
		spec.Size = []float64{100, 1e4, 2e5}[r.IntN(3)]
	}
	all := []datasets.Instrument{linear, other, inverse, continuous}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := 1
	if spec.Kind == bars.TimeBars {
		n += r.IntN(4)
	}
	var qs []bars.Request
	for _, in := range all[:n] {
		contract, _ := datasets.ContractOf(in)
		q := bars.Request{Instrument: in, Contract: contract, Spec: spec, First: marketFirst + datasets.Day(r.IntN(3)), End: marketEnd - datasets.Day(r.IntN(2))}
		for _, feed := range marketFeeds[1:] {
			if r.IntN(3) > 0 {
				q.Feeds = append(q.Feeds, feed)
			}
		}
		qs = append(qs, q)
	}
	return qs
}

// frame is rows of several instruments, laid out plainly.
type frame struct {
	labels []int64
	fields []string
	cols   map[string][][]float64 // by field and instrument
}

// reference lays what is built of each request on the labels of all of them, in order.
func reference(t *testing.T, lake bars.Store, qs []bars.Request) (*frame, []*bars.Series) {
	t.Helper()
	var series []*bars.Series
	f := &frame{cols: map[string][][]float64{}}
	for _, q := range qs {
		x, err := bars.Build(t.Context(), lake, q, bars.Options{NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Record.Release)
		series = append(series, x)
		for _, v := range x.Record.Column(0).(*array.Timestamp).TimestampValues() {
			f.labels = append(f.labels, int64(v))
		}
		for _, c := range x.Record.Schema().Fields()[1:] {
			if !slices.Contains(f.fields, c.Name) {
				f.fields = append(f.fields, c.Name)
			}
		}
	}
	if len(qs) > 1 {
		slices.Sort(f.labels)
		f.labels = slices.Compact(f.labels)
	}
	if slices.Contains(f.fields, "funding_rate") {
		f.fields = append(f.fields, bars.SettledFunding)
	}
	for i, x := range series {
		ts := x.Record.Column(0).(*array.Timestamp).TimestampValues()
		columns := map[string][]float64{}
		for k, c := range x.Record.Schema().Fields()[1:] {
			col := x.Record.Column(k + 1).(*array.Float64)
			columns[c.Name] = slices.Clone(col.Float64Values())
			for row := range columns[c.Name] {
				if col.IsNull(row) {
					columns[c.Name][row] = math.NaN()
				}
			}
		}
		if rate := columns["funding_rate"]; rate != nil {
			columns[bars.SettledFunding] = settled(x, qs[i], ts, rate)
		}
		for _, name := range f.fields {
			out, row := make([]float64, len(f.labels)), 0
			for t, label := range f.labels {
				if out[t] = math.NaN(); row < len(ts) && int64(ts[row]) == label {
					if columns[name] != nil {
						out[t] = columns[name][row]
					}
					row++
				}
			}
			f.cols[name] = append(f.cols[name], out)
		}
	}
	return f, series
}

// settled is the definition of bars.SettledFunding.
func settled(x *bars.Series, q bars.Request, ts []arrow.Timestamp, rate []float64) []float64 {
	out := make([]float64, len(ts))
	for t := range ts {
		from, to := int64(math.MinInt64), int64(ts[t])
		if t > 0 {
			from = int64(ts[t-1])
		}
		begin := from
		if q.Spec.Kind == bars.TimeBars {
			begin = to - q.Spec.Every.Microseconds()
		}
		if q.Contract.ContinuousFunding {
			if out[t] = math.NaN(); begin != math.MinInt64 {
				out[t] = rate[t] * (float64(to-begin) / float64(8*time.Hour.Microseconds()))
			}
			continue
		}
		for _, e := range x.Settlements {
			if e.Time >= from && e.Time < to {
				out[t] += e.Rate
			}
		}
		for _, g := range x.FundingGaps { // (From, To]
			if max(g.From+1, begin) < to && g.To >= begin {
				out[t] = math.NaN()
			}
		}
	}
	return out
}

// same compares values to the bit, all NaNs being one.
func same(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
}

// wantBlocks plays rows [lo, hi) and compares them with the frame.
func wantBlocks(t *testing.T, s *bars.Source, f *frame, w bars.Want) {
	t.Helper()
	length := w.Length
	if length == 0 {
		length = bars.DefaultLength
	}
	next := w.Lo
	for b, err := range s.Blocks(t.Context(), w) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Lo != next || b.Hi != min(next+length, w.Hi) || len(b.Close) != b.Len() || len(b.Cols) != len(w.Fields) {
			t.Fatalf("%+v: block [%d, %d) with %d labels and %d fields, want it from %d", w, b.Lo, b.Hi, len(b.Close), len(b.Cols), next)
		}
		next = b.Hi
		for k, label := range b.Close {
			if label != f.labels[b.Lo+k] {
				t.Fatalf("%+v: label of row %d is %d, want %d", w, b.Lo+k, label, f.labels[b.Lo+k])
			}
		}
		for c, name := range w.Fields {
			for i, in := range s.Grid().Instruments {
				want := f.cols[name][i][b.Lo:b.Hi]
				for k, x := range b.Cols[c][i] {
					if !same(x, want[k]) {
						t.Fatalf("%+v: %s of %v in row %d of %d is %v, want %v", w, name, in, b.Lo+k, len(f.labels), x, want[k])
					}
				}
			}
		}
	}
	if next != max(w.Lo, w.Hi) {
		t.Fatalf("%+v: played up to row %d", w, next)
	}
}

// Whatever the requests, the length of blocks and the cache, a source has the labels and fields of Build on one grid, to
// the bit.
func TestSourceIsBuild(t *testing.T) {
	root, err := marketLake()
	if err != nil {
		t.Fatal(err)
	}
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	n := 60
	if testing.Short() {
		n = 12
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 7))
		qs := drawRequests(r)
		name := fmt.Sprintf("seed %d, %v of %d from %v, feeds %v, windows %v", seed, qs[0].Spec, len(qs), qs[0].Instrument, qs[0].Feeds, qs[0].Spec.TickWindows)
		f, series := reference(t, lake, qs)
		if seed%4 > 0 {
			bars.KeepTables(0)
		}
		s, err := bars.OpenSource(t.Context(), lake, qs, bars.Options{NoCache: seed%3 == 0, Workers: int(seed % 4)})
		bars.KeepTables(32 << 20)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fields, g := f.fields, s.Grid()
		same := g.Kind == qs[0].Spec.Kind && g.Every == qs[0].Spec.Every && len(g.Instruments) == len(qs)
		for i, q := range qs {
			same = same && g.Instruments[i] == q.Instrument
		}
		if s.Rows() != len(f.labels) || !slices.Equal(s.Fields(), fields) || !same {
			t.Fatalf("%s: %d rows of %v on %+v, want %d of %v", name, s.Rows(), s.Fields(), g, len(f.labels), fields)
		}
		files := 0
		for i, x := range series {
			if !slices.Equal(s.Days(i), x.Days) || fmt.Sprint(s.Settlements(i)) != fmt.Sprint(x.Settlements) || !slices.Equal(s.FundingGaps(i), x.FundingGaps) {
				t.Fatalf("%s: days, settlements or gaps of %v are others: %v, %v, %v", name, g.Instruments[i], s.Days(i), s.Settlements(i), s.FundingGaps(i))
			}
			files += len(x.Sources)
			for _, info := range x.Sources {
				if !slices.Contains(s.Sources(), info) {
					t.Fatalf("%s: %v is not among the sources", name, info.Partition)
				}
			}
		}
		if len(s.Sources()) != files {
			t.Fatalf("%s: %d sources, want %d", name, len(s.Sources()), files)
		}
		for _, length := range []int{1, 7, 0, max(s.Rows(), 1)} {
			wantBlocks(t, s, f, bars.Want{Hi: s.Rows(), Fields: fields, Length: length})
		}
		for range 6 {
			lo := r.IntN(s.Rows() + 1)
			w := bars.Want{Lo: lo, Hi: lo + r.IntN(s.Rows()-lo+1), Length: 1 + r.IntN(200)}
			for range r.IntN(4) {
				w.Fields = append(w.Fields, fields[r.IntN(len(fields))])
			}
			wantBlocks(t, s, f, w)
		}
		for range 10 {
			at := marketFirst.Start() + r.Int64N(6*datasets.MicrosPerDay)
			if k := r.IntN(len(f.labels) + 1); k < len(f.labels) {
				at = f.labels[k]
			}
			want := 0
			for want < len(f.labels) && f.labels[want] <= at {
				want++
			}
			if got, err := s.Find(t.Context(), at); err != nil || got != want {
				t.Fatalf("%s: %d rows up to %d, want %d (%v)", name, got, at, want, err)
			}
		}
	}
}

// Playings of one source do not disturb each other.
func TestPlayingsAtOnce(t *testing.T) {
	root, err := marketLake()
	if err != nil {
		t.Fatal(err)
	}
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 12))
		qs := drawRequests(r)
		f, _ := reference(t, lake, qs)
		if seed%2 == 0 {
			bars.KeepTables(0)
		}
		s, err := bars.OpenSource(t.Context(), lake, qs, bars.Options{})
		bars.KeepTables(32 << 20)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("", func(t *testing.T) {
			for _, length := range []int{3, 50, 0} {
				t.Run("", func(t *testing.T) {
					t.Parallel()
					wantBlocks(t, s, f, bars.Want{Hi: s.Rows(), Fields: s.Fields(), Length: length})
				})
			}
		})
	}
}

// Over a lake whose future is another one, a source is Build over it, too.
func TestSourceOfView(t *testing.T) {
	root, err := marketLake()
	if err != nil {
		t.Fatal(err)
	}
	lake, err := datasets.OpenLake(root)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 8))
		qs := drawRequests(r)
		cut := marketFirst.Start() + (3+r.Int64N(2))*datasets.MicrosPerDay + r.Int64N(datasets.MicrosPerDay)
		view := datasets.View{Lake: lake, Cut: cut, Gone: datasets.DayOf(cut) + datasets.Day(r.IntN(3)), Clock: []string{datasets.LocalTimestamp, datasets.Timestamp}[qs[0].Spec.Clock]}
		f, _ := reference(t, view, qs)
		s, err := bars.OpenSource(t.Context(), view, qs, bars.Options{NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows() != len(f.labels) {
			t.Fatalf("seed %d: %d rows, want %d", seed, s.Rows(), len(f.labels))
		}
		for range 2 {
			wantBlocks(t, s, f, bars.Want{Hi: s.Rows(), Fields: s.Fields(), Length: 100})
		}
	}
}
