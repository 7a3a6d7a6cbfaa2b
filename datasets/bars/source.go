package bars

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Source plays the bars of instruments on one grid as blocks of rows, in order, as often as wanted and several times
// at once, with the same bits each time: time bars of several instruments on their common labels, any other bars of one.
//
// Row 0 is the first bar of the first day asked for, of whichever instrument begins first. Where an instrument has no
// bar of a label, and where the lake does not have one of its fields, the value is NaN.
//
// What a playing holds does not grow with the rows: some blocks, and the bars of a few days of each feed, which come
// from the bar cache or, where it does not have them, are folded from ticks again.
type Source struct {
	grid   Grid
	days   []datasets.Day // of the grid, ascending; each has perDay rows of time bars
	perDay int
	rows   int
	fields []string
	of     []*instrument
	o      Options
}

// Grid says what the rows and columns of a source stand for.
type Grid struct {
	Kind        Kind
	Every       time.Duration // bar length; 0 for bars that are not time bars
	Instruments []datasets.Instrument
}

// instrument is what a source knows of one request.
type instrument struct {
	*builder
	lead     int     // rows of the grid before its own first
	ends     []int   // rows up to the end of each of its days
	latest   []int64 // of bars that trades close: the latest label before each day
	trades   *source // nil where every trade is a bar
	months   months  // of them, for the labels by which other feeds are cut
	settled  []Settlement
	gaps     []FundingGap
	coverage []DayStatus
	files    []datasets.Info
}

// everyTrade reports whether each trade is a bar.
func (s Spec) everyTrade() bool { return s.Kind == TickBars && s.Size == 1 }

// OpenSource finds what the lake has of the requests, one an instrument, and builds and keeps the bars that it does
// not have yet, as Build does.
func OpenSource(ctx context.Context, lake Store, qs []Request, o Options) (*Source, error) {
	if err := fitTogether(qs); err != nil {
		return nil, err
	}
	s := &Source{grid: Grid{Kind: qs[0].Spec.Kind, Every: qs[0].Spec.Every}, o: o}
	for _, q := range qs {
		in, err := openInstrument(ctx, lake, q, o)
		if err != nil {
			return nil, err
		}
		s.of = append(s.of, in)
		s.grid.Instruments = append(s.grid.Instruments, q.Instrument)
	}
	if _, err := s.fold(ctx, false); err != nil {
		return nil, err
	}
	s.lay()
	for _, in := range s.of {
		for _, l := range in.lays {
			for _, name := range l.names {
				if !slices.Contains(s.fields, name) {
					s.fields = append(s.fields, name)
				}
			}
		}
	}
	if slices.Contains(s.fields, "funding_rate") {
		s.fields = append(s.fields, SettledFunding)
	}
	return s, nil
}

// fitTogether reports why requests have no grid in common.
func fitTogether(qs []Request) error {
	if len(qs) == 0 {
		return fmt.Errorf("bars: there is no instrument")
	}
	for i, q := range qs {
		if err := q.validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(qs[:i], func(p Request) bool { return p.Instrument == q.Instrument }) {
			return fmt.Errorf("bars: %s is there twice", q.Instrument)
		}
		if q.Spec.Kind != qs[0].Spec.Kind || q.Spec.Every != qs[0].Spec.Every {
			return fmt.Errorf("bars: %s and %s have different bars", qs[0].Instrument, q.Instrument)
		}
	}
	if qs[0].Spec.Kind != TimeBars && len(qs) > 1 {
		return fmt.Errorf("bars: %d instruments: bars that are not time bars have a grid of their own, so a study of them has one instrument", len(qs))
	}
	return nil
}

