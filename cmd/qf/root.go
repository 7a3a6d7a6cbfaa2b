package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

// common is what every command has: its flags, and when it began.
type common struct {
	quiet, verbose bool
	started        time.Time
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
	case errors.As(err, new(quietError)) && root.PersistentFlags().Lookup("quiet").Value.String() != "true":
	case err != nil:
		for line := range strings.Lines(err.Error()) {
			line = strings.TrimRight(line, "\n")
			if !strings.HasPrefix(line, " ") { // an excerpt of a file belongs to the line before it
				line = "qf: " + line
			}
			fmt.Fprintln(s.err, line)
		}
	}
	return code
}

func newRoot(s streams) *cobra.Command {
	c := &common{started: time.Now()}
	root := &cobra.Command{
		Use:   "qf",
		Short: "Offline backtesting for crypto factor research",
		Long: `qf pulls Tardis.dev's daily tick files into a Parquet lake, turns them into bars and factors, and
answers two questions about a composite score: does it predict returns, and would trading it have
paid after costs?

Start here:
  qf demo                          simulated data, no key, no network: a report in half a minute
  qf config init > study.yaml      a commented study of your own to edit
  qf fetch --config study.yaml     the days that it needs; then: qf backtest --config study.yaml
` + exitHelp,
		Version:       qfVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cobra.EnableCommandSorting = false // the order of work
	root.PersistentFlags().BoolVarP(&c.quiet, "quiet", "q", false, "print results and errors only, no progress")
	root.PersistentFlags().BoolVarP(&c.verbose, "verbose", "v", false, "say more: each file, each stage with its time")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if c.quiet && c.verbose {
			return usageError{errors.New("--quiet or --verbose, not both")}
		}
		return nil
	}
	root.CompletionOptions.DisableDefaultCmd = true // newCompletion is ours
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	addGroup(root, "Data:",
		newFetch(s, c, runFetch),
		newImport(s, c, runImport),
		newLs(s, runLs),
		newInstruments(s, runInstruments),
		newVerify(s, c, runVerify),
		newPlan(s, runPlan),
	)
	addGroup(root, "Research:",
		newConfig(s),
		newBars(s, c, runBars),
		newFactors(s, c, runFactors),
		newSignals(s, c),
		newBacktest(s, c, runBacktest),
		newSweep(s, c, runSweep),
	)
	addGroup(root, "Results:",
		newReport(s, runReport),
		newRuns(s, runRuns),
		newCompare(s, runCompare),
		newLedger(s),
	)
	addGroup(root, "And:",
		newDemo(s, c, runDemo),
		newVersion(s, c, runVersion),
		newCompletion(s),
	)
	root.SetHelpCommandGroupID("And:")
	root.InitDefaultHelpCmd()
	root.SetVersionTemplate("qf {{.Version}}\n")
	cobra.AddTemplateFunc("wrapped", func(f interface{ FlagUsagesWrapped(int) string }) string { return f.FlagUsagesWrapped(helpWidth) })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", "Flags | wrapped"))
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = helpTopics
		}
	}
	asUsage(root)
	return root
}

// helpWidth is what help texts are wrapped to.
const helpWidth = 100

// addGroup adds commands under a heading of the list of commands, in their order.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, cmd := range commands {
		cmd.GroupID = title
	}
	root.AddCommand(commands...)
}

// noArgs refuses arguments, and names the command that was probably meant.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !cmd.HasSubCommands():
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("unknown command %q%s", args[0], datasets.DidYouMean(args[0], names))
}

// helpTopics refuses what is no command.
func helpTopics(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = noArgs(found, rest)
	}
	return err
}

// longFlag is a flag where a usage text names it.
var longFlag = regexp.MustCompile(`--[a-z-]+`)

// unknownFlag adds the flag that was probably meant to an error about one that there is not.
func unknownFlag(cmd *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var names []string
	for line := range strings.Lines(cmd.Flags().FlagUsages()) {
		if flag := longFlag.FindString(line); flag != "" {
			names = append(names, flag)
		}
	}
	return fmt.Errorf("unknown flag --%s%s", name, datasets.DidYouMean("--"+name, names))
}

// asUsage makes errors of flags and arguments exit as wrong usage, on every command.
func asUsage(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see '%s --help')", unknownFlag(c, err), c.CommandPath())}
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
