package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/reports"
)

type ledgerOptions struct {
	lake lakeFlag
	runs string
	json bool
}

func newLedger(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "List and check the trials that were ever scored on a lake",
		Long: `The best of many trials says little, so a lake counts them: each configuration that is scored on a
span is entered once, whoever tries it, unless the study says evaluation.ledger: off. Reports
deflate by what stands there (dsr, and from two trials on a section of their own).
` + exitPlain,
		Example: `  qf ledger ls
  qf ledger verify --runs runs`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLedgerLs(s, runLedgerLs), newLedgerVerify(s, runLedgerVerify))
	return cmd
}

func newLedgerLs(s streams, run func(context.Context, streams, ledgerOptions) error) *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the trials, by span, the best Sharpe ratio first",
		Long: `Lists the configurations that were scored on the lake's data: over which span, the name of the
study that came first, how many daily returns, and the Sharpe ratio a year after costs.
` + exitPlain,
		Example: `  qf ledger ls
  qf ledger ls --json | jq '[.trials[] | select(.study == "btc-eth")] | length'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.lake.bind(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

// trialJSON is an entry as ls lists it.
type trialJSON struct {
	Digest      string          `json:"digest"`
	Study       string          `json:"study"`
	Instruments []string        `json:"instruments"`
	From        string          `json:"from"`
	To          string          `json:"to"`
	Days        int             `json:"days"`
	Sharpe      evaluate.Figure `json:"sharpe"` // per year
}

func runLedgerLs(ctx context.Context, s streams, o ledgerOptions) error {
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	l := ledger.Open(lake)
	entries, err := l.Entries(ctx)
	if err != nil {
		return err
	}
	head, err := l.Head(ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(a, b *ledger.Entry) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(b.Sharpe, a.Sharpe))
	})
	year := evaluate.Figure(math.Sqrt(365))
	if o.json {
		list := []trialJSON{}
		for _, e := range entries {
			list = append(list, trialJSON{e.Digest, e.Study, e.Instruments, e.From, e.To, e.Days, e.Sharpe * year})
		}
		return printJSON(s, struct {
			ledger.Head
			Trials []trialJSON `json:"trials"`
		}{head, list})
	}
	if len(entries) == 0 {
		fmt.Fprintf(s.err, "lake %s: no trial is on its ledger; qf backtest enters each configuration that it scores\n", o.lake.folder(s, "", ""))
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "trial\tstudy\tinstruments\tfrom\tto\tdays\tsharpe")
	for _, e := range entries {
		sharpe := "-"
		if v := float64(e.Sharpe * year); !math.IsNaN(v) {
			sharpe = fmt.Sprintf("%+.2f", v)
		}
		fmt.Fprintf(w, "%.12s\t%s\t%s\t%s\t%s\t%d\t%s\n", e.Digest, e.Study, strings.Join(e.Instruments, ","), e.From, e.To, e.Days, sharpe)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d trial(s), sealed by %.12s\n", len(entries), cmp.Or(head.Seal, "nothing yet"))
	return err
}

func newLedgerVerify(s streams, run func(context.Context, streams, ledgerOptions) error) *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Find trials that were removed, cut or changed",
		Long: `Reads the ledger again. Every entry must be as it was sealed and agree with its own returns, every
seal be there that a later one names, and every head that a run's manifest remembers: so a trial
that was removed, cut or changed shows. --runs names the folder of runs to ask.

A trial that a killed process entered and did not seal is no finding: the next run seals it.
Whoever rewrites ledger and manifests alike is not found out.

Exit codes: 0 nothing found; 1 findings, or failed; 2 wrong usage; 130 interrupted.`,
		Example: `  qf ledger verify
  qf ledger verify --runs runs --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.lake.bind(cmd)
	cmd.Flags().StringVar(&o.runs, "runs", "runs", "`FOLDER` of runs whose manifests remember the ledger")
	complete(cmd, "runs", folders)
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

type ledgerFinding struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

func runLedgerVerify(ctx context.Context, s streams, o ledgerOptions) error {
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	witnesses, err := reports.Witnesses(o.runs)
	if err != nil {
		return err
	}
	r, err := ledger.Open(lake).Verify(ctx, witnesses...)
	if err != nil {
		return err
	}
	var lines []string
	findings := []ledgerFinding{}
	for _, f := range r.Findings {
		findings = append(findings, ledgerFinding{f.Path, f.Reason})
		lines = append(lines, f.Path+" "+f.Reason)
	}
	if o.json {
		err = printJSON(s, struct {
			ledger.Head
			Seals    int             `json:"seals"`
			Unsealed int             `json:"unsealed"`
			Runs     int             `json:"runs"`
			Findings []ledgerFinding `json:"findings"`
		}{r.Head, r.Seals, r.Unsealed, len(witnesses), findings})
	} else {
		for _, line := range lines {
			fmt.Fprintln(s.out, line)
		}
		_, err = fmt.Fprintf(s.out, "%d trial(s) under %d seal(s), %d run(s) asked: %d finding(s)\n", r.Head.Count, r.Seals, len(witnesses), len(findings))
		if r.Unsealed > 0 {
			_, more := fmt.Fprintf(s.out, "%d trial(s) are not sealed yet: the next run does it\n", r.Unsealed)
			err = errors.Join(err, more)
		}
	}
	if err == nil && len(lines) > 0 {
		return quietly(exitFailed, "ledger verify: %s", strings.Join(lines, "\nledger verify: "))
	}
	return err
}
