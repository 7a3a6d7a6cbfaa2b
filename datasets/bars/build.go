package bars

import (
	"context"
	"fmt"
	"slices"

	"github.com/qf-dev/qf/datasets"
)

// Request is what Build makes bars of.
type Request struct {
	Instrument datasets.Instrument
	Contract   datasets.Contract
	Changes    []datasets.MultiplierChange // days from which on the contract's multiplier was another, up to the one it has
	Spec       Spec
	First, End datasets.Day // days [First, End)
	// Feeds names the feeds whose columns are wanted beside those of trades, which are always built.
	Feeds []datasets.DataType
}

// Options says how, never what.
type Options struct {
	Workers int  // days folded at once; 0 means GOMAXPROCS
	NoCache bool // neither read nor write the bar cache

	// Own picks what Keep keeps, for machines that share the work: files of the cache, of an instrument and a
	// month ("month=2024-01"), or "" where bars are not time bars and their labels take every month; nil picks all.
	Own func(in datasets.Instrument, month string) bool
}

// Build folds the lake's ticks into bars, in memory: what a Source plays of the request. The result is the same to the
// bit whatever Workers is and whether the cache was warm. The caller releases Series.Record.
//
// The columns of a feed that the lake does not hold on any day are left out; without trades on any
// day Build fails with an error that wraps datasets.ErrNotFound. Of the feeds with best prices that
// are asked for and held, the first of quotes, book_ticker, book_snapshot_25 and book_snapshot_5 is
// taken; depth is that of book_snapshot_25, else book_snapshot_5.
func Build(ctx context.Context, lake Store, q Request, o Options) (*Series, error) {
	s, err := OpenSource(ctx, lake, []Request{q}, o)
	if err != nil {
		return nil, err
	}
	w := Want{Hi: s.rows, Fields: slices.DeleteFunc(slices.Clone(s.fields), func(f string) bool { return f == SettledFunding })}
	labels, columns := make([]int64, s.rows), make([]column, len(w.Fields))
	for k, name := range w.Fields {
		columns[k] = column{name, make([]float64, s.rows)}
	}
	for b, err := range s.Blocks(ctx, w) {
		if err != nil {
			return nil, err
		}
		copy(labels[b.Lo:], b.Close)
		for k, c := range columns {
			copy(c.values[b.Lo:], b.Cols[k][0])
		}
	}
	in := s.of[0]
	return &Series{
		Instrument: q.Instrument, Spec: q.Spec, Record: record(labels, columns, true),
		Days: in.coverage, Settlements: in.settled, FundingGaps: in.gaps, ContinuousFunding: q.Contract.ContinuousFunding, Sources: in.files,
	}, nil
}

// builder is what is to be folded for one request, and joined to columns.
type builder struct {
	q       Request
	o       Options
	store   Store
	feeds   []holding // trades first
	around  []part    // derivative_ticker from the day before First to that after End−1
	sources []*source
	lays    []laying
	funding *source // of settlements; nil without derivative_ticker
}

// laying is the columns that the days of a source are to be joined to.
type laying struct {
	src   *source
	names []string
	join  func() joiner
	of    func(column int) []int // the table's columns that an output column is made of
}

// alike is laying.of where the columns are the table's.
func alike(column int) []int { return []int{column} }

// holding is what the lake has of a feed on the request's days.
type holding struct {
	feed  datasets.DataType
	parts []part
}

func (b *builder) noTrades() error {
	q := b.q
	return fmt.Errorf("bars %s: no trades from %s to %s: %w in the lake; run qf fetch --exchange %s --symbols %s --types trades --from %s --to %s",
		q.Instrument, q.First, q.End, datasets.ErrNotFound, q.Instrument.Exchange, q.Instrument.Symbol, q.First, q.End)
}

// barFeeds are the feeds of which columns are made.
var barFeeds = []datasets.DataType{datasets.Trades, datasets.Quotes, datasets.BookTicker, datasets.BookSnapshot25,
	datasets.BookSnapshot5, datasets.DerivativeTicker, datasets.Liquidations}

func (q Request) validate() error {
	if err := q.Instrument.Validate(); err != nil {
		return fmt.Errorf("bars: %w", err)
	}
	if err := q.Spec.Validate(); err != nil {
		return err
	}
	if !(q.Contract.Multiplier > 0) {
		return fmt.Errorf("bars %s: contract multiplier %v: want more than 0", q.Instrument, q.Contract.Multiplier)
	}
	if q.First >= q.End {
		return fmt.Errorf("bars %s: days from %s to %s: want at least one", q.Instrument, q.First, q.End)
	}
	for _, t := range q.Feeds {
		if !slices.Contains(barFeeds, t) {
			return fmt.Errorf("bars %s: no columns are made of %s", q.Instrument, t)
		}
	}
	return nil
}

