package bars

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// Source plays the bars of instruments on one grid as blocks of rows, in order, as often as wanted, with the same bits
// each time: time bars of several instruments on their common labels, any other bars of one.
//
// Row 0 is the first bar of the first day asked for, of whichever instrument that begins first. Where an instrument
// has no bar of a label, and where the lake does not have one of its fields, the value is NaN.
type Source struct {
	grid   Grid
	labels []int64
	fields []string
	cols   map[string][][]float64
	series []*Series
}

// Grid says what the rows and columns of a source stand for.
type Grid struct {
	Kind        Kind
	Every       time.Duration // bar length; 0 for bars that are not time bars
	Instruments []datasets.Instrument
}

// DefaultLength is the number of rows in a block: few enough that columns stay in the cache.
const DefaultLength = 8192

// Want says which rows and fields to play.
type Want struct {
	Lo, Hi int      // rows [Lo, Hi) of the grid
	Fields []string // of Source.Fields, in the order in which Block.Cols is to have them
	Length int      // rows of a block; the last may be shorter. 0: DefaultLength
}

// SettledFunding is the field that a source makes of settlements: the sum of the rates that settled in the bar.
const SettledFunding = "settled_funding"

// OpenSource finds what the lake has of the requests, one an instrument, and builds and keeps the bars that it does
// not have yet, as Build does.
func OpenSource(ctx context.Context, lake Store, qs []Request, o Options) (*Source, error) {
	if err := fitTogether(qs); err != nil {
		return nil, err
	}
	s := &Source{grid: Grid{Kind: qs[0].Spec.Kind, Every: qs[0].Spec.Every}, cols: map[string][][]float64{}}
	labels := make([][]int64, len(qs))
	for i, q := range qs {
		x, err := Build(ctx, lake, q, o)
		if err != nil {
			return nil, err
		}
		for _, v := range x.Record.Column(0).(*array.Timestamp).TimestampValues() {
			labels[i] = append(labels[i], int64(v))
		}
		s.grid.Instruments = append(s.grid.Instruments, q.Instrument)
		s.series = append(s.series, x)
		for _, f := range x.Record.Schema().Fields()[1:] {
			if !slices.Contains(s.fields, f.Name) {
				s.fields = append(s.fields, f.Name)
			}
		}
	}
	s.labels = labels[0]
	if len(qs) > 1 {
		s.labels = slices.Concat(labels...)
		slices.Sort(s.labels)
		s.labels = slices.Compact(s.labels)
	}
	for _, name := range s.fields {
		for i, x := range s.series {
			var values []float64
			if k := x.Record.Schema().FieldIndices(name); len(k) > 0 {
				values = x.Record.Column(k[0]).(*array.Float64).Float64Values()
			}
			s.cols[name] = append(s.cols[name], s.lay(labels[i], values))
		}
	}
	if rates, ok := s.cols["funding_rate"]; ok {
		s.fields = append(s.fields, SettledFunding)
		for i, x := range s.series {
			var settled []float64
			if x.Record.Schema().HasField("funding_rate") {
				settled = s.settled(x, labels[i], rates[i], s.cols["funding_timestamp"][i])
			}
			s.cols[SettledFunding] = append(s.cols[SettledFunding], s.lay(labels[i], settled))
		}
	}
	for _, x := range s.series {
		x.Record.Release()
	}
	return s, nil
}

// fitTogether reports why requests have no grid in common.
func fitTogether(qs []Request) error {
	if len(qs) == 0 {
		return fmt.Errorf("bars: there is no instrument")
	}
	if kind := qs[0].Spec.Kind; kind != TimeBars && len(qs) > 1 {
		return fmt.Errorf("bars: %d instruments: bars that are not time bars have a grid of their own, so a study of them has one instrument", len(qs))
	}
	for i, q := range qs {
		if slices.ContainsFunc(qs[:i], func(p Request) bool { return p.Instrument == q.Instrument }) {
			return fmt.Errorf("bars: %s is there twice", q.Instrument)
		}
		if q.Spec.Kind != qs[0].Spec.Kind || q.Spec.Every != qs[0].Spec.Every {
			return fmt.Errorf("bars: %s and %s have different bars", qs[0].Instrument, q.Instrument)
		}
	}
	return nil
}

