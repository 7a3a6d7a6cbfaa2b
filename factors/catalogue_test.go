package factors

import (
	"math"
	"slices"
	"strconv"
	"testing"
)

// small gives a kind windows that fit a short test market.
func small(k Kind) Params {
	p := Params{}
	length := 11
	for _, d := range k.Params {
		if d.Type == WindowParam {
			p[d.Name] = strconv.Itoa(length)
			length += 2
		}
	}
	return p
}

func TestCatalogueIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Catalogue {
		if seen[k.Name] {
			t.Errorf("%s is there twice", k.Name)
		}
		seen[k.Name] = true
		if k.Formula == "" || k.Units == "" || len(k.Inputs) == 0 || k.New == nil {
			t.Errorf("%s lacks formula, units, inputs or New", k.Name)
		}
		for _, p := range k.Params {
			if p.Doc == "" || p.Default == "" {
				t.Errorf("%s: parameter %s lacks doc or default", k.Name, p.Name)
			}
		}
		for _, f := range k.Inputs {
			if len(FieldFeeds(f)) == 0 {
				t.Errorf("%s: no feed carries %s", k.Name, f)
			}
		}
	}
}

// defaultGrid has bars on which the kind's defaults mean something.
func defaultGrid(k Kind) *Grid {
	g := hourly(1, "BTCUSDT")
	if k.Name == "vpin" {
		g.Every = 0
	}
	return g
}

func TestCatalogueDefaults(t *testing.T) {
	for _, k := range Catalogue {
		f, err := Make("x", k.Name, nil, defaultGrid(k))
		if err != nil {
			t.Errorf("%s with defaults: %v", k.Name, err)
			continue
		}
		if f.Name != "x" || f.Key == "" || f.Lookback < 1 || f.Start == nil {
			t.Errorf("%s with defaults is incomplete: %+v", k.Name, f)
		}
	}
}

func marketFor(t *testing.T, k Kind) *Frame {
	m := testMarket(t, 400, "BTCUSDT", "ETHUSDT")
	m.Every = defaultGrid(k).Every
	return m
}

// Nothing looks ahead: the value at t is the same to the bit without the future.
func TestCatalogueIsCausal(t *testing.T) {
	for _, k := range Catalogue {
		market := marketFor(t, k)
		for name, p := range map[string]Params{"default": nil, "small": small(k)} {
			full := mustCompute(t, market, mustMake(t, k.Name, p, market.Grid)).Panels[0]
			for _, cut := range []int{1, 2, 12, 95, 96, 121, 155, 399} {
				part := market.head(cut)
				got := mustCompute(t, part, mustMake(t, k.Name, p, part.Grid)).Panels[0]
				for i := range market.Instruments {
					if row, ok := sameBits(got.Col(i), full.Col(i)[:cut]); !ok {
						t.Errorf("%s (%s): row %d is %v, and %v with the future present", k.Name, name, row, got.Col(i)[row], full.Col(i)[row])
					}
				}
			}
		}
	}
}

// The value at t depends on the last Lookback rows, to the bit, and on no fewer.
func TestCatalogueLookback(t *testing.T) {
	for _, k := range Catalogue {
		market := marketFor(t, k)
		f := mustMake(t, k.Name, small(k), market.Grid)
		full := mustCompute(t, market, f).Panels[0].Col(0)
		reached := false
		for from := 20; from < min(340, 400-f.Lookback); from += 7 {
			other := mustCompute(t, market.with(func(field, t int, v float64) float64 {
				if t < from {
					return v * (1.5 + 0.1*float64((3*t+5*field)%7))
				}
				return v
			}), f).Panels[0].Col(0)
			first := from + f.Lookback - 1 // the first row that must not notice
			if row, ok := sameBits(other[first:], full[first:]); !ok {
				t.Fatalf("%s: Lookback is %d, but row %d notices a change before row %d", k.Name, f.Lookback, first+row, from)
			}
			if first > from && math.Float64bits(other[first-1]) != math.Float64bits(full[first-1]) {
				reached = true
			}
		}
		// What ewm_volatility's oldest row weighs is below the last digit.
		if f.Lookback > 1 && !reached && k.Name != "ewm_volatility" {
			t.Errorf("%s: Lookback is %d, but no value depends on its oldest row", k.Name, f.Lookback)
		}
	}
}

