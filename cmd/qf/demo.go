package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
	"github.com/qf-dev/qf/datasets/tardistest"
)

//go:embed demo.yaml
var demoStudy []byte

type demoOptions struct {
	*common
	dir  string
	seed uint64
	twin bool
}

func newDemo(s streams, c *common, run func(context.Context, streams, demoOptions) error) *cobra.Command {
	o := demoOptions{common: c}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Make a report from simulated data: no key, no network",
		Long: `Serves 141 simulated Tardis days of two perpetuals from a local server, fetches them as it
would fetch real ones, backtests the default study over the last 90 days and says where the
report is. The market is made up: a weak signal is planted in its order flow, and --twin
leaves it out. It takes about half a minute and 100 MB.
` + exitPlain,
		Example: "  qf demo\n  qf demo --dir twin --twin",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	cmd.Flags().StringVar(&o.dir, "dir", "qf-demo", "`FOLDER` for the lake, the study and the runs")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "`N`: another seed is another market")
	cmd.Flags().BoolVar(&o.twin, "twin", false, "the same market without the signal")
	complete(cmd, "dir", folders)
	return cmd
}

// demoMark is the file that says of which market a demo's folder is.
const demoMark = ".qf-demo"

// claim makes the folder and writes the study into it. A folder that has something else in it than the
// same demo is left as it is.
func (o demoOptions) claim() (studyFile string, err error) {
	market := fmt.Sprintf("seed %d, twin %v\n", o.seed, o.twin)
	entries, err := os.ReadDir(o.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	studyFile = filepath.Join(o.dir, "study.yaml")
	is := func(path, want string) (bool, error) {
		text, err := os.ReadFile(path)
		return string(text) == want, err
	}
	if len(entries) > 0 {
		switch same, err := is(studyFile, string(demoStudy)); {
		case errors.Is(err, fs.ErrNotExist):
			return "", usageError{fmt.Errorf("--dir %s: the folder has files in it, and a demo wants one of its own", o.dir)}
		case err != nil:
			return "", err
		case !same:
			return "", usageError{fmt.Errorf("--dir %s: its study.yaml is not the demo's: it stays as it is; run it with qf backtest --config %s, or give the demo another folder", o.dir, studyFile)}
		}
		if same, err := is(filepath.Join(o.dir, demoMark), market); err == nil && !same {
			return "", usageError{fmt.Errorf("--dir %s: it holds the demo of another market (--seed, --twin): give this one another folder", o.dir)}
		}
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return "", err
	}
	return studyFile, errors.Join(os.WriteFile(studyFile, demoStudy, 0o666), os.WriteFile(filepath.Join(o.dir, demoMark), []byte(market), 0o666))
}

func runDemo(ctx context.Context, s streams, o demoOptions) error {
	studyFile, err := o.claim()
	if err != nil {
		return err
	}
	study, err := loadStudy(s, lakeFlag{filepath.Join(o.dir, "lake")}, studyFile, nil)
	if err != nil {
		return err
	}
	market := &tardistest.Market{Seed: o.seed, Start: study.Data.From, End: study.Data.To + 1, Signal: tardistest.DefaultSignal}
	if o.twin {
		market.Signal = 0
	}
	for _, in := range study.Data.Instruments {
		market.Instruments = append(market.Instruments, in.Instrument)
	}
	server := &tardistest.Server{Days: market, Keys: []string{tardistest.DemoKey}}
	if err := server.Start(); err != nil {
		return err
	}
	defer server.Close()

	want, err := study.Partitions()
	if err != nil {
		return err
	}
	lake, err := datasets.OpenLake(filepath.Join(o.dir, "lake"))
	if err != nil {
		return err
	}
	o.logger(s)("fetching %d simulated days from %s", len(want), server.URL())
	progress := newFetchProgress(s, &common{quiet: o.quiet || !s.errTTY && !o.verbose, verbose: o.verbose}, len(want))
	client := &tardis.Client{BaseURL: server.URL(), Key: tardistest.DemoKey, Version: qfVersion()}
	defer client.Close()
	report, err := datasets.Fetch(ctx, client, lake, want, datasets.FetchOptions{Observe: progress.observe})
	progress.close()
	if err != nil {
		return err
	}
	if gotIn(report) < len(want) {
		printFetch(s, report)
		return quietly(exitFailed, "%s", fetchLines(report))
	}
	if err := runBacktest(ctx, s, backtestOptions{common: o.common, config: studyFile, out: filepath.Join(o.dir, "runs")}); err != nil {
		return err
	}
	page, err := filepath.Abs(filepath.Join(o.dir, "runs", "latest", "report.html"))
	if err != nil {
		return err
	}
	o.logger(s)("demo took %.0f s", time.Since(o.started).Seconds())
	_, err = fmt.Fprintf(s.out, "\nOpen the report:  file://%s\nRun it again:     qf backtest --config %s\n", page, studyFile)
	return err
}
