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

	"github.com/qf-dev/qf/backtest"
)

// writeIC writes ic.csv: the rows of Report.IC under their JSON names, daily figures as daily_n and
// so on. What is missing is an empty cell.
func writeIC(w io.Writer, d *Report) error { return writeRows(w, d.IC) }

// windowRow is one line of windows.csv.
type windowRow struct {
	Signal     string          `json:"signal"`
	Window     string          `json:"window"`
	From       string          `json:"from"`
	To         string          `json:"to"`
	Days       backtest.Figure `json:"days"`
	Bars       int             `json:"bars"`
	Horizon    string          `json:"horizon"`
	Pearson    backtest.Figure `json:"pearson"`
	Spearman   backtest.Figure `json:"spearman"`
	NEffective backtest.Figure `json:"n_effective"`
	T          backtest.Figure `json:"t"`
	P          backtest.Figure `json:"p"`
	backtest.PnLRow
}

// writeWindows writes windows.csv: a line per run and window with its span, the pooled IC at the
// primary horizon and every PnL figure.
func writeWindows(w io.Writer, d *Report) error {
	rows := []windowRow{}
	for _, p := range d.PnL {
		row := windowRow{Signal: p.Signal, Window: p.Window, Horizon: d.PrimaryHorizon, PnLRow: p}
		row.Pearson, row.Spearman, row.NEffective, row.T, row.P = nan, nan, nan, nan, nan
		for _, win := range d.Windows {
			if win.Window == p.Window {
				row.From, row.To, row.Days, row.Bars = win.From, win.To, win.Days, win.Bars
			}
		}
		if ic := d.pooled(p.Signal, p.Window, d.PrimaryHorizon); ic != nil {
			row.Pearson, row.Spearman, row.NEffective, row.T, row.P = ic.Pearson, ic.Spearman, ic.NEffective, ic.T, ic.P
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows)
}

// writeTrades writes trades.csv: one line a fill of the run over the whole span and, where there are
// several windows, of each of their runs. ts is the label of the bar that filled and decided that of
// the bar whose close decided, both ISO 8601 in UTC with six decimals. Quantities are in units of
// amount, money is in quote currency.
func writeTrades(w io.Writer, r *backtest.Result) error {
	c := csv.NewWriter(w)
	c.Write([]string{"window", "ts", "decided", "instrument", "side", "quantity", "held", "reference", "price", "notional", "fee", "slippage", "impact"})
	for _, run := range namedRuns(r) {
		for _, f := range run.Fills {
			side := "buy"
			if f.Quantity < 0 {
				side = "sell"
			}
			c.Write([]string{
				run.name, stampMicros(r.Market.Close[f.Row]), stampMicros(r.Market.Close[f.Decided]),
				inert(r.Market.Instruments[f.Instrument].String()), side,
				decimal(f.Quantity), decimal(f.Held), decimal(f.Reference), decimal(f.Price),
				decimal(f.Notional), decimal(f.Fee), decimal(f.Slippage), decimal(f.Impact),
			})
		}
	}
	c.Flush()
	return c.Error()
}

// namedRun is a run under the name of its window.
type namedRun struct {
	name string
	*backtest.Run
}

// namedRuns lists the run over the whole span and then, where there are several windows, theirs.
func namedRuns(r *backtest.Result) []namedRun {
	out := []namedRun{{backtest.All, r.All}}
	if len(r.Runs) > 1 {
		for i, run := range r.Runs {
			out = append(out, namedRun{strconv.Itoa(r.Windows[i].Index), run})
		}
	}
	return out
}

// writeRows writes structs as lines under the JSON names of their fields, in their order. An inner
// struct's fields carry its name before theirs, an embedded one's do not; of fields with one name the
// first counts.
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
		case f.Anonymous:
			more = columnsOf(f.Type, prefix, index)
		case f.Type.Kind() == reflect.Struct:
			more = columnsOf(f.Type, prefix+name+"_", index)
		default:
			more = []column{{prefix + name, index}}
		}
		for _, m := range more {
			if !slices.ContainsFunc(out, func(c column) bool { return c.name == m.name }) {
				out = append(out, m)
			}
		}
	}
	return out
}

func cell(v any) string {
	switch x := v.(type) {
	case backtest.Figure:
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
func decimal(v float64) string {
	switch a := math.Abs(v); {
	case !finite(v):
		return ""
	case v != 0 && (a < 1e-15 || a >= 1e15):
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
