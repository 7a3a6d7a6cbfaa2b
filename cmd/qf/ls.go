package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

type lsOptions struct {
	selection
	lake lakeFlag
	json bool
}

func newLs(s streams, run func(context.Context, streams, lsOptions) error) *cobra.Command {
	var o lsOptions
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List what the lake holds: days, gaps, rows, bytes",
		Long: `Lists every series of the lake, or those that --exchange, --symbols and --types leave: its first
day, the day after its last, days, known empty and missing ones, rows and bytes, and a calendar of
its days. Only footers are read: qf verify reads everything.
` + exitPlain,
		Example: `  qf ls
  qf ls --exchange binance-futures --types trades
  qf ls --json | jq '.[] | select(.missing_days != [])'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.lake.bind(cmd)
	o.selection.bind(s, cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

func runLs(_ context.Context, s streams, o lsOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	series, err := lake.Coverage()
	if err != nil {
		return err
	}
	all := len(series)
	series = slices.DeleteFunc(series, func(c datasets.Coverage) bool {
		return !o.has(c.Type, datasets.Instrument{Exchange: c.Exchange, Symbol: c.Symbol})
	})
	if o.json {
		return printJSON(s, series)
	}
	if len(series) == 0 {
		fmt.Fprintln(s.err, nothingIn(o.lake.folder(s, "", ""), all))
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "type\texchange\tsymbol\tfrom\tto\tdays\tempty\tmissing\trows\tsize")
	for _, c := range series {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", c.Type, c.Exchange, c.Symbol, c.From, c.To,
			c.Days, c.EmptyDays, len(c.MissingDays)-len(c.Unlisted), c.Rows, byteSize(c.Bytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "\nDays by month: # present, o known empty, . missing, - not listed, x unreadable")
	for _, c := range series {
		if err := printCalendar(s, c); err != nil {
			return err
		}
	}
	return nil
}

// nothingIn says why nothing of a lake is left to look at, with how many things it holds.
func nothingIn(folder string, holds int) string {
	if holds > 0 {
		return fmt.Sprintf("lake %s: nothing of what it holds is of that exchange, symbol and type: qf ls lists it", folder)
	}
	return fmt.Sprintf("lake %s is empty: qf fetch or qf import fill it; --lake or $QF_LAKE name another", folder)
}

// without lists the days that are not among others.
func without(list, others []datasets.Day) []datasets.Day {
	return slices.DeleteFunc(slices.Clone(list), func(d datasets.Day) bool { return slices.Contains(others, d) })
}

// printCalendar draws a series as a strip a month and then lists the days that are not there.
func printCalendar(s streams, c datasets.Coverage) error {
	fmt.Fprintf(s.out, "%s/%s/%s\n", c.Exchange, c.Type, c.Symbol)
	var strip strings.Builder
	for d := c.From; d < c.To; d++ {
		at := d.Time()
		if d == c.From || at.Day() == 1 {
			fmt.Fprintf(&strip, "  %s  %s", at.Format("2006-01"), strings.Repeat(" ", at.Day()-1))
		}
		switch {
		case slices.Contains(c.Unlisted, d):
			strip.WriteByte('-')
		case slices.Contains(c.MissingDays, d):
			strip.WriteByte('.')
		case slices.Contains(c.Unreadable, d):
			strip.WriteByte('x')
		case slices.Contains(c.Empty, d):
			strip.WriteByte('o')
		default:
			strip.WriteByte('#')
		}
		if d+1 == c.To || (d+1).Time().Day() == 1 {
			strip.WriteByte('\n')
		}
	}
	for _, list := range []struct {
		what string
		days []datasets.Day
	}{{"missing", without(c.MissingDays, c.Unlisted)}, {"not listed", c.Unlisted}, {"unreadable", c.Unreadable}} {
		if len(list.days) > 0 {
			fmt.Fprintf(&strip, "  %s: %s\n", list.what, dayList(list.days))
		}
	}
	for _, i := range c.Incidents {
		fmt.Fprintf(&strip, "  known incident: %s, %s: %s\n", i.Day, i.Time, datasets.Mask(i.Details))
	}
	_, err := fmt.Fprint(s.out, strip.String())
	return err
}
