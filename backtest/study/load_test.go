package study

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

const minimal = `
version: 1
data:
  instruments: [binance-futures:BTCUSDT]
  from: 2024-01-01
  to: 2024-06-01
`

func TestDefaultPresetIsTheDefaultStudy(t *testing.T) {
	text, err := Preset("default")
	if err != nil {
		t.Fatal(err)
	}
	preset, err := Parse("preset", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Parse("plain", []byte(minimal), []string{
		"name=my-study", "data.instruments=[binance-futures:BTCUSDT, binance-futures:ETHUSDT]",
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := document(t, preset), document(t, plain); a != b {
		t.Errorf("the preset says\n%s\nthe defaults say\n%s", a, b)
	}
}

func TestEveryPresetIsValid(t *testing.T) {
	for _, name := range Presets() {
		text, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(name, text, nil); err != nil {
			t.Errorf("%v", err)
		}
	}
	if _, err := Preset("nosuch"); err == nil || !strings.Contains(err.Error(), "default") {
		t.Errorf("Preset(nosuch) = %v, want the names there are", err)
	}
}

func document(t *testing.T, s *Study) string {
	t.Helper()
	text, err := json.MarshalIndent(s.Document(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a study resolves to is a study that resolves to the same.
func TestDocumentReadsBack(t *testing.T) {
	first, err := Parse("s", []byte(minimal), []string{"windows={length: 30d}", "execution.impact={model: square_root, k: 0.5}", "execution.spot_short={borrow_bps: 300}"})
	if err != nil {
		t.Fatal(err)
	}
	text := document(t, first)
	second, err := Parse("again", []byte(text), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if again := document(t, second); again != text {
		t.Errorf("got\n%s\nwant\n%s", again, text)
	}
}

func TestStudyErrorsComeAtOnceWithTheirPlaces(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"typos", `
version: 1
data:
  instruments: [binance-futures:BTCUSDT]
  form: 2024-01-01
  to: 2024-06-01
execution: {delay: 0, price: opn}
evaluation: {horizons: [1h, 90x]}
`, []string{
			`s.yaml:5:3: data.form: unknown key "form", did you mean from?`,
			`s.yaml:7:20: execution.delay: 0, want at least 1`,
			`s.yaml:7:30: execution.price: unknown value "opn", did you mean open?`,
			`s.yaml:8:29: evaluation.horizons[1]: window "90x": want bars (20), time (14d, 4h) or trades (100 trades)`,
		}},
		{"what no single value shows", `
version: 1
data:
  instruments: [binance-futures:BTCUSDT, "binance-futures:BTCUSDT", nowhere:COIN]
  from: 2024-06-01
  to: 2024-01-01
factors:
  - {name: m, kind: momentum, window: 14d}
  - {name: m, kind: volatility, window: 90s}
composite:
  components: [{factor: mm, weight: 1}]
signals:
  thresholds: {long: 2}
evaluation: {horizons: [5m, 5m], primary_horizon: 2h, delays: [1, 5, 1]}
`, []string{
			`data.instruments[1]: binance-futures:BTCUSDT stands here twice`,
			`data.instruments[2]: what an amount of nowhere:COIN means is not known`,
			`s.yaml:6:7: data.to: 2024-01-01, want a day after data.from 2024-06-01`,
			`factors[1].name: factor "m" stands here twice`,
			`window 1m30s is not a whole number of 1m bars`,
			`composite.components[0].factor: no factor is named "mm", did you mean m?`,
			`s.yaml:13:16: signals.thresholds: want strong_short < short < long < strong_long`,
			`evaluation.horizons[1]: 5m stands here twice`,
			`evaluation.delays[2]: 1 stands here twice`,
			`evaluation.primary_horizon: 2h is not one of evaluation.horizons`,
		}},
		{"a factor that does not exist", minimal + "factors: [{kind: momentm}]\n", []string{`did you mean`, `momentum`}},
		{"a parameter that does not exist", minimal + "factors: [{kind: momentum, windw: 14d}]\n", []string{`factors[0].windw: unknown key "windw", did you mean window?`}},
		{"no instruments", "version: 1\ndata: {from: 2024-01-01, to: 2024-02-01}\n", []string{"data.instruments: missing"}},
		{"no span", "version: 1\ndata: {instruments: [binance:BTCUSDT]}\n", []string{"data.from: missing", "data.to: missing"}},
		{"tick bars need a year", minimal + "bars: {kind: tick, size: 100}\nfactors: [{name: m, kind: momentum, window: 14}]\ncomposite: {components: [{factor: m, weight: 1}], normalize: {window: 100}}\n", []string{"bars.bars_per_year: missing"}},
		{"buckets of volume on tick bars", minimal + "bars: {kind: tick, size: 100, bars_per_year: 1e6}\nfactors: [{kind: vpin}]\ncomposite: {components: [{factor: vpin, weight: 1}], normalize: {window: 100}}\n", []string{"s.yaml:8:12: factors[0]: vpin: needs volume or dollar bars"}},
		{"buckets of volume on time bars", minimal + "factors: [{kind: vpin}]\ncomposite: {components: [{factor: vpin, weight: 1}]}\n", []string{"factors[0]: vpin: needs volume or dollar bars"}},
		{"more windows than a report can show", minimal + "windows: {length: 2m}\n", []string{"windows.step: 2m makes 109440 windows of the span, want at most 2000"}},
		{"a parameter out of range is blamed itself", minimal + "factors:\n  - kind: momentum\n    window: 90x\n", []string{`s.yaml:9:13: factors[0].window: window "90x"`}},
		{"a weight out of range is blamed itself", minimal + "signals:\n  min_holding: 4h\n  weights: {long: 2}\n", []string{"s.yaml:9:13: signals.weights: long is 2"}},
		{"spot short without its cost", minimal + "execution: {spot_short: {}}\n", []string{"s.yaml:7:25: execution.spot_short: borrow_bps is missing"}},
		{"numbers without a bound", minimal + "execution: {initial_capital: 1e300, gross_cap: 1e9, impact: {model: square_root, k: 1e300}}\ncomposite: {components: [{factor: m, weight: 1e308}], normalize: {method: fixed, mean: -1e300, std: 1}}\nfactors: [{name: m, kind: momentum, window: 14d}]\n", []string{
			"execution.initial_capital: 1e300, want at least 1e-06 and at most 1e+15", "execution.gross_cap: 1e9, want at least 0 and at most 1e+06", "execution.impact.k: 1e300",
			"composite.components[0].weight: 1e308, want at least -1e+06 and at most 1e+06", "composite.normalize.mean: -1e300, want at least -1e+15"}},
		{"an instrument without a bound", "version: 1\ndata: {instruments: [{exchange: x, symbol: y, multiplier: 1e-300}], from: 2024-01-01, to: 2024-02-01}\n", []string{"data.instruments[0].multiplier: 1e-300, want at least 1e-12"}},
		{"more bars than a run may have", "version: 1\ndata: {instruments: [binance:BTCUSDT], from: 2014-01-01, to: 2024-01-01}\nbars: {every: 1s}\n", []string{"s.yaml:3:15: bars.every: 1s makes 315532800 bars of the span, want at most 100000000: take longer bars"}},
		{"more rows than a report may have", minimal + "windows: {length: 1d, step: 2h}\nfactors: [" + strings.Repeat("{kind: momentum, window: 14d}, ", 100) + "]\n", []string{"windows.step: 2h makes 1824 windows, with 101 signals and 6 horizons 1105344 rows of the report, want at most 200000"}},
		{"more factors than a study may have", minimal + "factors: [" + strings.Repeat("{kind: momentum, window: 14d}, ", 1001) + "]\n", []string{"s.yaml:7:10: factors: 1001 of them, want at most 1000"}},
		{"empty", "", []string{"the file is empty"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("s.yaml", []byte(c.src), nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
		})
	}
}

func TestInstrumentForms(t *testing.T) {
	s, err := Parse("s", []byte(`
version: 1
data:
  instruments:
    - BTC-USDT-PERPETUAL@binance,bybit
    - {exchange: bitmex, symbol: XBTUSD, inverse: true, multiplier: 1}
    - {exchange: nowhere, symbol: coin, spot: true, multiplier: 1}
  from: 2024-01-01
  to: 2024-06-01
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range s.Data.Instruments {
		got = append(got, in.String())
	}
	if want := "binance-futures:BTCUSDT bybit:BTCUSDT bitmex:XBTUSD nowhere:COIN"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if c := s.Data.Instruments[2].Contract; !c.Inverse || c.Multiplier != 1 {
		t.Errorf("bitmex: %+v", c)
	}
	if c := s.Data.Instruments[3].Contract; !c.Spot {
		t.Errorf("nowhere: %+v", c)
	}
}

func TestWindowsEndAtToAndGoBack(t *testing.T) {
	for _, c := range []struct {
		windows string
		first   string
		count   int
	}{
		{"", "2024-03-03", 1},                           // the last 90 days
		{"{length: 30d, step: 30d}", "2024-01-03", 5},   // 152 days: 5 × 30, two days unused
		{"{length: 90d, step: 30d}", "2024-01-03", 3},   // overlapping
		{"{length: 365d, step: 365d}", "2024-01-01", 1}, // longer than the span: the span
		{"{length: 152d, step: 1d}", "2024-01-01", 1},   // as long as the span
		{"{length: 151d}", "2024-01-02", 1},             // step is the length by default
	} {
		set := []string{}
		if c.windows != "" {
			set = append(set, "windows="+c.windows)
		}
		s, err := Parse("s", []byte(minimal), set)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.EvaluatedFrom().Format(time.DateOnly); got != c.first {
			t.Errorf("windows %s start at %s, want %s", c.windows, got, c.first)
		}
		g := s.Grid()
		for d := s.Data.From; d < s.Data.To; d++ {
			for k := range int64(24) {
				g.Close = append(g.Close, d.Start()+(k+1)*3_600_000_000)
			}
		}
		all, list, err := s.Spans(LabelsOf(g.Close))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != c.count {
			t.Errorf("windows %s: %d, want %d", c.windows, len(list), c.count)
		}
		last := list[len(list)-1]
		if all.Hi != g.Len() || last.Hi != g.Len() || g.Close[last.Hi-1] != s.Data.To.Start() || all.Lo != list[0].Lo {
			t.Errorf("windows %s: all %+v, last %+v", c.windows, all, last)
		}
	}
}

// How many windows bars of a size make shows when they have been counted.
func TestWindowsOfBarsAreBounded(t *testing.T) {
	s, err := Parse("s", []byte(minimal), []string{"bars={kind: tick, size: 1, bars_per_year: 1e6}", "windows={length: 100, step: 1}",
		"factors=[{name: m, kind: momentum, window: 14}]", "composite={components: [{factor: m, weight: 1}], normalize: {window: 100}}"})
	if err != nil {
		t.Fatal(err)
	}
	g := s.Grid()
	for k := range int64(10_676) {
		g.Close = append(g.Close, s.Data.From.Start()+k+1)
	}
	if _, _, err := s.Spans(LabelsOf(g.Close)); err == nil || err.Error() != "windows.step: 1 makes 10577 windows of the span, want at most 2000" {
		t.Error(err)
	}
	g.Close = g.Close[:1099]
	if _, list, err := s.Spans(LabelsOf(g.Close)); err != nil || len(list) != 1000 {
		t.Error(len(list), err)
	}
}

func TestNeedsReachesBackForTheWarmUp(t *testing.T) {
	s, err := Parse("s", []byte(minimal), []string{"data.from=2024-05-01"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Needs()
	if err != nil {
		t.Fatal(err)
	}
	// volatility 20 d under a 30-day z-score, before 2024-05-01; one bar more for the first return.
	if got := n.From.String(); got != "2024-03-11" {
		t.Errorf("reads from %s, want 2024-03-11", got)
	}
	parts, err := s.Partitions()
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for _, p := range parts {
		if p.Type == "derivative_ticker" {
			last = p.Day.String()
		}
	}
	if last != "2024-06-01" {
		t.Errorf("the last day of derivative_ticker is %s, want the day after the span for its settlement", last)
	}
}

func TestLoadStudyNamesTheFile(t *testing.T) {
	if _, err := Load("nosuch.yaml", nil); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
