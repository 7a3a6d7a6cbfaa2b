package signals

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

var nan = math.NaN()

// panel makes a panel of 8-hour bars that begin with 2024-01-01; columns are instruments.
func panel(name string, cols ...[]float64) *factors.Panel {
	g := &factors.Grid{Every: 8 * time.Hour}
	for t := range cols[0] {
		g.Close = append(g.Close, time.Date(2024, 1, 1, 8*(t+1), 0, 0, 0, time.UTC).UnixMicro())
	}
	for i := range cols {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "binance", Symbol: string(rune('A' + i))})
	}
	return factors.NewPanel(name, g, cols...)
}

func check(t *testing.T, r Rule, score *factors.Panel, want ...[]float64) {
	t.Helper()
	target, err := r.Targets(t.Context(), score)
	if err != nil {
		t.Fatal(err)
	}
	if target.Name != "target" {
		t.Errorf("%T: the panel is named %s", r, target.Name)
	}
	for i, col := range want {
		for row, w := range col {
			if got := target.Col(i)[row]; math.Abs(got-w) > 1e-15 || math.IsNaN(got) {
				t.Errorf("%T: target %d at %d = %v, want %v (score %v)", r, i, row, got, w, score.Col(i)[row])
			}
		}
	}
}

func TestHysteresis(t *testing.T) {
	r := Hysteresis{standard, Cuts{StrongLong: 0.8, Long: 0.2, Short: -0.2, StrongShort: -0.8}}
	check(t, r, panel("composite", []float64{0.4, 0.6, 0.3, 0.2, 0.3, 1.2, 0.9, 0.8, 0.3, 0.9, nan, 0.3, -0.6, -0.3, 0.6, -1.1, -0.9, -0.7, -0.1}),
		[]float64{0, 0.5, 0.5, 0, 0, 1, 1, 0.5, 0.5, 0.5, 0, 0, -0.5, -0.5, 0.5, -1, -1, -0.5, 0})
	if err := (Hysteresis{standard, DefaultCuts}).Validate(); err != nil {
		t.Error(err)
	}
	for _, exit := range []Cuts{{StrongLong: 1.1, Long: 0.2, Short: -0.2, StrongShort: -0.8}, {StrongLong: 0.1, Long: 0.2, Short: -0.2, StrongShort: -0.8}} {
		if _, err := (Hysteresis{standard, exit}).Targets(t.Context(), score(1)); err == nil {
			t.Errorf("exits %+v were taken", exit)
		}
	}
}

func TestMinHold(t *testing.T) {
	s := panel("composite", []float64{0, 0.6, 0, 0, -2, 0, 2, 2, 2, 0, nan, 2})
	check(t, MinHold{standard, 1}, s, []float64{0, 0.5, 0, 0, -1, 0, 1, 1, 1, 0, 0, 1})
	check(t, MinHold{standard, 3}, s, []float64{0, 0.5, 0.5, 0.5, -1, -1, -1, 1, 1, 1, 0, 1})
	if _, err := (MinHold{standard, 0}).Targets(t.Context(), s); err == nil {
		t.Error("a holding time of 0 was taken")
	}
}

func TestCadence(t *testing.T) {
	// Labels 08:00, 16:00, 00:00, 08:00 …: a day's first bar is the one labelled 00:00.
	s := panel("composite", []float64{0.6, 2, -2, 0, 2, 0.6, nan, 2, 2})
	check(t, Cadence{standard, factors.Window{Time: 24 * time.Hour}}, s, []float64{0.5, 0.5, -1, -1, -1, 0.5, 0, 0, 1})
	check(t, Cadence{standard, factors.Window{Bars: 2}}, s, []float64{0.5, 0.5, -1, -1, 1, 1, 0, 0, 1})
	if _, err := (Cadence{Rule: standard}).Targets(t.Context(), s); err == nil {
		t.Error("a cadence of nothing was taken")
	}
}

