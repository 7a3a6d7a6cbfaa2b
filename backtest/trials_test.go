package backtest

import (
	"testing"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
)

// One trial alone is judged against 0, each further one by all; the same again adds none, and without a ledger none counts.
func TestRunsAreJudgedByTheLedger(t *testing.T) {
	lake, s := simulatedLake(t, small, nil)
	s.Evaluation.Bootstrap = 50
	run := func(delay int, l *ledger.Ledger) *Result {
		s.Execution.Delay = delay
		r, err := Backtest(t.Context(), lake, s, Options{Ledger: l})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	l := ledger.Open(lake)
	first := run(1, l)
	row := first.Figures.pnl(first.Traded)
	if row.Of("dsr") != row.Of("psr") || first.Trials.Count != 1 || first.Ledger.Count != 1 {
		t.Errorf("alone: dsr %v, psr %v, %+v", row.Of("dsr"), row.Of("psr"), first.Trials)
	}
	var last *Result
	for _, delay := range []int{2, 30, 30, 1} {
		last = run(delay, l)
	}
	row = last.Figures.pnl(last.Traded)
	d := last.Trials
	if d.Count != 3 || d.Compared != 3 || last.Ledger.Count != 3 || d.DSR != row.Of("dsr") || !(d.Expected > 0) || !(row.Of("dsr") < row.Of("psr")) {
		t.Errorf("third of three: dsr %v, psr %v, %+v", row.Of("dsr"), row.Of("psr"), d)
	}
	explained(t, []*evaluate.Trials{first.Trials}, []*evaluate.Trials{d})
	off := run(1, nil)
	if alone := off.Figures.pnl(off.Traded); off.Trials != nil || off.Ledger != nil || alone.Of("dsr") != row.Of("psr") {
		t.Errorf("without a ledger: %+v", off.Trials)
	}
}
