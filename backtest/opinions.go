package backtest

import (
	"context"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"slices"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// voice says whose opinion is combined with the composite: an index into Models.Panels, or nobody.
type voice int

const (
	nobody voice = iota - 1
	everybody
)

// name is the signal that is traded with a voice.
func (m *Models) name(v voice) string {
	switch {
	case m == nil || v == nobody:
		return study.Composite
	case v == everybody:
		return study.Combined
	}
	return m.Panels[v].Name
}

// hear reads what the models said and lays it on the grid. Where answers are missing, or too many are
// invalid, it fails as the study says.
func (r *Result) hear() error {
	l := r.Study.Signals.LLM
	if l == nil {
		return nil
	}
	cfg, err := l.Config()
	if err != nil {
		return fmt.Errorf("signals.llm: %w", err)
	}
	o, err := llm.Read(llm.OpenCache(l.CacheDir()), cfg, r.questions())
	if err != nil {
		return fmt.Errorf("signals.llm: %w", err)
	}
	if err := l.Refuses(o); err != nil {
		return err
	}
	r.Models = r.models(o)
	return nil
}

// models begins the report on replies: the opinion that holds at each bar, from its question to the
// next of that instrument.
func (r *Result) models(o *llm.Opinions) *Models {
	l := r.Study.Signals.LLM
	m := &Models{
		Opinions: o, Mode: l.Combine.Mode, Weight: null, Ensemble: l.Ensemble, Cadence: l.Cadence.String(),
		Anonymized: l.Anonymize, Questions: len(o.Questions),
	}
	if l.Combine.Mode == llm.Blend {
		m.Weight = Figure(l.Combine.Weight)
	}
	hold := func(name string, opinions []float64) {
		cols := make([][]float64, len(r.Market.Instruments))
		for i := range cols {
			cols[i] = make([]float64, r.Market.Len())
			for t := range cols[i] {
				cols[i][t] = math.NaN()
			}
		}
		for q, x := range opinions {
			cols[r.Market.column(o.Questions[q].Instrument)][o.Questions[q].Row] = x
		}
		for _, col := range cols {
			for t := 1; t < len(col); t++ {
				if math.IsNaN(col[t]) {
					col[t] = col[t-1]
				}
			}
		}
		m.Panels = append(m.Panels, factors.NewPanel(name, r.Market.Grid, cols...))
	}
	hold(study.Ensemble, o.Ensemble())
	for k, model := range o.Config.Models {
		own := make([]float64, len(o.Questions))
		for q, reply := range o.Replies[k] {
			own[q] = reply.Opinion
		}
		hold(study.OneModel+model.Name, own)
	}
	return m
}

// column is the index of an instrument of the market.
func (m *Market) column(in datasets.Instrument) int {
	if i := slices.Index(m.Instruments, in); i >= 0 {
		return i
	}
	panic("backtest: an instrument that the market does not have")
}

// score is what is traded with a voice: the composite and that opinion, combined. Where a blend or a
// gate lacks one of them it is missing.
func (m *Models) score(v voice, composite *factors.Panel) *factors.Panel {
	if m == nil || v == nobody {
		return composite
	}
	cols := make([][]float64, len(composite.Instruments))
	for i := range cols {
		opinions := m.Panels[v].Col(i)
		cols[i] = make([]float64, composite.Len())
		for t, f := range composite.Col(i) {
			cols[i][t] = combine(m.Mode, float64(m.Weight), f, opinions[t])
		}
	}
	return factors.NewPanel(m.name(v), composite.Grid, cols...)
}

// combine is (1 − λ)·f + λ·opinion, or f where the opinion has its sign and else 0, or the opinion.
func combine(mode llm.Combine, λ, f, opinion float64) float64 {
	switch {
	case mode == llm.Replace:
		return opinion
	case math.IsNaN(f) || math.IsNaN(opinion):
		return math.NaN()
	case mode == llm.Blend:
		return float64((1-λ)*f) + float64(λ*opinion)
	case f > 0 && opinion > 0 || f < 0 && opinion < 0:
		return f
	}
	return 0
}

// compare trades the composite alone and with each model alone.
func (p pipeline) compare(ctx context.Context, r *Result) ([]Trial, error) {
	if r.Models == nil {
		return nil, nil
	}
	var trials []Trial
	for v := nobody; int(v) < len(r.Models.Panels); v++ {
		if v == everybody {
			continue
		}
		target, err := p.target(ctx, r, r.Models.score(v, r.Score.Panel))
		if err != nil {
			return nil, err
		}
		t, err := p.trial(ctx, r, v, target)
		if err != nil {
			return nil, err
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// warnModels says what of the opinions was not there.
func (r *Result) warnModels() {
	if r.Models == nil {
		return
	}
	o := r.Models.Opinions
	for k, m := range o.Config.Models {
		if missing := o.MissingOf(k).Calls; missing > 0 {
			r.warn(fmt.Errorf("%d of %d answers of %s are not in the cache and trade as neutral", missing, len(o.Questions), m.Name))
		}
		if b := o.Billed(k); b.Invalid > 0 {
			r.warn(fmt.Errorf("%d of %d answers of %s are invalid and trade as neutral", b.Invalid, b.Calls, m.Name))
		}
	}
	if len(o.Questions) == 0 {
		r.warn(fmt.Errorf("signals.llm: no bar has a composite, so that the models are not asked"))
	}
}
