package bars

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Source plays the bars of instruments on one grid as blocks of rows, in order, as often as wanted, with the same bits
// each time: time bars of several instruments on their common labels, any other bars of one.
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

// keepBytes is the size up to which the tables that opening a source reads or folds stay in memory, all or none, so that
// a small source is not read again with each playing.
var keepBytes int64 = 32 << 20

// fold sees to it that all tables are there: in memory where they are few, else in the cache, or to be folded again; all
// of them in the cache where that is what it is for.
func (s *Source) fold(ctx context.Context, onlyKeep bool) (kept Kept, err error) {
	for _, in := range s.of {
		defer in.months.close()
	}
	of := map[*source]*instrument{}
	for _, in := range s.of {
		for _, src := range in.sources {
			of[src] = in
		}
	}
	var size atomic.Int64 // of tables that stay
	work := func(chosen func(*instrument, *source) bool, wanted func(*shelf) bool, done func(*shelf, int, *table)) error {
		var shelves []*shelf
		for _, in := range s.of {
			for _, src := range in.sources {
				if chosen(in, src) {
					shelves = append(shelves, src.shelves(in.store, in.q, in.cutter(ctx, src, in.loadTrades))...)
				}
			}
		}
		n, err := loadAll(ctx, s.o.Workers, shelves, onlyKeep, wanted, done)
		kept.There += n.There
		kept.Built += n.Built
		return err
	}
	stay := func(h *shelf, day int, t *table) {
		if size.Add(t.bytes()) <= keepBytes {
			h.src.parts[day].table = t
		}
	}
	drop := func() {
		for src := range of {
			for i := range src.parts {
				src.parts[i].table = nil
			}
		}
	}
	if in := s.of[0]; in.trades != nil && s.grid.Kind != TimeBars { // the other feeds are cut at the trades' labels
		counts, last := make([]int, len(in.trades.parts)), make([]int64, len(in.trades.parts))
		err := work(func(_ *instrument, src *source) bool { return src == in.trades }, nil, func(h *shelf, i int, t *table) {
			counts[i], last[i] = len(t.ts), slices.Max(t.ts)
			stay(h, i, t)
		})
		if err != nil {
			return kept, err
		}
		rows, latest := 0, int64(math.MinInt64)
		for i, n := range counts {
			in.latest = append(in.latest, latest)
			if rows += n; n > 0 {
				latest = max(latest, last[i])
			}
			in.ends = append(in.ends, rows)
		}
	}
	few := !onlyKeep && s.size() <= keepBytes
	if !few {
		drop()
	}
	err = work(func(in *instrument, src *source) bool {
		done := in.q.Spec.everyTrade() || src == in.trades && s.grid.Kind != TimeBars
		return src == in.funding || !done && (few || !s.o.NoCache) // what can stay nowhere is folded when it is played
	}, func(h *shelf) bool { return few || !onlyKeep && h.src == of[h.src].funding }, func(h *shelf, i int, t *table) {
		if few || h.src == of[h.src].funding {
			h.src.parts[i].table = t
		}
	})
	if err != nil {
		return kept, err
	}
	for _, in := range s.of {
		if in.funding != nil && !onlyKeep {
			in.settled, in.gaps = funding(in.q, in.funding.parts)
			for i := range in.funding.parts {
				in.funding.parts[i].table = nil
			}
		}
	}
	return kept, nil
}

// size is the most memory that all tables of bars can take.
func (s *Source) size() (bytes int64) {
	for _, in := range s.of {
		for _, l := range in.lays {
			for i, p := range l.src.parts {
				switch {
				case p.presence != Present || in.q.Spec.everyTrade():
				case s.grid.Kind == TimeBars:
					bytes += int64(24*time.Hour/s.grid.Every) * int64(8+8*len(l.src.fields))
				case i > 0:
					bytes += int64(in.ends[i]-in.ends[i-1]) * int64(8+8*len(l.src.fields))
				default:
					bytes += int64(in.ends[i]) * int64(8+8*len(l.src.fields))
				}
			}
		}
	}
	return bytes
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
