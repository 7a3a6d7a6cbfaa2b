package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/reports"
)

type backtestOptions struct {
	*common
	lake    lakeFlag
	config  string
	set     []string
	out     string
	json    bool
	audit   bool
	noCache bool
	workers int
	memory  size
	whole   bool
	trial   int
}

func newBacktest(s streams, c *common, run func(context.Context, streams, backtestOptions) error) *cobra.Command {
	o := backtestOptions{common: c}
	cmd := &cobra.Command{
		Use:   "backtest --config FILE",
		Short: "Score a study: bars, factors, composite, PnL, IC, report",
		Long: `Runs a study over the lake and writes its report: bars, factors, composite score, target
positions, PnL after costs and information coefficients. It reads nothing from the network, and
the same study, data and trials on the lake's ledger give the same bytes. The summary is printed,
the report is runs/latest/report.html.

Each configuration that is scored is entered into the ledger once (qf ledger ls), and the figure
dsr deflates by all of them; evaluation.ledger: off leaves both out.

--audit cuts the ticks at some instants, replaces what came after, and makes bars, factors, score
and positions again: what was known at a cut must come out the same to the bit. The report carries
the certificate; a value that depends on the future is named, and the exit code is 1.

Exit codes: 0 done; 1 failed, or the audit found something; 2 wrong usage or configuration;
130 interrupted.`,
		Example: `  qf backtest --config study.yaml
  qf backtest --config study.yaml --set execution.taker_bps=2 --set data.to=2024-05-01
  qf backtest --config study.yaml --audit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	bindConfig(cmd, &o.config, "the study: `FILE` (qf config init writes one)")
	bindSet(cmd, &o.set)
	f.StringVar(&o.out, "out", "", "`FOLDER` of runs (default: the study's report.dir)")
	complete(cmd, "out", folders)
	f.BoolVar(&o.json, "json", false, "print report.json instead of the summary")
	f.BoolVar(&o.audit, "audit", false, "prove that nothing looks ahead: recompute everything with a poisoned future")
	f.BoolVar(&o.whole, "complete", false, "refuse to run while the lake lacks a day that the study wants")
	f.IntVar(&o.trial, "trial", 0, "run trial `N` of the study's section sweep (see qf sweep)")
	f.BoolVar(&o.noCache, "no-cache", false, "build bars from ticks even where the lake has them cached")
	f.IntVar(&o.workers, "workers", 0, "`N` days and columns at once (default: all cores)")
	f.Var(&o.memory, "memory", "`SIZE` that kept columns may take, such as 2GiB, before they go to temporary files (default: a quarter of the machine's memory)")
	return cmd
}

// longStudy is the number of bars from which on a study is announced.
const longStudy = 10_000_000

func runBacktest(ctx context.Context, s streams, o backtestOptions) error {
	if o.config == "" {
		return usageError{errors.New("which study? want --config FILE; qf config init writes one to start from")}
	}
	if o.workers < 0 {
		return usageError{fmt.Errorf("--workers %d: want 1 or more, or 0 for all cores", o.workers)}
	}
	if o.trial < 0 {
		return usageError{fmt.Errorf("--trial %d: want its number, 1 or more", o.trial)}
	}
	study, err := o.study(s)
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
	if o.whole {
		if err := checkComplete(lake, study); err != nil {
			return err
		}
	}
	options := backtest.Options{Workers: o.workers, NoCache: o.noCache, Memory: int64(o.memory), Log: o.logger(s)}
	if study.Evaluation.Ledger {
		options.Ledger = ledger.Open(lake)
	}
	if err := reports.CheckRuns(study.Report.Dir); err != nil { // before the work, not after it
		return err
	}
	if n := study.TimeBars(); n > longStudy {
		o.logger(s)("a long study: up to %d bars under %d factors", n, len(study.Factors))
	}
	result, err := backtest.Backtest(ctx, lake, study, options)
	if err != nil {
		return err
	}
	defer result.Close()
	if o.audit {
		if result.Certificate, err = backtest.Audit(ctx, lake, result, options); err != nil {
			return err
		}
	}
	if err := reports.Write(study.Report.Dir, result, reports.Options{Version: qfVersion()}); err != nil {
		return err
	}
	folder := filepath.Join(study.Report.Dir, reports.Folder(result))
	o.logger(s)("done after %.1f s", time.Since(o.started).Seconds())
	if err := printRun(s, o, result, folder); err != nil {
		return err
	}
	if c := result.Certificate; c != nil && len(c.Violations) > 0 {
		return quietly(exitFailed, "backtest: %d column(s) look ahead", len(c.Violations))
	}
	return nil
}

// study is that of the file, or of one of the trials of its sweep.
func (o backtestOptions) study(s streams) (*study.Study, error) {
	if o.trial == 0 {
		return loadStudy(s, o.lake, o.config, o.set)
	}
	w, err := loadSweep(s, o.lake, o.config, o.set)
	if err != nil {
		return nil, err
	}
	t, err := w.Trial(o.trial)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", o.config, err)}
	}
	o.logger(s)("trial %d: %s", t.Number, strings.Join(w.Overrides(t), ", "))
	return t.Study, nil
}

// checkComplete names the days that the study wants and the lake lacks.
func checkComplete(lake *datasets.Lake, s *study.Study) error {
	want, err := s.Partitions()
	if err != nil {
		return err
	}
	known := lake.Catalog()
	want, _ = known.Split(want, 0)
	if err := known.Err(); err != nil {
		return err
	}
	lacking := datasets.FetchReport{}
	for _, p := range want {
		switch _, err := lake.Stat(p); {
		case errors.Is(err, datasets.ErrNotFound):
			lacking.Entries = append(lacking.Entries, datasets.FetchEntry{Partition: p, Status: datasets.NotFound})
		case err != nil:
			return err
		}
	}
	if len(lacking.Entries) == 0 {
		return nil
	}
	var lines []string
	for _, list := range absent(lacking) {
		p := list[0].Partition
		lines = append(lines, fmt.Sprintf("%s/%s/%s %s", p.Exchange, p.Type, p.Symbol, dayList(daysOf(list))))
	}
	return fmt.Errorf("the lake lacks %d of %d days that the study wants: %s; fetch them (qf fetch --config), or leave --complete out",
		len(lacking.Entries), len(want), strings.Join(lines, "; "))
}

// printRun prints what came out: the summary, or report.json as it stands.
func printRun(s streams, o backtestOptions, r *backtest.Result, folder string) error {
	if o.json {
		text, err := os.ReadFile(filepath.Join(folder, "report.json"))
		if err != nil {
			return err
		}
		_, err = s.out.Write(text)
		return err
	}
	if err := reports.WriteSummary(s.out, reports.New(r), s.color()); err != nil {
		return err
	}
	if r.Certificate != nil {
		printCertificate(s.out, r.Certificate)
	}
	_, err := fmt.Fprintf(s.out, "\n%s\n", folder)
	return err
}

// printCertificate says whether anything looks ahead, and what.
func printCertificate(w io.Writer, c *backtest.Certificate) {
	checked := fmt.Sprintf("%d values at %d cuts were made again with another future", c.Checked, len(c.Cuts))
	if len(c.Violations) == 0 {
		fmt.Fprintf(w, "\nNothing looks ahead: %s, and agree.\n", checked)
	} else {
		fmt.Fprintf(w, "\nLOOKS AHEAD: %s; %d columns differ.\n", checked, len(c.Violations))
	}
	for _, v := range c.Violations {
		fmt.Fprintf(w, "  %s %s at %s: %v, but %v when cut at %s\n", v.Panel, v.Instrument, v.Bar, v.Value, v.Recomputed, v.Cut)
	}
	for _, e := range c.Expected {
		fmt.Fprintf(w, "  declared: %s\n", e)
	}
}

// logger prints the stages of a command, where they are wanted; when verbose, each with the seconds
// since it began.
func (c *common) logger(s streams) func(string, ...any) {
	return func(format string, a ...any) {
		if c.quiet {
			return
		}
		if c.verbose {
			format = fmt.Sprintf("%7.2f s  ", time.Since(c.started).Seconds()) + format
		}
		fmt.Fprintf(s.err, format+"\n", a...)
	}
}
