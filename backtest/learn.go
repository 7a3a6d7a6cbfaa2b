package backtest

import (
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/qf-dev/qf/factors"
)

// learned is what the first pass found of the full sample: nothing where nothing of the study looks ahead.
type learned struct {
	scorings []*factors.Scoring // fitted: of the span and, where there are several windows, of each
}

// scoring is the k-th, or one that needs no fit.
func (l *learned) scoring(p *plan, k int) *factors.Scoring {
	if k < len(l.scorings) {
		return l.scorings[k].Again()
	}
	s := p.scorer.Start()
	s.Sample(p.span.Lo, p.span.Hi)
	return s
}

// learn plays the span for what factors and normalizations know of the full sample. Where a component is itself a
// factor that knows it, its normalization takes a pass of its own.
func (p *plan) learn(ctx context.Context) (*learned, error) {
	l := &learned{}
	samples := slices.ContainsFunc(p.factors, func(f factors.Factor) bool { return f.Sample != nil })
	chained := slices.ContainsFunc(p.s.Composite.Components, func(c factors.Component) bool {
		return slices.ContainsFunc(p.factors[:p.own], func(f factors.Factor) bool { return f.Name == c.Factor && f.Sample != nil })
	})
	fits := p.scorer.LooksAhead()
	if fits {
		l.scorings = append(l.scorings, p.scorer.Start())
		if len(p.spans) > 1 || p.spans[0] != p.span {
			for range p.spans {
				l.scorings = append(l.scorings, p.scorer.Start())
			}
		}
		for k, s := range l.scorings {
			of := p.span
			if k > 0 {
				of = p.spans[k-1]
			}
			s.Sample(of.Lo, of.Hi)
		}
	}
	if samples {
		p.o.log("playing %d bars for what factors know of the full sample", p.span.Hi-p.span.Lo)
		if err := p.survey(ctx, l, true, fits && !chained); err != nil {
			return nil, err
		}
		p.sample()
	}
	if fits && (chained || !samples) {
		p.o.log("playing %d bars for what normalizations know of the full sample", p.span.Hi-p.span.Lo)
		if err := p.survey(ctx, l, false, true); err != nil {
			return nil, err
		}
	}
	for _, s := range l.scorings {
		s.Fit()
	}
	return l, nil
}

// survey plays the span once: it keeps the columns that Factor.Sample wants, and shows the components to the scorings.
func (p *plan) survey(ctx context.Context, l *learned, samples, fits bool) error {
	n := len(p.grid.Instruments)
	if samples {
		p.full = nil
	}
	full := make([][]float64, len(p.factors)*n)
	work, inputs, of, err := p.learners()
	if err != nil {
		return err
	}
	x, play := &pass{p: p}, work.Start()
	for b, err := range p.blocks(ctx, p.span.Hi) {
		if err != nil {
			return err
		}
		s := p.step(b, x.series)
		x.series, s.columns = s.series, make([][][]float64, len(p.factors))
		columns, err := p.stages.columns(ctx, play, p.block(s, inputs), p.o.workers())
		if err != nil {
			return err
		}
		for k, at := range of {
			s.columns[at] = columns[k]
		}
		if samples && b.Lo >= p.span.Lo {
			for k, f := range p.factors {
				for i := range n {
					if f.Sample != nil {
						at := k*n + i
						if full[at] == nil {
							full[at] = make([]float64, 0, p.span.Hi-p.span.Lo)
						}
						full[at] = append(full[at], s.columns[k][i]...)
					}
				}
			}
		}
		if fits {
			x.substitute(s)
			own := s.columns[:p.own]
			if b.Lo >= p.span.Lo {
				l.scorings[0].Survey(own, 0, b.Len())
			}
			for k := 1; k < len(l.scorings); k++ {
				if w := p.spans[k-1]; b.Lo >= w.Lo && b.Hi <= w.Hi {
					l.scorings[k].Survey(own, 0, b.Len())
				}
			}
		}
	}
	if samples {
		p.full = full
	}
	return nil
}

// learners is the plan of those factors alone of which something of the full sample is wanted, with the places of its
// fields in blocks and of its factors among the study's.
func (p *plan) learners() (work *factors.Plan, inputs, of []int, err error) {
	var list []factors.Factor
	for k, f := range p.factors {
		component := k < p.own && slices.ContainsFunc(p.s.Composite.Components, func(c factors.Component) bool { return c.Factor == f.Name })
		if f.Sample != nil || component {
			list, of = append(list, f), append(of, k)
		}
	}
	if work, err = factors.NewPlan(list, p.grid); err != nil {
		return nil, nil, nil, err
	}
	inputs, err = p.places(work.Fields())
	return work, inputs, of, err
}

// sample turns the kept columns into those of the factors. Those that need not be kept go first.
func (p *plan) sample() {
	n := len(p.grid.Instruments)
	p.fits = make([]func(dst, x []float64), len(p.full))
	for k, f := range p.factors {
		for at := k * n; at < (k+1)*n; at++ {
			if f.Fit != nil {
				p.fits[at], p.full[at] = f.Fit(p.full[at]), nil
			}
		}
	}
	defer runtime.GC() // of what sorting takes
	runtime.GC()       // what went serves the others
	for k, f := range p.factors {
		for at := k * n; at < (k+1)*n; at++ {
			if f.Sample != nil && f.Fit == nil {
				f.Sample(p.full[at], p.full[at])
			}
		}
	}
}

var nan = math.NaN()
