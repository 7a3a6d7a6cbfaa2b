package backtest

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
	"github.com/qf-dev/qf/signals/llm"
)

// step is a block with what was made of it, by instrument, valid until the next.
type step struct {
	*bars.Block               // of the instruments; its fields are plan.fields
	whole       *bars.Block   // with the references
	series      [][]float64   // the study's own, by series
	columns     [][][]float64 // by factor
	judged      [][][]float64 // by factor of the study: of members alone
	z           [][][]float64 // by component
	score       [][]float64   // the composite
	opinions    [][][]float64 // what models said: together, then each
	traded      [][]float64   // the score that the study's rule turns into targets
}

// pass is one play of a study, in progress.
type pass struct {
	p         *plan
	work      *factors.Play
	scoring   *factors.Scoring
	listener  *opinions.Listener // nil without models
	decisions []*decision        // by what is traded, as plan.traded

	series [][]float64   // memory of step.series
	judged [][][]float64 // the factors of members, where there is a universe

	shares []*windowScore // where the study looks ahead and has several windows: by window
}

// newPass starts at the first row. Scorings, fitted already where the study looks ahead, come from learn: that of the
// span and, where there are several windows, one each.
func (p *plan) newPass(l *learned, listener *opinions.Listener) (*pass, error) {
	x := &pass{p: p, work: p.work.Start(), listener: listener, scoring: l.scoring(p, 0)}
	var err error
	if x.decisions, err = p.decisions(); err != nil {
		return nil, err
	}
	for k := 1; k < len(l.scorings); k++ {
		w := &windowScore{span: p.spans[k-1], scoring: l.scoring(p, k)}
		if w.decisions, err = p.decisions(); err != nil {
			return nil, err
		}
		x.shares = append(x.shares, w)
	}
	return x, nil
}

// windowScore is the composite and the targets of one window of a study that takes the mean and std of each window.
type windowScore struct {
	span      study.Span
	scoring   *factors.Scoring
	decisions []*decision
	score     [][]float64 // nil past the window
}

// steps plays rows up to hi, cut at the edges of windows.
func (x *pass) steps(ctx context.Context, hi int) iter.Seq2[*step, error] {
	return x.each(ctx, hi, func(s *step) error { return x.decide(s) })
}

// scored is steps up to the composite.
func (x *pass) scored(ctx context.Context, hi int) iter.Seq2[*step, error] {
	return x.each(ctx, hi, func(*step) error { return nil })
}