// terms is what an amount means, on each day.
type terms struct {
	contract datasets.Contract
	changes  []datasets.MultiplierChange
}

func (q Request) terms() terms { return terms{q.Contract, q.Changes} }

// on is the contract as it was on a day.
func (x terms) on(d datasets.Day) datasets.Contract { return x.contract.On(x.changes, d) }

// key is what of the terms changes a fold.
func (x terms) key() string {
	text := fmt.Sprintf("inverse=%t multiplier=%v", x.contract.Inverse, x.contract.Multiplier)
	for _, c := range x.changes {
		text += fmt.Sprintf(" %v until %s", c.Before, c.Day)
	}
	return text
}

// look finds what the lake has of the feeds asked for.
func (b *builder) look(ctx context.Context) error {
	for _, feed := range barFeeds {
		if feed != datasets.Trades && !slices.Contains(b.q.Feeds, feed) {
			continue
		}
		first, end := b.q.First, b.q.End
		if feed == datasets.DerivativeTicker {
			first, end = first-1, end+1
		}
		parts, err := find(ctx, b.store, b.o.Workers, b.q.Instrument, feed, first, end)
		if err != nil {
			return err
		}
		if feed == datasets.DerivativeTicker {
			b.around, parts = parts, parts[1:len(parts)-1]
		}
		b.feeds = append(b.feeds, holding{feed, parts})
	}
	return nil
}

// held gives the parts of the first of the feeds that was asked for and is there on any day.
func (b *builder) held(feeds ...datasets.DataType) (datasets.DataType, []part, bool) {
	for _, feed := range feeds {
		for _, h := range b.feeds {
			if h.feed == feed && held(h.parts) {
				return feed, h.parts, true
			}
		}
	}
	return "", nil, false
}

// source enters a fold over days that begin at first.
func (b *builder) source(f feedFold, first datasets.Day, parts []part) *source {
	src := &source{feedFold: f, first: first, parts: slices.Clone(parts), noCache: b.o.NoCache}
	b.sources = append(b.sources, src)
	return src
}

// enterTrades enters the trades, whose columns are the first.
func (b *builder) enterTrades() *source {
	windows := b.q.Spec.tickWindows()
	src := b.source(tradeFold(b.q.Spec, b.q.terms()), b.q.First, b.feeds[0].parts)
	b.lays = append(b.lays, laying{src, tradeNames(windows), func() joiner { return newTradeJoin(src.parts, windows) }, ofTrades})
	return src
}

// enterOthers enters the feeds beside trades.
func (b *builder) enterOthers() {
	q := b.q
	key := q.Spec.String()
	if q.Spec.Kind != TimeBars {
		key += " " + q.terms().key() // by which bars fill
	}
	enter := func(fold feedFold, parts []part, names []string, join func() joiner, of func(int) []int) {
		src := b.source(fold, q.First, parts)
		if q.Spec.Kind != TimeBars {
			src.labels = b.feeds[0].parts
		}
		b.lays = append(b.lays, laying{src, names, join, of})
	}
	if feed, parts, ok := b.held(datasets.Quotes, datasets.BookTicker, datasets.BookSnapshot25, datasets.BookSnapshot5); ok {
		enter(bestFold(key, feed), parts, bestNames, func() joiner { return newBestJoin() }, ofBest)
	}
	if feed, parts, ok := b.held(datasets.BookSnapshot25, datasets.BookSnapshot5); ok {
		names := depthNames(feed)
		enter(depthFold(key, q.terms(), feed), parts, names, func() joiner { return newLastJoin(len(names), false) }, alike)
	}
	if _, parts, ok := b.held(datasets.DerivativeTicker); ok {
		enter(tickerFold(key), parts, tickerNames, func() joiner { return newLastJoin(len(tickerNames), true) }, alike)
		b.funding = b.source(fundingEvents(q.Spec.Clock), q.First-1, b.around)
	}
	if _, parts, ok := b.held(datasets.Liquidations); ok {
		enter(liquidationFold(key, q.terms()), parts, liquidationNames, func() joiner { return &liquidationJoin{} }, alike)
	}
}

// coverage lists, day by day, what the lake had of each feed asked for, and the files that were read.
func (b *builder) coverage() (days []DayStatus, files []datasets.Info) {
	for d := b.q.First - 1; d <= b.q.End; d++ {
		if d >= b.q.First && d < b.q.End {
			for _, h := range b.feeds {
				days = append(days, DayStatus{h.feed, d, h.parts[d-b.q.First].presence})
			}
		}
		today := len(files)
		for _, src := range b.sources { // two may read the same file
			if i := int(d - src.first); i >= 0 && i < len(src.parts) && src.parts[i].presence != Missing &&
				!slices.ContainsFunc(files[today:], func(f datasets.Info) bool { return f.Partition.Type == src.feed }) {
				files = append(files, src.parts[i].info)
			}
		}
	}
	return days, files
}
