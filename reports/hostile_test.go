package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// hostile breaks out of every place into which a careless program would put it: tags, attributes,
// scripts, styles, comments, templates, spreadsheets, terminals and lines that run from right to left.
const hostile = `=1+1</script><script>document.title="owned"</script></style></title><!--"'&{{.}}` + "`${document.title='owned'}`" +
	`<img src=x onerror="document.title='owned'">" onmouseover="document.title='owned'" x='` + "\x00\x1b[2J\x1b]0;owned\x07\u202e\u2066]]>\r\n"

// hostileSample has hostile text wherever a user, a venue or a model may put some.
func hostileSample(t testing.TB) *sampled {
	sh := small
	sh.name = hostile + strings.Repeat("long", 25_000)
	sh.instruments = []datasets.Instrument{{Exchange: hostile, Symbol: "@SUM(A1)"}, eth}
	r := modelSample(t, sh)
	r.Study.Factors[0].Name = hostile
	ev := r.Figures
	for k := range ev.IC {
		if row := &ev.IC[k]; row.Signal == "momentum_14d" {
			row.Signal = hostile
			row.Reasons = map[string]string{"t": hostile, "p": "=2+2"}
		}
	}
	for k := range ev.PnL {
		ev.PnL[k].Reasons = map[string]string{"dsr": hostile}
	}
	r.Warnings = append(r.Warnings, errors.New(hostile), errors.New(strings.Repeat(hostile, 400)))
	m := r.Models
	name := m.Usage[0].Model
	m.Usage[0].Model, m.Usage[0].AtPrices[0].Model = hostile, hostile
	for k := range m.Calibration {
		if m.Calibration[k].Model == name {
			m.Calibration[k].Model = hostile
		}
	}
	m.Verdicts[0].Model, m.Verdicts[0].Verdict, m.Verdicts[0].Text = hostile, hostile, hostile+strings.Repeat("long ", 20_000)
	o := m.Opinions
	o.Config.Models[0].Name = hostile
	for q := range o.Replies[0] {
		o.Replies[0][q].Answer.Reasoning = hostile + strings.Repeat("and so on ", 10_000)
		if o.Replies[0][q].State == llm.Invalid {
			o.Replies[0][q].Reason = hostile
		}
	}
	return r
}

func TestHostilePage(t *testing.T) {
	run := finishedResult(t, hostileSample(t))
	page := render(t, HTML, run)
	ours := map[string]bool{}
	clean := render(t, HTML, finishedResult(t, modelSample(t, small)))
	for _, tag := range tags(clean) {
		ours[shapeOf(tag)] = true
	}
	for _, tag := range tags(page) {
		if !ours[shapeOf(tag)] {
			t.Errorf("the page has a tag that no other has: %.200s", tag)
		}
	}
	if n := strings.Count(strings.ToLower(page), "<script"); n != 1 {
		t.Errorf("%d scripts, want the page's own alone", n)
	}
	if k := strings.IndexFunc(page, func(r rune) bool { return visible(r) != r }); k >= 0 {
		t.Errorf("the page has a character that changes what is around it: %q", page[k:k+10])
	}
	if n := len(page); n > 1<<20 {
		t.Errorf("%d bytes: long texts are not cut", n)
	}
}

// tags lists the tags of a page. A ">" within an attribute is written &gt; by all that writes here.
func tags(page string) []string {
	return regexp.MustCompile(`<[A-Za-z/!][^>]*>`).FindAllString(page, -1)
}

// shapeOf is a tag with its attributes' names, without their values.
func shapeOf(tag string) string { return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`) }

func TestHostileSummary(t *testing.T) {
	run := finishedResult(t, hostileSample(t))
	list := []Listed{{Folder: hostile, Differs: []Setting{{hostile, hostile}}}, {Folder: "b", Differs: []Setting{{hostile, "1"}}}, {Folder: "c", Error: hostile}}
	drifts := []Drift{{Path: hostile, Kind: "changed", Golden: hostile, Run: hostile}}
	for name, write := range map[string]func(io.Writer) error{
		"summary": func(w io.Writer) error { return WriteSummary(w, run.Report, false) },
		"runs":    func(w io.Writer) error { return WriteRuns(w, list) },
		"compare": func(w io.Writer) error { return WriteDrifts(w, drifts) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if k := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || visible(r) != r }); k >= 0 {
				t.Errorf("%s carries %q", name, line[k:min(k+10, len(line))])
			}
			if n := utf8.RuneCountInString(line); name == "summary" && n > screenWidth {
				t.Errorf("%s has a line of %d columns", name, n)
			}
		}
	}
}

func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	r := hostileSample(t)
	if err := r.write(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	folder := Folder(r.Result)
	if !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(folder) || strings.HasPrefix(folder, ".") {
		t.Errorf("the folder is called %q", folder)
	}
	for _, name := range []string{"ic.csv", "windows.csv", "trades.csv"} {
		b, err := os.ReadFile(filepath.Join(dir, folder, name))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, cell := range slices.Concat(lines...) {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Fatalf("%s: a spreadsheet takes %.40q for a formula", name, cell)
			}
		}
	}
	run, err := Open(filepath.Join(dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	if run.Report.Name != r.Study.Name {
		t.Error("the name does not survive report.json")
	}
	for _, f := range []Format{JSON, HTML, Text} {
		if render(t, f, run) != render(t, f, finishedResult(t, r)) {
			t.Errorf("%s of the opened run differs", f)
		}
	}
	if !json.Valid([]byte(render(t, JSON, run))) {
		t.Error("report.json is not JSON")
	}
}
