package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/expr"
)

// tried is the name of the factor that --expr adds.
const tried = "expr"

// study is that of --config, with the formula of --expr as its last factor.
func (o factorsOptions) study(out streams) (*study.Study, error) {
	s, err := loadStudy(out, o.lake, o.config, o.set)
	if err != nil || o.expr == "" {
		return s, err
	}
	if err := s.Try(tried, o.expr); err != nil {
		return nil, usageError{fmt.Errorf("--expr: %w", err)}
	}
	return s, nil
}

func listOperators(s streams, asJSON bool) error {
	if asJSON {
		var list []operatorJSON
		for _, op := range expr.Operators {
			list = append(list, operatorOf(op))
		}
		return printJSON(s, list)
	}
	group := ""
	for _, op := range expr.Operators {
		if op.Group != group {
			if group != "" {
				fmt.Fprintln(s.out)
			}
			group = op.Group
			fmt.Fprintf(s.out, "%s\n", group)
		}
		if err := describeOperator(s.out, op); err != nil {
			return err
		}
	}
	return nil
}

func describeOperator(w io.Writer, op expr.Operator) error {
	fmt.Fprintf(w, "  %s\n      %s\n", op.Signature(), op.Formula)
	if op.Missing != "" {
		fmt.Fprintf(w, "      missing where %s\n", op.Missing)
	}
	if op.Lookback != "" {
		fmt.Fprintf(w, "      looks back %s\n", op.Lookback)
	}
	if op.Source != "" {
		fmt.Fprintf(w, "      source %s\n", op.Source)
	}
	return nil
}

type operatorJSON struct {
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Group     string `json:"group"`
	Formula   string `json:"formula"`
	Missing   string `json:"missing,omitempty"`
	Lookback  string `json:"lookback,omitempty"`
	Source    string `json:"source,omitempty"`
}

func operatorOf(op expr.Operator) operatorJSON {
	return operatorJSON{op.Name, op.Signature(), op.Group, op.Formula, op.Missing, op.Lookback, op.Source}
}

// describeName shows a kind of the catalogue or an operator.
func describeName(s streams, o factorsOptions) error {
	if op, ok := expr.FindOperator(o.describe); ok {
		if o.json {
			return printJSON(s, operatorOf(op))
		}
		return describeOperator(s.out, op)
	}
	kind, err := factors.Find(o.describe)
	switch {
	case err != nil:
		return usageError{err}
	case o.json:
		return printJSON(s, kindOf(kind))
	}
	return describe(s.out, kind)
}

// describeFactor shows a factor of a study: what it is made of and how far it looks back.
func describeFactor(s streams, o factorsOptions) error {
	st, err := o.study(s)
	if err != nil {
		return err
	}
	name := o.describe
	if name == "" {
		name = tried
	}
	at := slices.IndexFunc(st.Factors, func(f study.FactorConfig) bool { return f.Name == name })
	if at < 0 {
		var names []string
		for _, f := range st.Factors {
			names = append(names, f.Name)
		}
		return usageError{fmt.Errorf("%s has no factor %q%s", o.config, name, datasets.DidYouMean(name, names))}
	}
	list, err := st.Described()
	if err != nil {
		return err
	}
	g, out := st.Grid(), list[at]
	if o.json {
		return printJSON(s, out)
	}
	fmt.Fprintf(s.out, "%s\n", out.Name)
	for line := range strings.Lines(strings.TrimSpace(out.Expr)) {
		fmt.Fprintf(s.out, "  %s\n", strings.TrimRight(line, "\n"))
	}
	if out.Kind != "" {
		fmt.Fprintf(s.out, "  kind      %s\n  formula   %s\n", out.Kind, out.Formula)
	}
	span := ""
	if g.Every > 0 {
		days := float64(out.LookbackBars) * g.Every.Hours() / 24
		span = fmt.Sprintf(", %.4g days", days)
	}
	_, err = fmt.Fprintf(s.out, "  lookback  %d bars%s\n  inputs    %s\n  feeds     %s\n", out.LookbackBars, span, strings.Join(out.Inputs, ", "), strings.Join(out.Feeds, ", "))
	return err
}
