package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/reports"
)

type reportOptions struct {
	run     string
	formats []string
	json    bool
}

func newReport(s streams, run func(context.Context, streams, reportOptions) error) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Show a finished run again, or render its files anew",
		Long: `Prints the summary of a finished run, given as its folder or its report.json. With --format it
writes report.html or the CSV tables into the run's folder again instead. Nothing is computed.
` + exitPlain,
		Example: `  qf report runs/latest
  qf report runs/latest --format html,csv
  qf report runs/latest --json | jq .verdict`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: finishedRuns(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run = args[0]
			return run(cmd.Context(), s, o)
		},
	}
	cmd.Flags().StringSliceVar(&o.formats, "format", nil, "comma-separated `LIST` of files to render again: html, csv")
	cmd.Flags().BoolVar(&o.json, "json", false, "print report.json")
	complete(cmd, "format", listOf(func(*cobra.Command) []string { return []string{string(reports.HTML), string(reports.CSV)} }))
	return cmd
}

func runReport(_ context.Context, s streams, o reportOptions) error {
	if o.json && len(o.formats) > 0 {
		return usageError{errors.New("--format writes files, --json prints one: want one of them")}
	}
	if len(o.formats) > 0 {
		var formats []reports.Format
		for _, f := range o.formats {
			if f != string(reports.HTML) && f != string(reports.CSV) {
				return usageError{fmt.Errorf("--format %s: want html or csv", f)}
			}
			formats = append(formats, reports.Format(f))
		}
		return reports.Rerender(o.run, formats...)
	}
	run, err := reports.Open(o.run)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: qf runs lists those that there are", err)
	}
	if err != nil {
		return err
	}
	if o.json {
		return reports.Render(s.out, reports.JSON, run)
	}
	return reports.WriteSummary(s.out, run.Report, s.color())
}

type runsOptions struct {
	dir  string
	json bool
}

func newRuns(s streams, run func(context.Context, streams, runsOptions) error) *cobra.Command {
	o := runsOptions{dir: "runs"}
	cmd := &cobra.Command{
		Use:   "runs [DIR]",
		Short: "List runs with their headline figures and what sets them apart",
		Long: `Lists the runs in a folder (default: runs) with their headline figures, then the settings in
which they differ. The newest has a star. Sweeps follow, with what they tried and their best.
` + exitPlain,
		Example: `  qf runs
  qf runs qf-demo/runs --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.dir = args[0]
			}
			return run(cmd.Context(), s, o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

func runRuns(_ context.Context, s streams, o runsOptions) error {
	list, err := reports.Runs(o.dir)
	if err != nil {
		return err
	}
	sweeps, err := reports.Sweeps(o.dir)
	if err != nil {
		return err
	}
	if len(list)+len(sweeps) == 0 {
		return fmt.Errorf("%s: no runs there: qf backtest makes one", o.dir)
	}
	if o.json {
		return printJSON(s, list)
	}
	if len(list) > 0 {
		if err := reports.WriteRuns(s.out, list); err != nil {
			return err
		}
	}
	return reports.WriteSweeps(s.out, sweeps)
}
