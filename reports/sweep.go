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
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/sweep"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/parquet"
)

// Files of a sweep's folder.
const (
	sweepFile  = "sweep.json"
	trialsFile = "trials.parquet"
)

// SweepSchema is the version of sweep.json.
const SweepSchema = 1

// SweepDocument is sweep.json.
type SweepDocument struct {
	Schema    int                `json:"schema"`
	Name      string             `json:"name"`
	Digest    string             `json:"digest"`
	Version   string             `json:"qf_version"`
	Objective string             `json:"objective"`
	Paths     []string           `json:"paths"`  // of the settings
	Trials    int                `json:"trials"` // of the whole sweep
	Complete  bool               `json:"complete"`
	Judgement *sweep.Judgement   `json:"judgement"`              // null until it is complete
	Walk      *sweep.WalkForward `json:"walk_forward,omitempty"` // where the sweep asks for it, once it is complete
	Ledger    *ledger.Head       `json:"ledger,omitempty"`       // that dsr of the outcomes is by; without one each is judged as the only one
	Days      []datasets.Day     `json:"days"`
	Outcomes  []*sweep.Outcome   `json:"outcomes"` // by trial; those that are there
}

// SweepFolder is the name of a sweep's folder, {name}-sweep-{digest}.
func SweepFolder(r *sweep.Result) string { return safeName(r.Base.Name) + "-sweep-" + r.Digest }

// WriteSweep writes what there is of a sweep into its folder in dir: sweep.json, and once it is complete trials.parquet. share, where it is not
// "", is that of several machines whose trials these are: then it is sweep-{share}.json alone.
func WriteSweep(dir string, r *sweep.Result, version, share string) (folder string, err error) {
	folder = filepath.Join(dir, SweepFolder(r))
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", fmt.Errorf("write sweep: %w", err)
	}
	d := &SweepDocument{
		Schema: SweepSchema, Name: r.Base.Name, Digest: r.Digest, Version: version, Objective: r.Base.Sweep.Objective,
		Paths: r.Paths, Trials: len(r.Trials), Ledger: r.Ledger, Days: r.Days, Outcomes: []*sweep.Outcome{},
	}
	for _, o := range r.Outcomes {
		if o != nil {
			d.Outcomes = append(d.Outcomes, o)
		}
	}
	name := sweepFile
	if share != "" {
		name = "sweep-" + strings.ReplaceAll(share, "/", "-of-") + ".json"
	} else if d.Complete = len(d.Outcomes) == len(r.Trials); d.Complete {
		j := r.Judge()
		d.Judgement = &j
		if d.Walk, err = r.WalkForward(); err != nil {
			return "", fmt.Errorf("walk forward: %w", err)
		}
		if err := replaceFile(filepath.Join(folder, trialsFile), func(w io.Writer) error { return writeTrials(w, r) }); err != nil {
			return "", fmt.Errorf("write %s: %w", trialsFile, err)
		}
	}
	if err := replaceFile(filepath.Join(folder, name), func(w io.Writer) error { return writeJSON(w, d) }); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return folder, nil
}

// ReadSweep gives r the outcomes that its folder in dir holds: of an earlier run, and of other machines. Files that are not of this sweep
// are passed over.
func ReadSweep(dir string, r *sweep.Result) error {
	folder := filepath.Join(dir, SweepFolder(r))
	names, err := filepath.Glob(filepath.Join(folder, "sweep*.json"))
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := readBounded(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		d := &SweepDocument{}
		if err := json.Unmarshal(text, d); err != nil {
			return fmt.Errorf("%s: %w; remove it, and its trials run again", name, err)
		}
		if d.Digest != r.Digest || d.Schema != SweepSchema {
			continue
		}
		for _, o := range d.Outcomes {
			if o.Number >= 1 && o.Number <= len(r.Outcomes) && len(o.Daily) == len(r.Days) {
				r.Outcomes[o.Number-1] = o
			}
		}
	}
	return nil
}

