package backtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"io"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Options says how to run a study, never what comes out.
type Options struct {
	Workers int                           // 0 means GOMAXPROCS
	NoCache bool                          // leave the lake's bar cache alone
	Log     func(format string, a ...any) // one line per stage; nil for none

	streamFrom, chunkRows int // of streams, in tests; 0 means the constants
}

func (o Options) log(format string, a ...any) {
	if o.Log != nil {
		o.Log(format, a...)
	}
}

// Backtest runs a study from the lake to the figures: bars, factors, composite, targets, one replay
// per window and one over the whole span, evaluation. The result depends on the study and on the
// cells of the lake files that it reads, and on nothing else.
func Backtest(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Result, error) {
	if st, err := streamed(ctx, lake, s, o); err != nil {
		return nil, err
	} else if st != nil {
		return st.backtest(ctx)
	}
	r, err := production.frame(ctx, lake, s, o)
	if err != nil {
		return nil, err
	}
	o.log("trading %d window(s)", len(r.Windows))
	if err := production.trade(ctx, r); err != nil {
		return nil, err
	}
	others, err := production.compare(ctx, r)
	if err != nil {
		return nil, err
	}
	scores, trials := r.judged(others)
	o.log("evaluating %d signals", len(scores.Factors)+len(scores.Levels))
	r.Evaluation, err = Evaluate(r.Market, scores, s, r.Span, r.Windows, trials)
	if err != nil {
		return nil, err
	}
	r.warn(r.Evaluation.Warnings...)
	if err := r.judgeModels(); err != nil {
		return nil, err
	}
	r.Digest, err = digest(s, r.Sources, r.Models)
	return r, err
}

// Frame is the first part of Backtest: bars, factors and composite, which `qf factors --out` writes and
// which need no model's answer. What follows from them is empty.
func Frame(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*Result, error) {
	if st, err := streamed(ctx, lake, s, o); err != nil {
		return nil, err
	} else if st != nil {
		return st.frame(ctx)
	}
	return production.composed(ctx, lake, s, o)
}

// firstDay is the first wanted day from which the lake holds trades of any of the instruments: what
// lies before cannot warm anything up.
func firstDay(lake *datasets.Lake, s *study.Study, needs study.Needs) (datasets.Day, error) {
	first := s.Data.From
	for _, in := range s.Data.Instruments {
		held, err := lake.List(datasets.Trades, in.Instrument)
		if err != nil {
			return 0, err
		}
		i, _ := slices.BinarySearchFunc(held, needs.From, func(p datasets.Partition, d datasets.Day) int { return cmp.Compare(p.Day, d) })
		if i < len(held) {
			first = min(first, held[i].Day)
		}
	}
	return first, nil
}

// judged lists what is judged: the factors in the study's order, the composite, and where there are models their
// opinions and what is traded, by what they say; what was traded for comparison and the study's own run by what
// they earned.
func (r *Result) judged(others []Trial) (Scores, []Trial) {
	scores := Scores{Factors: r.Factors.Panels, Levels: []*factors.Panel{r.Score.Panel}}
	own := Trial{r.Traded.Name, r.All, r.Runs}
	if r.Models == nil {
		return scores, []Trial{own}
	}
	scores.Levels = append(append(scores.Levels, r.Models.Panels...), r.Traded)
	return scores, append(others, own)
}

// warn adds warnings, each text once.
func (r *Result) warn(list ...error) {
	for _, w := range list {
		known := slices.ContainsFunc(r.Warnings, func(old error) bool { return old.Error() == w.Error() })
		if !known {
			r.Warnings = append(r.Warnings, w)
		}
	}
}

func (r *Result) warnLookAhead() {
	for _, why := range r.Study.LooksAhead() {
		r.warn(errors.New(why))
	}
}

// warnWarmup says from when on each factor exists, where that is later than the span's first bar.
func (r *Result) warnWarmup() {
	for _, p := range append(slices.Clone(r.Factors.Panels), r.Score.Panel) {
		for i, in := range p.Instruments {
			first := slices.IndexFunc(p.Col(i)[r.Span.Lo:], func(x float64) bool { return !math.IsNaN(x) })
			r.warnFirst(p.Name, in, first, p.Close[r.Span.Lo+max(first, 0)])
		}
	}
}

// warnFirst says that the first value of a signal is so many bars into the span, at a label; none where first
// is negative.
func (r *Result) warnFirst(name string, in datasets.Instrument, first int, label int64) {
	switch {
	case first < 0:
		r.warn(fmt.Errorf("%s of %v has no value: the lake does not hold enough days before %s", name, in, stamp(r.Span.To)))
	case first > 0:
		r.warn(fmt.Errorf("%s of %v exists from %s on, %d bars into the span: more days before %s would warm it up",
			name, in, stamp(label), first, stamp(r.Span.From)))
	}
}

// warnCoverage counts the days of the span that the lake lacks.
func (r *Result) warnCoverage() {
	for i, days := range r.Market.Days {
		missing := map[datasets.DataType][]string{}
		for _, d := range days {
			if d.Presence == bars.Missing && d.Day.Start() >= r.Span.From && d.Day.Start() < r.Span.To {
				missing[d.Type] = append(missing[d.Type], d.Day.String())
			}
		}
		for _, t := range datasets.DataTypes() {
			if list := missing[t]; len(list) > 0 {
				shown := list[:min(3, len(list))]
				r.warn(fmt.Errorf("%v: %d day(s) of %s are not in the lake (%v…): nothing is carried across them", r.Market.Instruments[i], len(list), t, shown))
			}
		}
	}
}

// stamp writes a time of the grid for people.
func stamp(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04") }

// digest names a run: a hash over the configuration, but for where things lie, and over the cells
// of every source, and what the models said.
func digest(s *study.Study, sources []datasets.Info, models *Models) (string, error) {
	h := sha256.New()
	doc := s.Document()
	for i, k := range doc.Keys {
		item := doc.Items[i]
		switch k.Name {
		case "report":
			continue
		case "data":
			item = item.Without("lake")
		case "signals":
			item = s.Signals.Identity(item)
		}
		text, err := json.Marshal(item)
		if err != nil {
			return "", fmt.Errorf("digest: %s: %w", k.Name, err)
		}
		fmt.Fprintf(h, "%s %s\n", k.Name, text)
	}
	for _, src := range sources {
		io.WriteString(h, src.Partition.String()+" "+src.Digest+"\n")
	}
	if models != nil {
		if err := models.write(h); err != nil {
			return "", fmt.Errorf("digest: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
