package backtest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Certificate says whether any value of a backtest depends on what came after it.
type Certificate struct {
	Clock      string      `json:"clock"` // by which ticks were cut
	Cuts       []AuditCut  `json:"cuts"`
	Checked    int         `json:"values_checked"`
	Violations []Violation `json:"violations"` // the first of each panel and instrument, from bars to positions
	Expected   []string    `json:"expected"`   // leaks that the study declares
}

// AuditCut is one instant from which on the ticks were others.
type AuditCut struct {
	At     string `json:"at"`     // RFC 3339
	Place  string `json:"place"`  // where in the study that is
	Future string `json:"future"` // poisoned, for the rest of that day and the next, then nothing; or absent
	Bars   int    `json:"bars"`   // known by then, warm-up included
}

// Violation is a value that another future changed.
type Violation struct {
	Panel      string          `json:"panel"` // bar column, factor, composite, prompt (its fingerprint), opinion, target; position and what follows from it, with its window
	Instrument string          `json:"instrument"`
	Bar        string          `json:"bar"` // label of the first that differs
	Cut        string          `json:"cut"`
	Value      evaluate.Figure `json:"value"`
	Recomputed evaluate.Figure `json:"recomputed"`
}

// Futures of a cut.
const (
	poisonedFuture = "poisoned"
	absentFuture   = "absent"
)

// Audit proves that nothing in r looks ahead, or finds what does: at each of some instants ticks are
// cut by the study's clock and the future is replaced (see datasets.View). The study is played beside itself, over the lake
// and over that view without the bar cache, and every value that was known by the cut must be there to the bit, block by
// block: bars, factors, score, targets and positions. At a cut inside a bar that is the fills at its open, too.
//
// Models are not asked again: what they said is found by the rendered prompts of the questions known at
// the cut, so that a prompt that holds anything later is one that nobody answered.
//
// What a study declares is told under Expected: what follows from full_sample normalization is not
// compared, and with the exchange's clock ticks are cut by that. The certificate depends on the study
// and the data alone. It costs at most two backtests up to each cut; days that come two or
// more after it are not read.
func Audit(ctx context.Context, lake *datasets.Lake, r *Result, o Options) (*Certificate, error) {
	return audit(ctx, lake, r, o, production)
}

