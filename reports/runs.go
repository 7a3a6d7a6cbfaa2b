package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// Listed is a finished run in a list of runs.
type Listed struct {
	Folder      string          `json:"folder"`
	Latest      bool            `json:"latest"`
	Name        string          `json:"name"`
	Digest      string          `json:"digest"`
	From        string          `json:"from"`
	To          string          `json:"to"`
	Instruments []string        `json:"instruments"`
	Verdict     Verdict         `json:"verdict"`
	Horizon     string          `json:"primary_horizon"`
	IC          evaluate.Figure `json:"ic"`
	T           evaluate.Figure `json:"t"`
	P           evaluate.Figure `json:"p"`
	TotalReturn evaluate.Figure `json:"total_return"`
	Sharpe      evaluate.Figure `json:"sharpe"`
	MaxDrawdown evaluate.Figure `json:"max_drawdown"`
	Warnings    int             `json:"warnings"`
	// Differs has the run's value of every setting that is not the same in all runs of the list.
	Differs []Setting `json:"differs"`
	Error   string    `json:"error,omitempty"` // why the folder cannot be read; the rest is then empty
}

// Setting is one value of a configuration, as JSON; null where the run does not have it.
type Setting struct {
	Path  string `json:"path"` // execution.taker_bps
	Value string `json:"value"`
}

// Runs lists the run folders in dir by name, with what their configurations do not share.
func Runs(dir string) ([]Listed, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return []Listed{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	latest := latestOf(dir)
	out := []Listed{}
	var settings []map[string]string
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, e.Name(), reportFile)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l := Listed{Folder: e.Name(), Latest: e.Name() == latest, Differs: []Setting{}, Instruments: []string{}}
		l.IC, l.T, l.P, l.TotalReturn, l.Sharpe, l.MaxDrawdown = nan, nan, nan, nan, nan, nan
		set := map[string]string{}
		run, err := Open(filepath.Join(dir, e.Name()))
		if err == nil {
			err = l.fill(run, set)
		}
		if err != nil {
			l.Error = err.Error()
			set = nil
		}
		out, settings = append(out, l), append(settings, set)
	}
	for _, name := range varying(settings) {
		for i, set := range settings {
			if set == nil {
				continue
			}
			value, ok := set[name]
			if !ok {
				value = unset
			}
			out[i].Differs = append(out[i].Differs, Setting{name, value})
		}
	}
	return out, nil
}

func latestOf(dir string) string {
	file, err := locate(filepath.Join(dir, latestName))
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
		return filepath.Base(real)
	}
	return ""
}

// fill takes a run's headline figures, and its settings into set.
func (l *Listed) fill(run *Run, set map[string]string) error {
	d := run.Report
	l.Name, l.Digest, l.From, l.To = d.Name, d.Digest, d.Span.From, d.Span.To
	l.Verdict, l.Horizon, l.Warnings = d.Verdict, d.PrimaryHorizon, len(d.Warnings)
	for _, in := range d.Instruments {
		l.Instruments = append(l.Instruments, in.Instrument)
	}
	if ic := d.Headline(); ic != nil {
		l.IC, l.T, l.P = ic.Pearson, ic.T, ic.P
	}
	if p := d.Outcome(); p != nil {
		l.TotalReturn, l.Sharpe, l.MaxDrawdown = p.Of("total_return"), p.Of("sharpe"), p.Of("max_drawdown")
	}
	decoder := json.NewDecoder(bytes.NewReader(run.Manifest.Config))
	decoder.UseNumber()
	var config any
	if err := decoder.Decode(&config); err != nil {
		return fmt.Errorf("%s: config: %w", manifestFile, err)
	}
	flatten("", config, set)
	return nil
}

// flatten lists the values of a configuration by path. An entry of a list that has a name goes by it.
func flatten(path string, v any, set map[string]string) {
	switch x := v.(type) {
	case map[string]any:
		for name, item := range x {
			flatten(strings.TrimPrefix(path+"."+name, "."), item, set)
		}
	case []any:
		for k, item := range x {
			name := strconv.Itoa(k)
			if m, ok := item.(map[string]any); ok {
				for _, key := range []string{"name", "factor", "symbol"} {
					if s, ok := m[key].(string); ok {
						name = s
						break
					}
				}
			}
			flatten(path+"["+name+"]", item, set)
		}
	default:
		set[path] = show(v)
	}
}

// unset is the value of a setting that a run does not have.
const unset = "null"

// varying lists the paths on which the sets do not agree, in order.
func varying(sets []map[string]string) []string {
	values := map[string][]string{}
	runs := 0
	for _, set := range sets {
		if set == nil {
			continue
		}
		runs++
		for path, v := range set {
			if v != unset {
				values[path] = append(values[path], v)
			}
		}
	}
	var out []string
	for path, all := range values {
		slices.Sort(all)
		if len(all) < runs || all[0] != all[len(all)-1] {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// WriteRuns lists runs for people: a line of figures each, and below it the settings in which they
// differ.
func WriteRuns(w io.Writer, runs []Listed) error {
	if len(runs) == 0 {
		_, err := fmt.Fprintln(w, "no runs")
		return err
	}
	lines := [][]string{{"", "run", "from", "to", "IC", "t", "return", "Sharpe", "drawdown", "warnings"}}
	var broken []string
	for k, l := range runs {
		name, number := printable(l.Folder), strconv.Itoa(k+1)
		if l.Latest {
			name += " *"
		}
		if l.Error != "" {
			lines = append(lines, []string{number, name})
			broken = append(broken, number+" cannot be read: "+printable(l.Error))
			continue
		}
		line := []string{
			number, name, minute(l.From), minute(l.To), signed(l.IC, 4), signed(l.T, 1),
			percent(l.TotalReturn, 1), signed(l.Sharpe, 2), percent(l.MaxDrawdown, 1), count(float64(l.Warnings)),
		}
		for j := range line {
			line[j] = printable(ascii(line[j]))
		}
		lines = append(lines, line)
	}
	if err := writeColumns(w, lines, 4); err != nil {
		return err
	}
	for _, line := range broken {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return writeDifferences(w, runs)
}

// writeDifferences shows the settings that differ, a line each with the value in every run.
func writeDifferences(w io.Writer, runs []Listed) error {
	head := []string{"setting"}
	var readable []Listed
	for k, l := range runs {
		if l.Error == "" {
			head, readable = append(head, strconv.Itoa(k+1)), append(readable, l)
		}
	}
	if len(readable) < 2 || len(readable[0].Differs) == 0 {
		return nil
	}
	lines := [][]string{head}
	for k, s := range readable[0].Differs {
		line := []string{printable(s.Path)}
		for _, l := range readable {
			line = append(line, clip(printable(strings.Trim(l.Differs[k].Value, `"`)), 20))
		}
		lines = append(lines, line)
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return writeColumns(w, lines, 1)
}
