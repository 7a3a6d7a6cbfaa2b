package study

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// defaultWindow is what is evaluated where a study names no windows.
const defaultWindow = 90 * 24 * time.Hour

// maxWarmup bounds how far back a study wants days: as long as the longest span.
const maxWarmup = 30 * 366 * 24 * time.Hour

// Needs is what a study reads from the lake.
type Needs struct {
	// From is the first day that the evaluated span and its warm-up want; the lake may begin later.
	From, To datasets.Day // [From, To)
	Warmup   int          // bars before the evaluated span that factors and their normalization look back
	Feeds    []datasets.DataType
	// References are the feeds of each reference: trades, and those of the fields that formulas look at there.
	References [][]datasets.DataType
}

// Needs works out which days and feeds the study reads.
func (s *Study) Needs() (Needs, error) {
	g := s.Grid()
	if g == nil {
		return Needs{}, fmt.Errorf("study %s: its bars are not valid", s.Name)
	}
	n := Needs{From: s.Data.From, To: s.Data.To, Feeds: []datasets.DataType{datasets.Trades}}
	lookback := map[string]int{}
	list, err := s.MakeFactors(g)
	if err != nil {
		return Needs{}, err
	}
	for _, f := range list {
		lookback[f.Name] = f.Lookback
		n.Warmup = max(n.Warmup, f.Lookback)
	}
	fields, err := s.Fields()
	if err != nil {
		return Needs{}, err
	}
	for _, field := range fields {
		n.Feeds = withFeed(n.Feeds, factors.FieldFeeds(field))
	}
	_, seen := s.formulaFields()
	for k, in := range s.Data.References {
		feeds := []datasets.DataType{datasets.Trades}
		for _, field := range seen[k] {
			feeds = withFeed(feeds, factors.FieldFeeds(field))
		}
		n.References = append(n.References, feedsOf(in, feeds))
	}
	for _, c := range s.Composite.Components {
		normalize := s.Composite.Normalize
		if c.Normalize != nil {
			normalize = *c.Normalize
		}
		n.Warmup = max(n.Warmup, lookback[c.Factor]+normalize.Lookback(g))
	}
	if u := s.Data.Universe; u != nil && g.Every > 0 {
		n.Warmup = max(n.Warmup, int(u.Window.Time/g.Every))
	}
	if s.Signals.LLM != nil && g.Every > 0 {
		n.Warmup = max(n.Warmup, int(summaryWarmup*24*time.Hour/g.Every))
	}
	if s.Execution.Funding && slices.ContainsFunc(s.Data.Instruments, func(in InstrumentConfig) bool { return !in.Contract.Spot }) {
		n.Feeds = withFeed(n.Feeds, []datasets.DataType{datasets.DerivativeTicker})
	}
	if g.Every > 0 {
		back := time.Duration(min(float64(n.Warmup)*float64(g.Every), float64(maxWarmup)))
		start := s.EvaluatedFrom().Add(-back)
		n.From = min(n.From, datasets.DayOf(start.UnixMicro()))
	}
	return n, nil
}

// withFeed adds the first of the feeds that would do, unless one of them is there already.
func withFeed(feeds, any []datasets.DataType) []datasets.DataType {
	if slices.ContainsFunc(any, func(t datasets.DataType) bool { return slices.Contains(feeds, t) }) {
		return feeds
	}
	return append(feeds, any[0])
}