// writeTrials writes one row a trial: its settings, its figures, its digest.
func writeTrials(w io.Writer, r *sweep.Result) error {
	fields := []arrow.Field{{Name: "trial", Type: arrow.PrimitiveTypes.Int64}}
	number := make([]bool, len(r.Paths)) // a setting whose values are numbers
	for k, path := range r.Paths {
		number[k] = true
		for _, t := range r.Trials {
			_, err := strconv.ParseFloat(t.Settings[k], 64)
			number[k] = number[k] && err == nil
		}
		f := arrow.Field{Name: path, Type: arrow.BinaryTypes.String}
		if number[k] {
			f.Type = arrow.PrimitiveTypes.Float64
		}
		fields = append(fields, f)
	}
	var keys []string
	for _, f := range evaluate.PnLFigures() {
		keys = append(keys, f.Key)
	}
	for _, key := range append([]string{"ic", "ic_t", "ic_p", "ic_n_effective"}, keys...) {
		fields = append(fields, arrow.Field{Name: key, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: "digest", Type: arrow.BinaryTypes.String})
	schema := arrow.NewSchema(fields, nil)
	file, err := parquet.NewWriter(w, schema, parquet.WriterOptions{})
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, o := range r.Outcomes {
		b.Field(0).(*array.Int64Builder).Append(int64(o.Number))
		at := 1
		for k := range r.Paths {
			text := r.Trials[i].Settings[k]
			if number[k] {
				v, _ := strconv.ParseFloat(text, 64)
				b.Field(at).(*array.Float64Builder).Append(v)
			} else {
				b.Field(at).(*array.StringBuilder).Append(strings.Trim(text, `"`))
			}
			at++
		}
		values := []evaluate.Figure{o.IC.Pearson, o.IC.T, o.IC.P, o.IC.NEffective}
		for _, key := range keys {
			values = append(values, o.Figures.Of(key))
		}
		for _, v := range values {
			if c := b.Field(at).(*array.Float64Builder); finite(float64(v)) {
				c.Append(float64(v))
			} else {
				c.AppendNull()
			}
			at++
		}
		b.Field(at).(*array.StringBuilder).Append(o.Digest)
	}
	rec := b.NewRecord()
	defer rec.Release()
	if err := file.Write(rec); err != nil {
		return err
	}
	return file.Close()
}

// topTrials is how many of the best the summary lists.
const topTrials = 10

// WriteSweepSummary writes the best trials and what they are worth.
func WriteSweepSummary(w io.Writer, r *sweep.Result) error {
	var b bytes.Buffer
	best := r.Best()
	fmt.Fprintf(&b, "%s: %d of %d trials, %s to %s UTC\n\n", r.Base.Name, len(best), len(r.Trials), r.Base.Data.From, r.Base.Data.To)
	lines := [][]string{append([]string{"trial"}, "Sharpe", "net return", "drawdown", "fills", "IC", "t")}
	for _, path := range r.Paths {
		lines[0] = append(lines[0], path[strings.LastIndexByte(path, '.')+1:])
	}
	for _, o := range best[:min(len(best), topTrials)] {
		line := []string{strconv.Itoa(o.Number), signed(o.Figures.Of("sharpe"), 2), percent(o.Figures.Of("total_return"), 2), percent(o.Figures.Of("max_drawdown"), 1),
			plain(o.Figures.Of("trades"), 0), signed(o.IC.Pearson, 4), signed(o.IC.T, 2)}
		for _, path := range r.Paths {
			line = append(line, strings.Trim(string(o.Settings[path]), `"`))
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		for k, cell := range line {
			width := 0
			for _, other := range lines {
				width = max(width, utf8.RuneCountInString(other[k]))
			}
			fmt.Fprintf(&b, "%*s  ", width, cell)
		}
		b.Truncate(b.Len() - 2)
		b.WriteByte('\n')
	}
	if len(best) > 0 {
		b.WriteByte('\n')
		sayJudgement(&b, r.Judge())
	}
	walked, err := r.WalkForward()
	if err != nil {
		return fmt.Errorf("walk forward: %w", err)
	}
	if walked != nil && len(best) > 0 {
		b.WriteByte('\n')
		sayWalk(&b, walked, best[0])
	}
	_, err = w.Write(b.Bytes())
	return err
}

// sayWalk says what choosing by the past would have earned, beside the best in hindsight.
func sayWalk(b *bytes.Buffer, w *sweep.WalkForward, best *sweep.Outcome) {
	if !finite(float64(w.Sharpe)) {
		fmt.Fprintf(b, "What choosing by the past would have earned is not known: %s.\n", w.Reason)
		return
	}
	verdict := "Nothing shows that it does: the interval holds 0"
	switch {
	case !finite(float64(w.Low)):
		verdict = "It cannot be said how surely"
	case w.Low > 0:
		verdict = "Yes"
	case w.High < 0:
		verdict = "No: it loses"
	}
	if w.InSample > 0 && !(w.Low > 0) {
		verdict += ", though what was chosen looked good"
	}
	fmt.Fprintf(b, "Does choosing by the past pay?  %s.\n", verdict)
	fmt.Fprintf(b, "  out of sample    %s   Sharpe ratio of %d test days in %d windows%s; return %s\n", signed(w.Sharpe, 2), len(w.Days), len(w.Windows),
		prefixed(", 95%: ", span(w.Low, w.High, 1)), percent(w.Total, 2))
	fmt.Fprintf(b, "  in training      %s   Sharpe ratio of the chosen, on average; the best of all days in hindsight: %s\n", signed(w.InSample, 2), signed(best.Figures.Of("sharpe"), 2))
	fmt.Fprintf(b, "  between them     %d days   embargo\n", w.Embargo)
}

// sayJudgement says what the best is worth.
func sayJudgement(b *bytes.Buffer, j sweep.Judgement) {
	if !finite(float64(j.DSR)) {
		fmt.Fprintf(b, "What the best is worth is not known: on %d days all trials are known.\n", j.Days)
		return
	}
	verdict := "No: by chance alone, the best of as many would often look as good."
	if j.DSR > 0.95 && j.SPA < 0.05 {
		verdict = "Yes: more than the best of as many worthless trials would show."
	}
	fmt.Fprintf(b, "Is the best more than luck?  %s\n", verdict)
	fmt.Fprintf(b, "  deflated Sharpe  %s   probability that its Sharpe ratio is above %s, which the best of\n", plain(j.DSR, 3), plain(j.Expected, 2))
	fmt.Fprintf(b, "                           %s independent trials (of %d) is expected to show by chance\n", plain(j.Effective, 1), j.Trials)
	fmt.Fprintf(b, "  one trial alone  %s   probability that its Sharpe ratio is above 0, had only it been tried\n", plain(j.PSR, 3))
	fmt.Fprintf(b, "  overfitting      %s   chance that the best of one half of the days is no better than the median on the other\n", plain(j.PBO, 3))
	fmt.Fprintf(b, "  p of the best    %s   Hansen's SPA; White's reality check %s\n", plain(j.SPA, 3), plain(j.Reality, 3))
	fmt.Fprintf(b, "  trials that pass %d       Romano and Wolf's step-down at 5 %%\n", j.Found)
	fmt.Fprintf(b, "  its IC           %s   p over the trials by Holm; by Benjamini and Yekutieli %s\n", plain(j.Holm, 3), plain(j.FDR, 3))
}

// Sweeps reads the sweeps in dir, by the names of their folders.
func Sweeps(dir string) (list []*SweepDocument, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*", sweepFile))
	for _, name := range names {
		text, err := readBounded(name)
		if err != nil {
			return nil, err
		}
		d := &SweepDocument{}
		if err := json.Unmarshal(text, d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, d)
	}
	return list, err
}

// WriteSweeps lists sweeps with their best trial.
func WriteSweeps(w io.Writer, list []*SweepDocument) error {
	if len(list) == 0 {
		return nil
	}
	lines := [][]string{{"sweep", "digest", "trials", "objective", "best", "Sharpe", "return", "deflated"}}
	for _, d := range list {
		line := []string{printable(d.Name), printable(d.Digest), fmt.Sprintf("%d of %d", len(d.Outcomes), d.Trials), printable(d.Objective), "-", "-", "-", "-"}
		if best := d.best(); best != nil {
			line[4], line[5], line[6] = strconv.Itoa(best.Number), ascii(signed(best.Figures.Of("sharpe"), 2)), ascii(percent(best.Figures.Of("total_return"), 1))
		}
		if d.Judgement != nil {
			line[7] = ascii(plain(d.Judgement.DSR, 3))
		}
		lines = append(lines, line)
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return writeColumns(w, lines, 2)
}

// best is the outcome of the largest objective, the first of equals; nil where there is none.
func (d *SweepDocument) best() (best *sweep.Outcome) {
	value := func(o *sweep.Outcome) float64 {
		if d.Objective == "ic_t" {
			return float64(o.IC.T)
		}
		return float64(o.Figures.Of(d.Objective))
	}
	for _, o := range d.Outcomes {
		if v := value(o); v == v && (best == nil || v > value(best)) {
			best = o
		}
	}
	return best
}
