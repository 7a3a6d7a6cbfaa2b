package backtest

import (
	"context"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/datasets"
)

// enter puts what the study earned over its span on the ledger, and judges it by what stands there.
func (r *Result) enter(ctx context.Context, l *ledger.Ledger, own *portfolio.Account) error {
	if l == nil {
		return nil
	}
	entry, scored, err := ledger.NewEntry(r.Study, own)
	if err != nil {
		return err
	}
	var list []ledger.Entry
	if scored {
		list = append(list, entry)
	}
	head, err := l.Add(ctx, list...)
	if err != nil {
		return err
	}
	if r.family, err = l.Family(ctx, r.Study, own.Span); err != nil {
		return err
	}
	r.Ledger = &head
	if !scored {
		return nil
	}
	r.family.Put(&entry)
	r.Trials = r.family.Judge(entry.Digest, r.Study.Evaluation)
	return nil
}

// tried is what a run on some days has to beat; nil where trials are not counted.
func (r *Result) tried() evaluate.Deflate {
	if r.family == nil {
		return nil
	}
	return func(days []datasets.Day) metrics.Deflation { return r.family.Over(days).Deflation() }
}
