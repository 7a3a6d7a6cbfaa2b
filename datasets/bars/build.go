package bars

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

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
// day Build fails with an error that wraps datasets.ErrNotFound.
func Build(ctx context.Context, lake *datasets.Lake, q Request, o Options) (*Series, error) {
	return build(ctx, lake, q, o)
}

func build(ctx context.Context, s store, q Request, o Options) (*Series, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	days := q.sources()
	if err := foldDays(ctx, s, q, o, days); err != nil {
		return nil, err
	}
	if !days[0].held() {
		return nil, fmt.Errorf("bars %s: no trades from %s to %s: %w in the lake; run qf fetch --exchange %s --symbols %s --types trades --from %s --to %s",
			q.Instrument, q.First, q.End, datasets.ErrNotFound, q.Instrument.Exchange, q.Instrument.Symbol, q.First, q.End)
	}
	return q.series(days), nil
}

func (q Request) validate() error {
	if err := q.Instrument.Validate(); err != nil {
		return fmt.Errorf("bars: %w", err)
	}
	if err := q.Spec.Validate(); err != nil {
		return err
	}
	if q.Spec.Kind != TimeBars {
		return fmt.Errorf("bars %s: %s: only time bars so far", q.Instrument, q.Spec)
	}
	if !(q.Contract.Multiplier > 0) {
		return fmt.Errorf("bars %s: contract multiplier %v: want more than 0", q.Instrument, q.Contract.Multiplier)
	}
	if q.First >= q.End {
		return fmt.Errorf("bars %s: days from %s to %s: want at least one", q.Instrument, q.First, q.End)
	}
	for _, t := range q.Feeds {
		if t != datasets.Trades && t != datasets.DerivativeTicker {
			return fmt.Errorf("bars %s: no columns are made of %s", q.Instrument, t)
		}
	}
	return nil
}

// source is one feed of a request, folded day by day.
type source struct {
	feedFold
	first   datasets.Day // of parts[0]
	parts   []part
	columns func(g grid, parts []part) []column // nil where it makes none
}

// held reports whether the lake had any day.
func (s *source) held() bool {
	return slices.ContainsFunc(s.parts, func(p part) bool { return p.presence != Missing })
}

// sources lists what the request reads, trades first.
func (q Request) sources() []*source {
	over := func(first, end datasets.Day, f feedFold, columns func(grid, []part) []column) *source {
		return &source{f, first, make([]part, end-first), columns}
	}
	list := []*source{over(q.First, q.End, tradeFold(q.Spec, q.Contract), func(g grid, parts []part) []column {
		windows := q.Spec.tickWindows()
		return named(tradeOutput(windows), g.lay(joinTrades(parts, q.Spec.Kind, windows), parts, idleTrades))
	})}
	if slices.Contains(q.Feeds, datasets.DerivativeTicker) {
		list = append(list,
			over(q.First, q.End, tickerFold(q.Spec), func(g grid, parts []part) []column {
				return named(tickerNames, g.lay(joinLast(parts, len(tickerNames)), parts, func([]float64) {}))
			}),
			over(q.First-1, q.End+1, fundingEvents(q.Spec), nil))
	}
	return list
}

// foldDays fills the parts of every source, several days at once. Each writes its own place.
func foldDays(ctx context.Context, s store, q Request, o Options, sources []*source) error {
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, src := range sources {
		for i := range src.parts {
			group.Go(func() (err error) {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				src.parts[i], err = src.day(ctx, s, q, src.first+datasets.Day(i), !o.NoCache)
				return err
			})
		}
	}
	return group.Wait()
}

// series stitches the folded days.
func (q Request) series(sources []*source) *Series {
	g := newGrid(q.First, q.End, q.Spec.Every)
	out := &Series{Instrument: q.Instrument, Spec: q.Spec}
	var columns []column
	for _, src := range sources {
		switch {
		case src.columns == nil:
			out.Settlements = settlements(q.First, q.End, src.parts)
		case src.held():
			columns = append(columns, src.columns(g, src.parts)...)
		}
	}
	out.Record = record(g.labels(), columns, true)
	out.Days, out.Sources = coverage(q, sources)
	return out
}

// coverage lists, day by day, what the lake had of each feed and the files that were read.
func coverage(q Request, sources []*source) (days []DayStatus, files []datasets.Info) {
	for d := q.First - 1; d <= q.End; d++ {
		seen := map[datasets.DataType]bool{}
		for _, src := range sources {
			i := int(d - src.first)
			if seen[src.feed] || i < 0 || i >= len(src.parts) {
				continue
			}
			seen[src.feed] = true
			p := src.parts[i]
			if d >= q.First && d < q.End {
				days = append(days, DayStatus{src.feed, d, p.presence})
			}
			if p.presence != Missing {
				files = append(files, p.info)
			}
		}
	}
	return days, files
}

func named(names []string, values [][]float64) []column {
	columns := make([]column, len(names))
	for i, n := range names {
		columns[i] = column{n, values[i]}
	}
	return columns
}
