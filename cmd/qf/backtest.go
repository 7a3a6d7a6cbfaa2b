package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/reports"
)

type backtestOptions struct {
	*common
	lake    lakeFlag
	config  string
	set     []string
	out     string
	json    bool
	noCache bool
	workers int
}

func newBacktest(s streams, c *common, run func(context.Context, streams, backtestOptions) error) *cobra.Command {
	o := backtestOptions{common: c}
	cmd := &cobra.Command{
		Use:   "backtest --config FILE",
		Short: "Score a study: bars, factors, composite, PnL, IC, report",
		Long: `Runs a study over the lake and writes its report: bars, factors, composite score, target
positions, PnL after costs and information coefficients. Reads nothing from the network.
The same study and data give the same bytes.
` + exitHelp,
		Example: `  qf backtest --config study.yaml
  qf backtest --config study.yaml --set execution.taker_bps=2 --set data.to=2024-05-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	f.StringVar(&o.config, "config", "", "the study (qf config init writes one)")
	f.StringArrayVar(&o.set, "set", nil, "override a value of the study: path=value (repeatable)")
	f.StringVar(&o.out, "out", "", "folder of runs (default: the study's report.dir)")
	f.BoolVar(&o.json, "json", false, "print report.json instead of the summary")
	f.BoolVar(&o.noCache, "no-cache", false, "build bars from ticks even where the lake has them cached")
	f.IntVar(&o.workers, "workers", 0, "days and columns worked on at once (default: all cores)")
	return cmd
}

func runBacktest(ctx context.Context, s streams, o backtestOptions) error {
	if o.config == "" {
		return usageError{errors.New("which study? want --config FILE; qf config init writes one to start from")}
	}
	study, err := loadStudy(o.config, o.set)
	if err != nil {
		return err
	}
	if o.out != "" {
		study.Report.Dir = o.out
	}
	lake, err := o.lake.open(s, study.Data.Lake, o.config)
	if err != nil {
		return err
	}
	started := time.Now()
	result, err := backtest.Backtest(ctx, lake, study, backtest.Options{
		Workers: o.workers, NoCache: o.noCache, Log: o.logger(s),
	})
	if err != nil {
		return err
	}
	if err := reports.Write(study.Report.Dir, result, reports.Options{Version: qfVersion()}); err != nil {
		return err
	}
	folder := filepath.Join(study.Report.Dir, reports.Folder(result))
	o.logger(s)("done in %.1f s", time.Since(started).Seconds())
	if o.json {
		text, err := os.ReadFile(filepath.Join(folder, "report.json"))
		if err != nil {
			return err
		}
		_, err = s.out.Write(text)
		return err
	}
	if err := reports.WriteSummary(s.out, reports.New(result), s.color()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\n%s\n", folder)
	return err
}

// logger prints the stages of a command, where they are wanted.
func (c *common) logger(s streams) func(string, ...any) {
	return func(format string, a ...any) {
		if !c.quiet {
			fmt.Fprintf(s.err, format+"\n", a...)
		}
	}
}