func audit(ctx context.Context, lake *datasets.Lake, r *Result, o Options, broken stages) (*Certificate, error) {
	quiet := o
	quiet.Log = nil
	was, err := newPlan(ctx, lake, lake, r.Study, quiet, broken)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	learned, err := was.learn(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	cuts, err := was.cuts(ctx, lake, learned)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	a := &auditor{p: was, r: r, found: map[[2]string]bool{}}
	a.cert = &Certificate{Clock: r.Study.Data.Clock, Violations: []Violation{}, Expected: declared(r.Study)}
	quiet.NoCache = true
	for _, cut := range cuts {
		o.log("audit at %s (%s)", cut.At, cut.Place)
		a.cert.Cuts = append(a.cert.Cuts, cut.AuditCut)
		if err := a.audit(ctx, lake, learned, cut, quiet, broken); err != nil {
			return nil, fmt.Errorf("audit at %s: %w", cut.At, err)
		}
	}
	slices.SortStableFunc(a.cert.Violations, func(x, y Violation) int { return a.rank(x) - a.rank(y) })
	return a.cert, nil
}

// declared lists the leaks that the study asks for.
func declared(s *study.Study) []string {
	list := []string{}
	if s.NormalizesAhead() {
		list = append(list, "full_sample normalization: composite, targets and positions know the whole sample, so that they were not compared")
	} else if s.PromptsAhead() {
		list = append(list, "prompts show the whole sample: prompts, opinions, targets and positions were not compared")
	}
	if names := s.FullSampleFactors(); len(names) > 0 {
		list = append(list, strings.Join(names, ", ")+": places within the full sample, which were not compared")
	}
	if s.Data.Clock == datasets.Timestamp {
		list = append(list, "clock: timestamp: bars know what had not arrived yet; ticks were cut by the exchange's time")
	}
	return list
}

// auditor compares what was with what would have been.
type auditor struct {
	p     *plan
	r     *Result
	cert  *Certificate
	found map[[2]string]bool // panel and instrument of the violations so far
	order []string           // panels, from bars to positions
}

// audited is a study in play: its steps, and the replays of what it trades, window "all" first.
type audited struct {
	*plan
	*pass
	runs     []*window
	remember func(*bars.Block)
	next     func() (*step, error, bool)
	stop     func()
}

// audited starts a play of rows up to hi.
func (p *plan) audited(ctx context.Context, l *learned, r *Result, recall bool, known, hi int) (*audited, error) {
	for _, name := range p.source.Fields() {
		p.want(name)
	}
	listener, err := p.listener(!recall)
	if err != nil {
		return nil, err
	}
	if recall && listener != nil {
		listener.Recall(r.Models.Opinions, known)
	}
	a := &audited{plan: p}
	if a.pass, err = p.newPass(l, listener); err != nil {
		return nil, err
	}
	spans, names := []study.Span{p.span}, []string{""}
	if len(p.spans) > 1 {
		for _, w := range p.spans {
			spans, names = append(spans, w), append(names, fmt.Sprintf(" in window %d", w.Index))
		}
	}
	m := p.market()
	for k, span := range spans {
		run, err := p.newReplay(m, span, portfolio.Options{Keep: true})
		if err != nil {
			return nil, err
		}
		w := &window{name: names[k], span: span, trials: []*trial{{run: run}}, made: a.pass.decisions}
		if k > 0 && len(a.shares) > 0 {
			w.made = a.shares[k-1].decisions
		}
		a.runs = append(a.runs, w)
	}
	a.remember = p.remember(m)
	a.next, a.stop = iter.Pull2(a.steps(ctx, hi))
	return a, nil
}

// step plays the next rows, those of the replays too.
func (a *audited) step() (*step, error) {
	s, err, ok := a.next()
	if !ok || err != nil {
		return nil, err
	}
	a.remember(s.Block)
	for _, w := range a.runs {
		run := w.trials[0].run
		run.rows = nil
		if s.Lo >= w.span.Lo && s.Hi <= w.span.Hi && s.Len() > 0 {
			run.rows = a.stages.replay(run.Portfolio, s.Block, run.fields, w.made[len(w.made)-1].target)
		}
	}
	return s, nil
}

// audit compares the study with itself up to one cut.
func (a *auditor) audit(ctx context.Context, lake *datasets.Lake, l *learned, cut auditCut, o Options, broken stages) error {
	view := datasets.View{Lake: lake, Clock: a.r.Study.Data.Clock, Cut: cut.at, Gone: cut.gone}
	again, err := newPlan(ctx, lake, view, a.r.Study, o, broken)
	if err != nil {
		return err
	}
	for k, x := range again.series {
		again.series[k] = x.Future(cut.at, cut.Future == poisonedFuture)
	}
	// Bars that are not time bars may end with the cut.
	rows := again.source.Rows()
	within := func(w study.Span) study.Span {
		w.Lo, w.Hi = min(w.Lo, rows), min(w.Hi, rows)
		return w
	}
	again.span, again.spans = within(a.p.span), nil
	for _, w := range a.p.spans {
		again.spans = append(again.spans, within(w))
	}
	learned, err := again.learn(ctx)
	if err != nil {
		return err
	}
	// Blocks go on past the cut, so that what looks ahead within one shows.
	hi := min(cut.Bars+bars.DefaultLength, a.p.span.Hi)
	was := *a.p
	x, err := was.audited(ctx, l, a.r, false, cut.Bars, hi)
	if err != nil {
		return err
	}
	defer x.stop()
	y, err := again.audited(ctx, learned, a.r, true, cut.Bars, min(hi, rows, again.span.Hi))
	if err != nil {
		return err
	}
	defer y.stop()
	for {
		s, err := x.step()
		if err != nil {
			return err
		}
		t, err := y.step()
		if err != nil {
			return err
		}
		if s == nil || s.Lo > cut.Bars {
			return nil
		}
		if s.Lo < cut.Bars {
			a.compare(x, y, s, t, cut)
		}
		if cut.Bars >= s.Lo && cut.Bars < s.Hi && cut.Future == absentFuture && a.r.Study.Execution.Price == "open" {
			a.fills(x, y, s, t, cut)
		}
	}
}

// rank is the place of a violation's panel on the way from bars to positions.
func (a *auditor) rank(v Violation) int { return slices.Index(a.order, v.Panel) }

// see puts a panel in its place.
func (a *auditor) see(panel string) {
	if !slices.Contains(a.order, panel) {
		a.order = append(a.order, panel)
	}
}

// compare checks the rows of a step against those of the other play; t is nil where that has none.
func (a *auditor) compare(x, y *audited, s, t *step, cut auditCut) {
	r := a.r.Study
	none := make([][]float64, len(a.p.grid.Columns()))
	of := func(f func(*step) [][]float64) [][]float64 {
		if t == nil {
			return none
		}
		return f(t)
	}
	label := func(s *step) [][]float64 {
		out := make([]float64, s.Len())
		for k, at := range s.Close {
			out[k] = float64(at)
		}
		return [][]float64{out}
	}
	a.column("label", "", s, label(s)[0], of(label)[0], cut)
	if s.Members != nil {
		a.panel("member", s, membership(s), of(membership), cut)
	}
	for _, name := range x.source.Fields() {
		at := slices.Index(y.fields, name)
		a.columns(name, a.p.grid.Columns(), s, s.whole.Cols[slices.Index(x.fields, name)], of(func(t *step) [][]float64 {
			if at < 0 {
				return none
			}
			return t.whole.Cols[at]
		}), cut)
	}
	for k, f := range r.Data.Series {
		var is []float64
		if t != nil {
			is = t.series[k]
		}
		a.column(f.Name, "", s, s.series[k], is, cut)
	}
	knowing := r.FullSampleFactors()
	for k, f := range x.factors[:x.own] {
		if !slices.Contains(knowing, f.Name) {
			a.panel(f.Name, s, s.columns[k], of(func(t *step) [][]float64 { return t.columns[k] }), cut)
		}
	}
	for k, c := range r.Composite.Components {
		if r.Normalization(k).Method != factors.FullSample && !slices.Contains(knowing, c.Factor) {
			a.panel("z "+c.Factor, s, s.z[k], of(func(t *step) [][]float64 { return t.z[k] }), cut)
		}
	}
	if r.NormalizesAhead() {
		return
	}
	a.panel(study.Composite, s, s.score, of(func(t *step) [][]float64 { return t.score }), cut)
	if r.PromptsAhead() {
		return
	}
	if x.pass.listener != nil {
		a.panel("prompt", s, x.pass.listener.Prompts(), of(func(*step) [][]float64 { return y.pass.listener.Prompts() }), cut)
		for k, said := range s.opinions {
			name := study.Ensemble
			if k > 0 {
				name = study.OneModel + r.Signals.LLM.Models[k-1].Name
			}
			a.panel(name, s, said, of(func(t *step) [][]float64 { return t.opinions[k] }), cut)
		}
		a.panel(study.Combined, s, s.traded, of(func(t *step) [][]float64 { return t.traded }), cut)
	}
	own := func(d []*decision) [][]float64 { return d[len(d)-1].target }
	a.panel("target", s, own(x.pass.decisions), of(func(*step) [][]float64 { return own(y.pass.decisions) }), cut)
	for k, w := range x.runs {
		a.run(w, y.runs[k], s, cut)
	}
}

// membership is who is a member, as numbers.
func membership(s *step) [][]float64 {
	out := make([][]float64, len(s.Members))
	for i, x := range s.Members {
		out[i] = make([]float64, len(x))
		for t, in := range x {
			if in {
				out[i][t] = 1
			}
		}
	}
	return out
}

// panel compares a quantity of every instrument.
func (a *auditor) panel(name string, s *step, was, is [][]float64, cut auditCut) {
	a.columns(name, a.p.grid.Instruments, s, was, is, cut)
}

// columns compares a quantity of some instruments.
func (a *auditor) columns(name string, of []datasets.Instrument, s *step, was, is [][]float64, cut auditCut) {
	for i, in := range of {
		a.column(name, in.String(), s, was[i], is[i], cut)
	}
}

// column compares a column over the rows of s.
func (a *auditor) column(panel, instrument string, s *step, was, is []float64, cut auditCut) {
	a.rows(panel, instrument, s, was, is, min(s.Len(), cut.Bars-s.Lo), cut)
}

// rows compares the first n rows of a column.
func (a *auditor) rows(panel, instrument string, s *step, was, is []float64, n int, cut auditCut) {
	a.see(panel)
	for t := range n {
		value := math.NaN()
		if t < len(is) {
			value = is[t]
		}
		a.value(panel, instrument, was[t], value, s.Close[t], cut)
	}
}

// value compares one value of the bar with a label, to the bit; what is missing in both is equal.
func (a *auditor) value(panel, instrument string, was, is float64, label int64, cut auditCut) {
	a.cert.Checked++
	if math.Float64bits(was) == math.Float64bits(is) || math.IsNaN(was) && math.IsNaN(is) {
		return
	}
	if key := [2]string{panel, instrument}; !a.found[key] {
		a.found[key] = true
		a.cert.Violations = append(a.cert.Violations, Violation{
			Panel: panel, Instrument: instrument, Bar: instant(label), Cut: cut.At, Value: evaluate.Figure(was), Recomputed: evaluate.Figure(is),
		})
	}
}

// run compares a replay over the rows of s: what was held and what that was worth.
func (a *auditor) run(was, is *window, s *step, cut auditCut) {
	x, y := was.trials[0].run.rows, is.trials[0].run.rows
	if x == nil {
		return
	}
	if y == nil {
		y = &portfolio.Rows{Quantity: make([][]float64, len(x.Quantity)), Weight: make([][]float64, len(x.Weight))}
	}
	n := min(s.Len(), cut.Bars-s.Lo)
	if a.p.grid.Every == 0 { // the last bar of a window runs to the window's end
		n = max(0, min(n, was.span.Hi-1-s.Lo, is.span.Hi-1-s.Lo))
	}
	for i, in := range a.p.grid.Instruments {
		a.rows("position"+was.name, in.String(), s, x.Quantity[i], y.Quantity[i], n, cut)
		a.rows("weight"+was.name, in.String(), s, x.Weight[i], y.Weight[i], n, cut)
	}
	a.rows("equity"+was.name, "", s, x.Equity, y.Equity, n, cut)
}

// fills compares the fills at the open of the bar in progress at the cut. Where nothing comes after the cut,
// a bar that has trades had its open before.
func (a *auditor) fills(x, y *audited, s, t *step, cut auditCut) {
	row := cut.Bars
	if t == nil || row >= t.Hi || a.r.Study.NormalizesAhead() || a.r.Study.PromptsAhead() {
		return
	}
	traded := t.Cols[slices.Index(y.fields, "trades")]
	for k, w := range x.runs {
		was, is := w.trials[0].run.rows, y.runs[k].trials[0].run.rows
		if was == nil || is == nil {
			continue
		}
		for i, in := range a.p.grid.Instruments {
			if !(traded[i][row-t.Lo] > 0) {
				continue
			}
			a.see("fill quantity" + w.name)
			a.see("fill price" + w.name)
			of := func(rows *portfolio.Rows) []portfolio.Fill {
				return slices.DeleteFunc(slices.Clone(rows.Fills), func(f portfolio.Fill) bool { return f.Row != row || f.Instrument != i })
			}
			f, g := of(was), of(is)
			none := portfolio.Fill{Quantity: math.NaN(), Price: math.NaN()}
			for len(f) < len(g) {
				f = append(f, none)
			}
			for len(g) < len(f) {
				g = append(g, none)
			}
			for k := range f {
				a.value("fill quantity"+w.name, in.String(), f[k].Quantity, g[k].Quantity, s.Close[row-s.Lo], cut)
				a.value("fill price"+w.name, in.String(), f[k].Price, g[k].Price, s.Close[row-s.Lo], cut)
			}
		}
	}
}
