package bars

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// tapeStore has days of random length, among them a missing one, a known-empty one and one that is shorter than a
// tick window, with unknown sides, amounts of 0 and times that go back.
func tapeStore(seed uint64) (*memStore, datasets.Day) {
	r := rand.New(rand.NewPCG(seed, 1))
	s := newMemStore()
	lengths := []int{40, 3, -1, 25, 0, 2, 60}
	for i, n := range lengths {
		if n < 0 {
			continue
		}
		var rows [][]any
		at, price := hms(day0+datasets.Day(i), 0, 0, 0), 100.0
		for range n {
			at += int64(r.IntN(400_000_000)) - 20_000_000
			price += float64(r.IntN(5) - 2)
			rows = append(rows, tradeAt(max(at, hms(day0+datasets.Day(i), 0, 0, 0)), []string{"buy", "sell", "unknown"}[r.IntN(3)], price, float64(r.IntN(4))))
		}
		s.put(datasets.Trades, btc, day0+datasets.Day(i), rows...)
	}
	return s, day0 + datasets.Day(len(lengths))
}

// Whatever the chunks and the batches, a tape has the rows of Build, to the bit.
func TestTapeIsBuild(t *testing.T) {
	columns := []string{"close", "volume", "turnover", "buy_turnover", "sell_turnover", "buy_trades", "ofi_2t", "ofi_7t"}
	for seed := range uint64(6) {
		s, end := tapeStore(seed)
		q := Request{Instrument: btc, Contract: linear, First: day0, End: end, Spec: Spec{Kind: TickBars, Size: 1, TickWindows: []int{2, 7}}}
		if seed%2 == 1 {
			q.Contract.Inverse, q.Spec.Clock = true, Exchange
		}
		want := mustBuild(t, s, q, Options{})
		rows := int(want.Record.NumRows())
		for _, p := range []Playback{
			{To: rows, Length: 1}, {To: rows, Length: 8, Back: 3}, {To: rows, Length: 1000, Ahead: 5},
			{From: 50, To: 110, Length: 7, Back: 11, Ahead: 4}, {From: 120, To: rows - 2, Length: 4, Back: 2},
		} {
			for _, s.batch = range []int{0, 1, 9} {
				p.Columns = columns
				tape, err := OpenTape(context.Background(), s, q, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if tape.Rows != rows || fmt.Sprint(tape.Days) != fmt.Sprint(want.Days) || fmt.Sprint(tape.Sources) != fmt.Sprint(want.Sources) {
					t.Fatalf("%d rows, days %v, sources %v; want %d, %v, %v", tape.Rows, tape.Days, tape.Sources, rows, want.Days, want.Sources)
				}
				next := p.From
				err = tape.Play(context.Background(), p, func(c *Trades) error {
					defer c.Release()
					if c.Lo != next || c.Hi != min(next+p.Length, p.To) || c.Base > max(0, c.Lo-p.Back) || c.Base+len(c.TS) < min(c.Hi+p.Ahead, rows) {
						t.Fatalf("%+v: a chunk [%d, %d) with rows [%d, %d), want it from %d", p, c.Lo, c.Hi, c.Base, c.Base+len(c.TS), next)
					}
					next = c.Hi
					for _, name := range append(columns, "ts") {
						for k := max(0, c.Lo-p.Back-c.Base); k < len(c.TS); k++ {
							var got, is float64
							at := want.Record.Schema().FieldIndices(name)[0]
							if name == "ts" {
								got, is = float64(c.TS[k]), float64(want.Record.Column(at).(*array.Timestamp).Value(c.Base+k))
							} else {
								got, is = c.Column(name)[k], want.Record.Column(at).(*array.Float64).Value(c.Base+k)
							}
							if math.Float64bits(got) != math.Float64bits(is) && !(math.IsNaN(got) && math.IsNaN(is)) {
								t.Fatalf("seed %d, %+v, batches of %d: %s of row %d is %v, want %v", seed, p, s.batch, name, c.Base+k, got, is)
							}
						}
					}
					return nil
				})
				if err != nil || next != p.To {
					t.Fatalf("%+v: played up to %d: %v", p, next, err)
				}
			}
		}
	}
}

func TestTapeErrors(t *testing.T) {
	s, end := tapeStore(1)
	q := Request{Instrument: btc, Contract: linear, First: day0, End: end, Spec: Spec{Kind: TickBars, Size: 1}}
	q.Spec.Size = 2
	if _, err := OpenTape(context.Background(), s, q, Options{}); err == nil {
		t.Error("bars of two trades are a tape")
	}
	q.Spec.Size, q.First, q.End = 1, end+10, end+11
	if _, err := OpenTape(context.Background(), s, q, Options{}); !errors.Is(err, datasets.ErrNotFound) {
		t.Errorf("no trades: %v", err)
	}
	q.First, q.End = day0, end
	tape, err := OpenTape(context.Background(), s, q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fs.ErrClosed)
	if err := tape.Play(ctx, Playback{To: tape.Rows, Length: 10}, func(c *Trades) error { c.Release(); return nil }); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("stopped: %v", err)
	}
	if err := tape.Play(context.Background(), Playback{To: tape.Rows, Length: 10}, func(*Trades) error { return fs.ErrInvalid }); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an error of f: %v", err)
	}
	// A file that is not what its footer says.
	s.files[datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0}] = s.files[datasets.Partition{Instrument: btc, Type: datasets.Trades, Day: day0}][1:]
	if err := tape.Play(context.Background(), Playback{To: tape.Rows, Length: 10}, func(c *Trades) error { c.Release(); return nil }); err == nil {
		t.Error("a row that is missing goes unnoticed")
	}
}
