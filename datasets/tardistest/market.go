package tardistest

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/qf-dev/qf/datasets"
)

// DefaultSignal is the strength at which the default composite finds the plant in 90 days of two
// instruments, and at which its correlation with the next hour's return is still a small number.
const DefaultSignal = 0.22

// Market simulates the days of some instruments. A file depends on Seed, Start, the rates and its
// own partition alone: neither on the order in which files are asked for nor on what other
// instruments there are. A market is safe for concurrent use; its exported fields must not change
// after the first call.
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
	TradesPerDay int // 14,400
	QuotesPerDay int // 28,800: quotes and book_ticker

	// Seconds between two rows; 0 means the default.
	TickerEvery   int // 60: derivative_ticker
	SnapshotEvery int // 10: book_snapshot_5 and book_snapshot_25

	mu    sync.Mutex
	world chain[climate]
	perps map[datasets.Instrument]*chain[state]
}

// feed writes one day of one feed of one instrument.
type feed func(m *Market, o *csvWriter, l listing, d *day)

// feeds is what the market can write.
var feeds = map[datasets.DataType]feed{
	datasets.Trades:           (*Market).writeTrades,
	datasets.DerivativeTicker: (*Market).writeTicker,
	datasets.Quotes:           (*Market).writeQuotes,
	datasets.BookSnapshot25:   (*Market).writeSnapshots25,
}

// WriteDay writes p as the vendor's CSV, header first, not compressed. The error wraps
// datasets.ErrNotFound where the market has no such instrument, feed or day.
func (m *Market) WriteDay(w io.Writer, p datasets.Partition) error {
	write, ok := feeds[p.Type]
	if !ok || !m.lists(p.Instrument) || p.Day < m.Start || m.End != 0 && p.Day >= m.End {
		return fmt.Errorf("simulate %s: %w", p, datasets.ErrNotFound)
	}
	o := newCSVWriter(w, p)
	write(m, o, listingOf(p.Instrument), m.day(p.Instrument, p.Day))
	if err := o.flush(); err != nil {
		return fmt.Errorf("simulate %s: %w", p, err)
	}
	return nil
}

func (m *Market) lists(in datasets.Instrument) bool {
	for _, x := range m.Instruments {
		if x == in {
			return true
		}
	}
	return false
}

// random is the source of chance for one purpose: equal arguments give equal streams.
func (m *Market) random(purpose string, in datasets.Instrument, d datasets.Day) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s|%s|%d", purpose, in, d)
	return rand.New(rand.NewPCG(m.Seed, h.Sum64()))
}

func orDefault(n, d int) int {
	if n == 0 {
		return d
	}
	return n
}
