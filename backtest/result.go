package backtest

import (
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// Result is a finished backtest: every number that a report shows. Close frees what it keeps of single rows.
type Result struct {
	Study     *study.Study
	Grid      *factors.Grid // without labels
	Contracts []datasets.Contract
	Days      [][]bars.DayStatus // by instrument, then reference: what the lake had
	Unpriced  []int              // by instrument: bars of the span without a price

	Span    study.Span   // all evaluated rows
	Windows []study.Span // one or more, in time order
	Traded  string       // signal of what the study trades: study.Composite, or with models study.Combined
	Runs    []Run        // the run over Span, and where there are several windows one each after it

	Figures  *Evaluated
	Trials   *evaluate.Trials // what was tried beside it; nil where trials are not counted, or net PnL is not known
	Ledger   *ledger.Head     // that the run was judged by; nil where trials are not counted
	Models   *opinions.Models // what models said; nil where the study asks none
	Curves   Curves
	Universe *Universe       // who was a member when; nil where the study has none
	Sources  []datasets.Info // every lake file that was read
	Series   []SeriesSource  // the study's own
	Digest   string          // of the configuration and the data: names the run
	Warnings []error         // in order of appearance, each once

	Certificate *Certificate // of Audit; nil where it was not asked for

	family *ledger.Family    // nil where trials are not counted
	kept   *kept             // rows; nil where no format wants them
	known  *datasets.Catalog // what the lake knows of instruments
}

// SeriesSource is a series of the study's own that was read.
type SeriesSource struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Digest string `json:"digest"` // of the rows
	Path   string `json:"source_path"`
	Bytes  int64  `json:"source_bytes"`
	SHA256 string `json:"source_sha256"`
}

// Run is one replay of what the study trades.
type Run struct {
	Window  string // evaluate.All, or its index
	Span    study.Span
	Account *portfolio.Account
	Hold    *portfolio.Account // buying and holding under the same costs
}

// Evaluated is everything that is said about scores and runs: IC, levels and transitions of window "all" and then of each
// window where there are several, the rest of window "all".
type Evaluated struct {
	evaluate.Figures
	PnL       []evaluate.PnLRow
	Variants  []evaluate.VariantRow
	Stability []evaluate.StabilityRow // where there are several windows

	windows []*evaluate.Figures
}

// add takes the figures of the next window.
func (ev *Evaluated) add(f *evaluate.Figures) {
	if ev.windows = append(ev.windows, f); len(ev.windows) == 1 {
		ev.Figures = *f
		return
	}
	ev.IC, ev.Levels, ev.Transitions = append(ev.IC, f.IC...), append(ev.Levels, f.Levels...), append(ev.Transitions, f.Transitions...)
}

// Bars is the number of rows of the span.
func (r *Result) Bars() int { return r.Span.Hi - r.Span.Lo }

// Close frees the rows that are kept. The figures stay.
func (r *Result) Close() error {
	if r.kept == nil {
		return nil
	}
	return r.kept.space.Close()
}

// warn adds warnings, each text once.
func (r *Result) warn(list ...error) {
	for _, w := range list {
		known := false
		for _, old := range r.Warnings {
			known = known || old.Error() == w.Error()
		}
		if !known {
			r.Warnings = append(r.Warnings, w)
		}
	}
}
