package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
)

type importOptions struct {
	*common
	lake        lakeFlag
	paths       []string
	dataType    string
	replace     bool
	concurrency int
	maxBadRows  int64
	json        bool
	shard       shardFlag
}

func newImport(s streams, c *common, run func(context.Context, streams, importOptions) error) *cobra.Command {
	o := importOptions{common: c}
	cmd := &cobra.Command{
		Use:   "import PATH…",
		Short: "Bring .csv and .csv.gz files on disk into the lake",
		Long: `Brings files, whole folders or globs of Tardis CSV into the lake, exactly as fetch would.
Which day of what a file holds is read from its name ({exchange}_{type}_{date}_{symbol}.csv.gz),
from its place (…/{exchange}/{type}/{YYYY}/{MM}/{DD}/{SYMBOL}.csv.gz) or from its rows. A day that
the lake has from another source is refused without --replace.
` + exitPartial,
		Example: `  qf import downloads/
  qf import datasets/*.csv.gz
  qf import --type liquidations odd-name.csv`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: files("csv", "gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			return run(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	f.StringVar(&o.dataType, "type", "", "data `TYPE`, where neither name nor header tells it")
	f.BoolVar(&o.replace, "replace", false, "replace days that the lake has from another source")
	f.IntVar(&o.concurrency, "concurrency", 4, "`N` files at once")
	f.Int64Var(&o.maxBadRows, "max-bad-rows", 0, "set up to `N` malformed rows of a file aside instead of refusing it")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	o.shard.bind(cmd, "files")
	complete(cmd, "type", fixed(allTypes(cmd)...))
	return cmd
}

func runImport(ctx context.Context, s streams, o importOptions) error {
	var feed datasets.DataType
	if o.dataType != "" {
		var err error
		if feed, err = datasets.ParseDataType(o.dataType); err != nil {
			return usageError{err}
		}
	}
	if err := checkIngest(o.concurrency, o.maxBadRows); err != nil {
		return err
	}
	share, err := o.shard.parse(s)
	if err != nil {
		return err
	}
	paths, err := csvFiles(o.paths)
	if err != nil {
		return usageError{err}
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	src, want, unknown := identify(paths, feed)
	src.MaxBadRows = o.maxBadRows
	for _, err := range unknown {
		fmt.Fprintf(s.err, "qf: %v\n", err)
	}
	if len(want) == 0 {
		return quietError{exitFailed, ""}
	}
	want = share.files(want)
	boundMemory()
	progress := newFetchProgress(s, o.common, len(want))
	report, err := datasets.Fetch(ctx, src, lake, want, datasets.FetchOptions{
		Verb: "import", Concurrency: o.concurrency, Replace: o.replace, Observe: progress.observe,
	})
	progress.close()
	err = finishFetch(s, report, err, o.json, o.quiet)
	if err == nil && len(unknown) > 0 {
		return quietError{exitPartly, ""}
	}
	return err
}

// identify asks each file which partition it holds; two files for the same one are an error.
func identify(paths []string, feed datasets.DataType) (src *tardis.Files, want []datasets.Partition, unknown []error) {
	src = &tardis.Files{Paths: map[datasets.Partition]string{}}
	for _, path := range paths {
		p, err := tardis.Identify(path, feed)
		if err != nil {
			unknown = append(unknown, err)
			continue
		}
		if other, twice := src.Paths[p]; twice {
			unknown = append(unknown, fmt.Errorf("%s: holds %s, as %s does: import one of them", path, p, other))
			continue
		}
		src.Paths[p] = path
		want = append(want, p)
	}
	return src, want, unknown
}

// csvFiles expands folders and globs; a path that leads nowhere is an error.
func csvFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		matches := []string{arg}
		if _, err := os.Stat(arg); errors.Is(err, fs.ErrNotExist) {
			if matches, err = filepath.Glob(arg); err != nil || len(matches) == 0 {
				return nil, fmt.Errorf("%s: no such file, folder or glob", arg)
			}
		}
		for _, m := range matches {
			err := filepath.WalkDir(m, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && (path == m || isCSV(path)) {
					files = append(files, path)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .csv or .csv.gz files there", strings.Join(args, ", "))
	}
	return files, nil
}

func isCSV(path string) bool {
	return strings.HasSuffix(path, ".csv") || strings.HasSuffix(path, ".csv.gz")
}
