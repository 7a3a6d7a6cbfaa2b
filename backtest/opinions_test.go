package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// modelled is a study of two models that are asked every 6 hours, on five-minute bars.
const modelled = `
  llm:
    models: [{name: a, input_usd: 1, output_usd: 2, knowledge_cutoff: 2024-01-07}, {name: b, input_usd: 1, output_usd: 1}]
    cadence: 6h
    cache: CACHE
`

// asked is how many questions that are: four a day, over six days, for two instruments.
const asked = 2 * 6 * 4

// assisted is the study small with models, over a market, and its cache, filled by answer.
func assisted(t *testing.T, answer func(model int, q llm.Question) string, set ...string) (*datasets.Lake, *study.Study) {
	t.Helper()
	text := small + "signals:" + strings.Replace(modelled, "CACHE", filepath.Join(t.TempDir(), "cache"), 1)
	lake, s := simulatedLake(t, text, nil, append([]string{"data.to=2024-01-09", "composite.components=[{factor: mom, weight: 0.8}, {factor: vol, weight: -0.2}]"}, set...)...)
	fillCache(t, lake, s, answer)
	return lake, s
}

// fillCache writes the entries of a study's calls; an empty answer leaves one out.
func fillCache(t *testing.T, lake *datasets.Lake, s *study.Study, answer func(model int, q llm.Question) string) {
	t.Helper()
	questions, err := Questions(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := s.Signals.LLM.Config()
	if err != nil {
		t.Fatal(err)
	}
	calls, err := cfg.Calls(questions)
	if err != nil {
		t.Fatal(err)
	}
	cache := llm.OpenCache(s.Signals.LLM.CacheDir())
	for m := range calls {
		for q, call := range calls[m] {
			text := answer(m, questions[q])
			if text == "" {
				continue
			}
			e := &llm.Entry{
				Key: call.Key(), Model: call.Model, Asked: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Request: call.Body(),
				Exchanges: []llm.Exchange{{ResponseFormat: call.ResponseFormat, Text: text, Finish: "stop", Usage: llm.Usage{Prompt: 400, Complete: 50}, LatencyMS: float64(1000 + q)}},
			}
			if a, err := llm.ParseAnswer(text); err == nil {
				e.Answer = &a
			} else {
				e.Invalid = err.Error()
			}
			if err := cache.Put(e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// follows is a model that goes the composite's way, or against it.
func follows(model int, q llm.Question) string {
	if (q.Summary.Composite > 0) == (model == 0) {
		return `{"action": "long", "confidence": 0.6, "position_size": 0.8, "reasoning": "up"}`
	}
	return `{"action": "short", "confidence": 0.55, "position_size": -1, "reasoning": "down"}`
}

// wholeFrame is a study's frame in memory.
type wholeFrame struct {
	names   []string
	grid    []datasets.Instrument
	ts      []int64
	columns [][][]float64 // by name, then instrument
}

func frameOf(t *testing.T, lake *datasets.Lake, s *study.Study) *wholeFrame {
	t.Helper()
	f, err := NewFrame(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &wholeFrame{names: f.Names, grid: f.Grid}
	for range f.Names {
		w.columns = append(w.columns, make([][]float64, len(f.Grid)))
	}
	err = f.Rows(t.Context(), func(x *FrameRows) error {
		w.ts = append(w.ts, x.TS...)
		for k, of := range x.Columns {
			for i, c := range of {
				w.columns[k][i] = append(w.columns[k][i], c...)
			}
		}
		return nil
	})
	if err != nil || len(w.ts) != f.Bars {
		t.Fatalf("%d rows of %d, %v", len(w.ts), f.Bars, err)
	}
	return w
}

// col is a column of an instrument.
func (w *wholeFrame) col(name string, i int) []float64 {
	return w.columns[slices.Index(w.names, name)][i]
}

// at is its value at a label.
func (w *wholeFrame) at(name string, in datasets.Instrument, label int64) float64 {
	k, _ := slices.BinarySearch(w.ts, label)
	return w.col(name, slices.Index(w.grid, in))[k]
}

// Questions come once in every six hours for each instrument, at its first bar after the boundary that has a
// composite, and hold what the frame holds at that bar.
func TestQuestions(t *testing.T) {
	lake, s := assisted(t, follows)
	questions, err := Questions(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := frameOf(t, lake, s)
	if len(questions) != asked {
		t.Errorf("%d questions, want %d", len(questions), asked)
	}
	known := map[[2]any]bool{}
	for k, q := range questions {
		if k > 0 && q.Time < questions[k-1].Time {
			t.Errorf("question %d comes before the last", k)
		}
		i := slices.Index(f.grid, q.Instrument)
		six := int64(6 * time.Hour / time.Microsecond)
		stretch := (q.Time - 1) / six
		if known[[2]any{i, stretch}] {
			t.Errorf("%v is asked twice in one stretch", q)
		}
		known[[2]any{i, stretch}] = true
		for row, label := range f.ts {
			if label < q.Time && (label-1)/six == stretch && !math.IsNaN(f.col(study.Composite, i)[row]) {
				t.Errorf("%v: row %d of its stretch has a composite, too, and comes before", q, row)
				break
			}
		}
		if q.Close != f.at("close", q.Instrument, q.Time) || q.Summary.Composite != f.at(study.Composite, q.Instrument, q.Time) {
			t.Errorf("%v is not of row %d", q, q.Row)
		}
		if q.Summary.FundingRate != f.at("funding_rate", q.Instrument, q.Time) {
			t.Errorf("%v has funding rate %v", q, q.Summary.FundingRate)
		}
		if math.IsNaN(q.Summary.OrderFlowImbalance) || math.IsNaN(q.Summary.LiquidityScore) {
			t.Errorf("%v: %+v", q, q.Summary)
		}
		if !math.IsNaN(q.Summary.Momentum1M) {
			t.Errorf("%v has a momentum of 30 days after %d bars", q, q.Row)
		}
	}
	for _, name := range f.names {
		if strings.HasPrefix(name, study.OwnPrefix) {
			t.Errorf("%s is in the frame", name)
		}
	}
}

// A study may say which of its factors a prompt shows, and 0 for what is missing.
func TestSummaryOfTheStudysOwn(t *testing.T) {
	lake, s := assisted(t, follows, "signals.llm.summary={momentum_1w: mom, momentum_1m: vol, missing: zero}", "execution.funding=false", "factors[3]={name: funding, kind: kurtosis, window: 1d}")
	questions, err := Questions(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := frameOf(t, lake, s)
	for _, q := range questions {
		if q.Summary.Momentum1W != f.at("mom", q.Instrument, q.Time) || q.Summary.Momentum1M != f.at("vol", q.Instrument, q.Time) {
			t.Errorf("%v: %+v", q, q.Summary)
		}
		if q.Summary.FundingRate != 0 || q.Summary.Volatility != 0 {
			t.Errorf("%v shows %+v for what is missing", q, q.Summary)
		}
	}
}

// failing is a network without a way out.
type failing struct{ t *testing.T }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.t.Errorf("a request to %s", r.URL)
	return nil, errors.New("no network")
}

// A backtest with models opens no socket and gives the same every time; everything it trades is there.
func TestBacktestWithModelsIsOffline(t *testing.T) {
	lake, s := assisted(t, follows)
	transport, resolver := http.DefaultTransport, net.DefaultResolver
	http.DefaultTransport = failing{t}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		t.Errorf("a dial to %s %s", network, address)
		return nil, errors.New("no network")
	}}
	defer func() { http.DefaultTransport, net.DefaultResolver = transport, resolver }()
	var first string
	for _, workers := range []int{1, 4} {
		r, err := Backtest(t.Context(), lake, s, Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		text := figuresOf(t, r) + saidOf(t, r)
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%d workers give other figures", workers)
		}
		checkModels(t, r)
	}
}

// saidOf is what models said, and the digest of the run, as text.
func saidOf(t *testing.T, r *Result) string {
	t.Helper()
	text, err := json.MarshalIndent([]any{r.Digest, r.Models}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkModels checks that opinions and what is traded are judged beside the composite.
func checkModels(t *testing.T, r *Result) {
	t.Helper()
	ev := r.Figures
	all := []string{"composite", "llm", "llm:a", "llm:b", "combined"}
	for _, signal := range all {
		if !slices.ContainsFunc(ev.IC, func(row evaluate.ICRow) bool { return row.Signal == signal }) ||
			!slices.ContainsFunc(ev.Levels, func(row evaluate.LevelRow) bool { return row.Signal == signal }) ||
			!slices.ContainsFunc(ev.Spreads, func(row evaluate.SpreadRow) bool { return row.Signal == signal }) {
			t.Errorf("%s is not judged", signal)
		}
	}
	var traded []string
	for _, row := range ev.PnL {
		if row.Window == evaluate.All {
			traded = append(traded, row.Signal)
		}
	}
	if want := []string{"composite", "llm:a", "llm:b", "combined"}; !slices.Equal(traded, want) {
		t.Errorf("traded %v, want %v", traded, want)
	}
	if r.Traded != study.Combined {
		t.Errorf("the run is of %s", r.Traded)
	}
	for _, row := range ev.Daily {
		if row.Signal != study.Combined {
			t.Errorf("daily IC of %s", row.Signal)
		}
	}
	m := r.Models
	if len(m.Usage) != 3 || m.Usage[2].Model != "*" || m.Usage[2].Calls != m.Usage[0].Calls+m.Usage[1].Calls {
		t.Fatalf("usage %+v", m.Usage)
	}
	// 400 prompt tokens at 1 USD a million, 50 at 2
	if u := m.Usage[0]; u.Calls != asked || u.Valid != asked || u.PromptTokens != 400*asked || math.Abs(float64(u.CostUSD)-asked*500e-6) > 1e-15 {
		t.Errorf("usage of a %+v", u)
	}
	if len(m.Comparison) != len(all) || m.Comparison[0].Added != 0 || m.Comparison[1].TotalReturn != m.Comparison[4].TotalReturn {
		t.Errorf("comparison %+v", m.Comparison)
	}
	if len(m.Calibration) != 2 || len(m.Reliability) != 20 || len(m.Verdicts) != 2 || len(m.CutoffRows) != 2 || m.Verdicts[1].Verdict != opinions.UnknownCutoff {
		t.Errorf("%d calibration, %d reliability, %d cut-off rows, verdicts %+v", len(m.Calibration), len(m.Reliability), len(m.CutoffRows), m.Verdicts)
	}
	if m.Agreement.Questions != asked || m.Agreement.Opposed != 1 || m.Agreement.Mean != 0.5 {
		t.Errorf("models that always contradict each other agree as %+v", m.Agreement)
	}
	nullsHaveReasons(t, m)
}

// nullsHaveReasons looks for nulls of a report's rows without a reason.
func nullsHaveReasons(t *testing.T, m *opinions.Models) {
	t.Helper()
	explained(t, m.Usage, m.Calibration, m.Reliability, []any{m.Agreement}, m.Agreement.Pairs, m.Comparison, m.CutoffRows, m.Verdicts, m.Paired)
}

// The presets of the article say in a comment what its prompt shows: momentum over 7 and 14 trades, and 0 for what
// is missing. It knows the full sample, which the certificate declares.
func TestPromptOfTheArticle(t *testing.T) {
	for _, preset := range []string{"article", "article-math"} {
		text, err := study.Preset(preset)
		if err != nil {
			t.Fatal(err)
		}
		_, section, ok := strings.Cut(string(text), "  # llm:\n")
		section, _, _ = strings.Cut(section, "\nexecution:")
		section = strings.ReplaceAll(section, "  #", "   ")
		set := []string{"signals.llm=" + section, "signals.llm.cache=" + t.TempDir(), "signals.llm.cadence=6h", "data.from=2024-03-18", "data.to=2024-03-21"}
		lake, s := simulatedLake(t, string(text), nil, set...)
		if !ok || s.Signals.LLM == nil {
			t.Fatalf("%s has no section for models", preset)
		}
		f := frameOf(t, lake, s)
		questions, err := Questions(t.Context(), lake, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(questions) != 12 {
			t.Errorf("%d questions, want 12", len(questions))
		}
		for _, q := range questions {
			of := func(name string) float64 { return f.at(name, q.Instrument, q.Time) }
			regime := of("regime")
			if math.IsNaN(regime) {
				regime = 0
			}
			want := llm.Summary{
				Momentum1W: of("momentum_7"), Momentum1M: of("momentum_14"), Volatility: of("volatility_20"), Regime: regime,
				LiquidityScore: of("liquidity"), OrderFlowImbalance: of("ofi"), Composite: of(study.Composite),
			}
			if q.Summary != want {
				t.Errorf("%v: %+v, want %+v", q, q.Summary, want)
			}
		}
		fillCache(t, lake, s, follows)
		_, c := auditedBy(t, production, lake, s, Options{})
		if len(c.Violations) > 0 || !strings.Contains(strings.Join(c.Expected, "\n"), "full_sample") {
			t.Errorf("%s: violations %v, expected %v", preset, c.Violations, c.Expected)
		}
	}
}

// Prompts that show what knows the full sample are declared, though the composite does not.
func TestPromptsThatLookAheadAreDeclared(t *testing.T) {
	lake, s := assisted(t, follows, "data.to=2024-01-06", "factors[3]={name: funding, kind: vol_regime, window: 4h, min_periods: 1h, sample: full}", "signals.llm.summary={regime: funding}")
	_, c := auditedBy(t, production, lake, s, Options{})
	if len(c.Violations) > 0 || !strings.Contains(strings.Join(c.Expected, "\n"), "prompts show the whole sample") {
		t.Errorf("violations %v, expected %v", c.Violations, c.Expected)
	}
}

// Bars of trades are asked about by their labels, too, and the audit holds there.
func TestModelsOnBarsOfTrades(t *testing.T) {
	text := ofTrades("tick", 20) + "signals:" + strings.Replace(modelled, "CACHE", filepath.Join(t.TempDir(), "cache"), 1)
	lake, s := simulatedLake(t, text, nil, "signals.llm.summary={volatility: mom}", "signals.llm.on_missing=error")
	fillCache(t, lake, s, func(_ int, q llm.Question) string { return follows(0, q) })
	r, c := auditedBy(t, production, lake, s, Options{})
	clean(t, c)
	if r.Runs[0].Account.Fills == 0 {
		t.Error("nothing was traded")
	}
	questions := r.Models.Opinions.Questions
	days := int(s.Data.To - s.Data.From)
	if len(questions) < 2*days || len(questions) > 4*days {
		t.Errorf("%d questions in %d days", len(questions), days)
	}
	f := frameOf(t, lake, s)
	for _, q := range questions {
		if !math.IsNaN(q.Summary.Momentum1W) || q.Summary.Volatility != f.at("mom", q.Instrument, q.Time) {
			t.Errorf("%v: %+v", q, q.Summary)
		}
	}
}

// forward is the log return of a market from the fill of a decision at a question's bar to that of one a cadence later.
func (w *wholeFrame) forward(s *study.Study, q llm.Question) float64 {
	x := w.col(s.Execution.Price, slices.Index(w.grid, q.Instrument))
	a, _ := slices.BinarySearch(w.ts, q.Time)
	b, _ := slices.BinarySearch(w.ts, q.Time+s.Signals.LLM.Cadence.Time.Microseconds())
	if a, b = a+s.Execution.Delay, b+s.Execution.Delay; b < len(x) {
		return math.Log(x[b] / x[a])
	}
	return math.NaN()
}

// A model that knows each outcome up to its cut-off is found out; one that follows the factors is not.
func TestContaminatedModelIsNamed(t *testing.T) {
	const set = "signals.llm={models: [{name: a, knowledge_cutoff: 2024-01-07}, {name: b, knowledge_cutoff: 2024-01-07}], cadence: 2h, on_missing: neutral}"
	lake, s := assisted(t, func(int, llm.Question) string { return "" }, set)
	s.Signals.LLM.Cache = filepath.Join(t.TempDir(), "cache")
	f := frameOf(t, lake, s)
	fillCache(t, lake, s, func(model int, q llm.Question) string {
		known := f.forward(s, q)
		if model == 0 && q.Time <= s.Signals.LLM.Models[0].KnowledgeCutoff.Start() {
			q.Summary.Composite = known
		}
		return follows(0, q)
	})
	r, err := Backtest(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := r.Models.Verdicts
	if v[0].Verdict != opinions.Contaminated || v[1].Verdict != opinions.Overlaps {
		t.Errorf("verdicts %+v", v)
	}
	if rows := r.Models.CutoffRows; rows[0].HitRate != 1 || rows[0].Brier > 0.21 || rows[1].HitRate > 0.7 {
		t.Errorf("%+v", rows)
	}
	if !slices.ContainsFunc(r.Warnings, func(w error) bool { return strings.HasPrefix(w.Error(), "a is contaminated") }) {
		t.Errorf("no warning: %v", r.Warnings)
	}
}

// What the cache lacks, or what was changed in it, fails a run and is named.
func TestCacheFindings(t *testing.T) {
	lake, s := assisted(t, follows)
	files, err := filepath.Glob(filepath.Join(s.Signals.LLM.Cache, "*", "*.json"))
	if err != nil || len(files) != 2*asked {
		t.Fatalf("%d files, %v", len(files), err)
	}
	text, err := os.ReadFile(files[5])
	if err != nil {
		t.Fatal(err)
	}
	run := func(want ...string) {
		t.Helper()
		_, err := Backtest(t.Context(), lake, s, Options{})
		if err == nil {
			t.Fatalf("no error, want %q", want)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v\nwant %q", err, w)
			}
		}
	}
	if err := os.Remove(files[5]); err != nil {
		t.Fatal(err)
	}
	run("1 of 96 answers", "not in the cache", "qf signals fill --config audit", "USD")
	s.Signals.LLM.OnMissing = study.MissingNeutral
	r, err := Backtest(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u := r.Models.Usage[2]; u.Missing != 1 || u.Calls != 2*asked-1 {
		t.Errorf("usage %+v", u)
	}
	if !slices.ContainsFunc(r.Warnings, func(w error) bool { return strings.Contains(w.Error(), "1 of 48 answers of") }) {
		t.Errorf("no warning of the missing answer: %v", r.Warnings)
	}
	nullsHaveReasons(t, r.Models)
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[5], text, 0o666); err != nil {
		t.Fatal(err)
	}
	run(filepath.Base(files[5]))
}

func TestTooManyInvalidAnswers(t *testing.T) {
	lake, s := assisted(t, func(model int, q llm.Question) string {
		if model == 1 && q.Instrument.Symbol == "BTCUSDT" {
			return "I would rather not say."
		}
		return follows(model, q)
	})
	_, err := Backtest(t.Context(), lake, s, Options{})
	if err == nil || !strings.Contains(err.Error(), "24 of 48 answers of b are invalid, more than max_invalid 0.05: qf signals verify") {
		t.Fatalf("got %v", err)
	}
	s.Signals.LLM.MaxInvalid = 0.5
	r, err := Backtest(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u := r.Models.Usage[1]; u.Invalid != asked/2 || u.Valid != asked/2 {
		t.Errorf("usage %+v", u)
	}
	if c := r.Models.Calibration[1]; c.N > asked/2 {
		t.Errorf("invalid answers are judged: %+v", c)
	}
	nullsHaveReasons(t, r.Models)
}

// Without a price, and without any answer, figures are null and say why.
func TestNothingKnownOfModels(t *testing.T) {
	lake, s := assisted(t, func(int, llm.Question) string { return "" }, "signals.llm.models=[a]", "signals.llm.on_missing=neutral")
	r, err := Backtest(t.Context(), lake, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u := r.Models.Usage[0]; u.Calls != 0 || u.Missing != asked || !math.IsNaN(float64(u.CostUSD)) {
		t.Errorf("usage %+v", u)
	}
	nullsHaveReasons(t, r.Models)
}

// The same questions with the other form of prompts in the cache are compared in pairs.
func TestPairedPrompts(t *testing.T) {
	lake, s := assisted(t, follows)
	s.Signals.LLM.Anonymize = true
	fillCache(t, lake, s, func(model int, q llm.Question) string {
		switch {
		case model == 1:
			return ""
		case q.Instrument.Symbol == "ETHUSDT":
			return `{"action": "neutral", "confidence": 0.5, "position_size": 0, "reasoning": "?"}`
		}
		return follows(model, q)
	})
	f := frameOf(t, lake, s)
	for _, anonymize := range []bool{false, true} {
		s.Signals.LLM.Anonymize = anonymize
		s.Signals.LLM.OnMissing = study.MissingNeutral
		r, err := Backtest(t.Context(), lake, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rows := r.Models.Paired
		if len(rows) != 1 || rows[0].Model != "a" || rows[0].SameAction != 0.5 || rows[0].HitRateDifference != 0 || rows[0].N != asked-2 {
			t.Fatalf("paired %+v", rows)
		}
		// What the plain answers earned, whichever of the two forms is the study's.
		sum, n := 0.0, 0
		for _, q := range r.Models.Opinions.Questions {
			if forward := f.forward(s, q); !math.IsNaN(forward) {
				n++
				if strings.Contains(follows(0, q), "long") {
					sum += forward
				} else {
					sum -= forward
				}
			}
		}
		if got := float64(rows[0].MeanReturnPlain); math.Abs(got-sum/float64(n)) > 1e-15 {
			t.Errorf("plain answers earned %v, want %v", got, sum/float64(n))
		}
		nullsHaveReasons(t, r.Models)
	}
}

// The audit finds nothing in a study with models, and finds prompts that hold what comes later.
func TestAuditOfPrompts(t *testing.T) {
	for _, set := range []string{"signals.llm.anonymize=true", "signals.llm.combine={mode: replace}"} {
		lake, s := assisted(t, func(_ int, q llm.Question) string { return follows(0, q) }, set, "data.to=2024-01-06")
		r, c := auditedBy(t, production, lake, s, Options{})
		clean(t, c)
		if r.Runs[0].Account.Fills == 0 {
			t.Error("nothing was traded")
		}
	}
	lake, s := assisted(t, follows, "data.to=2024-01-06")
	s.Signals.LLM.OnMissing = study.MissingNeutral
	p, err := newPlan(t.Context(), lake, lake, s, Options{}, production)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(p.factors, func(f factors.Factor) bool { return f.Name == study.OwnPrefix+"liquidity_score" })
	leaking := production
	afterColumns(at, func(dst, x []float64) { copy(dst, x[min(288, len(x)):]) })(&leaking) // by a day
	_, c := auditedBy(t, leaking, lake, s, Options{})
	if len(c.Violations) == 0 || c.Violations[0].Panel != "prompt" {
		t.Errorf("violations %+v, want the prompt's", c.Violations)
	}
}
