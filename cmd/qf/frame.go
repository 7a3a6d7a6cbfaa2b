package main

import (
	"context"
	"fmt"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets/atomicfile"
	"github.com/qf-dev/qf/reports"
)

// writeFrame writes a study's frame to a file that appears whole or not at all.
func writeFrame(ctx context.Context, s streams, o factorsOptions) error {
	if err := reports.CheckFrameName(o.out); err != nil {
		return usageError{err}
	}
	if err := reports.CheckFrame(o.out); err != nil {
		return err
	}
	study, err := o.study(s)
	if err != nil {
		return err
	}
	lake, err := o.lake.open(s, study.Data.Lake, o.config)
	if err != nil {
		return err
	}
	file, err := atomicfile.Create(o.out) // first: where it cannot be, nothing need be computed
	if err != nil {
		return fmt.Errorf("write %s: %w", o.out, err)
	}
	defer file.Drop()
	frame, err := backtest.NewFrame(ctx, lake, study, backtest.Options{Log: o.logger(s)})
	if err != nil {
		return err
	}
	if err := reports.WriteFrame(ctx, file, o.out, frame); err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	if err := file.Publish(); err != nil {
		return err
	}
	for _, w := range frame.Warnings {
		fmt.Fprintf(s.err, "qf: warning: %v\n", w)
	}
	rows := frame.Bars * len(frame.Grid)
	if o.json {
		return printJSON(s, frameJSON{o.out, rows})
	}
	_, err = fmt.Fprintf(s.out, "%s: %d rows\n", o.out, rows)
	return err
}

type frameJSON struct {
	File string `json:"file"`
	Rows int    `json:"rows"`
}
