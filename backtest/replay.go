package backtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
)

// window is everything that happens in one window: the replays, side by side, and the figures.
type window struct {
	name      string
	span      study.Span
	trials    []*trial // what is traded for comparison, and last the study's own
	hold      *replay
	free      *replay   // the study's own without costs; window "all" alone
	delayed   []*replay // the study's own at other delays; window "all" alone
	survivors *replay   // the study's own on who is a member at the end; window "all" alone, nil without a universe
	figures   *evaluate.Window
	keep      *keptRun    // nil where rows are not wanted
	curves    *curves     // window "all" alone
	made      []*decision // as trials
}

// trial is one score that is traded.
type trial struct {
	signal string
	run    *replay
}

// replay is a portfolio with the places of its fields in blocks.
type replay struct {
	*portfolio.Portfolio
	fields []int
	rows   *portfolio.Rows // of the last step
}

// market is what portfolios know beside the rows.
func (p *plan) market() *portfolio.Market {
	m := &portfolio.Market{Grid: p.grid}
	for i, in := range p.s.Data.Instruments {
		m.Contracts = append(m.Contracts, in.Contract)
		m.Changes = append(m.Changes, in.Changes)
		m.Settlements = append(m.Settlements, p.source.Settlements(i))
		gaps := p.source.FundingGaps(i)
		if p.chosen != nil {
			ends := p.chosen.ends(i)
			m.Ends, gaps = append(m.Ends, ends), settled(gaps, ends)
		}
		m.Gaps = append(m.Gaps, gaps)
		m.Days = append(m.Days, p.source.Days(i))
	}
	return m
}

// remember shows every row to a market whose portfolios were made, in the order of play.
func (p *plan) remember(m *portfolio.Market) func(*bars.Block) {
	var fields []int
	for _, name := range m.Remembers() {
		fields = append(fields, p.want(name))
	}
	return func(b *bars.Block) { m.Remember(b, fields) }
}

// newReplay starts a portfolio.
func (p *plan) newReplay(m *portfolio.Market, span study.Span, o portfolio.Options) (*replay, error) {
	book, err := portfolio.New(m, span, p.s.Execution, o)
	if err != nil {
		return nil, err
	}
	r := &replay{Portfolio: book}
	for _, name := range book.Fields() {
		at := p.want(name)
		if at < 0 {
			return nil, fmt.Errorf("the market lacks the %s column, which trading needs", name)
		}
		r.fields = append(r.fields, at)
	}
	for _, name := range book.Optional() {
		r.fields = append(r.fields, p.want(name))
	}
	return r, nil
}

// newWindow starts a window. Where the study asks models, the composite alone and each model alone are traded too.
func (p *plan) newWindow(m *portfolio.Market, name string, span study.Span, space *scratch.Space, keep keeping) (w *window, err error) {
	w = &window{name: name, span: span}
	traded := p.traded()
	for k, of := range traded {
		t := &trial{signal: p.opinionName(of)}
		if t.run, err = p.newReplay(m, span, portfolio.Options{Keep: k == len(traded)-1, Participate: k == len(traded)-1}); err != nil {
			return nil, err
		}
		w.trials = append(w.trials, t)
	}
	own := w.trials[len(traded)-1]
	if w.hold, err = p.newReplay(m, span, portfolio.Options{Hold: true, Equity: name == evaluate.All || keep.rows}); err != nil {
		return nil, fmt.Errorf("buy and hold: %w", err)
	}
	if keep.fills {
		w.keep = newKeptRun(space, name, span, len(p.grid.Instruments), keep)
	}
	signals := p.signals()
	if w.figures, err = evaluate.New(evaluate.Setup{
		Grid: p.grid, Study: p.s, Signals: signals, Traded: own.signal, Span: span, Window: name,
	}, space); err != nil {
		return nil, err
	}
	if name != evaluate.All {
		return w, nil
	}
	w.curves = newCurves(p, span)
	if w.free, err = p.newReplay(m, span, portfolio.Options{Frictionless: true, Equity: true}); err != nil {
		return nil, err
	}
	if p.chosen != nil {
		if w.survivors, err = p.newReplay(m, span, portfolio.Options{}); err != nil {
			return nil, err
		}
	}
	for _, delay := range p.s.Evaluation.Delays {
		if delay == p.s.Execution.Delay {
			w.delayed = append(w.delayed, own.run)
			continue
		}
		r, err := p.newReplay(m, span, portfolio.Options{Delay: delay})
		if err != nil {
			return nil, err
		}
		w.delayed = append(w.delayed, r)
	}
	return w, nil
}

