package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
)

func newConfig(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check and describe study files",
		Long: `A study is one YAML file. init prints one to start from, check finds everything that is wrong
with one, and schema prints the JSON Schema with which editors complete and check it.
` + exitPlain,
		Example: `  qf config init --preset carry > study.yaml
  qf config check study.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInit(s), newConfigCheck(s), newConfigSchema(s))
	return cmd
}

func newConfigInit(s streams) *cobra.Command {
	var preset, out string
	var lake lakeFlag
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Print a commented study to start from",
		Long: `Prints a study with every key that matters and what it means. Edit instruments, dates and
factors, then see what it needs with qf fetch --config FILE --dry-run. --out leaves a file that
is there alone; a shell's > does not. Where the lake has the vendor's metadata (qf instruments), its
fees are added as a comment. Presets:

` + presetList() + exitPlain,
		Example: "  qf config init > study.yaml\n  qf config init --preset cross-section > ten.yaml",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := study.Preset(preset)
			if err != nil {
				return usageError{err}
			}
			l, err := lake.open(s, "", "")
			if err != nil {
				return err
			}
			text = withFees(text, l)
			if out == "" {
				_, err = s.out.Write(text)
				return err
			}
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			if errors.Is(err, fs.ErrExist) {
				return usageError{fmt.Errorf("--out %s: the file is there already: it stays as it is; give another name", out)}
			}
			if err != nil {
				return err
			}
			_, err = f.Write(text)
			return errors.Join(err, f.Close())
		},
	}
	lake.bind(cmd)
	cmd.Flags().StringVar(&out, "out", "", "new `FILE` to write the study to, instead of printing it")
	cmd.Flags().StringVar(&preset, "preset", "default", "`NAME` of the study: "+strings.Join(study.Presets(), ", "))
	complete(cmd, "preset", fixed(study.Presets()...))
	return cmd
}

// presetList names the presets with the first line of each, which says what it is for.
func presetList() string {
	var b strings.Builder
	others := slices.DeleteFunc(study.Presets(), func(name string) bool { return name == "default" })
	for _, name := range append([]string{"default"}, others...) {
		text, err := study.Preset(name)
		if err != nil {
			panic("qf: " + err.Error())
		}
		first, _, _ := strings.Cut(string(text), "\n")
		fmt.Fprintf(&b, "  %-14s %s\n", name, strings.TrimSuffix(strings.TrimPrefix(first, "# "), "."))
	}
	return b.String()
}

type configCheckOptions struct {
	file string
	set  []string
	json bool
}

func newConfigCheck(s streams) *cobra.Command {
	var o configCheckOptions
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Find everything that is wrong with a study",
		Long: `Reads a study as qf backtest does and reports every problem at once: file, line and column,
what is wrong, the nearest valid name, and the line itself. --json prints the problems, and a
study that has none with all defaults filled in.

Exit codes: 0 the study is valid; 2 it is not, or wrong usage; 1 failed; 130 interrupted.`,
		Example: `  qf config check study.yaml
  qf config check study.yaml --set execution.taker_bps=4 --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: studies,
		RunE: func(_ *cobra.Command, args []string) error {
			o.file = args[0]
			return runConfigCheck(s, o)
		},
	}
	bindSet(cmd, &o.set)
	cmd.Flags().BoolVar(&o.json, "json", false, "print problems and the resolved study as JSON")
	return cmd
}

func runConfigCheck(s streams, o configCheckOptions) error {
	study, err := loadStudy(s, lakeFlag{}, o.file, o.set)
	switch {
	case o.json:
		if err := printJSON(s, checkJSON(o.file, study, err)); err != nil {
			return err
		}
		if err != nil {
			return quietly(exitUsage, "%v", errors.Unwrap(err))
		}
		return nil
	case err != nil:
		return err
	}
	for _, w := range study.Warnings() {
		fmt.Fprintf(s.err, "qf: warning: %v\n", w)
	}
	_, err = fmt.Fprintf(s.out, "%s: ok: %d instrument(s), %s to %s, %d factor(s)\n",
		o.file, len(study.Data.Instruments), study.Data.From, study.Data.To, len(study.Factors))
	return err
}

type checkReport struct {
	File     string         `json:"file"`
	OK       bool           `json:"ok"`
	Problems []problemJSON  `json:"problems"`
	Study    *yamlconf.Node `json:"study"` // with all defaults; null where there are problems
}

type problemJSON struct {
	File    string `json:"file"` // or "--set path"
	Line    int    `json:"line"` // 0 where the problem has no place
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

func checkJSON(file string, study *study.Study, err error) checkReport {
	r := checkReport{File: file, OK: err == nil, Problems: []problemJSON{}}
	if err == nil {
		r.Study = study.Document()
		return r
	}
	for _, problem := range yamlconf.Problems(errors.Unwrap(err)) {
		p := problemJSON{File: file, Message: problem.Error()}
		if e := (*yamlconf.Error)(nil); errors.As(problem, &e) {
			p = problemJSON{e.File, e.Line, e.Col, e.Path, e.Text()}
		}
		r.Problems = append(r.Problems, p)
	}
	return r
}

func newConfigSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of study files, for editors",
		Long: `Prints the JSON Schema (draft 2020-12) of study files, made from the definitions that check
them. An editor with a YAML language server completes and checks a study that names the schema in
its first line: # yaml-language-server: $schema=qf.schema.json
` + exitPlain,
		Example: "  qf config schema > qf.schema.json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			return printJSON(s, yamlconf.Schema(study.Default()))
		},
	}
}

// bindConfig gives a command the flag that names its study.
func bindConfig(cmd *cobra.Command, config *string, usage string) {
	cmd.Flags().StringVar(config, "config", "", usage)
	complete(cmd, "config", files("yaml", "yml"))
}

// bindSet gives a command the flag that overrides values of its study.
func bindSet(cmd *cobra.Command, set *[]string) {
	cmd.Flags().StringArrayVar(set, "set", nil, "override a value of the study: `PATH=VALUE` (repeatable)")
	complete(cmd, "set", settings)
}

// loadStudy reads a study with what its lake knows of instruments, makes everything that is wrong with a study file wrong usage, and shows its lines.
func loadStudy(s streams, lake lakeFlag, path string, set []string) (*study.Study, error) {
	var closed error
	study, err := study.LoadIn(path, set, func(ofStudy string) (l *datasets.Lake, err error) {
		l, closed = lake.open(s, ofStudy, path)
		return l, closed
	})
	if err == nil || closed != nil {
		return study, err
	}
	if src, unread := yamlconf.ReadFile(path); unread == nil {
		err = yamlconf.Excerpt(err, path, src)
	}
	return nil, usageError{err}
}
