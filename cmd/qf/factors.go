package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/factors"
)

type factorsOptions struct {
	*common
	lake     lakeFlag
	describe string
	config   string
	expr     string
	set      []string
	out      string
	json     bool
	list     bool // of operators
}

func newFactors(s streams, c *common, run func(context.Context, streams, factorsOptions) error) *cobra.Command {
	o := factorsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "factors",
		Short: "List the factor kinds, or write a study's frame",
		Long: `Lists every factor kind with its formula and parameters, or one with its units, inputs and
source; --operators lists what formulas of your own are made of (factors: - {name: …, expr: …}).
With --config and --out it writes the frame of a study instead: ts (UTC), instrument, the
bar columns, a column per factor and the composite, one row a bar and instrument, in the format of
the file's ending (.csv, .parquet, .arrow). --expr tries a formula beside the study's factors:
as a column expr of the frame, or without --out by what it reads and how far it looks back.
` + exitPlain,
		Example: `  qf factors
  qf factors --describe volatility
  qf factors --operators
  qf factors --config study.yaml --out frame.parquet
  qf factors --config study.yaml --expr "-delta(close, 1h) / ts_std(close, 1d)" --out tried.parquet`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	f.StringVar(&o.describe, "describe", "", "one kind or operator by `NAME`, with its inputs and source; with --config one of the study's factors")
	f.BoolVar(&o.list, "operators", false, "list the operators of formulas")
	f.StringVar(&o.expr, "expr", "", "`FORMULA` to try beside the factors of --config")
	bindConfig(cmd, &o.config, "the study whose frame is wanted: `FILE`")
	bindSet(cmd, &o.set)
	f.StringVar(&o.out, "out", "", "`FILE` to write the frame to: .csv, .parquet or .arrow")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	complete(cmd, "describe", kinds)
	complete(cmd, "out", files("csv", "parquet", "arrow"))
	return cmd
}

func runFactors(ctx context.Context, s streams, o factorsOptions) error {
	switch {
	case o.list && (o.config != "" || o.out != "" || o.describe != "" || o.expr != ""):
		return usageError{errors.New("--operators lists operators: want it alone")}
	case o.list:
		return listOperators(s, o.json)
	case o.describe != "" && (o.out != "" || o.expr != ""):
		return usageError{errors.New("--describe shows a factor, --out and --expr compute some: want one of them")}
	case o.config == "" && o.out != "":
		return usageError{errors.New("--config and --out write a frame together: want both")}
	case o.config == "" && o.expr != "":
		return usageError{errors.New("--expr is tried beside the factors of a study: want --config too")}
	case o.config != "" && o.describe == "" && o.expr == "" && o.out == "":
		return usageError{errors.New("--config and --out write a frame together: want both")}
	case o.out != "":
		return writeFrame(ctx, s, o)
	case o.config != "":
		return describeFactor(s, o)
	case o.describe != "":
		return describeName(s, o)
	case o.json:
		return printJSON(s, factorsJSON())
	}
	for _, k := range factors.Catalogue {
		var params []string
		for _, p := range k.Params {
			params = append(params, p.Name+" "+p.Default)
		}
		if _, err := fmt.Fprintf(s.out, "%s (%s)\n    %s\n", k.Name, strings.Join(params, ", "), k.Formula); err != nil {
			return err
		}
	}
	return nil
}

func describe(w io.Writer, k factors.Kind) error {
	fmt.Fprintf(w, "%s\n  %s\n  units   %s\n  inputs  %s\n", k.Name, k.Formula, k.Units, strings.Join(k.Inputs, ", "))
	for _, p := range k.Params {
		fmt.Fprintf(w, "  param   %s = %s: %s\n", p.Name, p.Default, p.Doc)
	}
	if k.Source != "" {
		fmt.Fprintf(w, "  source  %s\n", k.Source)
	}
	_, err := fmt.Fprintf(w, "  study   - {name: %s, kind: %s%s}\n", k.Name, k.Name, example(k))
	return err
}

// example writes a kind's first parameter as a study would.
func example(k factors.Kind) string {
	if len(k.Params) == 0 {
		return ""
	}
	return fmt.Sprintf(", %s: %s", k.Params[0].Name, k.Params[0].Default)
}

type kindJSON struct {
	Name    string      `json:"name"`
	Formula string      `json:"formula"`
	Units   string      `json:"units"`
	Source  string      `json:"source,omitempty"`
	Inputs  []string    `json:"inputs"`
	Params  []paramJSON `json:"params"`
}

type paramJSON struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

func factorsJSON() []kindJSON {
	var list []kindJSON
	for _, k := range factors.Catalogue {
		list = append(list, kindOf(k))
	}
	return list
}

func kindOf(k factors.Kind) kindJSON {
	kind := kindJSON{k.Name, k.Formula, k.Units, k.Source, k.Inputs, []paramJSON{}}
	for _, p := range k.Params {
		kind.Params = append(kind.Params, paramJSON{p.Name, p.Default, p.Doc})
	}
	return kind
}