// opinionName is the signal that is traded with the opinion of a model.
func (p *plan) opinionName(m model) string {
	switch m {
	case noModel:
		return study.Composite
	case allModels:
		return study.Combined
	}
	return study.OneModel + p.s.Signals.LLM.Models[m-1].Name
}

// signals lists what is judged: the factors in the study's order, the composite, and where there are models their
// opinions and what is traded.
func (p *plan) signals() (list []evaluate.Signal) {
	for _, f := range p.factors[:p.own] {
		list = append(list, evaluate.Signal{Name: f.Name})
	}
	list = append(list, evaluate.Signal{Name: study.Composite, Levels: true})
	if l := p.s.Signals.LLM; l != nil {
		list = append(list, evaluate.Signal{Name: study.Ensemble, Levels: true})
		for _, m := range l.Models {
			list = append(list, evaluate.Signal{Name: study.OneModel + m.Name, Levels: true})
		}
		list = append(list, evaluate.Signal{Name: study.Combined, Levels: true})
	}
	return list
}

// judged are the columns of signals.
func (p *plan) judged(s *step) [][][]float64 {
	list := append(slices.Clone(s.judged), s.score)
	if s.opinions != nil {
		list = append(append(list, s.opinions...), s.traded)
	}
	return list
}

// add plays the rows of a step, all of them within the window: its replays and its figures side by side, each with a
// state of its own, then what follows from them.
func (w *window) add(ctx context.Context, p *plan, s *step) error {
	var tasks []func() error
	play := func(r *replay, target [][]float64) {
		tasks = append(tasks, func() error {
			r.rows = p.stages.replay(r.Portfolio, s.Block, r.fields, target)
			return nil
		})
	}
	for k, t := range w.trials {
		play(t.run, w.made[k].target)
	}
	own, target := w.trials[len(w.trials)-1], w.made[len(w.made)-1].target
	play(w.hold, nil)
	if w.free != nil {
		play(w.free, target)
	}
	for _, r := range w.delayed {
		if r != own.run {
			play(r, target)
		}
	}
	judged := p.judged(s)
	tasks = append(tasks, func() error {
		return w.figures.Step(ctx, s.Block, s.Cols[p.want(p.s.Execution.Price)], s.Cols[p.want("close")], judged, p.o.workers())
	})
	err := datasets.ForEach(ctx, p.o.workers(), len(tasks), func(_ context.Context, k int) error { return tasks[k]() })
	if err != nil {
		return err
	}
	if w.curves != nil {
		w.curves.add(s, s.Cols[p.want("close")], own.run.rows, w.free.rows, w.hold.rows)
	}
	if w.keep != nil {
		return w.keep.add(s, target, own.run.rows, w.hold.rows)
	}
	return nil
}

// windows starts that of the span and, where there are several, one each.
func (p *plan) windows(m *portfolio.Market, space *scratch.Space, keep keeping) ([]*window, error) {
	all, err := p.newWindow(m, evaluate.All, p.span, space, keep)
	if err != nil {
		return nil, err
	}
	list := []*window{all}
	if len(p.spans) == 1 && p.spans[0] == p.span {
		return list, nil
	}
	for _, span := range p.spans {
		w, err := p.newWindow(m, strconv.Itoa(span.Index), span, space, keep)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}
