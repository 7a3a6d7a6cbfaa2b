package backtest

import (
	"context"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
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
	Panel      string `json:"panel"` // bar column, factor, composite, prompt (its fingerprint), opinion, target; position and what follows from it, with its window
	Instrument string `json:"instrument"`
	Bar        string `json:"bar"` // label of the first that differs
	Cut        string `json:"cut"`
	Value      Figure `json:"value"`
	Recomputed Figure `json:"recomputed"`
}

// Futures of a cut.
const (
	poisonedFuture = "poisoned"
	absentFuture   = "absent"
)

// Audit proves that nothing in r looks ahead, or finds what does: at each of some instants ticks are
// cut by the study's clock and the future is replaced (see datasets.View), bars, factors, score,
// targets and positions are made again by the same code, without the bar cache, and every value that
// was known by then must be there to the bit. At a cut inside a bar that is the fills at its open, too.
//
// Models are not asked again: what they said is found by the rendered prompts of the questions known at
// the cut, so that a prompt that holds anything later is one that nobody answered.
//
// What a study declares is told under Expected: what follows from full_sample normalization is not
// compared, and with the exchange's clock ticks are cut by that. The certificate depends on the study
// and the data alone. It costs at most a backtest from ticks for each cut; days that come two or
// more after it are not read.
func Audit(ctx context.Context, lake *datasets.Lake, r *Result, o Options) (*Certificate, error) {
	if r.Streamed != nil {
		return r.Streamed.stream.audit(ctx, lake, o)
	}
	return production.audit(ctx, lake, r, o)
}