// lay puts values of the rows labelled from on the grid; NaN where there is no such row.
func (s *Source) lay(from []int64, v []float64) []float64 {
	out := filled(len(s.labels))
	if len(from) == len(s.labels) {
		copy(out, v)
		return out
	}
	for row, x := range v {
		k, _ := slices.BinarySearch(s.labels, from[row])
		out[k] = x
	}
	return out
}

// settled sums the rates that settled in each bar of an instrument: at ts − Δ or later and before ts. It is 0 where
// none did, and missing where the data does not show a rate and on days of which the lake has no derivative_ticker. A
// venue that never names a settlement accrues its rate, which is per 8 hours, over the length of the bar.
func (s *Source) settled(x *Series, labels []int64, rate, funding []float64) []float64 {
	known := func(v float64) bool { return !math.IsNaN(v) }
	row := func(t int) int {
		if len(labels) == len(s.labels) {
			return t
		}
		k, _ := slices.BinarySearch(s.labels, labels[t])
		return k
	}
	out := make([]float64, len(labels))
	if len(x.Settlements) == 0 && slices.ContainsFunc(rate, known) && !slices.ContainsFunc(funding, known) {
		for t := range out {
			length := s.grid.Every
			if length == 0 {
				if t == 0 {
					out[t] = math.NaN()
					continue
				}
				length = time.Duration(labels[t]-labels[t-1]) * time.Microsecond
			}
			out[t] = rate[row(t)] * (float64(length) / float64(continuousPer))
		}
		return out
	}
	missing := map[datasets.Day]bool{}
	for _, d := range x.Days {
		if d.Type == datasets.DerivativeTicker && d.Presence == Missing {
			missing[d.Day] = true
		}
	}
	for t, label := range labels {
		if missing[datasets.DayOf(label-1)] {
			out[t] = math.NaN()
		}
	}
	for _, e := range x.Settlements {
		if t, _ := slices.BinarySearch(labels, e.Time+1); t < len(labels) {
			out[t] += e.Rate
		}
	}
	return out
}

// continuousPer is the time that the rate of a venue with continuous funding is for.
const continuousPer = 8 * time.Hour

// Grid says what rows and columns stand for.
func (s *Source) Grid() Grid { return s.grid }

// Rows is the number of rows of the whole grid.
func (s *Source) Rows() int { return len(s.labels) }

// Find counts the rows labelled at or before an instant, in Unix µs.
func (s *Source) Find(_ context.Context, at int64) (int, error) {
	return sort.Search(len(s.labels), func(t int) bool { return s.labels[t] > at }), nil
}

// Fields lists the fields that can be played: the columns that Build makes of the requests, in the order in which they
// first appear, and SettledFunding where there is a funding feed.
func (s *Source) Fields() []string { return s.fields }

// Days says for each day of instrument i and each feed asked for what the lake has, as Series.Days does.
func (s *Source) Days(i int) []DayStatus { return s.series[i].Days }

// Settlements lists the funding events of instrument i, as Series.Settlements does.
func (s *Source) Settlements(i int) []Settlement { return s.series[i].Settlements }

// Sources lists the lake files that the rows depend on, in the order of their partitions.
func (s *Source) Sources() []datasets.Info {
	var all []datasets.Info
	for _, x := range s.series {
		all = append(all, x.Sources...)
	}
	slices.SortFunc(all, func(a, b datasets.Info) int { return a.Partition.Compare(b.Partition) })
	return all
}

// Blocks plays rows [w.Lo, w.Hi), w.Length to a block and what is left in the last. The first error ends it. A block is
// valid until the next one.
func (s *Source) Blocks(ctx context.Context, w Want) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) {
		if w.Length == 0 {
			w.Length = DefaultLength
		}
		for lo := w.Lo; lo < w.Hi; lo += w.Length {
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			b := &Block{Lo: lo, Hi: min(lo+w.Length, w.Hi)}
			b.Close = s.labels[b.Lo:b.Hi]
			for _, name := range w.Fields {
				var cols [][]float64
				for _, x := range s.cols[name] {
					cols = append(cols, x[b.Lo:b.Hi])
				}
				b.Cols = append(b.Cols, cols)
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
