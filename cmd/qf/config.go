package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/yamlconf"
)

func newConfig(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check and describe study files",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInit(s), newConfigCheck(s), newConfigSchema(s))
	return cmd
}

func newConfigInit(s streams) *cobra.Command {
	var preset string
	cmd := &cobra.Command{
		Use:     "init",
		Short:   "Print a commented study to start from",
		Example: "  qf config init > study.yaml\n  qf config init --preset " + backtest.Presets()[0],
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := backtest.Preset(preset)
			if err != nil {
				return usageError{err}
			}
			_, err = s.out.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&preset, "preset", "default", strings.Join(backtest.Presets(), ", "))
	return cmd
}

func newConfigCheck(s streams) *cobra.Command {
	var set []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Find everything that is wrong with a study",
		Long: `Reads a study as qf backtest does and reports every problem at once, each with line and
column. With --json, prints the study with all defaults filled in.
` + exitHelp,
		Example: "  qf config check study.yaml --set execution.taker_bps=4",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			study, err := loadStudy(args[0], set)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(s.out)
				e.SetIndent("", "  ")
				return e.Encode(study.Document())
			}
			_, err = fmt.Fprintf(s.out, "%s: ok: %d instrument(s), %s to %s, %d factors\n",
				args[0], len(study.Data.Instruments), study.Data.From, study.Data.To, len(study.Factors))
			return err
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "override a value: path=value (repeatable)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the resolved study as JSON")
	return cmd
}

func newConfigSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of study files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e := json.NewEncoder(s.out)
			e.SetIndent("", "  ")
			return e.Encode(yamlconf.Schema(backtest.DefaultStudy()))
		},
	}
}

// loadStudy makes everything that is wrong with a study file wrong usage.
func loadStudy(path string, set []string) (*backtest.Study, error) {
	study, err := backtest.LoadStudy(path, set)
	if err != nil {
		return nil, usageError{err}
	}
	return study, nil
}
