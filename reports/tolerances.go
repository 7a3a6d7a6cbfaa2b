package reports

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/qf-dev/qf/backtest/yamlconf"
)

// ReadOverrides reads a YAML file of tolerances by path, in the order of CompareOptions.Overrides:
//
//	curves.**: 1e-6                       # relative
//	pnl[signal=composite].sharpe: {relative: 0, absolute: 1e-4}
//
// Errors name file, line and column.
func ReadOverrides(path string) ([]Override, error) {
	src, err := yamlconf.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tolerances: %w", err)
	}
	doc, err := yamlconf.Parse(path, src)
	if err != nil {
		return nil, err
	}
	var out []Override
	var errs []error
	bad := func(n *yamlconf.Node, format string, a ...any) {
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", path, n.Line, n.Col, fmt.Sprintf(format, a...)))
	}
	if doc.Kind != yamlconf.Map && doc.Kind != yamlconf.Null {
		bad(doc, "want a mapping from paths to tolerances")
	}
	for i, k := range doc.Keys {
		o, n := Override{Path: k.Name}, doc.Items[i]
		if _, err := parsePath(k.Name); err != nil {
			bad(n, "%v", err)
		}
		switch n.Kind {
		case yamlconf.Scalar:
			if v, ok := tolerance(n); ok {
				o.Relative = &v
			} else {
				bad(n, "%s: %q is not a tolerance: want a number of at least 0", k.Name, n.Text)
			}
		case yamlconf.Map:
			for j, name := range n.Keys {
				v, ok := tolerance(n.Items[j])
				switch {
				case !ok:
					bad(n.Items[j], "%s.%s: want a number of at least 0", k.Name, name.Name)
				case name.Name == "relative":
					o.Relative = &v
				case name.Name == "absolute":
					o.Absolute = v
				default:
					bad(n.Items[j], "%s: unknown key %q, want relative or absolute", k.Name, name.Name)
				}
			}
		default:
			bad(n, "%s: want a number, or {relative: …, absolute: …}", k.Name)
		}
		out = append(out, o)
	}
	return out, errors.Join(errs...)
}

func tolerance(n *yamlconf.Node) (float64, bool) {
	v, err := strconv.ParseFloat(n.Text, 64)
	return v, n.Kind == yamlconf.Scalar && err == nil && v >= 0 && !math.IsInf(v, 0)
}
