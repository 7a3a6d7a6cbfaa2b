package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// TestPageNeedsNothing looks for anything that a page could load.
func TestPageNeedsNothing(t *testing.T) {
	page := render(t, HTML, finished(t, small))
	for _, bad := range []string{"http://", "https://", "@import", "url(", "<link", " src="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, want := range []string{`lang="en"`, `name="viewport"`, `role="img"`, `scope="col"`, "prefers-color-scheme", "@media print"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestMissingFiguresAreNull(t *testing.T) {
	r := sample(t, small)
	for k := range r.Figures.PnL {
		p := &r.Figures.PnL[k]
		p.Figures["sharpe"], p.Figures["total_return"], p.Figures["fees"] = nan, nan, evaluate.Figure(math.Inf(1))
		p.Reasons = map[string]string{"sharpe": "no day has a return", "total_return": "a settlement is not known"}
	}
	for k := range r.Figures.IC {
		r.Figures.IC[k].Pearson, r.Figures.IC[k].T, r.Figures.IC[k].P = nan, nan, nan
	}
	for k := range r.Figures.Daily {
		r.Figures.Daily[k].IC = nan
	}
	run := finishedResult(t, r)
	text := render(t, JSON, run)
	if !json.Valid([]byte(text)) {
		t.Fatal("report.json is not JSON")
	}
	for _, want := range []string{`"sharpe":null`, `"fees":null`, `"pearson":null`, `"sharpe":"no day has a return"`} {
		if !strings.Contains(text, want) {
			t.Errorf("report.json lacks %s", want)
		}
	}
	if got := run.Report.Verdict; got != (Verdict{"unknown", "unknown"}) {
		t.Errorf("verdict %+v, want both unknown", got)
	}
	for _, f := range []Format{HTML, Text} {
		if out := render(t, f, run); regexp.MustCompile(`NaN|Inf\b`).MatchString(out) {
			t.Errorf("%s shows NaN or Inf", f)
		}
	}
	if page := render(t, HTML, run); !strings.Contains(page, "a settlement is not known") {
		t.Error("the page does not say why the return is missing")
	}
}

// TestEmptyEvaluation renders a run of which nothing could be said.
func TestEmptyEvaluation(t *testing.T) {
	r := sample(t, small)
	r.Figures, r.Sources, r.Warnings = &backtest.Evaluated{}, nil, nil
	for i := range r.Days {
		r.Days[i] = nil
	}
	run := finishedResult(t, r)
	for _, f := range []Format{HTML, Text, JSON} {
		if out := render(t, f, run); strings.Contains(out, "NaN") {
			t.Errorf("%s shows NaN", f)
		}
	}
}

func TestEqualResultsGiveEqualBytes(t *testing.T) {
	for _, f := range []Format{HTML, Text, JSON} {
		a := render(t, f, finished(t, small))
		b := render(t, f, finished(t, small))
		if a != b {
			t.Errorf("%s differs between two equal runs", f)
		}
		if strings.Contains(a, "v1.2.3") {
			t.Errorf("%s carries the qf version, which belongs into manifest.json alone", f)
		}
	}
}

func TestSummaryFitsTheScreen(t *testing.T) {
	for _, warnings := range []int{0, 1, 3, 40} {
		r := sample(t, small)
		r.Warnings = nil
		for k := range warnings {
			r.Warnings = append(r.Warnings, fmt.Errorf("finding %c%c %s", 'a'+k/26, 'a'+k%26, strings.Repeat("long ", 30)))
		}
		var b strings.Builder
		if err := WriteSummary(&b, New(r.Result), false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) > screenLines {
			t.Errorf("%d warnings make %d lines, want at most %d:\n%s", warnings, len(lines), screenLines, b.String())
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l); n > screenWidth {
				t.Errorf("a line of %d columns: %s", n, l)
			}
		}
		if warnings > 0 && !strings.Contains(lines[len(lines)-1], "long") && !strings.Contains(lines[len(lines)-1], "more") {
			t.Errorf("warnings do not come last:\n%s", b.String())
		}
	}
}

// TestWarningsAlikeStandTogether: what ten instruments share takes one line.
func TestWarningsAlikeStandTogether(t *testing.T) {
	d := &Report{Instruments: []Instrument{{Instrument: "x:A"}, {Instrument: "x:B"}}, Warnings: []string{
		"x:A is spot: raised at 12 bars", "the clock is odd", "x:B is spot: raised at 1,345 bars",
	}}
	want := []finding{{"x:A is spot: raised at 12 bars", 1}, {"the clock is odd", 0}}
	if diff := cmp.Diff(want, d.findings()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestClipKeepsNumbersWhole(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{{"net 123,456.78 USD", 9, "net…"}, {"net 123,456.78 USD", 16, "net 123,456.78…"}, {"short", 5, "short"}, {"words and words", 9, "words an…"}, {"1234567890", 4, "…"}} {
		if got := clip(c.text, c.width); got != c.want {
			t.Errorf("clip(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		n     int
		want  []string
	}{
		{"a short one", 20, 2, []string{"a short one"}},
		{"one two three four", 9, 3, []string{"one two", "three", "four"}},
		{"one two three four", 9, 2, []string{"one two", "three fo…"}},
		{"abcdefghijklmno", 6, 3, []string{"abcdef", "ghijkl", "mno"}},
		{"", 6, 3, []string{""}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.text, c.width, c.n)); diff != "" {
			t.Errorf("wrap(%q, %d, %d) (-want +got):\n%s", c.text, c.width, c.n, diff)
		}
	}
}

func TestColourOnlyWhenAsked(t *testing.T) {
	d := finished(t, small).Report
	var with, without strings.Builder
	WriteSummary(&with, d, true)
	WriteSummary(&without, d, false)
	if !strings.Contains(with.String(), "\x1b[") || strings.Contains(without.String(), "\x1b[") {
		t.Error("colour does not follow the argument")
	}
	if plain := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(with.String(), ""); plain != without.String() {
		t.Error("colour changes the text")
	}
}

func TestVerdict(t *testing.T) {
	ic := func(r, p float64) []evaluate.ICRow {
		return []evaluate.ICRow{{Signal: "composite", Instrument: "*", Window: "all", Horizon: "1h", Pearson: -evaluate.Figure(r), T: evaluate.Figure(90 * r), P: evaluate.Figure(p)}} // the headline t decides the sign
	}
	holes := func(days, over evaluate.Figure) []evaluate.PnLRow {
		return []evaluate.PnLRow{{Signal: "composite", Window: "all", Figures: map[string]evaluate.Figure{
			"total_return": 0.1, "trades": 5, "initial_equity": 100, "final_equity": 110, "days_in_holes": days, "pnl_over_holes": over,
		}}}
	}
	pnl := func(ret float64, fills int) []evaluate.PnLRow {
		return []evaluate.PnLRow{{Signal: "composite", Window: "all", Figures: map[string]evaluate.Figure{
			"total_return": evaluate.Figure(ret), "trades": evaluate.Figure(fills), "initial_equity": 1,
		}}}
	}
	for _, c := range []struct {
		name string
		ic   []evaluate.ICRow
		pnl  []evaluate.PnLRow
		want Verdict
	}{
		{"both", ic(0.03, 0.01), pnl(0.1, 5), Verdict{"yes", "yes"}},
		{"noise", ic(0.03, 0.3), pnl(-0.1, 5), Verdict{"no", "no"}},
		{"wrong sign", ic(-0.03, 0.01), pnl(0, 5), Verdict{"reversed", "no"}},
		{"idle", ic(0.03, math.NaN()), pnl(0, 0), Verdict{"unknown", "idle"}},
		{"a hole that matters little", ic(0.03, 0.01), holes(3, 0.9), Verdict{"yes", "yes"}},
		{"holes of many days", ic(0.03, 0.01), holes(4, 0), Verdict{"yes", "unknown"}},
		{"a hole that earned", ic(0.03, 0.01), holes(1, -1.1), Verdict{"yes", "unknown"}},
		{"nothing", nil, nil, Verdict{"unknown", "unknown"}},
	} {
		d := &Report{Score: study.Composite, Span: Span{Days: 30}, PrimaryHorizon: "1h", IC: c.ic, PnL: c.pnl}
		if got := judge(d); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// large has the size of a real study.
var large = shape{
	name: "large", days: 90, every: 5 * time.Minute, windows: 3, warmUp: 288, edge: 0.02,
	instruments: []datasets.Instrument{
		btc, eth, {Exchange: "binance", Symbol: "BTCUSDT"}, {Exchange: "binance", Symbol: "ETHUSDT"}, {Exchange: "binance", Symbol: "SOLUSDT"},
		{Exchange: "bybit", Symbol: "XRPUSDT"}, {Exchange: "bybit", Symbol: "BTCUSDT"}, {Exchange: "okex-swap", Symbol: "BTC-USDT-SWAP"},
		{Exchange: "okex-swap", Symbol: "ETH-USDT-SWAP"}, {Exchange: "okex-swap", Symbol: "SOL-USDT-SWAP"},
	},
}

func TestPageSize(t *testing.T) {
	run := finishedResult(t, modelSample(t, large))
	if n := len(render(t, HTML, run)); n > 3<<20 {
		t.Errorf("report.html of 90 days of ten instruments has %d bytes, want at most 3 MiB", n)
	}
	if n := len(run.Report.Curves.Equity.TS); n > 1000 {
		t.Errorf("the equity curve has %d points, want at most 1,000", n)
	}
}

// TestHugeStudiesStayReadable: a page shows part of what no one could read, and says where the rest is.
func TestHugeStudiesStayReadable(t *testing.T) {
	run := finished(t, small)
	d, m := run.Report, run.Manifest
	for len(d.IC) < 50_000 {
		d.IC = append(d.IC, d.IC...)
	}
	for len(m.Sources) < 50_000 {
		m.Sources = append(m.Sources, m.Sources...)
	}
	for k := range 300 {
		d.Warnings = append(d.Warnings, strings.Repeat("w", k))
		d.Curves.Positions = append(d.Curves.Positions, d.Curves.Positions[0])
		d.Instruments = append(d.Instruments, d.Instruments[0])
	}
	page := render(t, HTML, run)
	if n := len(page); n > 3<<20 {
		t.Errorf("%d bytes, want at most 3 MiB", n)
	}
	for _, want := range []string{"ic.csv has all", "manifest.json has all", "282 instruments are not drawn"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func BenchmarkHTML(b *testing.B) {
	run := finishedResult(b, modelSample(b, large))
	for b.Loop() {
		render(b, HTML, run)
	}
}

// A study that looks ahead says so before its verdict.
func TestLookAheadComesFirst(t *testing.T) {
	r := sample(t, small)
	r.Study.Composite.Components[1].Normalize = &factors.Normalization{Method: factors.FullSample}
	r.Study.Factors[0].Params["sample"] = "full"
	r.Study.Data.Clock = "timestamp"
	run := finishedResult(t, r)
	if len(run.Report.LooksAhead) != 3 {
		t.Fatalf("looks ahead: %q, want the factor, the component and the clock", run.Report.LooksAhead)
	}
	for _, f := range []Format{HTML, Text} {
		out := strings.ToLower(render(t, f, run))
		at, after := strings.Index(out, "looks ahead"), strings.Index(out, "does it predict?")
		if at < 0 || at > after {
			t.Errorf("%s: look-ahead at %d, verdict at %d", f, at, after)
		}
	}
}
