package bars

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// store is what Build needs of a lake.
type store interface {
	Stat(datasets.Partition) (datasets.Info, error)
	Scan(context.Context, datasets.DataType, datasets.Instrument, datasets.Range, ...string) (array.RecordReader, error)
	ReadTable(path string) (arrow.Record, map[string]string, error)
	WriteTable(ctx context.Context, path string, rec arrow.Record, meta map[string]string) error
}

// fold takes the record batches of one day-file in file order and leaves a table, in memory that
// does not grow with the rows.
type fold interface {
	add(arrow.Record) error
	table() *table
}

// feedFold is one way to fold one feed.
type feedFold struct {
	name       string // of the folder in the bar cache
	feed       datasets.DataType
	definition string   // whatever changes the table, beside the day-file itself
	columns    []string // to read, after the clock's
	fields     []string // of the table
	start      func(datasets.Day) fold
}

// day gives the table of one day-file, from the cache where it holds it for this very file.
func (f *feedFold) day(ctx context.Context, s store, q Request, d datasets.Day, cache bool) (part, error) {
	p := datasets.Partition{Instrument: q.Instrument, Type: f.feed, Day: d}
	info, err := s.Stat(p)
	switch {
	case errors.Is(err, datasets.ErrNotFound):
		return part{presence: Missing}, nil
	case err != nil:
		return part{}, fmt.Errorf("bars %s: %w", p, err)
	case info.Rows == 0:
		return part{presence: Empty, info: info}, nil
	}
	got := part{presence: Present, info: info}
	if cache {
		if got.table = f.cached(s, info); got.table != nil {
			return got, nil
		}
	}
	if got.table, err = f.run(ctx, s, q, d); err != nil {
		return part{}, fmt.Errorf("bars %s: %w", p, err)
	}
	if cache {
		if err := f.keep(ctx, s, info, got.table); err != nil {
			return part{}, err
		}
	}
	return got, nil
}

// run reads the day-file.
func (f *feedFold) run(ctx context.Context, s store, q Request, d datasets.Day) (*table, error) {
	rows, err := s.Scan(ctx, f.feed, q.Instrument, datasets.DayRange(d, d), append([]string{q.Spec.Clock.column()}, f.columns...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Release()
	to := f.start(d)
	for rows.Next() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := to.add(rows.Record()); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return to.table(), nil
}

// tradeFold makes time bars of trades.
func tradeFold(s Spec, c datasets.Contract) feedFold {
	fields := []string{"open", "high", "low", "close", "volume", "turnover", "buy_turnover", "sell_turnover", "trades", "buy_trades"}
	for _, n := range s.tickWindows() {
		fields = append(fields, fmt.Sprintf("bought_%dt", n), fmt.Sprintf("sold_%dt", n))
	}
	return feedFold{
		name: "trades", feed: datasets.Trades, columns: tradeColumns, fields: fields,
		definition: fmt.Sprintf("%s inverse=%t multiplier=%v windows=%v", s, c.Inverse, c.Multiplier, s.tickWindows()),
		start:      func(d datasets.Day) fold { return newTradeBars(s, c, d) },
	}
}

// tickerFold makes time bars of derivative_ticker.
func tickerFold(s Spec) feedFold {
	return feedFold{
		name: "derivative_ticker", feed: datasets.DerivativeTicker, columns: tickerNames, fields: tickerNames,
		definition: s.String(),
		start:      func(d datasets.Day) fold { return newTickerBars(s, d) },
	}
}

// fundingEvents makes the funding events and minute marks of derivative_ticker, whatever the bars are.
func fundingEvents(s Spec) feedFold {
	return feedFold{
		name: "funding", feed: datasets.DerivativeTicker, columns: fundingColumns, fields: []string{"event", "rate", "mark"},
		definition: s.Clock.column(),
		start:      func(d datasets.Day) fold { return newFundingFold(d) },
	}
}
