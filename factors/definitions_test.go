package factors

import (
	"math"
	"slices"
	"testing"
)

// definitions compute one factor at one bar the long way, from rows of the market. Each stands
// beside the parameters that it spells out.
var definitions = []struct {
	kind   string
	params Params
	at     func(m row, t int) float64
}{
	{"momentum", Params{"window": "12"}, func(m row, t int) float64 {
		return sumOf(m.returns(t-11, t), 11)
	}},
	{"momentum_acceleration", Params{"window": "12", "lag": "5"}, func(m row, t int) float64 {
		return sumOf(m.returns(t-11, t), 11) - sumOf(m.returns(t-16, t-5), 11)
	}},
	{"volatility", Params{"window": "15", "min_periods": "10"}, volatilityAt(15, 10)},
	{"volatility_percentile", Params{"window": "15", "min_periods": "10", "lookback": "40", "min_lookback": "20"}, func(m row, t int) float64 {
		vol, now := pastVolatilities(m, t)
		if math.IsNaN(now) || len(vol) < 20 {
			return nan
		}
		below, equal := 0.0, 0.0
		for _, v := range vol {
			if v < now {
				below++
			} else if v == now {
				equal++
			}
		}
		return (below + (equal+1)/2) / float64(len(vol))
	}},
	{"vol_regime", Params{"window": "15", "min_periods": "10", "lookback": "40", "min_lookback": "20"}, func(m row, t int) float64 {
		vol, now := pastVolatilities(m, t)
		if math.IsNaN(now) || len(vol) < 20 {
			return nan
		}
		slices.Sort(vol)
		q := func(q float64) float64 {
			h := float64(len(vol)-1) * q
			k := int(h)
			return vol[k] + (h-float64(k))*(vol[k+1]-vol[k])
		}
		switch {
		case now <= q(0.2):
			return -1
		case now > q(0.8):
			return 1
		}
		return 0
	}},
	{"amihud", Params{"window": "10", "min_periods": "7"}, amihudAt},
	{"liquidity_score", Params{"window": "10", "min_periods": "7"}, func(m row, t int) float64 { return 1 / (1 + amihudAt(m, t)) }},
	{"ofi", nil, func(m row, t int) float64 { return m.at("ofi_100t", t) }},
	{"ofi", Params{"window": "8", "min_periods": "1"}, func(m row, t int) float64 {
		b, s := m.values("buy_turnover", t-7, t), m.values("sell_turnover", t-7, t)
		if sumOf(b, 1)+sumOf(s, 1) == 0 {
			return nan
		}
		return (sumOf(b, 1) - sumOf(s, 1)) / (sumOf(b, 1) + sumOf(s, 1))
	}},
	{"funding", nil, func(m row, t int) float64 { return m.at("funding_rate", t) }},
	{"basis", nil, func(m row, t int) float64 { return m.at("mark_price", t)/m.at("index_price", t) - 1 }},
}

// row reads one instrument's market.
type row struct {
	f *Frame
	i int
}

func (m row) at(field string, t int) float64 {
	if t < 0 {
		return nan
	}
	return m.f.Panel(field).Col(m.i)[t]
}

// values are those of rows lo … hi that are not missing.
func (m row) values(field string, lo, hi int) []float64 {
	var v []float64
	for t := lo; t <= hi; t++ {
		if x := m.at(field, t); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

func (m row) r(t int) float64 { return math.Log(m.at("close", t) / m.at("close", t-1)) }

func (m row) returns(lo, hi int) []float64 {
	var v []float64
	for t := lo; t <= hi; t++ {
		if r := m.r(t); !math.IsNaN(r) {
			v = append(v, r)
		}
	}
	return v
}

// sumOf is missing where there are fewer than least values.
func sumOf(v []float64, least int) float64 {
	if len(v) < least {
		return nan
	}
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

func meanOf(v []float64) float64 { return sumOf(v, 1) / float64(len(v)) }

func stdOf(v []float64) float64 {
	if len(v) < 2 {
		return nan
	}
	ss := 0.0
	for _, x := range v {
		ss += (x - meanOf(v)) * (x - meanOf(v))
	}
	return math.Sqrt(ss / float64(len(v)-1))
}

func volatilityAt(window, least int) func(m row, t int) float64 {
	return func(m row, t int) float64 {
		r := m.returns(t-window+1, t)
		if len(r) < least {
			return nan
		}
		return stdOf(r) * math.Sqrt(8760)
	}
}

// pastVolatilities are the defined volatility(15; 10) of the last 40 bars, and the last one.
func pastVolatilities(m row, t int) (past []float64, now float64) {
	for s := t - 39; s <= t; s++ {
		if now = volatilityAt(15, 10)(m, s); !math.IsNaN(now) {
			past = append(past, now)
		}
	}
	return past, now
}

func amihudAt(m row, t int) float64 {
	defined, traded, sum := 0, 0, 0.0
	for s := t - 9; s <= t; s++ {
		r, v := m.r(s), m.at("turnover", s)
		if math.IsNaN(r) || math.IsNaN(v) {
			continue
		}
		defined++
		if v > 0 {
			traded++
			sum += 1e6 * math.Abs(r) / v
		}
	}
	if defined < 7 || traded == 0 {
		return nan
	}
	return sum / float64(traded)
}

func TestFactorsMatchTheirDefinitions(t *testing.T) {
	const tol = 1e-9
	tested := map[string]bool{}
	for _, d := range definitions {
		tested[d.kind] = true
		k, err := Find(d.kind)
		if err != nil {
			t.Fatal(err)
		}
		market := marketFor(t, k)
		p := mustCompute(t, market, mustMake(t, d.kind, d.params, market.Grid)).Panels[0]
		for i := range market.Instruments {
			for s, got := range p.Col(i) {
				if want := d.at(row{market, i}, s); !near(got, want, tol) {
					t.Errorf("%s %v at %d = %v, want %v", d.kind, d.params, s, got, want)
					break
				}
			}
		}
	}
	for _, k := range Catalogue {
		if !tested[k.Name] {
			t.Errorf("%s is not tested against its definition", k.Name)
		}
	}
}

func TestAmihudVector(t *testing.T) {
	g := hourly(6, "A")
	// Returns 0.01, −0.02, 0.005, 0, 0.015 on turnovers 1e6, 2e6, 5e5, 1e6, 3e6.
	price := []float64{100, 0, 0, 0, 0, 0}
	for t, r := range []float64{0.01, -0.02, 0.005, 0, 0.015} {
		price[t+1] = price[t] * math.Exp(r)
	}
	market := &Frame{Grid: g, Panels: []*Panel{
		NewPanel("close", g, price),
		NewPanel("turnover", g, []float64{1e6, 1e6, 2e6, 5e5, 1e6, 3e6}),
	}}
	f := mustMake(t, "amihud", Params{"window": "5"}, g)
	if got := mustCompute(t, market, f).Panels[0].Col(0)[5]; !near(got, 0.007, 1e-12) {
		t.Errorf("amihud = %v, want 0.007", got)
	}
}
