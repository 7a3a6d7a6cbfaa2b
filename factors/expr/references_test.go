package expr

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// withReferences makes references of the last instruments of a market.
func (m *market) withReferences(k int) {
	n := len(m.grid.Instruments) - k
	m.grid.References = m.grid.Instruments[n:]
	m.grid.Instruments = m.grid.Instruments[:n:n]
}

// lookedAt are formulas that look at the last two instruments of a market.
var lookedAt = []string{
	`close["binance-futures:DOTUSDT"] + 0 * close`,
	`close - close["binance-futures:BNBUSDT"]`,
	`(close / close["binance-futures:BTCUSDT"])["binance-futures:DOTUSDT"]`,
	`ts_corr(returns, returns["binance-futures:BNBUSDT"], 12) - ts_std(volume, 5)["binance-futures:DOTUSDT"]`,
	`(momentum(window = 5) - ts_mean(close, 3) / close)["binance-futures:BNBUSDT"]`,
	`day_return()["binance-futures:DOTUSDT"] * since(close > open, 20)["binance-futures:BTCUSDT"]`,
}

// A reference is seen as if it were traded, by blocks too.
func TestReferencesAreSeen(t *testing.T) {
	all, m := newMarket(rowsOfMarket), newMarket(rowsOfMarket)
	m.withReferences(2)
	want, errs := Compile(all.scope(lookedAt...), all.grid)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	s := m.scope(lookedAt...)
	got, errs := Compile(s, m.grid)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	whole := all.play(t, want, rowsOfMarket, 1, rowsOfMarket)
	for _, length := range []int{7, rowsOfMarket} {
		parts := m.play(t, got, rowsOfMarket, 2, length)
		for k, text := range lookedAt {
			if len(parts[k]) != len(m.grid.Instruments) {
				t.Fatalf("%s: %d columns", text, len(parts[k]))
			}
			for i, col := range parts[k] {
				for row, v := range col {
					if math.Float64bits(v) != math.Float64bits(whole[k][i][row]) && !(v != v && whole[k][i][row] != whole[k][i][row]) {
						t.Fatalf("%s of %d at %d is %v, want %v", text, i, row, v, whole[k][i][row])
					}
				}
			}
		}
	}
}

// Figures across instruments are those of the traded ones alone.
func TestReferencesAreNoMembers(t *testing.T) {
	few, m := newMarket(rowsOfMarket), newMarket(rowsOfMarket)
	m.withReferences(2)
	few.grid.Instruments = few.grid.Instruments[:5]
	for name, cols := range few.cols {
		few.cols[name] = cols[:5]
	}
	texts := []string{"rank(close)", "mean_of(returns)", `residual(close, volume) + 0 * close`, "group_demean(close)"}
	want, errs := Compile(few.scope(texts...), few.grid)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	s := m.scope(texts...)
	got, errs := Compile(s, m.grid)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	a, b := few.play(t, want, rowsOfMarket, 1, 50), m.play(t, got, rowsOfMarket, 1, 50)
	for k, text := range texts {
		for i := range a[k] {
			if !slices.EqualFunc(a[k][i], b[k][i], func(x, y float64) bool { return x == y || x != x && y != y }) {
				t.Errorf("%s of %d knows the references", text, i)
			}
		}
	}
}

func TestReferenceErrors(t *testing.T) {
	m := newMarket(1)
	m.withReferences(1)
	for text, want := range map[string]string{
		`rank(close)["binance-futures:BNBUSDT"]`:                    "figures across instruments are those of the traded ones",
		`(close + 2 * demean(volume))["binance-futures:BNBUSDT"]`:   "figures across instruments are those of the traded ones",
		`close["bybit:BTCUSDT"]`:                                    "data.references",
		`rank(close["binance-futures:BNBUSDT"] * close)`:            "",
		`rank(close)["binance-futures:BTCUSDT"]`:                    "",
		`close[rank(close)["binance-futures:BTCUSDT"]]`:             "want",
		`rank(close["binance-futures:BNBUSDT"])["binance:BNBUSDT"]`: "no instrument",
	} {
		s := m.scope(text)
		_, errs := Compile(s, m.grid)
		if want == "" && len(errs) > 0 || want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Msg, want)) {
			t.Errorf("%s: %v, want %q", text, errs, want)
		}
	}
}

// Each reference is asked for the fields that formulas look at there, and for no others.
func TestFieldsOfReferences(t *testing.T) {
	s := Scope{
		Instruments: []datasets.Instrument{{Exchange: "a", Symbol: "X"}},
		References:  []datasets.Instrument{{Exchange: "b", Symbol: "X"}, {Exchange: "c", Symbol: "X"}, {Exchange: "d", Symbol: "X"}},
		Definitions: []Source{{Name: "basis_now", Expr: "mark_price - index_price"}},
		Factors:     []Source{{Name: "f", Expr: `basis_now["c:X"] + (volume * open["a:X"])["b:X"] + funding_rate + returns["c:X"]`}},
	}
	own, references := s.Fields()
	want := [][]string{{"open", "funding_rate"}, {"volume"}, {"mark_price", "index_price", "close"}, nil}
	for k, got := range append([][]string{own}, references...) {
		if !slices.Equal(got, want[k]) {
			t.Errorf("%d: %v, want %v", k, got, want[k])
		}
	}
}

// What other languages write is told what it is here.
func TestHints(t *testing.T) {
	m := newMarket(1)
	for text, want := range map[string]string{
		"close > open && close > low": "&& has no meaning here, want and",
		"if(!(close > open), 1, 2)":   "! has no meaning here, want not",
		"close ** 2":                  "** has no meaning here, want ^",
		"close > open ? 1 : 2":        "want if(condition, then, otherwise)",
		"close = open":                "want == to compare",
		"close.shift(1)":              "columns have no methods",
		"close[1]":                    "an earlier bar is delay(close, 1)",
		"close[-1]":                   "an earlier bar is delay(close, 1)",
		"close[ETHUSDT]":              "want an instrument in quotes",
		`close["ETHUSDT"]`:            "did you mean binance-futures:ETHUSDT?",
		"std(close, 5)":               "did you mean ts_std?",
		"Close":                       "did you mean close?",
		"ts_mean(close, 20 d)":        "20 d: want 20d, without the space",
		"ts_mean(close, 1e18)":        "want at most 1000000000",
		"close − open":                "− has no meaning here, want -",
		"if(close != open, 1, 2)":     "",
		"ts_mean(close, 20)":          "",
		"ofi(100 trades)":             "",
	} {
		_, errs := Compile(m.scope(text), m.grid)
		if want == "" && len(errs) > 0 || want != "" && (len(errs) != 1 || !strings.Contains(errs[0].Msg, want)) {
			t.Errorf("%s: %v, want %q", text, errs, want)
		}
	}
}
