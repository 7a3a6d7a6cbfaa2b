package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

type planOptions struct {
	lake   lakeFlag
	config string
	set    []string
	shards int
	engine string
	image  string
	json   bool
}

func newPlan(s streams, run func(context.Context, streams, planOptions) error) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Share a study's work out between machines",
		Long: `Prints what each of N shares of a study's work has to do: files to fetch, those that the lake
has and their bytes, months of bars. A share follows from the study alone, so machines need not
talk to each other: each runs qf fetch and qf bars with its --shard, on one lake, and then one
runs qf backtest --complete, which reads the bars that all have built and refuses while days are
missing.

With --for it prints job files that do it: a script for Slurm or AWS Batch (arrays, each begun
when the one before has ended), or manifests of indexed Jobs for Kubernetes. In these --shard auto
takes the share from the task's own number.
` + exitPlain,
		Example: `  qf plan --config study.yaml --shards 8
  qf plan --config study.yaml --shards 8 --for slurm > run.sh && bash run.sh`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	bindConfig(cmd, &o.config, "share out what the study in `FILE` needs")
	bindSet(cmd, &o.set)
	f.IntVar(&o.shards, "shards", 8, "`N` shares")
	f.StringVar(&o.engine, "for", "", "print job files for `ENGINE`: "+strings.Join(engines(), ", "))
	f.StringVar(&o.image, "image", "qf", "container `IMAGE` that has qf, for kubernetes")
	f.BoolVar(&o.json, "json", false, "print the shares as JSON")
	complete(cmd, "for", fixed(engines()...))
	return cmd
}

func runPlan(_ context.Context, s streams, o planOptions) error {
	switch {
	case o.config == "":
		return usageError{errors.New("which study? want --config (see 'qf plan --help')")}
	case o.shards < 1 || o.shards > maxShards:
		return usageError{fmt.Errorf("--shards %d: want 1 to %d", o.shards, maxShards)}
	case o.engine != "" && jobFiles[o.engine] == nil:
		return usageError{fmt.Errorf("--for %s: want one of %s%s", o.engine, strings.Join(engines(), ", "), datasets.DidYouMean(o.engine, engines()))}
	case o.engine != "" && o.json:
		return usageError{errors.New("--for prints job files, --json shares: leave one out")}
	}
	study, err := loadStudy(s, o.lake, o.config, o.set)
	if err != nil {
		return err
	}
	if o.engine != "" {
		return o.jobs(s, study.Data.Lake)
	}
	want, err := study.Partitions()
	if err != nil {
		return err
	}
	lake, err := o.lake.open(s, study.Data.Lake, o.config)
	if err != nil {
		return err
	}
	known := lake.Catalog()
	want, _ = known.Split(want, datasets.DayOf(time.Now().UnixMicro()))
	shares, err := o.shares(lake, want)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(s, shares)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "share\tfiles\talready there\tbytes there\tmonths of bars\t")
	for _, r := range shares {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", r.Share, r.Files, r.Present, r.Bytes, r.Months)
	}
	return w.Flush()
}

// shareJSON is what one share has to do.
type shareJSON struct {
	Share   string `json:"share"`
	Files   int    `json:"files"`
	Present int    `json:"present"`
	Bytes   int64  `json:"present_bytes"`
	Months  int    `json:"months_of_bars"`
}

