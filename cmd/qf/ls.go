package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

type lsOptions struct {
	lake lakeFlag
	json bool
}

func newLs(s streams, run func(context.Context, streams, lsOptions) error) *cobra.Command {
	var o lsOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List what the lake holds: days, gaps, rows, bytes",
		Long:    "Lists every series of the lake with its days and gaps, reading footers only.\n" + exitHelp,
		Example: "  qf ls\n  qf ls --json | jq '.[] | select(.missing_days != [])'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.lake.bind(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

func runLs(_ context.Context, s streams, o lsOptions) error {
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	series, err := lake.Coverage()
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(s, series)
	}
	if len(series) == 0 {
		fmt.Fprintln(s.err, "the lake is empty: qf fetch --help says how to fill it")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "type\texchange\tsymbol\tfrom\tto\tdays\tempty\tmissing\trows\tsize")
	for _, c := range series {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", c.Type, c.Exchange, c.Symbol, c.From, c.To,
			c.Days, c.EmptyDays, len(c.MissingDays), c.Rows, byteSize(c.Bytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range series {
		for _, d := range c.MissingDays {
			fmt.Fprintf(s.out, "missing: %s/%s/%s %s\n", c.Exchange, c.Type, c.Symbol, d)
		}
		for _, d := range c.Unreadable {
			fmt.Fprintf(s.out, "unreadable: %s/%s/%s %s\n", c.Exchange, c.Type, c.Symbol, d)
		}
	}
	return nil
}