// Values must vary, or the other tests say nothing.
func TestCatalogueHasValues(t *testing.T) {
	for _, k := range Catalogue {
		market := marketFor(t, k)
		col := mustCompute(t, market, mustMake(t, k.Name, small(k), market.Grid)).Panels[0].Col(0)
		var distinct []float64
		for _, v := range col {
			if math.IsInf(v, 0) {
				t.Errorf("%s is infinite", k.Name)
			}
			if !math.IsNaN(v) && !slices.Contains(distinct, v) {
				distinct = append(distinct, v)
			}
		}
		if len(distinct) < 3 {
			t.Errorf("%s has %d distinct values", k.Name, len(distinct))
		}
	}
}

func TestMakeErrors(t *testing.T) {
	g, events := hourly(1, "A"), hourly(1, "A")
	events.Every, events.BarsPerYear = 0, 0
	for _, c := range []struct {
		kind string
		p    Params
		g    *Grid
		want string
	}{
		{"momentun", nil, g, `factor kind "momentun" is unknown, did you mean momentum?`},
		{"momentum", Params{"windw": "5"}, g, `momentum has no parameter "windw", did you mean window?`},
		{"momentum", Params{"window": "5 apples"}, g, `momentum: window: window "5 apples": want bars (20), time (14d, 4h) or trades (100 trades)`},
		{"momentum", Params{"window": "90m"}, g, `momentum: window: window 1h30m is not a whole number of 1h bars`},
		{"momentum", Params{"window": "100 trades"}, g, `momentum: window: window 100 trades is counted in trades, not in bars`},
		{"momentum", nil, events, `momentum: window: window 14d is in time, which only time bars have: give it in bars`},
		{"momentum", Params{"min_periods": "1.5"}, g, `momentum: min_periods: "1.5": want bars (18), time (10d) or a share of the window (0.9)`},
		{"volatility", Params{"window": "20"}, events, `volatility: annualization over bars that are not time bars needs bars.bars_per_year`},
		{"vol_regime", Params{"low": "2"}, g, `vol_regime: low: 2 is outside 0 to 1`},
		{"vol_regime", Params{"low": "x"}, g, `vol_regime: low: "x" is not a number`},
		{"volatility_percentile", Params{"window": "1"}, g, `volatility_percentile: volatility: window: 1 bars, want 2 or more`},
		{"depth", Params{"levels": "10"}, g, `depth: levels: "10": want one of 5, 25, 10bps`},
	} {
		_, err := Make("f", c.kind, c.p, c.g)
		if got := errText(err); got != c.want {
			t.Errorf("Make(%s, %v): %q, want %q", c.kind, c.p, got, c.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKeysMeanWhatIsComputed(t *testing.T) {
	g := hourly(1, "A")
	key := func(kind string, p Params) string { return mustMake(t, kind, p, g).Key }
	if a, b := key("momentum", nil), key("momentum", Params{"window": "336", "min_periods": "303"}); a != b {
		t.Errorf("14d of 1h bars has key %q, 336 bars has %q", a, b)
	}
	if a, b := key("momentum", nil), key("momentum", Params{"min_periods": "304"}); a == b {
		t.Errorf("different min_periods share the key %q", a)
	}
	if a, b := key("ofi", nil), key("ofi", Params{"window": "100"}); a == b {
		t.Errorf("100 trades and 100 bars share the key %q", a)
	}
}

func TestPeriods(t *testing.T) {
	g := hourly(1, "A")
	for _, c := range []struct {
		s            string
		window, want int
	}{
		{"0.9", 20, 18}, {"0.9", 21, 19}, {"0.9", 1, 1}, {"0.7", 10, 7}, {"0.1", 3, 1},
		{"5", 20, 5}, {"5h", 20, 5}, {"10d", 20, 20},
	} {
		a := args{p: Params{"m": c.s}, g: g}
		if got := a.periods("m", c.window); got != c.want || a.err != nil {
			t.Errorf("%s of %d is %d (%v), want %d", c.s, c.window, got, a.err, c.want)
		}
	}
}

func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		kind string
		p    Params
		want []string
	}{
		{"ofi", nil, []string{"ofi_100t"}},
		{"ofi", Params{"window": "250 trades"}, []string{"ofi_250t"}},
		{"ofi", Params{"window": "1h"}, []string{"buy_turnover", "sell_turnover"}},
		{"basis", nil, []string{"mark_price", "index_price"}},
	} {
		got, err := Needs(c.kind, c.p)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Needs(%s, %v) = %v, %v, want %v", c.kind, c.p, got, err, c.want)
		}
	}
	if n, ok := TickWindow("ofi_250t"); n != 250 || !ok {
		t.Errorf("TickWindow(ofi_250t) = %d, %v", n, ok)
	}
	for _, f := range []string{"close", "ofi_t", "ofi_-1t", "ofi_ticks"} {
		if n, ok := TickWindow(f); ok {
			t.Errorf("TickWindow(%s) = %d", f, n)
		}
	}
}
