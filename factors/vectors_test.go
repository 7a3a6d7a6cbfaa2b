package factors

import (
	"math"
	"testing"

	"github.com/qf-dev/qf/datasets/bars"
)

// The vectors were computed with numpy 1.24.2 and pandas 1.5.3 from the formulas of R's TTR and of the
// papers; see QF_SHARED/reference/derived_reference.json.

// valueOf is a factor's last value on one instrument's columns.
func valueOf(t *testing.T, kind string, p Params, g *Grid, cols map[string][]float64) float64 {
	t.Helper()
	f := mustMake(t, kind, p, g)
	market := &Frame{Grid: g}
	for _, name := range append([]string{"close"}, marketFields(t)...) {
		if col := cols[name]; col != nil && market.Panel(name) == nil {
			market.Panels = append(market.Panels, NewPanel(name, g, col))
		}
	}
	col := mustCompute(t, market, f).Panels[0].Col(0)
	return col[len(col)-1]
}

func TestRangeVolatilityVectors(t *testing.T) {
	g := hourly(30, "A")
	g.BarsPerYear = 365
	market := map[string][]float64{
		"open":   []float64{100.0, 100.3381, 101.7604, 101.8526, 102.5106, 100.4303, 100.3814, 99.5385, 98.3327, 97.473, 97.1478, 98.0417, 96.7499, 96.7795, 96.3121, 95.997, 96.9645, 97.4876, 98.8002, 98.6477, 97.9635, 97.7445, 97.9818, 98.1549, 97.0963, 97.1842, 97.4063, 99.8896, 101.782, 100.9173},
		"high":   []float64{100.9255, 102.0008, 101.9812, 103.005, 102.8095, 100.6931, 101.2436, 99.6033, 98.7506, 97.6794, 98.3856, 98.0787, 97.46, 97.3474, 97.1324, 97.4638, 97.9153, 99.5261, 99.9483, 99.11, 98.1078, 98.1156, 98.8337, 98.5424, 97.2796, 97.7091, 100.0633, 101.9352, 101.8365, 101.4723},
		"low":    []float64{99.9047, 100.2312, 101.6659, 101.6263, 100.2409, 99.9748, 99.4766, 98.1943, 97.4522, 97.1478, 96.8674, 96.6274, 96.7122, 95.5057, 95.3928, 95.8488, 96.6685, 97.0539, 98.1776, 97.8606, 97.5567, 97.0624, 97.6183, 96.9198, 96.665, 97.0009, 97.3035, 99.8686, 100.7994, 100.586},
		"close":  []float64{100.3381, 101.7604, 101.8526, 102.5106, 100.4303, 100.3814, 99.5385, 98.3327, 97.473, 97.1478, 98.0417, 96.7499, 96.7795, 96.3121, 95.997, 96.9645, 97.4876, 98.8002, 98.6477, 97.9635, 97.7445, 97.9818, 98.1549, 97.0963, 97.1842, 97.4063, 99.8896, 101.782, 100.9173, 100.6277},
		"trades": make([]float64, 30),
	}
	for i := range market["trades"] {
		market["trades"][i] = 1
	}
	for _, c := range []struct {
		kind, window string
		want         float64
	}{
		{"trend", "30", -0.0004553965382651287}, // numpy's polyfit
		{"parkinson", "30", 0.1731870469916072},
		{"garman_klass", "30", 0.16804927459920355},
		{"rogers_satchell", "30", 0.16253961871612707},
		{"volatility", "29", 0.19195465924755867},
	} {
		if got := valueOf(t, c.kind, Params{"window": c.window}, g, market); !near(got, c.want, 1e-13) {
			t.Errorf("%s = %v, want %v", c.kind, got, c.want)
		}
	}
}

func TestEWMVolatilityVector(t *testing.T) {
	g := hourly(11, "A")
	g.BarsPerYear = 365
	price := []float64{97.0963, 97.1842, 97.4063, 99.8896, 101.782, 100.9173, 100.6277, 101.5, 99.2, 98.8, 99.9}
	got := valueOf(t, "ewm_volatility", Params{"span": "9"}, g, map[string][]float64{"close": price})
	if want := 0.26837504020162783; !near(got, want, 1e-13) { // pandas' ewm(span=9).std()
		t.Errorf("ewm_volatility = %v, want %v", got, want)
	}
}

func TestAmihudVector(t *testing.T) {
	returns := []float64{0.01, -0.02, 0.005, 0.0, 0.015}
	price := []float64{100}
	for _, r := range returns {
		price = append(price, price[len(price)-1]*math.Exp(r))
	}
	turnover := append([]float64{1e6}, []float64{1000000.0, 2000000.0, 500000.0, 1000000.0, 3000000.0}...)
	got := valueOf(t, "amihud", Params{"window": "5"}, hourly(6, "A"), map[string][]float64{"close": price, "turnover": turnover})
	if want := 0.007000000000000001; !near(got, want, 1e-12) {
		t.Errorf("amihud = %v, want %v", got, want)
	}
}

func TestRollSpreadVector(t *testing.T) {
	price := []float64{100.0, 100.1, 100.0, 100.1, 100.1, 100.0, 100.05, 99.95, 100.05, 100.0}
	got := valueOf(t, "roll_spread", Params{"window": "8"}, hourly(10, "A"), map[string][]float64{"close": price})
	if want := 0.15923926292576204 / 100; !near(got, want, 1e-12) {
		t.Errorf("roll_spread = %v, want %v of the price", got, want)
	}
}

func TestVPINVector(t *testing.T) {
	g := hourly(5, "A")
	g.Kind, g.Every = bars.VolumeBars, 0
	got := valueOf(t, "vpin", Params{"window": "5"}, g, map[string][]float64{
		"buy_turnover":  []float64{60.0, 30.0, 80.0, 45.0, 50.0},
		"sell_turnover": []float64{40.0, 70.0, 20.0, 55.0, 50.0},
		"turnover":      {100, 100, 100, 100, 100},
	})
	if want := 0.26; !near(got, want, 1e-14) {
		t.Errorf("vpin = %v, want %v", got, want)
	}
	for _, g := range []*Grid{hourly(5, "A"), {Kind: bars.TickBars, BarsPerYear: 1}} {
		if _, err := Make("vpin", "vpin", nil, g); errText(err) != "vpin: needs volume or dollar bars, whose volumes are equal" {
			t.Error(err)
		}
	}
}
