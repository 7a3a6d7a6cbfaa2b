package bars

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets"
)

// oddFeeds are what an odd store has.
var oddFeeds = []datasets.DataType{datasets.Trades, datasets.Quotes, datasets.BookSnapshot5, datasets.DerivativeTicker, datasets.Liquidations}

// oddStore has every feed on some days, some of them missing or known empty. Exchange times are late, early, a day off
// or absurd, and many rows share one instant.
func oddStore(r *rand.Rand, days int) *memStore {
	s := newMemStore()
	s.batch = []int{0, 1, 7}[r.IntN(3)]
	price := func() float64 { return float64(90 + r.IntN(20)) }
	for d := day0; d < day0+datasets.Day(days); d++ {
		for _, feed := range oddFeeds {
			n := []int{-1, 0, 1, 5, 40}[r.IntN(5)]
			if n < 0 {
				continue
			}
			var rows [][]any
			local := d.Start()
			step := []int64{0, 1, 60_000_000, 3_000_000_000}[r.IntN(4)]
			for range n {
				local = min(local+r.Int64N(step+1), (d+1).Start()-1)
				ts := local
				switch r.IntN(12) {
				case 0:
					ts -= r.Int64N(4_000_000_000)
				case 1:
					ts += r.Int64N(4_000_000_000)
				case 2:
					ts += (r.Int64N(7) - 3) * datasets.MicrosPerDay
				}
				var row []any
				switch feed {
				case datasets.Trades, datasets.Liquidations:
					row = tradeAt(local, []string{"buy", "sell", "unknown"}[r.IntN(3)], price(), float64(r.IntN(4)))
				case datasets.Quotes:
					row = quoteAt(local, price(), float64(1+r.IntN(3)), price()+10, float64(r.IntN(3)))
				case datasets.BookSnapshot5:
					row = snapshotAt(local, 5, [][2]float64{{price(), 1}, {80, 2}}, [][2]float64{{price() + 15, 1}})
				case datasets.DerivativeTicker:
					row = tickerAt(local, float64(ts/28_800_000_000*28_800_000_000+28_800_000_000), float64(r.IntN(9))/1e4, price())
					if r.IntN(3) == 0 {
						row = tickerAt(local, nan, nan, price())
					}
				}
				row[0] = ts
				rows = append(rows, row)
			}
			s.put(feed, btc, d, rows...)
		}
	}
	return s
}

// play collects a source's fields.
func play(t testing.TB, s *Source, w Want) (labels []int64, cols [][]float64) {
	t.Helper()
	cols = make([][]float64, len(w.Fields))
	for b, err := range s.Blocks(context.Background(), w) {
		if err != nil {
			t.Fatal(err)
		}
		labels = append(labels, b.Close...)
		for k := range cols {
			cols[k] = append(cols[k], b.Cols[k][0]...)
		}
	}
	return labels, cols
}

// Times that are late, early, or absurd: a source has the rows of Build all the same.
func TestSourceOfOddTimes(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 40
	}
	seeds := []uint64{3283} // rows of a day come after all of the next, whose own must be cut at its labels all the same
	for seed := range uint64(n) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 5))
		days := 1 + r.IntN(6)
		s := oddStore(r, days)
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + datasets.Day(days), Feeds: oddFeeds[1:], Spec: Spec{
			Kind: []Kind{TickBars, TickBars, TimeBars, VolumeBars, DollarBars}[r.IntN(5)], Clock: Clock(r.IntN(2)), TickWindows: []int{2, 7}}}
		switch q.Spec.Size = float64(1 + r.IntN(3)*r.IntN(9)); q.Spec.Kind {
		case TimeBars:
			q.Spec.Every = []time.Duration{time.Minute, time.Hour, 24 * time.Hour}[r.IntN(3)]
		case DollarBars:
			q.Spec.Size *= 100
		}
		want, err := Build(context.Background(), s, q, Options{NoCache: true})
		if err != nil {
			if _, other := OpenSource(context.Background(), s, []Request{q}, Options{}); fmt.Sprint(other) != fmt.Sprint(err) {
				t.Fatalf("seed %d: error %v, want %v", seed, other, err)
			}
			continue
		}
		KeepTables(int64(r.IntN(3)) << 20)
		src, err := OpenSource(context.Background(), s, []Request{q}, Options{NoCache: r.IntN(2) == 0})
		KeepTables(32 << 20)
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, f := range want.Record.Schema().Fields()[1:] {
			fields = append(fields, f.Name)
		}
		if extra := slices.DeleteFunc(slices.Clone(src.Fields()), func(f string) bool { return slices.Contains(fields, f) }); len(extra) > 1 || src.Rows() != int(want.Record.NumRows()) {
			t.Fatalf("seed %d: %d rows of %v, want %d of %v", seed, src.Rows(), src.Fields(), want.Record.NumRows(), fields)
		}
		for _, length := range []int{1, 7, 0} {
			lo := r.IntN(src.Rows() + 1)
			if length == 7 {
				lo = 0
			}
			gotLabels, cols := play(t, src, Want{Lo: lo, Hi: src.Rows(), Fields: fields, Length: length})
			if !slices.Equal(gotLabels, labels(want)[lo:]) {
				t.Fatalf("seed %d, %v from row %d: labels\n got %v\nwant %v", seed, q.Spec, lo, gotLabels, labels(want)[lo:])
			}
			for k, name := range fields {
				for i, v := range cells(t, want, name)[lo:] {
					if x := cols[k][i]; math.Float64bits(x) != math.Float64bits(v) && !(math.IsNaN(x) && math.IsNaN(v)) {
						t.Fatalf("seed %d, %v in blocks of %d from row %d: %s[%d] = %v, want %v", seed, q.Spec, length, lo, name, lo+i, x, v)
					}
				}
			}
		}
		want.Record.Release()
	}
}

