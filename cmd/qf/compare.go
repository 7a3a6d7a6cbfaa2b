package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/reports"
)

type compareOptions struct {
	golden, run string
	relative    float64
	absolute    float64
	tolerances  string
	json        bool
}

func newCompare(s streams, run func(context.Context, streams, compareOptions) error) *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare GOLDEN RUN",
		Short: "Compare two runs number by number",
		Long: `Compares the report.json of two runs, given as files or as run folders, and lists every
number that drifted, is missing or is new, by section. A number has drifted when the difference
exceeds both --abs and --rel times the larger of the two. A file of tolerances sets them by path;
the last path that matches counts:

  curves.**: 1e-6                                        # relative
  pnl[signal=composite].sharpe: {relative: 0, absolute: 1e-4}

Exit codes: 0 no drift; 1 drift, or a run cannot be read; 2 wrong usage; 130 interrupted.`,
		Example: `  qf compare golden/report.json runs/latest
  qf compare golden/report.json runs/latest --tolerances tolerances.yaml
  qf compare --rel 1e-6 runs/one runs/other --json`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: finishedRuns(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.golden, o.run = args[0], args[1]
			return run(cmd.Context(), s, o)
		},
	}
	cmd.Flags().Float64Var(&o.relative, "rel", reports.DefaultRelative, "largest relative difference `X` that is no drift")
	cmd.Flags().Float64Var(&o.absolute, "abs", 0, "largest absolute difference `X` that is no drift")
	cmd.Flags().StringVar(&o.tolerances, "tolerances", "", "YAML `FILE` of tolerances by path")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the drifts as JSON")
	complete(cmd, "tolerances", files("yaml", "yml"))
	return cmd
}

func runCompare(_ context.Context, s streams, o compareOptions) error {
	if !(o.relative >= 0) || !(o.absolute >= 0) {
		return usageError{fmt.Errorf("--rel %v, --abs %v: want numbers of at least 0", o.relative, o.absolute)}
	}
	options := reports.CompareOptions{Tolerance: reports.Tolerance{Relative: &o.relative, Absolute: o.absolute}}
	if o.tolerances != "" {
		var err error
		if options.Overrides, err = reports.ReadOverrides(o.tolerances); err != nil {
			return usageError{err}
		}
	}
	drifts, err := reports.Compare(o.golden, o.run, options)
	if err != nil {
		return err
	}
	switch {
	case o.json:
		err = printJSON(s, append([]reports.Drift{}, drifts...)) // a list even where there are none
	case len(drifts) == 0:
		_, err = fmt.Fprintln(s.out, "no drift")
	default:
		err = reports.WriteDrifts(s.out, drifts)
	}
	if err == nil && len(drifts) > 0 {
		return quietly(exitFailed, "compare: %d number(s) drifted, the first is %s", len(drifts), drifts[0].Path)
	}
	return err
}
