package study

import (
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

const ownStudy = `
version: 1
data: {instruments: [binance-futures:BTCUSDT, {exchange: bybit, symbol: BTCUSDT, group: other}], from: 2024-01-01, to: 2024-02-01}
bars: {every: 1h}
windows: {length: 31d}
define:
  slow: ts_mean(funding_rate, 10d)
factors:
  - {name: a, expr: "delta(slow, 24)"}
  - {name: b, expr: "a / b2"}
  - {name: b2, kind: ofi, window: 100 trades}
composite:
  normalize: {method: none}
  components: [{factor: a, weight: 1}]
`

// Formulas say which feeds and how many days a study reads, and stand in the resolved study as they were written.
func TestFormulasInAStudy(t *testing.T) {
	s, err := Parse("s.yaml", []byte(ownStudy), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Needs()
	if err != nil {
		t.Fatal(err)
	}
	if n.Warmup != 240+24 || !slices.Contains(n.Feeds, datasets.DerivativeTicker) || n.From.String() != "2023-12-21" {
		t.Errorf("needs %+v", n)
	}
	if w := s.BarSpec().TickWindows; !slices.Equal(w, []int{100}) {
		t.Errorf("tick windows %v", w)
	}
	text, err := s.Document().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("again.json", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Document().MarshalJSON(); err != nil || string(got) != string(text) {
		t.Errorf("%s, and read again %s (%v)", text, got, err)
	}
	if again.Data.Instruments[1].Group != "other" || again.Define[0].Expr != "ts_mean(funding_rate, 10d)" || again.Factors[0].Expr != "delta(slow, 24)" {
		t.Errorf("%+v", again)
	}
}

// A study without definitions resolves to what it was before there were any.
func TestNoDefinitionsNoKey(t *testing.T) {
	if doc := Default().Document(); doc.Get("define") != nil {
		t.Error("define stands in a study that has none")
	}
}

// A warm-up longer than any span is not days of another era.
func TestEndlessWarmup(t *testing.T) {
	s, err := Parse("s.yaml", []byte(strings.Replace(ownStudy, "delta(slow, 24)", "delta(slow, 999999000)", 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Needs(); err != nil || n.From.Time().Year() < 1990 || n.From > s.Data.From {
		t.Errorf("needs %+v (%v)", n, err)
	}
}

// A formula that is tried and fails is shown around the place, however long it is.
func TestTryShowsThePlace(t *testing.T) {
	s, err := Parse("s.yaml", []byte(ownStudy), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Try("tried", strings.Repeat("close + ", 50)+"clos"+strings.Repeat(" + close", 50))
	if err == nil {
		t.Fatal("compiles")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || len([]rune(lines[1])) > 100 {
		t.Fatalf("%q", lines)
	}
	if at := len([]rune(lines[2])) - 1; string([]rune(lines[1])[at:at+5]) != "clos " {
		t.Errorf("%q points elsewhere", lines)
	}
}
