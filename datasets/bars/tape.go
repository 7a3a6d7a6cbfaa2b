package bars

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/qf-dev/qf/datasets"
)

// Tape is what Build makes of tick bars of one trade, for series that are too long to be in memory at once:
// it is played from the lake's pages, as often as wanted, a chunk of rows at a time.
type Tape struct {
	Instrument  datasets.Instrument
	Rows        int // trades in all
	Days        []DayStatus
	Settlements []Settlement // as in Series
	FundingGaps []FundingGap // as in Series
	Sources     []datasets.Info

	q     Request
	store Store
	parts []part
}

// OpenTape finds what the lake has of a request for tick bars of one trade. Of the feeds beside trades it
// knows derivative_ticker alone, and of that the settlements.
func OpenTape(ctx context.Context, lake Store, q Request, o Options) (*Tape, error) {
	b := &builder{q: q, o: o, store: lake}
	if err := q.validate(); err != nil {
		return nil, err
	}
	if q.Spec.Kind != TickBars || q.Spec.Size != 1 {
		return nil, fmt.Errorf("bars %s: %v: only tick bars of one trade are a tape", q.Instrument, q.Spec)
	}
	if err := b.look(ctx); err != nil {
		return nil, err
	}
	t := &Tape{Instrument: q.Instrument, q: q, store: lake, parts: b.feeds[0].parts}
	if !held(t.parts) {
		return nil, b.noTrades()
	}
	for _, p := range t.parts {
		t.Rows += int(p.info.Rows)
	}
	b.source(feedFold{feed: datasets.Trades}, q.First, t.parts)
	if _, _, ok := b.held(datasets.DerivativeTicker); ok {
		events := b.source(fundingEvents(q.Spec.Clock), q.First-1, b.around)
		cut := func(i int) (cutter, error) { return newCutter(events.first + datasets.Day(i)), nil }
		if _, err := loadAll(ctx, o.Workers, events.shelves(lake, q, cut), false, nil, func(h *shelf, day int, t *table) { events.parts[day].table = t }); err != nil {
			return nil, err
		}
		t.Settlements, t.FundingGaps = funding(q, events.parts)
	}
	t.Days, t.Sources = b.coverage()
	return t, nil
}

// Playback says which rows to play.
type Playback struct {
	From, To int      // rows [From, To)
	Length   int      // rows of a chunk
	Back     int      // rows before a chunk that its columns hold too, as far as there are any
	Ahead    int      // rows after it
	Columns  []string // of Build, that are wanted beside the prices
}

// Trades is a chunk of a tape: rows [Lo, Hi), in columns that begin at row Base; what stands more than
// Playback.Back rows before Lo means nothing.
type Trades struct {
	Lo, Hi int
	Base   int
	TS     []int64 // labels, Unix µs

	rows tradeRows
	reel *reel
}

// Release gives the chunk's memory back to its tape.
func (c *Trades) Release() { c.reel.release() }

// Column gives a column by the name that Build gives it; it must be among those asked for.
func (c *Trades) Column(name string) []float64 {
	r := &c.rows
	switch name {
	case "open", "high", "low", "close":
		return r.price
	case "volume":
		return r.volume
	case "turnover":
		return r.turnover
	case "buy_turnover":
		return r.buy
	case "sell_turnover":
		return r.sell
	case "buy_trades":
		return r.buys
	}
	for w, n := range c.reel.windows {
		if name == tradeNames([]int{n})[oWindows] {
			return r.ofi[w]
		}
	}
	panic("bars: a tape has no column " + name)
}

// reel is a stretch of rows in memory, of which several chunks are parts. Rows are added at its end only, and
// its memory stays where it is as long as a chunk of it is out.
type reel struct {
	base    int // row of the first
	rows    tradeRows
	windows []int
	users   atomic.Int32 // chunks that are out, and the player
	free    chan *reel
}

func (r *reel) release() {
	if r.users.Add(-1) == 0 {
		r.free <- r
	}
}

// reelChunks is the number of chunks that a reel has room for, beside a batch that is larger.
const reelChunks = 16

// room is the number of rows that can be added.
func (r *reel) room() int { return cap(r.rows.ts) - len(r.rows.ts) }

// start makes an empty reel with room for n rows.
func (r *reel) start(n int) {
	r.users.Store(1)
	if cap(r.rows.ts) < n {
		r.rows.ts = make([]int64, 0, n)
		for _, col := range r.rows.columns() {
			if *col != nil {
				*col = make([]float64, 0, n)
			}
		}
	}
	r.extend(-len(r.rows.ts))
}

// extend adds n rows, which are not filled yet.
func (r *reel) extend(n int) {
	rows := len(r.rows.ts) + n
	r.rows.ts = r.rows.ts[:rows]
	for _, col := range r.rows.columns() {
		if *col != nil {
			*col = (*col)[:rows]
		}
	}
}

// copyTo begins an empty reel with the rows from the given place on.
func (r *reel) copyTo(to *reel, from int) {
	to.base = r.base + from
	to.extend(len(r.rows.ts) - from)
	copy(to.rows.ts, r.rows.ts[from:])
	into := to.rows.columns()
	for k, col := range r.rows.columns() {
		if *col != nil {
			copy(*into[k], (*col)[from:])
		}
	}
}

func (r *tradeRows) columns() []*[]float64 {
	list := []*[]float64{&r.price, &r.volume, &r.turnover, &r.buy, &r.sell, &r.buys}
	for w := range r.ofi {
		list = append(list, &r.ofi[w])
	}
	return list
}

