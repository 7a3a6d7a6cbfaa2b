package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/sweep"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/reports"
)

type sweepOptions struct {
	*common
	lake    lakeFlag
	config  string
	set     []string
	out     string
	json    bool
	noCache bool
	collect bool
	workers int
	memory  size
	shard   shardFlag
}

func newSweep(s streams, c *common, run func(context.Context, streams, sweepOptions) error) *cobra.Command {
	o := sweepOptions{common: c}
	cmd := &cobra.Command{
		Use:   "sweep --config FILE",
		Short: "Try many settings of a study, and say what the best is worth",
		Long: `Runs every trial of a study's section sweep: settings by path, with a list of values or a range
each; a grid, seeded draws or a Sobol sequence of them; constraints between them. All trials are
played side by side over the same bars, and each has the figures of its own backtest to the bit:
qf backtest --trial N makes the whole run of one.

The folder {name}-sweep-{digest} holds sweep.json with figures and daily returns of each trial and
trials.parquet, a row a trial. What is finished stays when a sweep is interrupted, and the same
command goes on from there. Machines that share a folder of runs may share the trials (--shard);
--collect then joins them, and refuses while some are missing.

The summary lists the best at sweep.objective, and what they are worth given how many were tried:
deflated Sharpe ratio, probability of overfitting, tests of superiority. With the section
sweep.walk_forward it also says what choosing by the past would have earned on the days after it.
` + exitPlain,
		Example: `  qf sweep --config sweep.yaml
  qf backtest --config sweep.yaml --trial 17
  qf sweep --config sweep.yaml --shard 0/4
  qf sweep --config sweep.yaml --collect`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	bindConfig(cmd, &o.config, "the study with its section sweep: `FILE`")
	bindSet(cmd, &o.set)
	f.StringVar(&o.out, "out", "", "`FOLDER` of runs (default: the study's report.dir)")
	complete(cmd, "out", folders)
	f.BoolVar(&o.json, "json", false, "print sweep.json instead of the summary")
	f.BoolVar(&o.collect, "collect", false, "run nothing: join what all shares have come to")
	f.BoolVar(&o.noCache, "no-cache", false, "build bars from ticks even where the lake has them cached")
	f.IntVar(&o.workers, "workers", 0, "`N` trials and columns at once (default: all cores)")
	f.Var(&o.memory, "memory", "`SIZE` that kept columns may take before they go to temporary files (default: a quarter of the machine's memory)")
	o.shard.bind(cmd, "trials")
	return cmd
}

func runSweep(ctx context.Context, s streams, o sweepOptions) error {
	switch {
	case o.config == "":
		return usageError{errors.New("which study? want --config FILE, with a section sweep")}
	case o.workers < 0:
		return usageError{fmt.Errorf("--workers %d: want 1 or more, or 0 for all cores", o.workers)}
	case o.collect && o.shard.text != "":
		return usageError{errors.New("--collect joins all shares: leave --shard out")}
	}
	share, err := o.shard.parse(s)
	if err != nil {
		return err
	}
	w, err := loadSweep(s, o.lake, o.config, o.set)
	if err != nil {
		return err
	}
	lake, err := o.lake.open(s, w.Base.Data.Lake, o.config)
	if err != nil {
		return err
	}
	dir := w.Base.Report.Dir
	if o.out != "" {
		dir = o.out
	}
	r, err := w.New()
	if err != nil {
		return err
	}
	if err := reports.ReadSweep(dir, r); err != nil {
		return err
	}
	part := ""
	if share.of > 1 {
		part = fmt.Sprintf("%d/%d", share.index, share.of)
	}
	if !o.collect {
		progress := newSweepProgress(s, o.common, len(r.Trials))
		err := r.Run(ctx, lake, sweep.Options{
			Options: backtest.Options{Workers: o.workers, NoCache: o.noCache, Memory: int64(o.memory)},
			Ledger:  ledger.Open(lake),
			Mine: func(t *sweep.Trial) bool {
				return share.has("trial/" + strings.Join(w.Overrides(t), " "))
			},
			Keep: func(r *sweep.Result) error {
				_, err := reports.WriteSweep(dir, r, qfVersion(), part)
				return err
			},
			Progress: progress.at,
		})
		progress.close()
		if err != nil {
			return err
		}
	}
	missing := r.Missing()
	if part == "" && len(missing) > 0 {
		return fmt.Errorf("sweep: %d of %d trials are missing, the first of them %d (%s): run their shares", len(missing), len(r.Trials), missing[0].Number, strings.Join(w.Overrides(missing[0]), ", "))
	}
	if w.Base.Evaluation.Ledger {
		if err := r.Deflate(ctx, ledger.Open(lake)); err != nil {
			return err
		}
	}
	folder, err := reports.WriteSweep(dir, r, qfVersion(), part)
	if err != nil {
		return err
	}
	if part != "" {
		_, err := fmt.Fprintf(s.out, "share %s: %d of %d trials are there\n%s\n", part, len(r.Trials)-len(missing), len(r.Trials), folder)
		return err
	}
	if o.json {
		text, err := os.ReadFile(filepath.Join(folder, "sweep.json"))
		if err != nil {
			return err
		}
		_, err = s.out.Write(text)
		return err
	}
	if err := reports.WriteSweepSummary(s.out, r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\n%s\n", folder)
	return err
}

// loadSweep reads a study with its trials; errors show the place.
func loadSweep(s streams, lake lakeFlag, path string, set []string) (*sweep.Sweep, error) {
	w, err := sweep.Load(path, set, func(ofStudy string) (*datasets.Lake, error) { return lake.open(s, ofStudy, path) })
	if err == nil {
		return w, nil
	}
	if src, unread := yamlconf.ReadFile(path); unread == nil {
		err = yamlconf.Excerpt(err, path, src)
	}
	return nil, usageError{err}
}

// sweepProgress shows how many of the trials are done: a bar on a terminal, else a line at each tenth; nothing when quiet.
type sweepProgress struct {
	*common
	s      streams
	trials int
	bar    *progressbar.ProgressBar
	tenth  int
	begun  time.Time
}

func newSweepProgress(s streams, c *common, trials int) *sweepProgress {
	p := &sweepProgress{common: c, s: s, trials: trials, begun: time.Now()}
	if s.errTTY && !c.quiet && !c.verbose {
		p.bar = progressbar.NewOptions(trials, progressbar.OptionSetWriter(s.err), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("trials"), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *sweepProgress) at(share float64) {
	switch done := share * float64(p.trials); {
	case p.bar != nil:
		p.bar.Set(int(done))
	case !p.quiet && int(share*10) > p.tenth:
		p.tenth = int(share * 10)
		spent := time.Since(p.begun)
		left := time.Duration(float64(spent) * (1 - share) / share)
		fmt.Fprintf(p.s.err, "%d of %d trials, %.0f a second, %v left\n", int(done), p.trials, done/spent.Seconds(), left.Round(time.Second))
	}
}

func (p *sweepProgress) close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