// openInstrument finds what the lake has of one request.
func openInstrument(ctx context.Context, lake Store, q Request, o Options) (*instrument, error) {
	in := &instrument{builder: &builder{q: q, o: o, store: lake}}
	if err := in.look(ctx); err != nil {
		return nil, err
	}
	if !held(in.feeds[0].parts) {
		return nil, in.noTrades()
	}
	if src := in.enterTrades(); !q.Spec.everyTrade() {
		in.trades = src
	}
	in.enterOthers()
	in.coverage, in.files = in.builder.coverage()
	return in, nil
}

// lay counts the rows of the grid and of the instruments.
func (s *Source) lay() {
	if s.grid.Kind != TimeBars {
		in := s.of[0]
		if in.q.Spec.everyTrade() {
			for _, p := range in.feeds[0].parts {
				s.rows += int(p.info.Rows)
				in.ends = append(in.ends, s.rows)
			}
		}
		s.rows = in.ends[len(in.ends)-1]
		return
	}
	s.perDay = int(24 * time.Hour / s.grid.Every)
	for _, in := range s.of {
		for d := in.q.First; d < in.q.End; d++ {
			s.days = append(s.days, d)
			in.ends = append(in.ends, (int(d-in.q.First)+1)*s.perDay)
		}
	}
	slices.Sort(s.days)
	s.days = slices.Compact(s.days)
	s.rows = len(s.days) * s.perDay
	for _, in := range s.of {
		k, _ := slices.BinarySearch(s.days, in.q.First)
		in.lead = k * s.perDay
	}
}

// labels writes the labels of rows of time bars from lo on.
func (s *Source) labels(lo int, to []int64) {
	every := s.grid.Every.Microseconds()
	for t := range to {
		row := lo + t
		to[t] = s.days[row/s.perDay].Start() + int64(row%s.perDay+1)*every
	}
}

// Grid says what rows and columns stand for.
func (s *Source) Grid() Grid { return s.grid }

// Rows is the number of rows of the whole grid.
func (s *Source) Rows() int { return s.rows }

// Fields lists the fields that can be played: the columns that Build makes of the requests, in the order in which they
// first appear, and SettledFunding where there is a funding feed.
func (s *Source) Fields() []string { return s.fields }

// Days says for each day of instrument i and each feed asked for what the lake has, as Series.Days does.
func (s *Source) Days(i int) []DayStatus { return s.of[i].coverage }

// Settlements lists the funding events of instrument i, as Series.Settlements does.
func (s *Source) Settlements(i int) []Settlement { return s.of[i].settled }

// FundingGaps lists the stretches over which the data does not say what settled, as Series.FundingGaps does.
func (s *Source) FundingGaps(i int) []FundingGap { return s.of[i].gaps }

// Sources lists the lake files that the rows depend on, in the order of their partitions.
func (s *Source) Sources() []datasets.Info {
	var all []datasets.Info
	for _, in := range s.of {
		all = append(all, in.files...)
	}
	slices.SortFunc(all, func(a, b datasets.Info) int { return a.Partition.Compare(b.Partition) })
	return all
}

// Find counts the rows labelled at or before an instant, in Unix µs. Where trades close the bars, it reads those of the
// days around it.
func (s *Source) Find(ctx context.Context, at int64) (int, error) {
	if s.grid.Kind == TimeBars {
		return sort.Search(s.rows, func(t int) bool {
			var label [1]int64
			s.labels(t, label[:])
			return label[0] > at
		}), nil
	}
	in := s.of[0]
	n := 0
	slack := int64(0)
	if in.q.Spec.Clock == Exchange { // of a day-file's rows some are of the day after
		slack = datasets.MicrosPerDay
	}
	for i, end := range in.ends {
		if (in.q.First+datasets.Day(i)+1).Start()+slack <= at {
			n = end
		}
	}
	for b, err := range s.Blocks(ctx, Want{Lo: n, Hi: s.rows}) {
		if err != nil {
			return 0, err
		}
		k, _ := slices.BinarySearch(b.Close, at+1)
		if n += k; k < b.Len() {
			break
		}
	}
	return n, nil
}
