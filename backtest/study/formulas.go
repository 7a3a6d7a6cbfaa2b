package study

import (
	"errors"
	"fmt"
	"slices"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/expr"
)

// scope is what formulas of the study may name.
func (s *Study) scope() expr.Scope {
	var x expr.Scope
	for _, d := range s.Define {
		x.Definitions = append(x.Definitions, expr.Source{Name: d.Name, Expr: d.Expr})
	}
	for _, f := range s.Factors {
		x.Factors = append(x.Factors, expr.Source{Name: f.Name, Expr: f.Expr, Kind: f.Kind, Params: f.Params})
	}
	for _, in := range s.Data.Instruments {
		x.Instruments = append(x.Instruments, in.Instrument)
		x.Groups = append(x.Groups, in.Group)
	}
	x.References = Instruments(s.Data.References).names()
	for _, f := range s.Data.Series {
		x.Series = append(x.Series, f.Name)
	}
	return x
}

// MakeFactors makes the study's factors on a grid, in their order.
func (s *Study) MakeFactors(g *factors.Grid) ([]factors.Factor, error) {
	list, problems := expr.Compile(s.scope(), g)
	var errs []error
	for _, e := range problems {
		errs = append(errs, fmt.Errorf("factor %s: %w", e.In, e))
	}
	return list, errors.Join(errs...)
}

// formulaFields lists the market fields of the study's formulas, and those of each reference; none where it has no formula.
func (s *Study) formulaFields() (own []string, references [][]string) {
	if !slices.ContainsFunc(s.Factors, func(f FactorConfig) bool { return f.Expr != "" }) {
		return nil, make([][]string, len(s.Data.References))
	}
	return s.scope().Fields()
}

// checkFormulas reports what is wrong with definitions and formulas, where it stands.
func (s *Study) checkFormulas(p *yamlconf.Positions, g *factors.Grid) {
	_, problems := expr.Compile(s.scope(), g)
	for _, e := range problems {
		path := "define." + e.In
		if at := slices.IndexFunc(s.Factors, func(f FactorConfig) bool { return f.Name == e.In && f.Expr == e.Text }); at >= 0 {
			path = fmt.Sprintf("factors[%d].expr", at)
		}
		if e.Text != "" { // else it is a kind, whose parameters have places of their own
			p.ErrorIn(path, e.Offset, "%s", e.Msg)
		}
	}
}

// decodeFormula reads {name, expr}.
func (f *FactorConfig) decodeFormula(c *yamlconf.Cursor) {
	valid := []string{"name", "expr"}
	for i, k := range c.Keys {
		switch at := c.Field(i); {
		case !slices.Contains(valid, k.Name):
			c.Unknown(i, valid)
		case !at.Want(yamlconf.Scalar):
		case k.Name == "name":
			f.Name = at.Text
		case at.Text == "":
			at.Errorf("empty: want a formula such as -delta(close, 1h)")
		default:
			f.Expr = at.Text
		}
	}
	if f.Name == "" {
		c.Errorf("name is missing: a formula needs one")
	}
}

// DecodeNode reads a mapping of names to formulas.
func (d *Definitions) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.Map) {
		return
	}
	*d = nil
	for i, k := range c.Keys {
		if at := c.Field(i); at.Want(yamlconf.Scalar) {
			if at.Text == "" {
				at.Errorf("empty: want a formula such as ts_std(returns, 1d)")
			}
			*d = append(*d, Definition{k.Name, at.Text})
		}
	}
}

// EncodeNode writes the mapping.
func (d Definitions) EncodeNode() *yamlconf.Node {
	n := &yamlconf.Node{Kind: yamlconf.Map}
	for _, one := range d {
		n.Add(one.Name, yamlconf.ScalarOf(one.Expr, true))
	}
	return n
}

// JSONSchema describes the mapping.
func (d Definitions) JSONSchema() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": map[string]any{"type": []string{"string", "number"}}}
}

// Try adds a factor to the study. The error shows the line of the formula.
func (s *Study) Try(name, formula string) error {
	if slices.ContainsFunc(s.Factors, func(f FactorConfig) bool { return f.Name == name }) {
		return fmt.Errorf("the study has a factor %s already", name)
	}
	s.Factors = append(slices.Clone(s.Factors), FactorConfig{Name: name, Expr: formula})
	_, problems := expr.Compile(s.scope(), s.Grid())
	if len(problems) > 0 {
		text, at := yamlconf.Clip(problems[0].Place())
		return fmt.Errorf("%w\n  | %s\n  | %*s", problems[0], text, at+1, "^")
	}
	return nil
}
