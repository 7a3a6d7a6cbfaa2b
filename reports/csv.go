package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// writeIC writes ic.csv: the rows of Report.IC under their JSON names, daily figures as daily_n and
// so on. What is missing is an empty cell.
func writeIC(w io.Writer, d *Report) error { return writeRows(w, d.IC) }

// windowColumns are those of windows.csv before the figures of PnL.
var windowColumns = []string{"signal", "window", "from", "to", "days", "bars", "horizon", "pearson", "spearman", "n_effective", "t", "p"}

// writeWindows writes windows.csv: a line per run and window with its span, the pooled IC at the
// primary horizon and every PnL figure.
func writeWindows(w io.Writer, d *Report) error {
	c := csv.NewWriter(w)
	head := slices.Clone(windowColumns)
	figures := evaluate.PnLFigures()
	for _, f := range figures {
		head = append(head, f.Key)
	}
	c.Write(append(head, "reasons"))
	for k := range d.PnL {
		p := &d.PnL[k]
		var win Window
		if at := slices.IndexFunc(d.Windows, func(w Window) bool { return w.Window == p.Window }); at >= 0 {
			win = d.Windows[at]
		}
		ic := evaluate.ICRow{Pearson: nan, Spearman: nan, NEffective: nan, T: nan, P: nan}
		if row := d.pooled(p.Signal, p.Window, d.PrimaryHorizon); row != nil {
			ic = *row
		}
		line := []string{inert(p.Signal), inert(p.Window), win.From, win.To, cell(win.Days), cell(win.Bars), inert(d.PrimaryHorizon)}
		for _, f := range []evaluate.Figure{ic.Pearson, ic.Spearman, ic.NEffective, ic.T, ic.P} {
			line = append(line, cell(f))
		}
		for _, f := range figures {
			line = append(line, cell(p.Of(f.Key)))
		}
		c.Write(append(line, cell(p.Reasons)))
	}
	c.Flush()
	return c.Error()
}

// writeRows writes structs as lines under the JSON names of their fields, in their order. An inner
// struct's fields carry its name before theirs.
func writeRows[T any](w io.Writer, rows []T) error {
	c := csv.NewWriter(w)
	t := reflect.TypeFor[T]()
	columns := columnsOf(t, "", nil)
	var head []string
	for _, col := range columns {
		head = append(head, col.name)
	}
	c.Write(head)
	for _, row := range rows {
		line := make([]string, len(columns))
		for k, col := range columns {
			line[k] = cell(reflect.ValueOf(row).FieldByIndex(col.index).Interface())
		}
		c.Write(line)
	}
	c.Flush()
	return c.Error()
}

type column struct {
	name  string
	index []int
}

func columnsOf(t reflect.Type, prefix string, at []int) []column {
	var out []column
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		var more []column
		switch {
		case f.Type.Kind() == reflect.Struct:
			more = columnsOf(f.Type, prefix+name+"_", index)
		default:
			more = []column{{prefix + name, index}}
		}
		out = append(out, more...)
	}
	return out
}

func cell(v any) string {
	switch x := v.(type) {
	case evaluate.Figure:
		return decimal(float64(x))
	case string:
		return inert(x)
	case []string:
		return inert(strings.Join(x, "; "))
	case map[string]string:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, k+": "+x[k])
		}
		return inert(strings.Join(parts, "; "))
	}
	return fmt.Sprint(v)
}

// inert puts an apostrophe before a text that a spreadsheet would take for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// decimal is the shortest decimal that reads back as v, and nothing for what is not finite. From 1e-15 to
// 1e15 it has no exponent: ClickHouse takes a column of a CSV whose cells have one for text, and there "9"
// is more than "1e+06".
func decimal(v float64) string { return string(appendDecimal(nil, v)) }

func appendDecimal(to []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case !finite(v):
		return to
	case v != 0 && (a < 1e-15 || a >= 1e15):
		return strconv.AppendFloat(to, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(to, v, 'f', -1, 64)
}
