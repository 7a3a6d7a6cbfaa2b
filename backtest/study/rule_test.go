package study

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// hourly is a study of one-hour bars with a regime and a volatility beside its score.
const hourly = `
version: 1
data: {instruments: [binance-futures:BTCUSDT], from: 2024-01-01, to: 2024-06-01}
bars: {every: 1h}
factors:
  - {name: regime, kind: vol_regime}
  - {name: vol, kind: volatility, window: 20d}
  - {name: mom, kind: momentum, window: 1d}
composite: {components: [{factor: mom, weight: 1}]}
`

var nan = math.NaN()

// ruled gives the targets of a study with one setting: one-hour bars from 22:00 UTC on, whose regime and
// volatility are as given.
func ruled(t *testing.T, set string, score, regime, vol []float64) []float64 {
	t.Helper()
	s, err := Parse("s.yaml", []byte(hourly), strings.Fields(set))
	if err != nil {
		t.Fatal(err)
	}
	g := &factors.Grid{Every: time.Hour, Instruments: []datasets.Instrument{s.Data.Instruments[0].Instrument}}
	for k := range score {
		g.Close = append(g.Close, time.Date(2024, 3, 1, 22+k, 0, 0, 0, time.UTC).UnixMicro())
	}
	f := &factors.Frame{Grid: g, Panels: []*factors.Panel{factors.NewPanel("regime", g, regime), factors.NewPanel("vol", g, vol)}}
	rule, err := s.Rule(g)
	if err != nil {
		t.Fatal(err)
	}
	target, err := signals.Targets(t.Context(), rule, factors.NewPanel("composite", g, score), f)
	if err != nil {
		t.Fatal(err)
	}
	return target.Col(0)
}

