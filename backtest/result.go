package backtest

import (
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// Result is a finished backtest: every number that a report shows, and the columns behind them.
type Result struct {
	Study   *study.Study
	Market  *Market
	Factors *factors.Frame
	Score   *factors.Score // the composite
	Traded  *factors.Panel // the score that the rule trades: the composite, or with models Combined
	Target  *factors.Panel
	Models  *Models // what models said; nil where the study asks none

	Span    study.Span   // all evaluated rows
	Windows []study.Span // one or more, in time order
	All     *Run         // one run over Span
	Runs    []*Run       // one per window; Runs[0] is All where Span is the only window

	Evaluation  *Evaluated
	Sources     []datasets.Info // every lake file that was read
	Digest      string          // of the configuration and the data: names the run
	Warnings    []error         // in order of appearance, each once
	Certificate *Certificate    // of Audit; nil where it was not asked for
	Streamed    *Streamed       // where the study has too many bars for whole columns; nil otherwise

	shown []*factors.Panel // by value of a prompt's summary; nil where there is none
}
