package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

// BarRequests lists the bars that a study reads, one request an instrument in the study's order. They begin where
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
		list = append(list, bars.Request{Instrument: in.Instrument, Contract: in.Contract, Spec: s.BarSpec(), First: first, End: needs.To, Feeds: feeds})
	}
	return list, nil
}
