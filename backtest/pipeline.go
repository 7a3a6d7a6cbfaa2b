package backtest

import (
	"context"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// pipeline is the way from ticks to positions, a function a stage. There is one; tests of the audit
// break a stage of it to see that they are caught.
type pipeline struct {
	build     func(context.Context, bars.Store, bars.Request, bars.Options) (*bars.Series, error)
	load      func([]*bars.Series, float64) (*factors.Frame, error)
	compute   func(context.Context, *factors.Frame, []factors.Factor, factors.Options) (*factors.Frame, error)
	composite func(*factors.Frame, factors.Composite, int, int) (*factors.Score, error)
	targets   func(context.Context, signals.Rule, *factors.Panel, *factors.Frame) (*factors.Panel, error)
	simulate  func(*Market, *factors.Panel, study.Span, study.ExecutionConfig) (*Run, error)
}

var production = pipeline{
	build:     bars.Build,
	load:      factors.Load,
	compute:   factors.Compute,
	composite: (*factors.Frame).Composite,
	targets:   signals.Targets,
	simulate:  Simulate,
}

// frame goes from the lake to targets.
func (p pipeline) frame(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Result, error) {
	r, err := p.composed(ctx, lake, s, o)
	if err != nil {
		return nil, err
	}
	if err := r.hear(); err != nil {
		return nil, err
	}
	r.warnModels()
	return r, p.decide(ctx, r)
}

// composed goes from the lake to the composite.
func (p pipeline) composed(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Result, error) {
	r := &Result{Study: s}
	if err := p.market(ctx, lake, lake, r, o); err != nil {
		return nil, err
	}
	var err error
	if r.Span, r.Windows, err = s.Spans(r.Market.Grid); err != nil {
		return nil, err
	}
	if r.Span.Lo == r.Span.Hi {
		return nil, fmt.Errorf("study %s: no bars between %s and %s", s.Name, stamp(r.Span.From), stamp(r.Span.To))
	}
	if err := p.score(ctx, r, o); err != nil {
		return nil, err
	}
	r.warn(r.Score.Warnings...)
	r.warnLookAhead()
	r.warnConventions(r.Span.Hi - r.Span.Lo)
	r.warnWarmup()
	r.warnCoverage()
	return r, nil
}

// market builds the bars of every instrument from what ticks has of the lake's files and lays them
// on one grid.
func (p pipeline) market(ctx context.Context, lake *datasets.Lake, ticks bars.Store, r *Result, o Options) error {
	s := r.Study
	requests, err := BarRequests(lake, s)
	if err != nil {
		return err
	}
	market := &Market{}
	var series []*bars.Series
	defer func() {
		for _, x := range series {
			x.Record.Release()
		}
	}()
	for _, q := range requests {
		o.log("bars of %v, %s to %s", q.Instrument, q.First, q.End)
		x, err := p.build(ctx, ticks, q, bars.Options{Workers: o.Workers, NoCache: o.NoCache})
		if err != nil {
			return err
		}
		series = append(series, x)
		market.Contracts = append(market.Contracts, q.Contract)
		market.Settlements = append(market.Settlements, x.Settlements)
		market.Days = append(market.Days, x.Days)
		r.Sources = append(r.Sources, x.Sources...)
	}
	slices.SortFunc(r.Sources, func(a, b datasets.Info) int { return a.Partition.Compare(b.Partition) })
	market.Frame, err = p.load(series, s.Bars.BarsPerYear)
	r.Market = market
	return err
}

// quoteFeeds carry best prices, in the order in which bars prefer them: fills pay the spread that was quoted.
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

// score computes factors and composite over the market of r.
func (p pipeline) score(ctx context.Context, r *Result, o Options) (err error) {
	s := r.Study
	list := make([]factors.Factor, len(s.Factors))
	for i, c := range s.Factors {
		if list[i], err = factors.Make(c.Name, c.Kind, c.Params, r.Market.Grid); err != nil {
			return err
		}
	}
	var shown []string
	all := list
	if s.Signals.LLM != nil {
		var own []factors.Factor
		shown, own = s.SummaryFactors(r.Market.Grid, func(f string) bool { return r.Market.Panel(f) != nil }, list)
		all = append(all[:len(all):len(all)], own...)
	}
	o.log("computing %d factors over %d bars", len(list), r.Market.Len())
	f, err := p.compute(ctx, r.Market.Frame, all, factors.Options{Workers: o.Workers, Lo: r.Span.Lo, Hi: r.Span.Hi})
	if err != nil {
		return err
	}
	for _, name := range shown {
		r.shown = append(r.shown, f.Panel(name))
	}
	r.Factors = &factors.Frame{Grid: f.Grid, Panels: f.Panels[:len(list):len(list)]}
	r.Score, err = p.composite(r.Factors, s.Composite, r.Span.Lo, r.Span.Hi)
	return err
}

// decide turns the composite, and what models said, into targets.
func (p pipeline) decide(ctx context.Context, r *Result) (err error) {
	r.Traded = r.Models.score(everybody, r.Score.Panel)
	r.Target, err = p.target(ctx, r, r.Traded)
	return err
}

// trade replays the study's targets over each window and over the whole span.
func (p pipeline) trade(ctx context.Context, r *Result) error {
	t, err := p.trial(ctx, r, everybody, r.Target)
	if err != nil {
		return err
	}
	r.All, r.Runs = t.All, t.Runs
	r.warn(r.All.Warnings...)
	return nil
}

// trial replays the targets of one voice over each window and over the whole span.
func (p pipeline) trial(ctx context.Context, r *Result, v voice, target *factors.Panel) (t Trial, err error) {
	t.Signal = r.Models.name(v)
	for _, w := range r.Windows {
		target, err := p.targetOf(ctx, r, w, v, target)
		if err != nil {
			return t, err
		}
		run, err := p.simulate(r.Market, target, w, r.Study.Execution)
		if err != nil {
			return t, err
		}
		t.Runs = append(t.Runs, run)
	}
	if len(r.Windows) == 1 && r.Windows[0] == r.Span {
		t.All = t.Runs[0]
		return t, nil
	}
	t.All, err = p.simulate(r.Market, target, r.Span, r.Study.Execution)
	return t, err
}

// targetOf is the target in one window: the span's, unless the score takes its mean and std from
// the whole sample, which is then the window.
func (p pipeline) targetOf(ctx context.Context, r *Result, w study.Span, v voice, target *factors.Panel) (*factors.Panel, error) {
	if !r.Study.NormalizesAhead() || w == r.Span {
		return target, nil
	}
	score, err := p.composite(r.Factors, r.Study.Composite, w.Lo, w.Hi)
	if err != nil {
		return nil, err
	}
	return p.target(ctx, r, r.Models.score(v, score.Panel))
}

// target turns a score into targets by the study's rule, which may look at the factors.
func (p pipeline) target(ctx context.Context, r *Result, score *factors.Panel) (*factors.Panel, error) {
	rule, err := r.Study.Rule(r.Factors.Grid)
	if err != nil {
		return nil, err
	}
	return p.targets(ctx, rule, score, r.Factors)
}
