package backtest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// BarRequests lists the bars that a study reads, one request an instrument in the study's order, references last. They begin where
// the study's evaluated span and its warm-up want, or with the lake's first day of trades, and are of the feeds that
// the study needs, with best prices and funding rates where the lake has any that it can use.
func BarRequests(lake *datasets.Lake, s *study.Study) ([]bars.Request, error) {
	needs, err := s.Needs()
	if err != nil {
		return nil, err
	}
	first, err := firstDay(lake, s, needs)
	if err != nil {
		return nil, err
	}
	var list []bars.Request
	for _, in := range s.Data.Instruments {
		feeds, err := withAny(lake, in.Instrument, needs.FeedsOf(in), quoteFeeds, first, needs.To)
		if err != nil {
			return nil, err
		}
		if s.Signals.LLM != nil { // prompts show a funding rate where there is one
			if feeds, err = withAny(lake, in.Instrument, feeds, tickerFeeds, first, needs.To); err != nil {
				return nil, err
			}
		}
		list = append(list, bars.Request{Instrument: in.Instrument, Contract: in.Contract, Changes: in.Changes, Spec: s.BarSpec(), First: first, End: needs.To, Feeds: feeds})
	}
	for k, in := range s.Data.References {
		held, err := lake.List(datasets.Trades, in.Instrument)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(held, func(p datasets.Partition) bool { return p.Day >= first && p.Day < needs.To }) {
			return nil, s.Located(in.Path(), fmt.Errorf("%v: no trades from %s to %s: %w in the lake; run qf fetch --config with this study",
				in.Instrument, first, needs.To, datasets.ErrNotFound))
		}
		list = append(list, bars.Request{Instrument: in.Instrument, Contract: in.Contract, Changes: in.Changes, Spec: s.BarSpec(), First: first, End: needs.To, Feeds: needs.References[k]})
	}
	return list, nil
}

// quoteFeeds carry best prices, in the order in which bars prefer them.
var quoteFeeds = []datasets.DataType{datasets.Quotes, datasets.BookTicker, datasets.BookSnapshot25, datasets.BookSnapshot5}

var tickerFeeds = []datasets.DataType{datasets.DerivativeTicker}

// withAny adds to the feeds the first of those that would do, where the lake has one for some of the
// days and none of them is there already.
func withAny(lake *datasets.Lake, in datasets.Instrument, feeds, any []datasets.DataType, first, end datasets.Day) ([]datasets.DataType, error) {
	for _, t := range any {
		if slices.Contains(feeds, t) {
			return feeds, nil
		}
	}
	for _, t := range any {
		held, err := lake.List(t, in)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(held, func(p datasets.Partition) bool { return p.Day >= first && p.Day < end }) {
			return append(slices.Clone(feeds), t), nil
		}
	}
	return feeds, nil
}

// firstDay is the first wanted day from which the lake holds trades of any of the instruments: what
// lies before cannot warm anything up.
func firstDay(lake *datasets.Lake, s *study.Study, needs study.Needs) (datasets.Day, error) {
	first := s.Data.From
	for _, in := range slices.Concat(s.Data.Instruments, study.Instruments(s.Data.References)) {
		held, err := lake.List(datasets.Trades, in.Instrument)
		if err != nil {
			return 0, err
		}
		i, _ := slices.BinarySearchFunc(held, needs.From, func(p datasets.Partition, d datasets.Day) int { return cmp.Compare(p.Day, d) })
		if i < len(held) {
			first = min(first, held[i].Day)
		}
	}
	return first, nil
}