func (x *pass) each(ctx context.Context, hi int, more func(*step) error) iter.Seq2[*step, error] {
	return func(yield func(*step, error) bool) {
		for b, err := range x.p.blocks(ctx, hi) {
			if err != nil {
				yield(nil, err)
				return
			}
			s, err := x.next(ctx, b)
			if err == nil {
				err = more(s)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// next makes the columns of the next rows, up to the composite.
func (x *pass) next(ctx context.Context, b *bars.Block) (s *step, err error) {
	p := x.p
	s = p.step(b, x.series)
	x.series = s.series
	if s.columns, err = p.stages.columns(ctx, x.work, p.block(s, p.inputs), p.o.workers()); err != nil {
		return nil, err
	}
	x.substitute(s)
	own := s.columns[:p.own]
	x.scoring.Members(b.Members)
	s.score, s.z = p.stages.score(x.scoring, own)
	s.judged = x.mask(s)
	for _, w := range x.shares {
		w.score = nil
		if b.Lo < w.span.Hi {
			w.scoring.Members(b.Members)
			w.score, _ = p.stages.score(w.scoring, own)
		}
	}
	return s, nil
}

// decide adds what models said, the score that is traded and its targets.
func (x *pass) decide(s *step) error {
	p := x.p
	if err := x.listen(s); err != nil {
		return err
	}
	for _, d := range x.decisions {
		d.step(p, s.score, s)
	}
	own := x.decisions[len(x.decisions)-1]
	s.traded = own.traded
	for _, w := range x.shares {
		for _, d := range w.decisions {
			if w.score != nil {
				d.step(p, w.score, s)
			}
		}
	}
	return nil
}

// listen adds what models said.
func (x *pass) listen(s *step) (err error) {
	if x.listener != nil {
		p := x.p
		s.opinions, err = x.listener.Next(s.Block, s.score, s.Cols[p.want("close")], s.columns, s.Cols[p.want(p.s.Execution.Price)])
	}
	return err
}

// instruments is a block without the columns of references.
func (p *plan) instruments(b *bars.Block) *bars.Block {
	n := len(p.grid.Instruments)
	if len(p.grid.References) == 0 {
		return b
	}
	out := &bars.Block{Lo: b.Lo, Hi: b.Hi, Close: b.Close, Members: b.Members, Cols: slices.Clone(b.Cols)}
	for k := range out.Cols {
		out.Cols[k] = out.Cols[k][:n]
	}
	return out
}

// substitute puts the columns that know the full sample in their places.
func (x *pass) substitute(s *step) {
	p := x.p
	if p.full == nil {
		return
	}
	n := len(p.grid.Instruments)
	s.columns = slices.Clone(s.columns)
	for k, f := range p.factors {
		if f.Sample == nil {
			continue
		}
		cols := make([][]float64, n)
		for i := range cols {
			if fit := p.fits[k*n+i]; fit != nil {
				cols[i] = p.fittedRows(fit, s.columns[k][i], s.Lo)
			} else {
				cols[i] = p.fullRows(k*n+i, s.Lo, s.Hi)
			}
		}
		s.columns[k] = cols
	}
}

// fullRows are rows of a column that knows the full sample: missing outside of it.
func (p *plan) fullRows(at, lo, hi int) []float64 {
	if lo >= p.span.Lo && hi <= p.span.Hi {
		return p.full[at][lo-p.span.Lo : hi-p.span.Lo]
	}
	out := make([]float64, hi-lo)
	for t := range out {
		if row := lo + t; row >= p.span.Lo && row < p.span.Hi {
			out[t] = p.full[at][row-p.span.Lo]
		} else {
			out[t] = math.NaN()
		}
	}
	return out
}

// fittedRows are rows, from lo on, of what a factor that knows the full sample makes of x: missing outside of it.
func (p *plan) fittedRows(fit func(dst, x []float64), x []float64, lo int) []float64 {
	out := slices.Repeat([]float64{math.NaN()}, len(x))
	if from, to := max(p.span.Lo-lo, 0), min(p.span.Hi-lo, len(x)); from < to {
		fit(out[from:to], x[from:to])
	}
	return out
}

// blocks gives the source's rows up to hi, cut at the edges of the span and its windows.
func (p *plan) blocks(ctx context.Context, hi int) iter.Seq2[*bars.Block, error] {
	edges := []int{p.span.Lo, p.span.Hi}
	for _, w := range p.spans {
		edges = append(edges, w.Lo, w.Hi)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	return func(yield func(*bars.Block, error) bool) {
		for b, err := range p.source.Blocks(ctx, bars.Want{Lo: 0, Hi: hi, Fields: p.fields, Length: p.o.block}) {
			if err != nil {
				yield(nil, err)
				return
			}
			own := *b
			own.Cols = slices.Clone(b.Cols)
			b = &own
			if p.chosen != nil {
				b.Members = p.chosen.of(p.chosen.schedule, p.chosen.members, b.Close)
			}
			p.stages.blocks(b, p.fields)
			lo := b.Lo
			for _, e := range edges {
				if e <= lo || e >= b.Hi {
					continue
				}
				if !yield(b.Rows(lo, e), nil) {
					return
				}
				lo = e
			}
			if lo > b.Lo {
				b = b.Rows(lo, b.Hi)
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// step is a block with the study's series laid over its rows, in the memory of those of an earlier step.
func (p *plan) step(b *bars.Block, before [][]float64) *step {
	s := &step{Block: p.instruments(b), whole: b, series: sized(before, len(p.series), b.Len())}
	for k, x := range p.series {
		p.stages.series(x, s.series[k], b.Close)
	}
	return s
}

// block is what factors see of a step: the inputs that stand at some places, references included.
func (p *plan) block(s *step, inputs []int) *bars.Block {
	out := &bars.Block{Lo: s.Lo, Hi: s.Hi, Close: s.Close, Members: s.Members}
	for _, at := range inputs {
		if at >= 0 {
			out.Cols = append(out.Cols, s.whole.Cols[at])
		} else {
			out.Cols = append(out.Cols, slices.Repeat([][]float64{s.series[-1-at]}, len(p.grid.Columns())))
		}
	}
	return out
}

// model says whose opinion is combined with the composite: an index into step.opinions, or no one
type model int

const (
	noModel model = iota - 1
	allModels
)

// combination is the composite combined with the opinion of one model, or of all together.
type combination struct {
	model  model
	mode   llm.Combine
	weight float64
	cols   [][]float64
}

func (p *plan) combination(m model) combination {
	c := combination{model: noModel}
	if l := p.s.Signals.LLM; l != nil {
		c.model, c.mode, c.weight = m, l.Combine.Mode, l.Combine.Weight
	}
	return c
}

// of combines; without one it is the composite itself.
func (c *combination) of(score [][]float64, said [][][]float64) [][]float64 {
	if c.model == noModel {
		return score
	}
	c.cols = sized(c.cols, len(score), len(score[0]))
	for i, f := range score {
		opinions.CombineColumns(c.cols[i], c.mode, c.weight, f, said[c.model][i])
	}
	return c.cols
}

// sized is n columns of some rows, whose memory is that of x where it is large enough.
func sized(x [][]float64, n, rows int) [][]float64 {
	if len(x) != n {
		x = make([][]float64, n)
	}
	for i := range x {
		x[i] = slices.Grow(x[i][:0], rows)[:rows]
	}
	return x
}

// decision is one score that is traded: the composite combined with what a model said, and the targets that the study's
// rule makes of it.
type decision struct {
	combination
	rule   []signals.Stepper // by instrument
	traded [][]float64       // of the last step
	target [][]float64
}

// traded lists what is traded: for comparison the composite alone and with each model alone, and last what the study
// trades.
func (p *plan) traded() []model {
	l := p.s.Signals.LLM
	if l == nil {
		return []model{noModel}
	}
	list := []model{noModel}
	for k := range l.Models {
		list = append(list, model(k+1))
	}
	return append(list, allModels)
}

// decisions starts one for each of what is traded.
func (p *plan) decisions() (list []*decision, err error) {
	of, err := p.s.Rule(p.grid)
	if err != nil {
		return nil, err
	}
	for _, m := range p.traded() {
		d := &decision{combination: p.combination(m)}
		for i := range p.grid.Instruments {
			r, err := of.Start(p.grid, i)
			if err != nil {
				return nil, err
			}
			d.rule = append(d.rule, r)
		}
		list = append(list, d)
	}
	return list, nil
}

// step decides over the rows of s.
func (d *decision) step(p *plan, score [][]float64, s *step) {
	d.traded = d.of(score, s.opinions)
	d.target = sized(d.target, len(score), s.Len())
	for i, rule := range d.rule {
		p.stages.targets(rule, d.target[i], d.traded[i], signals.Rows{Lo: s.Lo, Close: s.Close, Factor: func(name string) []float64 {
			k := slices.IndexFunc(p.factors[:p.own], func(f factors.Factor) bool { return f.Name == name })
			return s.columns[k][i]
		}})
	}
	release(d.target, s.Members)
}