// shares counts the units of each share.
func (o planOptions) shares(lake *datasets.Lake, want []datasets.Partition) ([]shareJSON, error) {
	months := map[string]bool{}
	shares := make([]shareJSON, o.shards)
	for i := range shares {
		share := shard{i, o.shards}
		shares[i].Share = fmt.Sprintf("%d/%d", i, o.shards)
		for _, p := range share.files(slices.Clone(want)) {
			shares[i].Files++
			info, err := lake.Stat(p)
			switch {
			case err == nil:
				shares[i].Present++
				shares[i].Bytes += info.Bytes
			case !errors.Is(err, datasets.ErrNotFound) && !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
		clear(months)
		for _, p := range want {
			month := "month=" + p.Day.String()[:len("2006-01")]
			if unit := p.Instrument.String() + "/" + month; !months[unit] && share.months(p.Instrument, month) {
				months[unit] = true
				shares[i].Months++
			}
		}
	}
	return shares, nil
}

// engines lists those that there are job files for.
func engines() []string { return []string{"slurm", "kubernetes", "batch"} }

// jobFiles are templates of what submits a study's work. Days that the vendor lacks make a share of the fetch
// end with code 3, so bars are begun whatever becomes of it; the backtest says by name what is missing.
var jobFiles = map[string]*template.Template{
	"slurm": template.Must(template.New("slurm").Parse(`#!/bin/sh
# {{.N}} shares of {{.Config}} on Slurm. All nodes share this folder and the lake.
set -eu
cd {{.Dir}}
export QF_SHARDS={{.N}}
fetch=$(sbatch --parsable --job-name=qf-fetch --array=0-{{.Last}} --wrap {{.Quoted.Fetch}})
bars=$(sbatch --parsable --job-name=qf-bars --array=0-{{.Last}} --dependency=afterany:"$fetch" --wrap {{.Quoted.Bars}})
sbatch --job-name=qf-backtest --dependency=afterok:"$bars" --wrap {{.Quoted.Backtest}}
`)),
	"batch": template.Must(template.New("batch").Parse(`#!/bin/sh
# {{.N}} shares of {{.Config}} on AWS Batch. QF_JOB_QUEUE names the queue, QF_JOB_DEFINITION one whose container has qf,
# with the folder of the study and the lake mounted at the same path.
set -eu
submit() { # NAME DEPENDENCY COMMAND [ARRAY]
  aws batch submit-job --job-name "$1" --job-queue "$QF_JOB_QUEUE" --job-definition "$QF_JOB_DEFINITION" \
    --depends-on "$2" ${4:+--array-properties "size=$4"} --query jobId --output text \
    --container-overrides "{\"command\": [\"sh\", \"-c\", \"$3\"], \"environment\": [{\"name\": \"QF_SHARDS\", \"value\": \"{{.N}}\"}]}"
}
fetch=$(submit qf-fetch '[]' {{.Quoted.FetchIn}} {{.Array}})
bars=$(submit qf-bars "[{\"jobId\": \"$fetch\"}]" {{.Quoted.BarsIn}} {{.Array}})
submit qf-backtest "[{\"jobId\": \"$bars\"}]" {{.Quoted.BacktestIn}}
`)),
	"kubernetes": template.Must(template.New("kubernetes").Parse(`# {{.N}} shares of {{.Config}} on Kubernetes. The claim qf-lake holds {{.Dir}} and the lake, the secret qf the key.
# Kubernetes starts no job after another: wait for each before the next is applied,
#   kubectl wait --for=condition=complete --timeout=24h job/qf-fetch
{{range $i, $job := .Jobs}}{{if $i}}---
{{end}}apiVersion: batch/v1
kind: Job
metadata:
  name: {{$job.Name}}
spec:
{{- if $job.Array}}
  completionMode: Indexed
  completions: {{$.N}}
  parallelism: {{$.N}}
{{- end}}
  backoffLimit: 6
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: qf
          image: {{$.Image}}
          workingDir: {{$.Dir}}
          command: ["sh", "-c", {{$job.Command}}]
          env:
            - name: QF_SHARDS
              value: "{{$.N}}"
            - name: TARDIS_API_KEY
              valueFrom: {secretKeyRef: {name: qf, key: tardis, optional: true}}
          volumeMounts:
            - {name: lake, mountPath: {{$.Dir}}}
      volumes:
        - name: lake
          persistentVolumeClaim: {claimName: qf-lake}
{{end}}`)),
}

// jobs prints the job files.
func (o planOptions) jobs(s streams, ofStudy string) error {
	config, err := filepath.Abs(o.config)
	if err != nil {
		return err
	}
	args := " --config " + shellQuote(config)
	if lake := o.lake.folder(s, ofStudy, o.config); lake != "" {
		if lake, err = filepath.Abs(lake); err != nil {
			return err
		}
		args += " --lake " + shellQuote(lake)
	}
	for _, set := range o.set {
		args += " --set " + shellQuote(set)
	}
	type commands struct{ Fetch, Bars, Backtest, FetchIn, BarsIn, BacktestIn string }
	type job struct {
		Name, Command string
		Array         bool
	}
	plain := commands{
		Fetch:    "qf fetch --quiet --shard auto" + args,
		Bars:     "qf bars --quiet --shard auto" + args,
		Backtest: "qf backtest --quiet --complete" + args,
	}
	done := plain.Fetch + "; test $? -eq 0 -o $? -eq 3" // days that the vendor lacks
	dir := filepath.Dir(config)
	array := ""
	if o.shards > 1 { // AWS Batch has no array of one
		array = strconv.Itoa(o.shards)
	}
	inside := func(command string) string { // within a JSON text, within a shell's word
		quoted := strconv.Quote("cd " + shellQuote(dir) + " && " + command)
		return shellQuote(quoted[1 : len(quoted)-1])
	}
	return jobFiles[o.engine].Execute(s.out, map[string]any{
		"N": o.shards, "Last": o.shards - 1, "Array": array, "Config": filepath.Base(config), "Dir": yamlOrShell(o.engine, dir), "Image": o.image,
		"Quoted": commands{
			Fetch: shellQuote(plain.Fetch), Bars: shellQuote(plain.Bars), Backtest: shellQuote(plain.Backtest),
			FetchIn: inside(done), BarsIn: inside(plain.Bars), BacktestIn: inside(plain.Backtest),
		},
		"Jobs": []job{
			{"qf-fetch", strconv.Quote(done), true},
			{"qf-bars", strconv.Quote(plain.Bars), true},
			{"qf-backtest", strconv.Quote(plain.Backtest), false},
		},
	})
}

// yamlOrShell quotes a folder for the engine's kind of file.
func yamlOrShell(engine, dir string) string {
	if engine == "kubernetes" {
		return strconv.Quote(dir)
	}
	return shellQuote(dir)
}

// shellQuote makes one word of text for a POSIX shell.
func shellQuote(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
