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
	Spec       Spec
	First, End datasets.Day // days [First, End)
	// Feeds names the feeds whose columns are wanted beside those of trades, which are always built.
	Feeds []datasets.DataType
}

// Options says how, never what.
type Options struct {
	Workers int  // days folded at once; 0 means GOMAXPROCS
	NoCache bool // neither read nor write the bar cache
}

// Build folds the lake's ticks into bars. The result is the same to the bit whatever Workers is and
// whether the cache was warm. The caller releases Series.Record.
//
// The columns of a feed that the lake does not hold on any day are left out; without trades on any
// day Build fails with an error that wraps datasets.ErrNotFound. Of the feeds with best prices that
// are asked for and held, the first of quotes, book_ticker, book_snapshot_25 and book_snapshot_5 is
// taken; depth is that of book_snapshot_25, else book_snapshot_5.
func Build(ctx context.Context, lake Store, q Request, o Options) (*Series, error) {
	return build(ctx, lake, q, o)
}

// builder makes one series.
type builder struct {
	q       Request
	o       Options
	store   Store
	feeds   []holding // trades first
	around  []part    // derivative_ticker from the day before First to that after End−1
	frame   frame
	sources []*source
	folded  int // the first so many of sources are
	lays    []laying
	columns []column
	funding *source // of settlements; nil without derivative_ticker

	onlyKeep bool // fold and keep, and lay no bars
	kept     Kept
}

// laying is the columns that the days of a source are to be joined to.
type laying struct {
	src   *source
	names []string
	join  func([]part) joiner
}

// holding is what the lake has of a feed on the request's days.
type holding struct {
	feed  datasets.DataType
	parts []part
}

func build(ctx context.Context, s Store, q Request, o Options) (*Series, error) {
	b := &builder{q: q, o: o, store: s}
	settled, gaps, err := b.fill(ctx)
	if err != nil {
		return nil, err
	}
	out := &Series{Instrument: q.Instrument, Spec: q.Spec, Settlements: settled, FundingGaps: gaps, ContinuousFunding: q.Contract.ContinuousFunding}
	out.Record = record(b.frame.labels, b.columns, true)
	out.Days, out.Sources = b.coverage()
	return out, nil
}