// Volume bars that any trade fills are bars of single trades, but made of whole tables: what is joined to them is the same.
func TestSingleTradesAreSmallVolumeBars(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 40
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 6))
		days := 1 + r.IntN(5)
		s := oddStore(r, days)
		for p, rows := range s.files {
			for _, row := range rows {
				if p.Type == datasets.Trades {
					row[5] = float64(1 + r.IntN(5))
				}
			}
		}
		q := Request{Instrument: btc, Contract: linear, First: day0, End: day0 + datasets.Day(days), Feeds: oddFeeds[1:]}
		q.Spec = Spec{Kind: TickBars, Size: 1, Clock: Clock(r.IntN(2)), TickWindows: []int{3}}
		single, err := OpenSource(context.Background(), s, []Request{q}, Options{NoCache: true})
		if errors.Is(err, datasets.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		q.Spec.Kind, q.Spec.Size = VolumeBars, 0.5
		whole, err := OpenSource(context.Background(), s, []Request{q}, Options{NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		w := Want{Hi: single.Rows(), Fields: single.Fields(), Length: 1 + r.IntN(50)}
		if whole.Rows() != w.Hi || !slices.Equal(whole.Fields(), w.Fields) {
			t.Fatalf("seed %d: %d and %d rows of %v and %v", seed, w.Hi, whole.Rows(), w.Fields, whole.Fields())
		}
		at, got := play(t, single, w)
		wantAt, want := play(t, whole, w)
		if !slices.Equal(at, wantAt) {
			t.Fatalf("seed %d: labels %v, want %v", seed, at, wantAt)
		}
		for k, name := range w.Fields {
			for i, x := range got[k] {
				if math.Float64bits(x) != math.Float64bits(want[k][i]) && !(math.IsNaN(x) && math.IsNaN(want[k][i])) {
					t.Fatalf("seed %d, %v: %s[%d] = %v, want %v", seed, q.Spec, name, i, x, want[k][i])
				}
			}
		}
	}
}

// oneDay has trades and quotes of a day.
func oneDay() (*memStore, Request) {
	s := newMemStore()
	for d := day0; d < day0+3; d++ {
		var trades, quotes [][]any
		for i := range int64(5000) {
			trades = append(trades, tradeAt(d.Start()+i*1000, "buy", 10, 1))
			quotes = append(quotes, quoteAt(d.Start()+i*900, 9, 1, 11, 1))
		}
		s.put(datasets.Trades, btc, d, trades...)
		s.put(datasets.Quotes, btc, d, quotes...)
	}
	return s, Request{Instrument: btc, Contract: linear, First: day0, End: day0 + 3, Spec: Spec{Kind: TickBars, Size: 1}, Feeds: []datasets.DataType{datasets.Quotes}}
}

// However an iteration ends, its reader is gone and it says why.
func TestBlocksEnd(t *testing.T) {
	s, q := oneDay()
	for _, spec := range []Spec{q.Spec, {Kind: TickBars, Size: 2}, {Every: time.Second}} {
		q.Spec = spec
		src, err := OpenSource(context.Background(), s, []Request{q}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := Want{Hi: src.Rows(), Fields: []string{"close", "bid"}, Length: 10}
		n := 0
		for range src.Blocks(context.Background(), w) {
			if n++; n == 3 {
				break
			}
		}
		goleak.VerifyNone(t)

		ctx, cancel := context.WithCancelCause(context.Background())
		n = 0
		var last error
		for b, err := range src.Blocks(ctx, w) {
			if last = err; err == nil && b == nil {
				t.Fatal("neither a block nor an error")
			}
			if n++; n == 2 {
				cancel(fs.ErrClosed)
			}
		}
		cancel(nil)
		if !errors.Is(last, fs.ErrClosed) || n > 2000 {
			t.Errorf("%v: after %d blocks: %v, want the cause", spec, n, last)
		}
		goleak.VerifyNone(t)

		func() {
			defer func() { _ = recover() }()
			for range src.Blocks(context.Background(), w) {
				panic("in the loop")
			}
		}()
		goleak.VerifyNone(t)
	}
}

// broken is a lake in which reading a feed fails after some batches.
type broken struct {
	*memStore
	feed datasets.DataType
	day  datasets.Day
}

func (s broken) Scan(ctx context.Context, t datasets.DataType, in datasets.Instrument, r datasets.Range, columns ...string) (array.RecordReader, error) {
	rows, err := s.memStore.Scan(ctx, t, in, r, columns...)
	if err == nil && t == s.feed && r.Days()[0] == s.day {
		rows.Next()
		return failing{rows}, nil
	}
	return rows, err
}

type failing struct{ array.RecordReader }

func (failing) Next() bool { return false }
func (failing) Err() error { return fs.ErrInvalid }

func TestSourceErrors(t *testing.T) {
	s, q := oneDay()
	if _, err := OpenSource(context.Background(), s, nil, Options{}); err == nil {
		t.Error("a source of nothing")
	}
	ctx := context.Background()
	other := q
	other.Instrument.Symbol = "ETHUSDT"
	if _, err := OpenSource(ctx, s, []Request{q, other}, Options{}); err == nil || !strings.Contains(err.Error(), "2 instruments") {
		t.Errorf("two instruments of tick bars: %v", err)
	}
	hourly := q
	hourly.Spec = Spec{Every: time.Hour}
	if _, err := OpenSource(ctx, s, []Request{hourly, hourly}, Options{}); err == nil || !strings.Contains(err.Error(), "is there twice") {
		t.Errorf("one instrument twice: %v", err)
	}
	daily := other
	daily.Spec = Spec{Every: 24 * time.Hour}
	if _, err := OpenSource(ctx, s, []Request{hourly, daily}, Options{}); err == nil || !strings.Contains(err.Error(), "have different bars") {
		t.Errorf("bars of an hour and of a day: %v", err)
	}
	none := q
	none.First, none.End = day0+50, day0+51
	if _, err := OpenSource(ctx, s, []Request{none}, Options{}); !errors.Is(err, datasets.ErrNotFound) || !strings.Contains(err.Error(), "run qf fetch") {
		t.Errorf("no trades: %v, want the remedy", err)
	}
	src, err := OpenSource(ctx, s, []Request{q}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range src.Blocks(ctx, Want{Hi: 1, Fields: []string{"colour"}}) {
		if err == nil || !strings.Contains(err.Error(), `"colour"`) {
			t.Errorf("an unknown field: %v", err)
		}
	}

	// What fails while playing names the file.
	last := func(s Store, q Request) error {
		src, err := OpenSource(ctx, s, []Request{q}, Options{NoCache: true})
		if err != nil {
			return err
		}
		for _, e := range src.Blocks(ctx, Want{Hi: src.Rows(), Fields: []string{"close", "bid"}}) {
			err = e
		}
		return err
	}
	for _, spec := range []Spec{{Kind: TickBars, Size: 1}, {Kind: TickBars, Size: 3}, {Every: time.Hour}} {
		q.Spec = spec
		for _, feed := range []datasets.DataType{datasets.Trades, datasets.Quotes} {
			err := last(broken{s, feed, day0 + 1}, q)
			if want := fmt.Sprintf("binance-futures/%s/BTCUSDT/2024-03-11", feed); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, %s: %v, want %s named", spec, feed, err, want)
			}
			goleak.VerifyNone(t)
		}
	}

	// A file that is not what its footer says.
	q.Spec = Spec{Kind: TickBars, Size: 1}
	p := datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0 + 1}
	rows := s.files[p]
	for _, c := range []struct {
		rows [][]any
		want string
	}{{rows[1:], "fewer than the footer"}, {append(rows[:len(rows):len(rows)], rows[0]), "more rows than the"}} {
		err := last(footers{s, p, int64(len(rows)), c.rows}, q)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), p.String()) {
			t.Errorf("error %v, want %s %s", err, p, c.want)
		}
	}
}

// footers is a lake in which one file has other rows than its footer says.
type footers struct {
	*memStore
	p    datasets.Partition
	says int64
	rows [][]any
}

func (s footers) Stat(p datasets.Partition) (datasets.Info, error) {
	info, err := s.memStore.Stat(p)
	if p == s.p {
		info.Rows = s.says
	}
	return info, err
}

func (s footers) Scan(ctx context.Context, t datasets.DataType, in datasets.Instrument, r datasets.Range, columns ...string) (array.RecordReader, error) {
	if t == s.p.Type && r.Days()[0] == s.p.Day {
		other := newMemStore()
		other.put(t, in, s.p.Day, s.rows...)
		return other.Scan(ctx, t, in, r, columns...)
	}
	return s.memStore.Scan(ctx, t, in, r, columns...)
}
