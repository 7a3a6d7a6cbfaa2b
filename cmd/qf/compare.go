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
number that drifted, is missing or is new. Exits with 1 when there is one.
` + exitHelp,
		Example: "  qf compare testdata/golden/report.json runs/latest\n  qf compare --rel 1e-6 a/report.json b/report.json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.golden, o.run = args[0], args[1]
			return run(cmd.Context(), s, o)
		},
	}
	cmd.Flags().Float64Var(&o.relative, "rel", reports.DefaultRelative, "relative difference that is still no drift")
	cmd.Flags().Float64Var(&o.absolute, "abs", 0, "absolute difference that is still no drift")
	cmd.Flags().StringVar(&o.tolerances, "tolerances", "", "YAML file of tolerances by path, as in curves.**: 1e-6")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the drifts as JSON")
	return cmd
}

func runCompare(_ context.Context, s streams, o compareOptions) error {
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
		err = printJSON(s, drifts)
	case len(drifts) == 0:
		_, err = fmt.Fprintln(s.out, "no drift")
	default:
		err = reports.WriteDrifts(s.out, drifts)
	}
	if err == nil && len(drifts) > 0 {
		return quietError(exitFailed)
	}
	return err
}
