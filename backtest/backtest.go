package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/signals/llm"
)

// Backtest runs a study from the lake to the figures: bars, factors, composite, targets, one replay
// per window and one over the whole span, evaluation. The result depends on the study and on the
// cells of the lake files that it reads, with Options.Ledger on the trials there, and on nothing else. The caller closes it.
func Backtest(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Result, error) {
	p, err := newPlan(ctx, lake, lake, s, o, production)
	if err != nil {
		return nil, err
	}
	r, err := p.backtest(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.warnData(ctx, lake, o.workers()); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// backtest plays the study.
func (p *plan) backtest(ctx context.Context) (r *Result, err error) {
	if p.o.Ledger != nil { // before the work, not after it
		if _, err := p.o.Ledger.Entries(ctx); err != nil {
			return nil, err
		}
	}
	limit := p.o.Memory
	if limit == 0 {
		limit = scratch.Quarter()
	}
	space := scratch.New(limit)
	defer func() {
		if err != nil || r.kept == nil {
			err = errors.Join(err, space.Close())
		}
	}()
	l, err := p.learn(ctx)
	if err != nil {
		return nil, err
	}
	r = p.result()
	r.warn(p.s.Warnings()...)
	r.Universe = p.universe()
	r.warnUniverse(p.left)
	keep := p.keeping()
	market := p.market()
	windows, err := p.windows(market, space, keep)
	if err != nil {
		return nil, err
	}
	remember := p.remember(market)
	if keep.fills {
		r.kept = newKept(space, p, keep)
		for _, w := range windows {
			r.kept.runs = append(r.kept.runs, w.keep)
		}
	}
	listener, err := p.listener(true)
	if err != nil {
		return nil, err
	}
	x, err := p.newPass(l, listener)
	if err != nil {
		return nil, err
	}
	for k, w := range windows {
		w.made = x.decisions
		if k > 0 && len(x.shares) > 0 {
			w.made = x.shares[k-1].decisions
		}
	}
	others, err := p.newSurvivors(l, windows[0])
	if err != nil {
		return nil, err
	}
	p.o.log("playing %d bars: trading and evaluating %d signals in %d window(s)", r.Bars(), len(p.signals()), len(p.spans))
	firsts := p.newFirsts()
	closeAt := p.want("close")
	for s, err := range x.steps(ctx, p.span.Hi) {
		if err != nil {
			return nil, err
		}
		remember(s.Block)
		if others != nil {
			if err := others.add(ctx, s); err != nil {
				return nil, err
			}
		}
		if s.Lo < p.span.Lo {
			continue
		}
		firsts.add(s)
		for i, c := range s.Cols[closeAt] {
			for _, v := range c {
				if v != v {
					r.Unpriced[i]++
				}
			}
		}
		if keep.fills {
			if err := r.kept.add(s, s.Cols[closeAt]); err != nil {
				return nil, err
			}
		}
		for _, w := range windows {
			if s.Lo >= w.span.Lo && s.Hi <= w.span.Hi && s.Len() > 0 {
				if err := w.add(ctx, p, s); err != nil {
					return nil, err
				}
			}
		}
	}
	p.o.log("closing the figures")
	if err := p.conclude(ctx, r, x, windows, firsts); err != nil {
		return nil, err
	}
	return r, nil
}

// result is the study's result without figures.
func (p *plan) result() *Result {
	r := &Result{
		Study: p.s, Grid: p.grid, Span: p.span, Windows: p.spans, Traded: p.opinionName(p.traded()[len(p.traded())-1]), Figures: &Evaluated{},
		known:    p.known,
		Unpriced: make([]int, len(p.grid.Instruments)), Sources: p.source.Sources(), Series: p.seriesSources(),
	}
	slices.SortFunc(r.Sources, func(a, b datasets.Info) int { return a.Partition.Compare(b.Partition) })
	for _, in := range p.s.Data.Instruments {
		r.Contracts = append(r.Contracts, in.Contract)
	}
	for i := range p.grid.Columns() {
		r.Days = append(r.Days, p.source.Days(i))
	}
	return r
}

// listener lays what models said over the rows; nil where the study asks none. With ask it reads their answers, else it
// collects the questions alone.
func (p *plan) listener(ask bool) (*opinions.Listener, error) {
	if p.s.Signals.LLM == nil {
		return nil, nil
	}
	return opinions.Listen(p.s, p.grid, p.span, p.shown, ask)
}

// conclude closes every fold, and says what there is to say.
func (p *plan) conclude(ctx context.Context, r *Result, x *pass, windows []*window, firsts *firsts) error {
	r.warnScore(x, firsts)
	var said *llm.Opinions
	var forward []float64
	if x.listener != nil {
		var err error
		if said, forward, err = x.listener.Close(); err != nil {
			return err
		}
		r.warn(opinions.Unanswered(said)...)
	}
	ev := r.Figures
	for _, w := range windows {
		if w.span.Lo == w.span.Hi {
			r.warn(fmt.Errorf("window %s, %s to %s, has no bars and no figures", w.name, stamp(w.span.From), stamp(w.span.To)))
			continue
		}
		if err := w.conclude(ctx, p, r); err != nil {
			return err
		}
	}
	if len(windows) > 1 {
		ev.Stability = evaluate.Stability(p.signals(), r.Traded, ev.windows[1:], ev.PnL)
	}
	var judged *opinions.Models
	if said != nil {
		models, warnings, err := opinions.Judge(opinions.Input{
			Study: p.s, Opinions: said, Forward: forward, Instruments: p.grid.Instruments, Span: p.span, Windows: p.spans,
			PnL: func(signal string) evaluate.PnLRow { return ev.pnl(signal) }, IC: ev.Figures.IC,
		})
		if err != nil {
			return err
		}
		r.warn(warnings...)
		r.Models, judged = models, models
	}
	var err error
	r.Digest, err = digest(p.s, r.Sources, r.Series, judged)
	return err
}

// pnl is what a signal earned over the span.
func (ev *Evaluated) pnl(signal string) evaluate.PnLRow {
	k := slices.IndexFunc(ev.PnL, func(p evaluate.PnLRow) bool { return p.Signal == signal && p.Window == evaluate.All })
	return ev.PnL[k]
}

// conclude adds a window's rows to the result.
func (w *window) conclude(ctx context.Context, p *plan, r *Result) error {
	figures, err := w.figures.Close(ctx, p.o.workers())
	if err != nil {
		return err
	}
	r.Figures.add(figures)
	hold, err := w.hold.Close()
	if err != nil {
		return fmt.Errorf("buy and hold: %w", err)
	}
	known := hold
	if hold.Unknown != nil {
		known = nil
	}
	e := p.s.Evaluation
	accounts := map[*replay]*portfolio.Account{}
	closed := func(x *replay) (*portfolio.Account, error) {
		if a, ok := accounts[x]; ok {
			return a, nil
		}
		a, err := x.Close()
		accounts[x] = a
		return a, err
	}
	own, err := closed(w.trials[len(w.trials)-1].run)
	if err != nil {
		return err
	}
	if w.name == evaluate.All {
		if err := r.enter(ctx, p.o.Ledger, own); err != nil {
			return err
		}
	}
	for _, t := range w.trials {
		a, err := closed(t.run)
		if err != nil {
			return err
		}
		r.Figures.PnL = append(r.Figures.PnL, evaluate.PnL(t.signal, w.name, a, known, e, r.tried()))
	}
	r.Runs = append(r.Runs, Run{Window: w.name, Span: w.span, Account: own, Hold: hold})
	if w.name != evaluate.All {
		return nil
	}
	r.warn(own.Warnings...)
	r.Curves = w.curves.done(known != nil)
	for k, delayed := range w.delayed {
		a, err := closed(delayed)
		if err != nil {
			return err
		}
		r.Figures.Variants = append(r.Figures.Variants, evaluate.Variant("delay", e.Delays[k], a, e))
	}
	free, err := closed(w.free)
	if err != nil {
		return err
	}
	r.Figures.Variants = append(r.Figures.Variants, evaluate.Variant("zero_cost", p.s.Execution.Delay, free, e))
	if w.survivors != nil {
		today, err := closed(w.survivors)
		if err != nil {
			return err
		}
		r.Figures.Variants = append(r.Figures.Variants, evaluate.Variant(evaluate.Survivors, p.s.Execution.Delay, today, e))
	}
	if known != nil {
		r.Figures.Variants = append(r.Figures.Variants, evaluate.Variant("buy_and_hold", p.s.Execution.Delay, hold, e))
	}
	return nil
}

// Questions lists what the study asks its models, by time, then instrument. Nothing in a question is later than its
// bar. A study without models has none.
func Questions(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) ([]llm.Question, error) {
	if s.Signals.LLM == nil {
		return nil, nil
	}
	p, err := newPlan(ctx, lake, lake, s, o, production)
	if err != nil {
		return nil, err
	}
	l, err := p.learn(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := p.listener(false)
	if err != nil {
		return nil, err
	}
	x, err := p.newPass(l, listener)
	if err != nil {
		return nil, err
	}
	for _, err := range x.each(ctx, p.span.Hi, x.listen) {
		if err != nil {
			return nil, err
		}
	}
	asked, _, err := listener.Close()
	if err != nil {
		return nil, err
	}
	return asked.Questions, nil
}

// FrameRows are some rows of a study's frame, in order, valid until the next ones.
type FrameRows struct {
	TS      []int64       // labels, Unix µs
	Columns [][][]float64 // by column, then instrument
}

// Frame is a study's frame: the columns of its bars, its factors and its composite over the span. It needs no model's
// answer.
type Frame struct {
	Study    *study.Study
	Names    []string // of the columns
	Grid     []datasets.Instrument
	Bars     int
	Warnings []error // of what Rows played last

	play func(context.Context, func(*FrameRows) error) error
}

// Rows plays the frame and calls f with its rows, block by block.
func (f *Frame) Rows(ctx context.Context, each func(*FrameRows) error) error {
	return f.play(ctx, each)
}

// NewFrame makes a study's frame ready to be played.
func NewFrame(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Frame, error) {
	p, err := newPlan(ctx, lake, lake, s, o, production)
	if err != nil {
		return nil, err
	}
	l, err := p.learn(ctx)
	if err != nil {
		return nil, err
	}
	f := &Frame{Study: s, Names: slices.Clone(p.source.Fields()), Grid: p.grid.Instruments, Bars: p.span.Hi - p.span.Lo}
	var places []int
	for _, name := range f.Names {
		places = append(places, p.want(name))
	}
	for _, factor := range p.factors[:p.own] {
		f.Names = append(f.Names, factor.Name)
	}
	f.Names = append(f.Names, study.Composite)
	f.play = func(ctx context.Context, each func(*FrameRows) error) error {
		x, err := p.newPass(l, nil)
		if err != nil {
			return err
		}
		rows, firsts := &FrameRows{}, p.newFirsts()
		for s, err := range x.scored(ctx, p.span.Hi) {
			if err != nil {
				return err
			}
			if s.Lo < p.span.Lo {
				continue
			}
			firsts.add(s)
			rows.TS, rows.Columns = s.Close, rows.Columns[:0]
			for _, at := range places {
				rows.Columns = append(rows.Columns, s.Cols[at])
			}
			rows.Columns = append(append(rows.Columns, s.columns[:p.own]...), s.score)
			if err := each(rows); err != nil {
				return err
			}
		}
		r := p.result()
		r.warnScore(x, firsts)
		f.Warnings = r.Warnings
		return nil
	}
	return f, nil
}