// Fields lists the market fields that the study's factors are computed from, each once: those of the instruments, which
// are not those of the references.
func (s *Study) Fields() ([]string, error) {
	var fields []string
	for _, c := range s.Factors {
		if c.Expr != "" {
			continue
		}
		list, err := factors.Needs(c.Kind, c.Params)
		if err != nil {
			return nil, err
		}
		for _, field := range list {
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	own, _ := s.formulaFields()
	for _, field := range own {
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	return fields, nil
}

// Partitions lists the lake files that the study wants, the day after the span included for feeds in
// which it holds the settlement at data.to.
func (s *Study) Partitions() ([]datasets.Partition, error) {
	n, err := s.Needs()
	if err != nil {
		return nil, err
	}
	var want []datasets.Partition
	add := func(in datasets.Instrument, feeds []datasets.DataType) {
		for _, feed := range feeds {
			last := n.To
			if feed == datasets.DerivativeTicker {
				last++
			}
			for d := n.From; d < last; d++ {
				want = append(want, datasets.Partition{Instrument: in, Type: feed, Day: d})
			}
		}
	}
	for _, in := range s.Data.Instruments {
		add(in.Instrument, n.FeedsOf(in))
	}
	for k, in := range s.Data.References {
		add(in.Instrument, n.References[k])
	}
	return want, nil
}

// FeedsOf are those of one of the instruments.
func (n Needs) FeedsOf(in InstrumentConfig) []datasets.DataType { return feedsOf(in, n.Feeds) }

// feedsOf leaves out what a spot instrument cannot have.
func feedsOf(in InstrumentConfig, feeds []datasets.DataType) []datasets.DataType {
	if !in.Contract.Spot {
		return feeds
	}
	return slices.DeleteFunc(slices.Clone(feeds), func(t datasets.DataType) bool {
		return t == datasets.DerivativeTicker || t == datasets.Liquidations
	})
}

// evaluatedFrom is the first instant of the evaluated span of time bars.
func (s *Study) EvaluatedFrom() time.Time {
	from, to := s.Data.From.Time(), s.Data.To.Time()
	length, step := defaultWindow, defaultWindow
	if s.Windows == nil {
		return later(from, to.Add(-length))
	}
	if s.Windows.Length.Time == 0 || s.Windows.Step.Time == 0 {
		return from
	}
	length, step = s.Windows.Length.Time, s.Windows.Step.Time
	if to.Sub(from) < length {
		return from
	}
	return to.Add(-length - (to.Sub(from)-length)/step*step)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Labels are the labels of a grid's rows, Unix µs and ascending, which need not be in memory.
type Labels struct {
	Rows  int
	Find  func(at int64) (int, error) // the number of rows labelled at or before an instant
	Label func(row int) (int64, error)
}

// LabelsOf are labels in memory.
func LabelsOf(list []int64) Labels {
	return Labels{
		Rows: len(list),
		Find: func(at int64) (int, error) {
			n, _ := slices.BinarySearch(list, at+1)
			return n, nil
		},
		Label: func(row int) (int64, error) { return list[row], nil },
	}
}

// Spans cuts a grid into the study's replays, in time order, and gives the rows of all of them. Time windows end at
// data.to and go back; windows counted in bars end at the last row.
func (s *Study) Spans(g Labels) (all Span, list []Span, err error) {
	if s.Bars.Kind != "time" && s.Windows != nil {
		return s.barSpans(g)
	}
	cut := func(index int, from, to int64) Span {
		lo, failed := g.Find(from)
		hi, late := g.Find(to)
		err = errors.Join(err, failed, late)
		return Span{Index: index, Lo: lo, Hi: hi, From: from, To: to}
	}
	first, to := s.EvaluatedFrom().UnixMicro(), s.Data.To.Start()
	all = cut(0, first, to)
	if s.Windows == nil {
		return all, []Span{all}, err
	}
	length, step := s.Windows.Length.Time.Microseconds(), s.Windows.Step.Time.Microseconds()
	for start := first; start+length <= to && err == nil; start += step {
		list = append(list, cut(len(list), start, start+length))
	}
	if len(list) == 0 {
		list = []Span{all}
	}
	return all, list, err
}

// barSpans are windows counted in bars.
func (s *Study) barSpans(g Labels) (all Span, list []Span, err error) {
	label := func(row int) int64 {
		at, failed := g.Label(row)
		err = errors.Join(err, failed)
		return at
	}
	cut := func(lo, hi int) Span {
		w := Span{Lo: lo, Hi: hi, From: s.Data.From.Start(), To: s.Data.To.Start()}
		if lo > 0 {
			w.From = label(lo - 1)
		}
		if hi > 0 {
			w.To = label(hi - 1)
		}
		return w
	}
	length, step := s.Windows.Length.Bars, s.Windows.Step.Bars
	begin, err := g.Find(s.Data.From.Start())
	if err != nil {
		return Span{}, nil, err
	}
	if why := s.tooMany(int64(max(0, g.Rows-begin-length))/int64(step) + 1); why != "" {
		return Span{}, nil, fmt.Errorf("windows.step: %s", why)
	}
	for hi := g.Rows; hi-length >= begin && err == nil; hi -= step {
		list = append(list, cut(hi-length, hi))
	}
	if len(list) == 0 {
		list = []Span{cut(begin, g.Rows)}
	}
	slices.Reverse(list)
	for i := range list {
		list[i].Index = i
	}
	return cut(list[0].Lo, g.Rows), list, err
}