func (p pipeline) audit(ctx context.Context, lake *datasets.Lake, r *Result, o Options) (*Certificate, error) {
	cuts, err := r.cuts(ctx, lake)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	a := &auditor{r: r, found: map[[2]string]bool{}}
	a.cert = &Certificate{Clock: r.Study.Data.Clock, Violations: []Violation{}, Expected: declared(r.Study)}
	o.NoCache = true
	quiet := o
	quiet.Log = nil
	for _, cut := range cuts {
		o.log("audit at %s (%s)", cut.At, cut.Place)
		a.cert.Cuts = append(a.cert.Cuts, cut.AuditCut)
		again, err := p.again(ctx, lake, r, cut, quiet)
		if err != nil {
			return nil, fmt.Errorf("audit at %s: %w", cut.At, err)
		}
		a.compare(again, cut)
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

// again makes everything again with another future.
func (p pipeline) again(ctx context.Context, lake *datasets.Lake, r *Result, cut auditCut, o Options) (*Result, error) {
	out := &Result{Study: r.Study}
	view := datasets.View{Lake: lake, Clock: r.Study.Data.Clock, Cut: cut.at, Gone: cut.gone}
	if err := p.market(ctx, lake, view, out, o); err != nil {
		return nil, err
	}
	// Bars that are not time bars may end with the cut.
	rows := out.Market.Len()
	within := func(w study.Span) study.Span {
		w.Lo, w.Hi = min(w.Lo, rows), min(w.Hi, rows)
		return w
	}
	out.Span = within(r.Span)
	for _, w := range r.Windows {
		out.Windows = append(out.Windows, within(w))
	}
	if err := p.score(ctx, out, o); err != nil {
		return nil, err
	}
	if err := out.recall(r.Models, cut.Bars); err != nil {
		return nil, err
	}
	if err := p.decide(ctx, out); err != nil {
		return nil, err
	}
	return out, p.trade(ctx, out)
}

// auditor compares what was with what would have been.
type auditor struct {
	r     *Result
	cert  *Certificate
	found map[[2]string]bool // panel and instrument of the violations so far
	order []string           // panels, from bars to positions
}

// rank is the place of a violation's panel on the way from bars to positions.
func (a *auditor) rank(v Violation) int { return slices.Index(a.order, v.Panel) }

// see puts a panel in its place.
func (a *auditor) see(panel string) {
	if !slices.Contains(a.order, panel) {
		a.order = append(a.order, panel)
	}
}

// compare checks everything that was known at the cut.
func (a *auditor) compare(again *Result, cut auditCut) {
	r, n := a.r, cut.Bars
	a.column("label", "", labels(r.Market), labels(again.Market), 0, n, cut)
	a.frames(r.Market.Panels, again.Market.Panels, n, cut)
	knowing := r.Study.FullSampleFactors()
	causal := slices.DeleteFunc(slices.Clone(r.Factors.Panels), func(p *factors.Panel) bool { return slices.Contains(knowing, p.Name) })
	a.frames(causal, again.Factors.Panels, n, cut)
	for k, c := range r.Study.Composite.Components {
		if r.Study.Normalization(k).Method != factors.FullSample {
			a.panel("z "+c.Factor, r.Score.Z[k], again.Score.Z[k], n, cut)
		}
	}
	if r.Study.NormalizesAhead() {
		return
	}
	a.panel(study.Composite, r.Score.Panel, again.Score.Panel, n, cut)
	if r.Study.PromptsAhead() {
		return
	}
	if r.Models != nil {
		a.panel("prompt", r.prompts(), again.prompts(), n, cut)
		a.frames(r.Models.Panels, again.Models.Panels, n, cut)
		a.panel(study.Combined, r.Traded, again.Traded, n, cut)
	}
	a.panel("target", r.Target, again.Target, n, cut)
	a.run("", r.All, again.All, again.Market, cut)
	if len(r.Windows) > 1 {
		for k := range r.Runs {
			a.run(fmt.Sprintf(" in window %d", r.Windows[k].Index), r.Runs[k], again.Runs[k], again.Market, cut)
		}
	}
}

func (a *auditor) frames(was, is []*factors.Panel, n int, cut auditCut) {
	for _, p := range was {
		k := slices.IndexFunc(is, func(q *factors.Panel) bool { return q.Name == p.Name })
		if k < 0 {
			a.panel(p.Name, p, nil, n, cut)
			continue
		}
		a.panel(p.Name, p, is[k], n, cut)
	}
}

func labels(m *Market) []float64 {
	out := make([]float64, m.Len())
	for t, at := range m.Close {
		out[t] = float64(at)
	}
	return out
}

// panel compares the first n rows of a panel.
func (a *auditor) panel(name string, was, is *factors.Panel, n int, cut auditCut) {
	for i, in := range was.Instruments {
		var col []float64
		if is != nil {
			if k := slices.Index(is.Instruments, in); k >= 0 {
				col = is.Col(k)
			}
		}
		a.column(name, in.String(), was.Col(i), col, 0, n, cut)
	}
}

// column compares rows [lo, hi) of a column; was and is begin at row lo.
func (a *auditor) column(panel, instrument string, was, is []float64, lo, hi int, cut auditCut) {
	a.see(panel)
	for t := lo; t < hi; t++ {
		value := math.NaN()
		if t-lo < len(is) {
			value = is[t-lo]
		}
		a.value(panel, instrument, was[t-lo], value, t, cut)
	}
}

// value compares one value of row t, to the bit; what is missing in both is equal.
func (a *auditor) value(panel, instrument string, was, is float64, t int, cut auditCut) {
	a.cert.Checked++
	if math.Float64bits(was) == math.Float64bits(is) || math.IsNaN(was) && math.IsNaN(is) {
		return
	}
	if key := [2]string{panel, instrument}; !a.found[key] {
		a.found[key] = true
		a.cert.Violations = append(a.cert.Violations, Violation{
			Panel: panel, Instrument: instrument, Bar: instant(a.r.Market.Close[t]), Cut: cut.At,
			Value: Figure(was), Recomputed: Figure(is),
		})
	}
}

// run compares a replay: what was held and what that was worth.
func (a *auditor) run(suffix string, was, is *Run, market *Market, cut auditCut) {
	lo, hi := was.Window.Lo, min(cut.Bars, was.Window.Hi)
	if market.Every == 0 {
		hi = min(hi, was.Window.Hi-1, is.Window.Hi-1) // the last of them runs to the end of the window
	}
	for i, in := range market.Instruments {
		a.column("position"+suffix, in.String(), was.Quantity[i], is.Quantity[i], lo, hi, cut)
		a.column("weight"+suffix, in.String(), was.Weight[i], is.Weight[i], lo, hi, cut)
	}
	a.column("equity"+suffix, "", was.Equity, is.Equity, lo, hi, cut)
	if cut.Future == absentFuture && a.r.Study.Execution.Price == "open" {
		a.fills(suffix, was, is, market, cut)
	}
}

// fills compares the fills at the open of the bar in progress at the cut. Where nothing comes after the cut,
// a bar that has trades had its open before.
func (a *auditor) fills(suffix string, was, is *Run, market *Market, cut auditCut) {
	t := cut.Bars
	if t >= min(was.Window.Hi, is.Window.Hi) {
		return
	}
	for i, in := range market.Instruments {
		if !(market.Panel("trades").Col(i)[t] > 0) {
			continue
		}
		a.see("fill quantity" + suffix)
		a.see("fill price" + suffix)
		x, y := was.filled(t, i), is.filled(t, i)
		for k := range max(len(x), len(y)) {
			none := Fill{Quantity: math.NaN(), Price: math.NaN()}
			f, g := none, none
			if k < len(x) {
				f = x[k]
			}
			if k < len(y) {
				g = y[k]
			}
			a.value("fill quantity"+suffix, in.String(), f.Quantity, g.Quantity, t, cut)
			a.value("fill price"+suffix, in.String(), f.Price, g.Price, t, cut)
		}
	}
}

// filled lists the fills of an instrument at row t.
func (r *Run) filled(t, instrument int) []Fill {
	var list []Fill
	for _, f := range r.Fills {
		if f.Row == t && f.Instrument == instrument {
			list = append(list, f)
		}
	}
	return list
}
