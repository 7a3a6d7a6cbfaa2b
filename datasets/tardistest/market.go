package tardistest

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/qf-dev/qf/datasets"
)

// DefaultSignal is the strength at which the default composite finds the plant in 90 days of two
// instruments: its information coefficient at one hour is then about 0.07.
const DefaultSignal = 0.22

// Market simulates the days of some instruments. A file depends on Seed, Start, Signal, the rates,
// the gaps and its own partition alone: neither on the order in which files are asked for nor on
// what other instruments there are. A market is safe for concurrent use; its exported fields must
// not change after the first call.
type Market struct {
	Seed        uint64
	Start       datasets.Day // the first day there is
	End         datasets.Day // exclusive; 0 means that the market never closes
	Instruments []datasets.Instrument

	// Signal is the correlation, to first order, of the order-flow state with the return of the
	// next hour. 0 is the twin market: the same times, sides and amounts, and returns that nothing
	// predicts.
	Signal float64

	// Rows a day and instrument on average; 0 means the default.
	TradesPerDay      int // 14,400
	QuotesPerDay      int // 28,800: quotes; book_ticker has twice as many
	BookUpdatesPerDay int // 28,800: messages of incremental_book_L2, of one or more rows each

	// Seconds between two rows; 0 means the default.
	TickerEvery   int // 60: derivative_ticker
	SnapshotEvery int // 10: book_snapshot_5 and book_snapshot_25
	OptionsEvery  int // 600: each option of options_chain

	Gaps []Gap

	// Lives are when instruments were listed; one that has none was always there.
	Lives []Life

	mu    sync.Mutex
	world chain[climate]
	perps map[datasets.Instrument]*chain[state]
}

// Gap is a stretch for which something is not there. A gap in trades alone is a stretch without
// volume; a feed that is silent for a whole day is a day on which the vendor recorded nothing.
type Gap struct {
	datasets.Range                     // by arrival
	Instrument     datasets.Instrument // zero: all
	Type           datasets.DataType   // empty: all
	// NoFile takes away the files of all days that the gap touches, where rows alone are left out otherwise.
	NoFile bool
}

// Life is one stretch of days over which an instrument is listed. Outside of its lives it has no files; its price goes on.
type Life struct {
	Instrument datasets.Instrument
	From, To   datasets.Day // [From, To); To 0: it goes on
}

// listed reports whether the instrument is there on that day.
func (m *Market) listed(in datasets.Instrument, d datasets.Day) bool {
	some := false
	for _, l := range m.Lives {
		if l.Instrument == in {
			some = true
			if l.From <= d && (l.To == 0 || d < l.To) {
				return true
			}
		}
	}
	return !some
}

// feed is one type of file.
type feed struct {
	derivative bool // spot instruments do not have it
	write      func(m *Market, o *csvWriter, l listing, d *day)
}

func (f feed) fits(k kind) bool { return !f.derivative || k != spot }

// feeds is what the market can write. It is filled by init because grouped files refer back to it.
var feeds map[datasets.DataType]feed

func init() {
	feeds = map[datasets.DataType]feed{
		datasets.Trades:            {false, (*Market).writeTrades},
		datasets.IncrementalBookL2: {false, (*Market).writeUpdates},
		datasets.BookSnapshot5:     {false, func(m *Market, o *csvWriter, l listing, d *day) { m.writeSnapshots(o, l, d, 5) }},
		datasets.BookSnapshot25:    {false, func(m *Market, o *csvWriter, l listing, d *day) { m.writeSnapshots(o, l, d, 25) }},
		datasets.Quotes:            {false, func(m *Market, o *csvWriter, l listing, d *day) { m.writeTop(o, l, d, "quotes", 1) }},
		datasets.BookTicker:        {false, func(m *Market, o *csvWriter, l listing, d *day) { m.writeTop(o, l, d, "book_ticker", 2) }},
		datasets.DerivativeTicker:  {true, (*Market).writeTicker},
		datasets.Liquidations:      {true, (*Market).writeLiquidations},
		datasets.OptionsChain:      {true, (*Market).writeOptions},
	}
}

// WriteDay writes p as the vendor's CSV, header first, not compressed; nothing where no row arrived
// on that day. The symbols SPOT, FUTURES and PERPETUALS, and OPTIONS for options_chain, which has no
// other, stand for all such instruments of the exchange. The error wraps datasets.ErrNotFound where
// the market has no such instrument, feed or day.
func (m *Market) WriteDay(w io.Writer, p datasets.Partition) error {
	write := m.writeFile
	found := false
	if p.Grouped() {
		write, found = m.writeGroup, len(m.members(p)) > 0
	} else {
		found = p.Type != datasets.OptionsChain && slices.Contains(m.Instruments, p.Instrument) &&
			feeds[p.Type].fits(listingOf(p.Instrument).kind) && m.open(p.Instrument, p.Type, p.Day)
	}
	if !found {
		return fmt.Errorf("simulate %s: %w", p, datasets.ErrNotFound)
	}
	if err := write(w, p); err != nil {
		return fmt.Errorf("simulate %s: %w", p, err)
	}
	return nil
}

// open reports whether the market has the feed on that day.
func (m *Market) open(in datasets.Instrument, t datasets.DataType, d datasets.Day) bool {
	if feeds[t].write == nil || d < m.Start || m.End != 0 && d >= m.End || !m.listed(in, d) {
		return false
	}
	for _, g := range m.gaps(in, t) {
		if g.NoFile && slices.Contains(g.Days(), d) {
			return false
		}
	}
	return true
}

// gaps lists those of the feed.
func (m *Market) gaps(in datasets.Instrument, t datasets.DataType) []Gap {
	var gaps []Gap
	for _, g := range m.Gaps {
		if (g.Instrument == datasets.Instrument{} || g.Instrument == in) && (g.Type == "" || g.Type == t) {
			gaps = append(gaps, g)
		}
	}
	return gaps
}

// writeFile writes the day of one instrument.
func (m *Market) writeFile(w io.Writer, p datasets.Partition) error {
	o := newCSVWriter(w, p, m.gaps(p.Instrument, p.Type))
	feeds[p.Type].write(m, o, listingOf(p.Instrument), m.day(p.Instrument, p.Day))
	return o.flush()
}

// random is the source of chance for one purpose: equal arguments give equal streams.
func (m *Market) random(purpose string, in datasets.Instrument, d datasets.Day) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s|%s|%d", purpose, in, d)
	return rand.New(rand.NewPCG(m.Seed, h.Sum64()))
}

func orDefault(n, d int) int {
	if n == 0 {
		return d
	}
	return n
}