func TestRegimeScale(t *testing.T) {
	s := panel("composite", []float64{2, 2, 0.6, -2, 0.6, nan})
	r := RegimeScale{Rule: standard, Regime: panel("vol_regime", []float64{-1, 0, 1, 1, nan, 1}), Low: 1.5, Normal: 1, High: 0.5}
	check(t, r, s, []float64{1, 1, 0.25, -0.5, 0.5, 0})
	r.High = -1
	if _, err := r.Targets(t.Context(), s); err == nil {
		t.Error("a negative scale was taken")
	}
}

func TestVolatilityTarget(t *testing.T) {
	s := panel("composite", []float64{2, 2, -0.6, 2, 2})
	r := VolatilityTarget{Rule: standard, Volatility: panel("volatility", []float64{0.8, 0.1, 0.2, nan, 0}), Target: 0.4, Max: 1.5}
	check(t, r, s, []float64{0.5, 1, -0.75, 0, 0})
	if _, err := (VolatilityTarget{Rule: standard, Volatility: r.Volatility}).Targets(t.Context(), s); err == nil {
		t.Error("a volatility target of 0 was taken")
	}
}

func TestCap(t *testing.T) {
	s := panel("composite", []float64{2, 2, 0.6}, []float64{-2, 0, 0.6}, []float64{0.6, 0, nan})
	check(t, Cap{Rule: standard}, s, []float64{1, 1, 0.5}, []float64{-1, 0, 0.5}, []float64{0.5, 0, 0})
	check(t, Cap{Rule: standard, Each: 0.75}, s, []float64{0.75, 0.75, 0.5}, []float64{-0.75, 0, 0.5}, []float64{0.5, 0, 0})
	check(t, Cap{Rule: standard, Each: 0.75, Gross: 1}, s, []float64{0.375, 0.75, 0.5}, []float64{-0.375, 0, 0.5}, []float64{0.25, 0, 0})
	if _, err := (Cap{Rule: standard, Gross: -1}).Targets(t.Context(), s); err == nil {
		t.Error("a negative cap was taken")
	}
}

// No rule knows what comes after a bar, and none has a target that is missing or beyond ±1.
func TestRulesAreCausal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	const n = 200
	cols := make([][]float64, 3) // score, regime, volatility
	for k := range cols {
		cols[k] = make([]float64, n)
		for t := range n {
			if cols[k][t] = r.NormFloat64(); r.IntN(10) == 0 {
				cols[k][t] = nan
			}
		}
	}
	rules := func(size int) []Rule {
		h := Hysteresis{standard, Cuts{StrongLong: 0.5, StrongShort: -0.9}}
		return []Rule{
			standard, h, MinHold{h, 4}, Cadence{h, factors.Window{Time: 48 * time.Hour}}, Cadence{h, factors.Window{Bars: 7}},
			RegimeScale{Rule: h, Regime: panel("r", cols[1][:size]), Low: 2, Normal: 1, High: 0.5},
			VolatilityTarget{Rule: h, Volatility: panel("v", cols[2][:size]), Target: 0.5, Max: 3},
			Cap{Rule: MinHold{h, 2}, Each: 0.8, Gross: 0.7},
		}
	}
	for k, rule := range rules(n) {
		full, err := rule.Targets(t.Context(), panel("composite", cols[0]))
		if err != nil {
			t.Fatal(err)
		}
		for row, w := range full.Col(0) {
			if !(math.Abs(w) <= 1) || math.IsNaN(cols[0][row]) && w != 0 {
				t.Errorf("%T: target %v at %d of score %v", rule, w, row, cols[0][row])
			}
		}
		for _, cut := range []int{1, 2, 50, 199} {
			part, err := rules(cut)[k].Targets(t.Context(), panel("composite", cols[0][:cut]))
			if err != nil {
				t.Fatal(err)
			}
			for row, w := range part.Col(0) {
				if math.Float64bits(w) != math.Float64bits(full.Col(0)[row]) {
					t.Fatalf("%T: target %v at %d, %v with the future present", rule, w, row, full.Col(0)[row])
				}
			}
		}
	}
}
