package backtest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/series"
	"github.com/qf-dev/qf/factors"
)

// plan is a study made ready to be played: its source of blocks, and the columns that are made of them.
type plan struct {
	s      *study.Study
	o      Options
	stages stages
	source *bars.Source
	series []*series.Series
	known  *datasets.Catalog
	chosen *selection    // who is a member of the universe; nil where the study has none
	left   int           // candidates of which the lake has no trades
	grid   *factors.Grid // without labels
	span   study.Span
	spans  []study.Span

	factors []factors.Factor // the study's, and after them those that only prompts show
	own     int              // number of the study's
	work    *factors.Plan
	scorer  *factors.Scorer
	shown   []int // by value of a prompt: the factor that it shows, or −1

	fields []string                 // that blocks have, in their order
	inputs []int                    // places of the factors' fields among them, and of series: see places
	full   [][]float64              // by factor·instruments + instrument: over the span, of factors that know the full sample,
	fits   []func(dst, x []float64) // or in its place what makes the rows of such a factor
}

// newPlan opens what the study reads of store, which lists the same files as lake.
func newPlan(ctx context.Context, lake *datasets.Lake, store bars.Store, s *study.Study, o Options, stages stages) (*plan, error) {
	s, left, err := s.Held(lake)
	if err != nil {
		return nil, err
	}
	if len(s.Data.Instruments) == 0 {
		return nil, fmt.Errorf("study %s: the lake has no trades of any candidate of its universe: qf fetch --config brings them", s.Name)
	}
	p := &plan{s: s, o: o, stages: stages, known: lake.Catalog(), left: left}
	if err := p.readSeries(ctx); err != nil { // bars may take long
		return nil, err
	}
	requests, err := BarRequests(lake, s)
	if err != nil {
		return nil, err
	}
	for _, q := range requests {
		o.log("bars of %v, %s to %s", q.Instrument, q.First, q.End)
	}
	if p.source, err = stages.open(ctx, store, requests, bars.Options{Workers: o.Workers, NoCache: o.NoCache}); err != nil {
		return nil, err
	}
	p.grid = s.Grid()
	if p.span, p.spans, err = s.Spans(p.labels(ctx)); err != nil {
		return nil, err
	}
	if p.span.Lo == p.span.Hi {
		return nil, fmt.Errorf("study %s: no bars between %s and %s", s.Name, stamp(p.span.From), stamp(p.span.To))
	}
	if err := p.choose(ctx, lake); err != nil {
		return nil, err
	}
	return p, p.columns()
}

// readSeries reads the study's own series.
func (p *plan) readSeries(ctx context.Context) error {
	for k, f := range p.s.Data.Series {
		x, err := series.Read(ctx, p.s.SeriesFile(f), series.Columns{Time: f.Time, Value: f.Value})
		if err != nil {
			return p.s.Located(fmt.Sprintf("data.series[%d]", k), err)
		}
		x.Hold = f.Hold.Time.Microseconds()
		p.series = append(p.series, x)
	}
	return nil
}

// seriesSources says what was read of the study's series.
func (p *plan) seriesSources() []SeriesSource {
	var list []SeriesSource
	for k, x := range p.series {
		list = append(list, SeriesSource{
			Name: p.s.Data.Series[k].Name, Rows: len(x.Times), Digest: x.Digest(), Path: filepath.Base(x.Path), Bytes: x.Bytes, SHA256: x.SHA256,
		})
	}
	return list
}

// columns makes the plan of factors and composite, and lists the fields that blocks must have.
func (p *plan) columns() (err error) {
	s := p.s
	if p.factors, err = s.MakeFactors(p.grid); err != nil {
		return err
	}
	p.own = len(p.factors)
	if s.Signals.LLM != nil {
		names, own := s.SummaryFactors(p.grid, func(field string) bool { return slices.Contains(p.source.Fields(), field) }, p.factors)
		p.factors = append(p.factors, own...)
		for _, name := range names {
			p.shown = append(p.shown, slices.IndexFunc(p.factors, func(f factors.Factor) bool { return f.Name == name }))
		}
	}
	if p.work, err = factors.NewPlan(p.factors, p.grid); err != nil {
		return err
	}
	if p.scorer, err = s.Composite.Scorer(p.factors[:p.own], p.grid); err != nil {
		return err
	}
	held := p.source.Fields()
	for k, f := range p.factors[:p.own] {
		if slices.Contains(held, f.Name) {
			return fmt.Errorf("factor %s has the name of a bar column: call it otherwise", f.Name)
		}
		if at := slices.IndexFunc(p.factors[:k], func(g factors.Factor) bool { return g.Name == f.Name }); at >= 0 {
			return fmt.Errorf("factor %s is defined twice", f.Name)
		}
	}
	if p.inputs, err = p.places(p.work.Fields()); err != nil {
		return err
	}
	p.want("close")
	p.want(s.Execution.Price)
	p.want("trades")
	return nil
}

// places are those of what factors are made of: among the fields of blocks, and −1 − k for the study's k-th series.
func (p *plan) places(names []string) (list []int, err error) {
	for _, name := range names {
		at := -1 - slices.IndexFunc(p.s.Data.Series, func(f study.SeriesConfig) bool { return f.Name == name })
		if at == 0 { // it is no series
			if at = p.want(name); at < 0 {
				return nil, fmt.Errorf("the market lacks the %s column, which factors need: fetch %s", name, factors.FieldFeeds(name)[0])
			}
		}
		list = append(list, at)
	}
	return list, nil
}

// want makes sure that blocks have a field, and gives its place; −1 where the source does not have it.
func (p *plan) want(field string) int {
	if at := slices.Index(p.fields, field); at >= 0 {
		return at
	}
	if !slices.Contains(p.source.Fields(), field) {
		return -1
	}
	p.fields = append(p.fields, field)
	return len(p.fields) - 1
}

// labels are those of the source.
func (p *plan) labels(ctx context.Context) study.Labels {
	return study.Labels{
		Rows: p.source.Rows(),
		Find: func(at int64) (int, error) { return p.source.Find(ctx, at) },
		Label: func(row int) (int64, error) {
			for b, err := range p.source.Blocks(ctx, bars.Want{Lo: row, Hi: row + 1}) {
				if err != nil {
					return 0, err
				}
				return b.Close[0], nil
			}
			return 0, fmt.Errorf("there is no row %d of %d", row, p.source.Rows())
		},
	}
}