// fill folds the days and lays the columns.
func (b *builder) fill(ctx context.Context) ([]Settlement, []FundingGap, error) {
	if err := b.q.validate(); err != nil {
		return nil, nil, err
	}
	if err := b.look(ctx); err != nil {
		return nil, nil, err
	}
	if !held(b.feeds[0].parts) {
		return nil, nil, b.noTrades()
	}
	if err := b.trades(ctx); err != nil {
		return nil, nil, err
	}
	return b.others(ctx)
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

// trades makes the frame and the columns of trades.
func (b *builder) trades(ctx context.Context) error {
	q := b.q
	if q.Spec.Kind == TickBars && q.Spec.Size == 1 {
		return b.everyTrade(ctx)
	}
	windows := q.Spec.tickWindows()
	src := b.enterTrades()
	if q.Spec.Kind == TimeBars { // the grid is known, so they are folded and laid with the other feeds
		b.frame = timeFrame(q)
		return nil
	}
	b.lays = nil
	if err := b.fold(ctx); err != nil {
		return err
	}
	b.frame = tradeFrame(q.First, src.parts)
	b.add(tradeNames(windows), newTradeJoin(src.parts, windows).join(&b.frame))
	return nil
}

// enterTrades enters the trades, which are the first to be laid.
func (b *builder) enterTrades() *source {
	q := b.q
	windows := q.Spec.tickWindows()
	fold := tradeFold(q.Spec, q.Contract)
	src := b.source(fold, q.First, b.feeds[0].parts)
	b.lays = append(b.lays, laying{src, tradeNames(windows), func(days []part) joiner { return newTradeJoin(days, windows) }})
	return src
}

// fold folds the sources that were entered since it was last called.
func (b *builder) fold(ctx context.Context) error {
	from := b.folded
	b.folded = len(b.sources)
	return b.foldAll(ctx, b.sources[from:]...)
}

// everyTrade is trades for bars of one trade.
func (b *builder) everyTrade(ctx context.Context) error {
	q, parts := b.q, b.feeds[0].parts
	b.frame = frame{first: q.First}
	rows := 0
	for _, p := range parts {
		rows += int(p.info.Rows)
		b.frame.ends = append(b.frame.ends, rows)
	}
	all := newEveryTrade(rows, q.Spec, q.Contract)
	days := make([]*everyTradeDay, len(parts))
	src := b.source(feedFold{feed: datasets.Trades, columns: tradeColumns, start: func(c cutter) fold {
		i := int(c.day - q.First)
		end := b.frame.ends[i]
		days[i] = all.day(c.day, end-int(parts[i].info.Rows), end)
		return days[i]
	}}, q.First, parts)
	src.noCache = true
	if err := b.fold(ctx); err != nil {
		return err
	}
	for _, d := range days {
		if d != nil && d.at != d.end {
			return fmt.Errorf("bars %s: %s has %d rows fewer than its footer says", q.Instrument, d.cut.day, d.end-d.at)
		}
	}
	all.finish(parts)
	b.frame.labels = all.ts
	b.columns = all.columns()
	return nil
}

// enterOthers enters the feeds beside trades.
func (b *builder) enterOthers() {
	q, f := b.q, &b.frame
	key := q.Spec.String() + ", prices above 0"
	if q.Spec.Kind != TimeBars {
		key += " " + contractKey(q.Contract) // by which bars fill
	}
	enter := func(fold feedFold, parts []part, names []string, join func([]part) joiner) {
		src := b.source(fold, q.First, parts)
		src.cut = f.cutter
		if q.Spec.Kind != TimeBars {
			src.labels = b.feeds[0].parts
		}
		b.lays = append(b.lays, laying{src, names, join})
	}
	if feed, parts, ok := b.held(datasets.Quotes, datasets.BookTicker, datasets.BookSnapshot25, datasets.BookSnapshot5); ok {
		enter(bestFold(key, feed), parts, bestNames, func([]part) joiner { return newBestJoin() })
	}
	if feed, parts, ok := b.held(datasets.BookSnapshot25, datasets.BookSnapshot5); ok {
		names := depthNames(feed)
		enter(depthFold(key, q.Contract, feed), parts, names, func([]part) joiner { return newLastJoin(len(names), false) })
	}
	if _, parts, ok := b.held(datasets.DerivativeTicker); ok {
		enter(tickerFold(key), parts, tickerNames, func([]part) joiner { return newLastJoin(len(tickerNames), true) })
		b.funding = b.source(fundingEvents(q.Spec.Clock), q.First-1, b.around)
	}
	if _, parts, ok := b.held(datasets.Liquidations); ok {
		enter(liquidationFold(key, q.Contract), parts, liquidationNames, func([]part) joiner { return &liquidationJoin{} })
	}
}

// others makes the columns of the other feeds, and what they say of funding.
func (b *builder) others(ctx context.Context) ([]Settlement, []FundingGap, error) {
	q, f := b.q, &b.frame
	b.enterOthers()
	if err := b.fold(ctx); err != nil {
		return nil, nil, err
	}
	if b.onlyKeep {
		return nil, nil, nil
	}
	values := make([][][]float64, len(b.lays))
	err := datasets.ForEach(ctx, b.o.Workers, len(b.lays), func(_ context.Context, i int) error {
		l := b.lays[i]
		values[i] = f.lay(l.src.parts, l.join(l.src.parts), len(l.names))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, l := range b.lays {
		b.add(l.names, values[i])
	}
	if b.funding == nil {
		return nil, nil, nil
	}
	settled, gaps := funding(q, b.funding.parts)
	return settled, gaps, nil
}

func (b *builder) add(names []string, values [][]float64) {
	b.columns = append(b.columns, named(names, values)...)
}

func named(names []string, values [][]float64) []column {
	columns := make([]column, len(names))
	for i, n := range names {
		columns[i] = column{n, values[i]}
	}
	return columns
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
