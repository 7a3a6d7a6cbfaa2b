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

// frame has panels that rules look at.
func frame(panels ...*factors.Panel) *factors.Frame {
	return &factors.Frame{Grid: panels[0].Grid, Panels: panels}
}

func check(t *testing.T, r Rule, score *factors.Panel, f *factors.Frame, want ...[]float64) {
	t.Helper()
	target, err := Targets(t.Context(), r, score, f)
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
	check(t, r, panel("composite", []float64{0.4, 0.6, 0.3, 0.2, 0.3, 1.2, 0.9, 0.8, 0.3, 0.9, nan, 0.3, -0.6, -0.3, 0.6, -1.1, -0.9, -0.7, -0.1}), nil,
		[]float64{0, 0.5, 0.5, 0, 0, 1, 1, 0.5, 0.5, 0.5, 0, 0, -0.5, -0.5, 0.5, -1, -1, -0.5, 0})
	if err := (Hysteresis{standard, DefaultCuts}).Validate(); err != nil {
		t.Error(err)
	}
	for _, exit := range []Cuts{{StrongLong: 1.1, Long: 0.2, Short: -0.2, StrongShort: -0.8}, {StrongLong: 0.1, Long: 0.2, Short: -0.2, StrongShort: -0.8}} {
		if _, err := Targets(t.Context(), Hysteresis{standard, exit}, score(1), nil); err == nil {
			t.Errorf("exits %+v were taken", exit)
		}
	}
}

func TestMinHold(t *testing.T) {
	s := panel("composite", []float64{0, 0.6, 0, 0, -2, 0, 2, 2, 2, 0, nan, 2})
	check(t, MinHold{standard, 1}, s, nil, []float64{0, 0.5, 0, 0, -1, 0, 1, 1, 1, 0, 0, 1})
	check(t, MinHold{standard, 3}, s, nil, []float64{0, 0.5, 0.5, 0.5, -1, -1, -1, 1, 1, 1, 0, 1})
	if _, err := Targets(t.Context(), MinHold{standard, 0}, s, nil); err == nil {
		t.Error("a holding time of 0 was taken")
	}
}

func TestCadence(t *testing.T) {
	// Labels 08:00, 16:00, 00:00, 08:00 …: a day's first bar is the one labelled 00:00.
	s := panel("composite", []float64{0.6, 2, -2, 0, 2, 0.6, nan, 2, 2})
	check(t, Cadence{standard, factors.Window{Time: 24 * time.Hour}}, s, nil, []float64{0.5, 0.5, -1, -1, -1, 0.5, 0, 0, 1})
	check(t, Cadence{standard, factors.Window{Bars: 2}}, s, nil, []float64{0.5, 0.5, -1, -1, 1, 1, 0, 0, 1})
	if _, err := Targets(t.Context(), Cadence{Rule: standard}, s, nil); err == nil {
		t.Error("a cadence of nothing was taken")
	}
}

func TestRegimeScale(t *testing.T) {
	s := panel("composite", []float64{2, 2, 0.6, -2, 0.6, nan})
	f := frame(panel("vol_regime", []float64{-1, 0, 1, 1, nan, 1}))
	r := RegimeScale{Rule: standard, Factor: "vol_regime", Low: 1.5, Normal: 1, High: 0.5}
	check(t, r, s, f, []float64{1, 1, 0.25, -0.5, 0.5, 0})
	r.High = -1
	if _, err := Targets(t.Context(), r, s, f); err == nil {
		t.Error("a negative scale was taken")
	}
}

func TestVolatilityTarget(t *testing.T) {
	s := panel("composite", []float64{2, 2, -0.6, 2, 2})
	f := frame(panel("volatility", []float64{0.8, 0.1, 0.2, nan, 0}))
	r := VolatilityTarget{Rule: standard, Factor: "volatility", Target: 0.4, Max: 1.5}
	check(t, r, s, f, []float64{0.5, 1, -0.75, 0, 0})
	if _, err := Targets(t.Context(), VolatilityTarget{Rule: standard, Factor: r.Factor}, s, nil); err == nil {
		t.Error("a volatility target of 0 was taken")
	}
}

func TestCap(t *testing.T) {
	s := panel("composite", []float64{2, 2, 0.6}, []float64{-2, 0, 0.6}, []float64{0.6, 0, nan})
	check(t, Cap{Rule: standard}, s, nil, []float64{1, 1, 0.5}, []float64{-1, 0, 0.5}, []float64{0.5, 0, 0})
	check(t, Cap{Rule: standard, Each: 0.75}, s, nil, []float64{0.75, 0.75, 0.5}, []float64{-0.75, 0, 0.5}, []float64{0.5, 0, 0})
	if _, err := Targets(t.Context(), Cap{Rule: standard, Each: -1}, s, nil); err == nil {
		t.Error("a negative cap was taken")
	}
}

// No rule knows what comes after a bar, none has a target that is missing or beyond ±1, and the cutting into blocks does
// not matter.
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
	h := Hysteresis{standard, Cuts{StrongLong: 0.5, StrongShort: -0.9}}
	score := panel("composite", cols[0])
	rest := frame(panel("r", cols[1]), panel("v", cols[2]))
	for _, rule := range []Rule{
		standard, h, MinHold{h, 4}, Cadence{h, factors.Window{Time: 48 * time.Hour}}, Cadence{h, factors.Window{Bars: 7}},
		RegimeScale{Rule: h, Factor: "r", Low: 2, Normal: 1, High: 0.5},
		VolatilityTarget{Rule: h, Factor: "v", Target: 0.5, Max: 3},
		Cap{Rule: MinHold{h, 2}, Each: 0.8},
	} {
		full, err := Targets(t.Context(), rule, score, rest)
		if err != nil {
			t.Fatal(err)
		}
		for row, w := range full.Col(0) {
			if !(math.Abs(w) <= 1) || math.IsNaN(cols[0][row]) && w != 0 {
				t.Errorf("%T: target %v at %d of score %v", rule, w, row, cols[0][row])
			}
		}
		for _, size := range []int{1, 7, 50, n} {
			s, err := rule.Start(score.Grid, 0)
			if err != nil {
				t.Fatal(err)
			}
			for lo := 0; lo < n; lo += size {
				hi := min(lo+size, n)
				got := make([]float64, hi-lo)
				s.Step(got, cols[0][lo:hi], Rows{Lo: lo, Close: score.Close[lo:hi], Factor: func(name string) []float64 {
					return rest.Panel(name).Col(0)[lo:hi]
				}})
				for k, w := range got {
					if math.Float64bits(w) != math.Float64bits(full.Col(0)[lo+k]) {
						t.Fatalf("%T: target %v at %d in blocks of %d, %v with the future present", rule, w, lo+k, size, full.Col(0)[lo+k])
					}
				}
			}
		}
	}
}
