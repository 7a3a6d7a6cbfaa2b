package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// common are the flags that every command has.
type common struct {
	quiet, verbose bool
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	switch {
	case code == exitInterrupted:
		fmt.Fprintln(s.err, "qf: interrupted")
	case err != nil && err.Error() != "":
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(s.err, "qf: %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return code
}

func newRoot(s streams) *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:   "qf",
		Short: "Offline backtesting for crypto factor research",
		Long: `qf pulls Tardis.dev's daily tick files into a Parquet lake, turns them into bars and
factors, and answers two questions about a composite score: does it predict returns,
and would trading it have paid after costs?

Start here:
  qf demo                          simulated data, no key, no network: a report in a minute
  qf config init > study.yaml      a commented study to edit
  qf fetch --config study.yaml     the days that it needs; then: qf backtest --config study.yaml
` + exitHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().BoolVarP(&c.quiet, "quiet", "q", false, "print results and errors only")
	root.PersistentFlags().BoolVarP(&c.verbose, "verbose", "v", false, "tell more about what is done")
	root.MarkFlagsMutuallyExclusive("quiet", "verbose")
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(
		newFetch(s, c, runFetch),
		newImport(s, c, runImport),
		newLs(s, runLs),
		newVerify(s, c, runVerify),
		newBacktest(s, c, runBacktest),
		newFactors(s, c, runFactors),
		newReport(s, runReport),
		newRuns(s, runRuns),
		newCompare(s, runCompare),
		newConfig(s),
		newDemo(s, c, runDemo),
		newVersion(s),
	)
	asUsage(root)
	return root
}

// asUsage makes errors of flags and arguments exit as wrong usage, on every command.
func asUsage(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see '%s --help')", err, c.CommandPath())}
	})
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			if err == nil || errors.As(err, new(usageError)) {
				return err
			}
			return usageError{fmt.Errorf("%w (see '%s --help')", err, c.CommandPath())}
		}
	}
	for _, sub := range cmd.Commands() {
		asUsage(sub)
	}
}