// The score is long above 0.5 and strong above 1. Labels are 22:00, 23:00, 00:00, 01:00 …
func TestSignalOptions(t *testing.T) {
	score := []float64{0.6, 1.2, 0.9, 0.3, 0.1, -1.5}
	regime := []float64{-1, 0, 1, nan, 1, 1}
	vol := []float64{0.2, 0.4, 0.8, 0.1, nan, 0.8}
	for _, c := range []struct {
		set  string
		want []float64
	}{
		{"", []float64{0.5, 1, 0.5, 0, 0, -1}},
		// Strong long is left at 0.8 and long at 0.2; the levels of shorts at their thresholds.
		{"signals.hysteresis={strong_long:0.8,long:0.2}", []float64{0.5, 1, 1, 0.5, 0, -1}},
		{"signals.min_holding=2h", []float64{0.5, 0.5, 0.5, 0, 0, -1}},
		{"signals.min_holding=3", []float64{0.5, 0.5, 0.5, 0, 0, 0}},
		// Midnight is the third label.
		{"signals.rebalance_every=1d", []float64{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
		{"signals.rebalance_every=2h", []float64{0.5, 0.5, 0.5, 0.5, 0, 0}},
		{"signals.rebalance_every=2", []float64{0.5, 0.5, 0.5, 0.5, 0, 0}},
		{"signals.regime_scaling={factor:regime,low:1.5,high:0.5}", []float64{0.75, 1, 0.25, 0, 0, -0.5}},
		{"signals.volatility_target={factor:vol,annual:0.4,max:1.5}", []float64{0.75, 1, 0.25, 0, 0, -0.5}},
		{"signals.cap=0.6", []float64{0.5, 0.6, 0.5, 0, 0, -0.6}},
		// Held to 0.5 for three bars, 0.75 in low volatility and 0.25 in high, at most 0.6, changed every two hours.
		{"signals.min_holding=3 signals.regime_scaling={factor:regime,low:1.5,high:0.5} signals.cap=0.6 signals.rebalance_every=2h", []float64{0.6, 0.6, 0.25, 0.25, 0, 0}},
	} {
		got := ruled(t, spaced(c.set), score, regime, vol)
		for k, want := range c.want {
			if math.Abs(got[k]-want) > 1e-15 {
				t.Errorf("%s: target %d = %v, want %v", c.set, k, got[k], want)
			}
		}
	}
}

// spaced writes "{a:1,b:2}" as YAML without blanks: {"a":1,"b":2}.
func spaced(set string) string {
	return strings.NewReplacer("{", `{"`, ":", `":`, ",", `,"`).Replace(set)
}

const allOptions = "signals.hysteresis={strong_long:0.8,long:0.2,short:-0.1} signals.min_holding=3h signals.rebalance_every=5 signals.cap=0.9 " +
	"signals.regime_scaling={factor:regime,low:1.5,high:0.5} signals.volatility_target={factor:vol,annual:0.4,max:1.5}"

// No target knows what comes after its bar.
func TestSignalOptionsAreCausal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var cols [3][]float64
	for k := range cols {
		for range 300 {
			v := r.NormFloat64()
			if r.IntN(12) == 0 {
				v = nan
			}
			cols[k] = append(cols[k], v)
		}
	}
	full := ruled(t, spaced(allOptions), cols[0], cols[1], cols[2])
	for _, cut := range []int{1, 2, 17, 299} {
		for k, v := range ruled(t, spaced(allOptions), cols[0][:cut], cols[1][:cut], cols[2][:cut]) {
			if math.Float64bits(v) != math.Float64bits(full[k]) {
				t.Fatalf("target %d of %d is %v, %v with the future present", k, cut, v, full[k])
			}
		}
	}
}

func TestSignalOptionsReadBack(t *testing.T) {
	first, err := Parse("s", []byte(hourly), strings.Fields(spaced(allOptions)))
	if err != nil {
		t.Fatal(err)
	}
	if e := *first.Signals.Hysteresis; e != (HysteresisConfig{StrongLong: 0.8, Long: 0.2, Short: -0.1, StrongShort: -1}) {
		t.Errorf("exits %+v: one that is left out is its threshold", e)
	}
	if r := *first.Signals.RegimeScaling; r != (RegimeScalingConfig{"regime", 1.5, 1, 0.5}) {
		t.Errorf("%+v: a multiplier that is left out is 1", r)
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

func TestSignalOptionErrors(t *testing.T) {
	const heading = "signals:\n  "
	for line, want := range map[string]string{
		"hysteresis: {long: 0.7}":                               "s.yaml:10:3: signals: exits: want each at its threshold or nearer to neutral",
		"hysteresis: {lnog: 0.2}":                               `s.yaml:10:16: signals.hysteresis.lnog: unknown key "lnog", did you mean long?`,
		"hysteresis: on":                                        "s.yaml:10:15: signals.hysteresis: a value, want a mapping",
		"min_holding: 90m":                                      "s.yaml:10:16: signals.min_holding: window 1h30m is not a whole number of 1h bars",
		"rebalance_every: 100 trades":                           "s.yaml:10:20: signals.rebalance_every: window 100 trades is counted in trades",
		"regime_scaling: {low: 2}":                              `s.yaml:10:20: signals.regime_scaling.factor: "", want a factor of the study that is a vol_regime: regime`,
		"regime_scaling: {factor: vol}":                         `s.yaml:10:28: signals.regime_scaling.factor: "vol", want a factor of the study that is a vol_regime: regime`,
		"regime_scaling: {factor: regime, high: -1}":            "signals.regime_scaling.high: -1, want at least 0",
		"volatility_target: {factor: vol}":                      "signals.volatility_target.annual: missing: want a volatility such as 0.2",
		"volatility_target: {factor: mom, annual: 1}":           `signals.volatility_target.factor: "mom", want a factor of the study that is an annualized volatility: vol`,
		"volatility_target: {factor: vol, annual: 0.2, max: 0}": "signals.volatility_target.max: 0, want more than 0",
		"cap: 2": "s.yaml:10:8: signals.cap: 2, want at least 0 and at most 1",
	} {
		_, err := Parse("s.yaml", []byte(strings.TrimPrefix(hourly, "\n")+heading+line+"\n"), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
