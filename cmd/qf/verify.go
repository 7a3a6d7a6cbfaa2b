package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

type verifyOptions struct {
	*common
	selection
	lake   lakeFlag
	gap    time.Duration
	damage bool
	json   bool
}

func newVerify(s streams, c *common, run func(context.Context, streams, verifyOptions) error) *cobra.Command {
	o := verifyOptions{common: c}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Re-read lake files: whole, as recorded, and sane",
		Long: `Reads every file of the lake (or those that --exchange, --symbols and --types leave) to its
end and compares rows, digests, times and order with what its footer records: a difference is
an error. What is odd about the data itself (order, latency, gaps, crossed books, prices that
are not positive, duplicate ids, unknown sides, snapshots) is a finding; --damage leaves findings
about data out. The bar cache is read too, where nothing is left out. qf import, or qf fetch
--replace, brings a damaged day anew.

Exit codes: 0 nothing found; 1 errors or findings, or failed; 2 wrong usage; 130 interrupted.`,
		Example: `  qf verify
  qf verify --damage
  qf verify --types trades --gap 10m --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	o.selection.bind(s, cmd)
	f.DurationVar(&o.gap, "gap", time.Hour, "`TIME` without a row that is worth a finding")
	f.BoolVar(&o.damage, "damage", false, "report errors only, not what is odd about the data")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

func runVerify(ctx context.Context, s streams, o verifyOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.gap <= 0 {
		return usageError{fmt.Errorf("--gap %s: want a time such as 10m", o.gap)}
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	all, err := lake.All()
	if err != nil {
		return err
	}
	parts := o.of(slices.Clone(all))
	if len(parts) == 0 {
		return fmt.Errorf("nothing to verify: %s", nothingIn(o.lake.folder(s, "", ""), len(all)))
	}
	found, err := datasets.Verify(ctx, lake, parts, datasets.VerifyOptions{Gap: o.gap})
	if err != nil {
		return err
	}
	var kept cachedBars
	if o.all() {
		if kept.Files, kept.damaged, err = bars.Check(ctx, lake); err != nil {
			return err
		}
	}
	unsealed := 0
	found = slices.DeleteFunc(found, func(f datasets.Finding) bool {
		if f.Check == datasets.Unsealed {
			unsealed++
		}
		return f.Severity == datasets.Note || o.damage && f.Severity == datasets.Oddity && f.Check != datasets.Rewritten
	})
	if o.json {
		err = printJSON(s, verifyJSON(len(parts), unsealed, found, kept))
	} else {
		err = errors.Join(printFindings(s, len(parts), found), kept.print(s))
		if unsealed > 0 && err == nil {
			_, err = fmt.Fprintf(s.out, "%d file(s) of an older qf carry no digest of their footers: importing them again, or qf fetch --replace, adds it and makes the files smaller, those of books by about a quarter\n", unsealed)
		}
	}
	if err == nil && len(found)+len(kept.damaged) > 0 {
		return quietly(exitFailed, "%s", verifyLines(found, kept))
	}
	return err
}

// verifyLines are the findings, a line each.
func verifyLines(found []datasets.Finding, kept cachedBars) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("verify %s: %s %s: %s", f.Partition, f.Severity, f.Check, f.Text))
	}
	for _, d := range kept.damaged {
		lines = append(lines, fmt.Sprintf("verify %s: %v", d.Path, d.Err))
	}
	return strings.Join(lines, "\n")
}

// cachedBars is what became of the bar cache's files.
type cachedBars struct {
	Files   int          `json:"files"`
	Damaged []damagedBar `json:"damaged"`

	damaged []bars.Damage
}

type damagedBar struct {
	File string `json:"file"`
	Text string `json:"text"`
}

func (c cachedBars) print(s streams) error {
	for _, d := range c.damaged {
		if _, err := fmt.Fprintf(s.out, "error  %s  %v: the next backtest makes it anew\n", d.Path, d.Err); err != nil {
			return err
		}
	}
	if c.Files == 0 {
		return nil
	}
	_, err := fmt.Fprintf(s.out, "%d file(s) of cached bars: %d damaged\n", c.Files, len(c.damaged))
	return err
}

func printFindings(s streams, files int, found []datasets.Finding) error {
	faults := 0
	if len(found) > 0 {
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "severity\tfile\tcheck\tcount\twhat")
		for _, f := range found {
			if f.Severity == datasets.Fault {
				faults++
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", f.Severity, f.Partition, f.Check, f.Count, f.Text)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.out, "%d file(s): %d error(s), %d finding(s)\n", files, faults, len(found)-faults)
	return err
}

type verifyReport struct {
	Files    int           `json:"files"`
	Unsealed int           `json:"files_without_footer_digest"`
	Bars     cachedBars    `json:"bars"`
	Findings []findingJSON `json:"findings"`
}

type findingJSON struct {
	Type     datasets.DataType `json:"type"`
	Exchange string            `json:"exchange"`
	Symbol   string            `json:"symbol"`
	Date     datasets.Day      `json:"date"`
	Severity datasets.Severity `json:"severity"`
	Check    string            `json:"check"`
	Count    int64             `json:"count"`
	Row      int64             `json:"row"`
	Text     string            `json:"text"`
}

func verifyJSON(files, unsealed int, found []datasets.Finding, kept cachedBars) verifyReport {
	kept.Damaged = []damagedBar{}
	for _, d := range kept.damaged {
		kept.Damaged = append(kept.Damaged, damagedBar{d.Path, d.Err.Error()})
	}
	r := verifyReport{files, unsealed, kept, []findingJSON{}}
	for _, f := range found {
		p := f.Partition
		r.Findings = append(r.Findings, findingJSON{p.Type, p.Exchange, p.Symbol, p.Day, f.Severity, f.Check, f.Count, f.Row, f.Text})
	}
	return r
}
