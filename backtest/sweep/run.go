package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// Outcome is what a trial came to. Figures are those of its backtest.
type Outcome struct {
	Number   int                        `json:"trial"`
	Settings map[string]json.RawMessage `json:"settings"` // by path
	Digest   string                     `json:"digest"`   // of the run that qf backtest --trial makes
	Figures  evaluate.PnLRow            `json:"figures"`
	IC       IC                         `json:"ic"`
	// Daily are the returns by UTC day after costs, by Result.Days: null where a day is not known, or part of a hole in the data.
	Daily []evaluate.Figure `json:"daily"`
}

// IC is the information coefficient of what a trial trades, of all instruments together, at the primary horizon.
type IC struct {
	Pearson    evaluate.Figure `json:"pearson"`
	T          evaluate.Figure `json:"t"`
	P          evaluate.Figure `json:"p"`
	N          int             `json:"n"`
	NEffective evaluate.Figure `json:"n_effective"`
}

// Result is a sweep with the outcomes that are there.
type Result struct {
	*Sweep
	Digest   string // of the trials' studies: names the sweep
	Days     []datasets.Day
	Outcomes []*Outcome   // by trial; nil where it was not run
	Ledger   *ledger.Head // that Deflate judged by
}

// Options say how a sweep is run.
type Options struct {
	backtest.Options
	// Mine picks the trials of this run, where several machines share them; nil picks all.
	Mine func(t *Trial) bool
	// Ledger is where trials are counted; nil for nowhere.
	Ledger *ledger.Ledger
	// Keep takes the result each time that a pass of trials is finished; nil keeps nothing.
	Keep func(*Result) error
	// Progress is told what share of the trials is done.
	Progress func(share float64)
}

// New is a result without outcomes.
func (w *Sweep) New() (*Result, error) {
	h := sha256.New()
	for _, t := range w.Trials {
		doc := t.Study.Document().Without("report").Without("name")
		text, err := json.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		fmt.Fprintf(h, "%s\n", text)
	}
	io.WriteString(h, w.Base.Sweep.Objective)
	r := &Result{Sweep: w, Digest: hex.EncodeToString(h.Sum(nil))[:12], Outcomes: make([]*Outcome, len(w.Trials))}
	for d := w.Base.Data.From; d < w.Base.Data.To; d++ {
		r.Days = append(r.Days, d)
	}
	for _, t := range w.Trials {
		if t.Study.Data.From != w.Base.Data.From || t.Study.Data.To != w.Base.Data.To {
			return nil, fmt.Errorf("trial %d has another span: the trials of a sweep are judged on the same days", t.Number)
		}
	}
	return r, nil
}

// Run plays the trials that r has no outcome of, and those whose outcome is of other data.
func (r *Result) Run(ctx context.Context, lake *datasets.Lake, o Options) error {
	var list []*study.Study
	var trials []*Trial
	for _, t := range r.Trials {
		if o.Mine == nil || o.Mine(t) {
			list, trials = append(list, t.Study), append(trials, t)
		}
	}
	done := 0
	var entries []ledger.Entry
	return backtest.SideBySide(ctx, lake, list, backtest.Batch{
		Options: o.Options,
		Known: func(k int, digest string) bool {
			old := r.Outcomes[trials[k].Number-1]
			return old != nil && old.Digest == digest
		},
		Done: func(k int, out *backtest.Outcome) error {
			r.Outcomes[trials[k].Number-1] = r.outcome(trials[k], out)
			done++
			if o.Ledger == nil || !trials[k].Study.Evaluation.Ledger {
				return nil
			}
			e, scored, err := ledger.NewEntry(trials[k].Study, out.Account)
			if scored {
				entries = append(entries, e)
			}
			return err
		},
		Progress: o.Progress,
		Passed: func() error {
			if len(entries) > 0 { // counted before anybody sees them
				if _, err := o.Ledger.Add(ctx, entries...); err != nil {
					return err
				}
				entries = entries[:0]
			}
			if o.Keep == nil || done == 0 {
				return nil
			}
			done = 0
			return o.Keep(r)
		},
	})
}

// Deflate sets the dsr of every outcome, which Run leaves at that of a trial alone, by all that the ledger knows on the days of
// the first.
func (r *Result) Deflate(ctx context.Context, l *ledger.Ledger) error {
	k := slices.IndexFunc(r.Outcomes, func(o *Outcome) bool { return o != nil })
	if k < 0 {
		return nil
	}
	family, err := l.Family(ctx, r.Trials[k].Study, study.Span{From: r.Days[0].Start(), To: (r.Days[len(r.Days)-1] + 1).Start()})
	if err != nil {
		return err
	}
	r.Ledger = &family.Head
	known := func(o *Outcome) (days []datasets.Day, returns []float64) {
		for d, v := range o.Daily {
			if v == v {
				days, returns = append(days, r.Days[d]), append(returns, float64(v))
			}
		}
		return days, returns
	}
	days, _ := known(r.Outcomes[k])
	d := family.Over(days).Deflation()
	for _, o := range r.Outcomes {
		if o == nil || o.Figures.Of("dsr") != o.Figures.Of("dsr") {
			continue
		}
		_, returns := known(o)
		o.Figures.Figures["dsr"] = evaluate.Figure(metrics.InferSharpe(returns).Deflated(d))
	}
	return nil
}

// outcome sums a trial up.
func (r *Result) outcome(t *Trial, b *backtest.Outcome) *Outcome {
	o := &Outcome{
		Number: t.Number, Settings: map[string]json.RawMessage{}, Digest: b.Digest, Figures: b.PnL,
		IC:    IC{b.IC.Pearson, b.IC.T, b.IC.P, b.IC.N, b.IC.NEffective},
		Daily: make([]evaluate.Figure, len(r.Days)),
	}
	for k, path := range r.Paths {
		o.Settings[path] = json.RawMessage(t.Settings[k])
	}
	for k := range o.Daily {
		o.Daily[k] = evaluate.Figure(math.NaN())
	}
	for _, d := range b.Account.Days {
		k, ok := slices.BinarySearch(r.Days, d.Day)
		if ok && d.Hole == 0 && (b.Account.Unknown == nil || (d.Day+1).Start() <= b.Account.Unknown.From) {
			o.Daily[k] = evaluate.Figure(d.Return)
		}
	}
	return o
}

// Missing lists the trials without an outcome.
func (r *Result) Missing() (list []*Trial) {
	for k, o := range r.Outcomes {
		if o == nil {
			list = append(list, r.Trials[k])
		}
	}
	return list
}

// Objective is the value that makes an outcome the best.
func (r *Result) Objective(o *Outcome) float64 {
	if r.Base.Sweep.Objective == "ic_t" {
		return float64(o.IC.T)
	}
	return float64(o.Figures.Of(r.Base.Sweep.Objective))
}

// Best sorts the outcomes by the objective, the largest first, then by number; those without one are last.
func (r *Result) Best() []*Outcome {
	list := slices.DeleteFunc(slices.Clone(r.Outcomes), func(o *Outcome) bool { return o == nil })
	slices.SortStableFunc(list, func(a, b *Outcome) int {
		x, y := r.Objective(a), r.Objective(b)
		switch {
		case x > y || y != y && x == x:
			return -1
		case x < y || x != x && y == y:
			return 1
		}
		return a.Number - b.Number
	})
	return list
}