// Play calls f with chunk after chunk, in order. f may hand a chunk on to another goroutine; each must be
// released, or the tape waits for it in the end. The last chunk may be shorter.
func (t *Tape) Play(ctx context.Context, p Playback, f func(*Trades) error) error {
	y := t.player(p, f)
	defer func() { y.now.release() }()
	first, row := t.start(p.From - p.Back)
	y.row, y.now.base = row, row
	for i := first; i < len(t.parts) && y.lo < p.To; i++ {
		part := &t.parts[i]
		if part.presence == Missing {
			y.before = tail{}
		}
		if part.presence != Present {
			continue
		}
		if err := y.day(ctx, t.q.First+datasets.Day(i)); err != nil {
			return fmt.Errorf("bars %s: %w", part.info.Partition, err)
		}
	}
	return nil
}

// start is the day to begin with, and its first row: one before which the tick windows do not reach.
func (t *Tape) start(row int) (day, first int) {
	widest := slices.Max(t.q.Spec.tickWindows())
	at := 0
	for i, p := range t.parts {
		if at <= row-widest {
			day, first = i, at
		}
		at += int(p.info.Rows)
	}
	return day, first
}

// player is the state of Play.
type player struct {
	*Tape
	p       Playback
	f       func(*Trades) error
	windows []int
	free    chan *reel
	now     *reel // being filled
	row     int   // of the whole: the next one
	lo      int   // of the next chunk
	before  tail  // of the day
	last    int64 // label
}

// reels is the number of reels in turn.
const reels = 3

func (t *Tape) player(p Playback, f func(*Trades) error) *player {
	y := &player{Tape: t, p: p, f: f, free: make(chan *reel, reels), lo: p.From, last: math.MinInt64}
	wanted := func(name string) []float64 {
		if slices.Contains(p.Columns, name) {
			return []float64{}
		}
		return nil
	}
	for _, name := range p.Columns {
		if strings.HasPrefix(name, "ofi_") {
			y.windows = t.q.Spec.tickWindows()
		}
	}
	for range reels {
		r := &reel{free: y.free, windows: y.windows, rows: tradeRows{
			price: []float64{}, volume: wanted("volume"), turnover: []float64{}, buy: []float64{}, sell: []float64{}, buys: wanted("buy_trades"),
		}}
		for range y.windows {
			r.rows.ofi = append(r.rows.ofi, []float64{})
		}
		y.free <- r
	}
	y.now = <-y.free
	y.now.start(reelChunks * p.Length)
	return y
}

// day plays one day-file.
func (y *player) day(ctx context.Context, d datasets.Day) error {
	rows, err := y.store.Scan(ctx, datasets.Trades, y.Instrument, datasets.DayRange(d, d), append([]string{y.q.Spec.Clock.column()}, tradeColumns...)...)
	if err != nil {
		return err
	}
	defer rows.Release()
	info := y.parts[d-y.q.First].info
	r := newTradeReader(d, y.q.Contract, y.windows)
	seen := 0
	for rows.Next() && y.lo < y.p.To {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.batch.read(rows.Record()); err != nil {
			return err
		}
		r.batch.hold()
		n := len(r.batch.t)
		if seen+n > int(info.Rows) {
			return fmt.Errorf("more rows than the %d of the footer", info.Rows)
		}
		if err := y.prepare(ctx, n); err != nil {
			return err
		}
		at := len(y.now.rows.ts)
		y.now.extend(n)
		to := y.now.rows.rows(at, at+n)
		r.write(to)
		y.stitch(to, r, seen)
		seen += n
		y.row += n
		if err := y.emit(ctx); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if y.lo < y.p.To && seen != int(info.Rows) {
		return fmt.Errorf("%d rows fewer than the footer says", int(info.Rows)-seen)
	}
	if w := len(r.windows); w > 0 {
		buy, sell := r.windows[w-1].tail()
		y.before.push([2][]float64{buy, sell}, y.windows[w-1])
	}
	return nil
}

// stitch completes the tick windows that begin before the day, of which so many rows were seen, and makes
// labels ascend over days.
func (y *player) stitch(to tradeRows, r *tradeReader, seen int) {
	for i := 0; i < len(to.ts) && to.ts[i] < y.last; i++ {
		to.ts[i] = y.last
	}
	if n := len(to.ts); n > 0 {
		y.last = to.ts[n-1]
	}
	for w, n := range y.windows {
		if seen >= n-1 {
			continue
		}
		buy, sell := r.lead[w][0], r.lead[w][1]
		for i := range min(len(to.ts), n-1-seen) {
			buy += to.buy[i]
			sell += to.sell[i]
			to.ofi[w][i] = y.before.ofi(n, float64(seen+i+1), buy, sell)
		}
		r.lead[w] = [2]float64{buy, sell}
	}
}

// prepare makes room for n more rows: on another reel, which begins with what is still wanted of this one.
func (y *player) prepare(ctx context.Context, n int) error {
	if y.now.room() >= n {
		return nil
	}
	var next *reel
	select {
	case next = <-y.free:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	from := min(max(0, y.lo-y.p.Back-y.now.base), len(y.now.rows.ts))
	next.start(max(reelChunks*y.p.Length, len(y.now.rows.ts)-from+n))
	y.now.copyTo(next, from)
	y.now.release()
	y.now = next
	return nil
}

// emit hands on the chunks that are complete.
func (y *player) emit(ctx context.Context) error {
	for y.lo < y.p.To {
		hi := min(y.lo+y.p.Length, y.p.To)
		if y.row < min(hi+y.p.Ahead, y.Rows) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r := y.now
		r.users.Add(1)
		c := &Trades{Lo: y.lo, Hi: hi, Base: r.base, TS: r.rows.ts, rows: r.rows, reel: r}
		c.rows.ofi = slices.Clone(r.rows.ofi)
		y.lo = hi
		if err := y.f(c); err != nil {
			return err
		}
	}
	return nil
}
