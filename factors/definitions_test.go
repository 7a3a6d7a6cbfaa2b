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
	{"momentum_z", Params{"window": "6", "min_periods": "5", "lookback": "20", "min_lookback": "12"}, func(m row, t int) float64 {
		r := m.returns(t-19, t)
		if len(r) < 12 || stdOf(r) == 0 {
			return nan
		}
		return (sumOf(m.returns(t-5, t), 5) - meanOf(r)) / stdOf(r)
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
	{"parkinson", Params{"window": "10", "min_periods": "7"}, func(m row, t int) float64 {
		var v []float64
		for s := t - 9; s <= t; s++ {
			if m.at("trades", s) > 0 {
				v = append(v, math.Pow(math.Log(m.at("high", s)/m.at("low", s)), 2))
			}
		}
		return math.Sqrt(8760 / (4 * math.Ln2 * float64(len(v))) * sumOf(v, 7))
	}},
	{"garman_klass", Params{"window": "10", "min_periods": "7"}, func(m row, t int) float64 {
		var v []float64
		for s := t - 9; s <= t; s++ {
			if m.at("trades", s) > 0 {
				hl, co := math.Log(m.at("high", s)/m.at("low", s)), math.Log(m.at("close", s)/m.at("open", s))
				v = append(v, hl*hl/2-(2*math.Ln2-1)*co*co)
			}
		}
		return math.Sqrt(8760 / float64(len(v)) * math.Max(sumOf(v, 7), 0))
	}},
	{"spread", Params{"window": "10", "min_periods": "5"}, func(m row, t int) float64 {
		v := m.values("spread", t-9, t)
		return sumOf(v, 5) / float64(len(v))
	}},
	{"roll_spread", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		var a, b []float64
		for s := t - 19; s <= t; s++ {
			x, y := m.at("close", s)-m.at("close", s-1), m.at("close", s-1)-m.at("close", s-2)
			if !math.IsNaN(x) && !math.IsNaN(y) {
				a, b = append(a, x), append(b, y)
			}
		}
		c := covOf(a, b) / float64(len(a)-1)
		if len(a) < 12 || c >= 0 {
			return nan
		}
		return 2 * math.Sqrt(-c) / m.at("close", t)
	}},
	{"depth", nil, func(m row, t int) float64 { return m.at("bid_depth_5", t) + m.at("ask_depth_5", t) }},
	{"depth_imbalance", nil, func(m row, t int) float64 {
		return (m.at("bid_depth_5", t) - m.at("ask_depth_5", t)) / (m.at("bid_depth_5", t) + m.at("ask_depth_5", t))
	}},
	{"book_ofi", Params{"window": "6", "min_periods": "4"}, func(m row, t int) float64 {
		return sumOf(m.values("book_ofi", t-5, t), 4) / meanOf(m.values("book_depth", t-5, t))
	}},
	{"kyle_lambda", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		var x, r []float64
		for s := t - 19; s <= t; s++ {
			if v := m.at("buy_turnover", s) - m.at("sell_turnover", s); !math.IsNaN(v) && !math.IsNaN(m.r(s)) {
				x, r = append(x, v), append(r, m.r(s))
			}
		}
		if len(x) < 12 {
			return nan
		}
		return covOf(x, r) / covOf(x, x)
	}},
	{"vpin", Params{"window": "10", "min_periods": "6"}, func(m row, t int) float64 {
		var v []float64
		for s := t - 9; s <= t; s++ {
			if x := math.Abs(m.at("buy_turnover", s)-m.at("sell_turnover", s)) / m.at("turnover", s); !math.IsNaN(x) {
				v = append(v, x)
			}
		}
		return sumOf(v, 6) / float64(len(v))
	}},
	{"funding_mean", Params{"window": "3d", "min_periods": "40"}, func(m row, t int) float64 {
		return sumOf(m.values("settled_funding", t-71, t), 40) * 365 / 3
	}},
	{"open_interest_change", Params{"window": "9"}, func(m row, t int) float64 {
		return math.Log(m.at("open_interest", t) / m.at("open_interest", t-9))
	}},
	{"liquidation_imbalance", Params{"window": "3", "min_periods": "3"}, func(m row, t int) float64 {
		long, short := sumOf(m.values("liquidated_long", t-2, t), 3), sumOf(m.values("liquidated_short", t-2, t), 3)
		return (long - short) / (long + short)
	}},
	{"skewness", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		r := m.returns(t-19, t)
		n := float64(len(r))
		return n * math.Sqrt(n-1) / (n - 2) * powerOf(r, 3, 12) / math.Pow(powerOf(r, 2, 12), 1.5)
	}},
	{"kurtosis", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		r := m.returns(t-19, t)
		n := float64(len(r))
		return (n - 1) / ((n - 2) * (n - 3)) * (n*(n+1)*powerOf(r, 4, 12)/math.Pow(powerOf(r, 2, 12), 2) - 3*(n-1))
	}},
	{"autocorrelation", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		var a, b []float64
		for s := t - 19; s <= t; s++ {
			if x, y := m.r(s), m.r(s-1); !math.IsNaN(x) && !math.IsNaN(y) {
				a, b = append(a, x), append(b, y)
			}
		}
		if len(a) < 12 {
			return nan
		}
		return covOf(a, b) / math.Sqrt(covOf(a, a)*covOf(b, b))
	}},
	{"rogers_satchell", Params{"window": "10", "min_periods": "7"}, func(m row, t int) float64 {
		var v []float64
		for s := t - 9; s <= t; s++ {
			if m.at("trades", s) > 0 {
				o, h, l, c := math.Log(m.at("open", s)), math.Log(m.at("high", s)), math.Log(m.at("low", s)), math.Log(m.at("close", s))
				v = append(v, (h-c)*(h-o)+(l-c)*(l-o))
			}
		}
		return math.Sqrt(8760 * sumOf(v, 7) / float64(len(v)))
	}},
	{"ewm_volatility", Params{"span": "9", "min_periods": "6"}, func(m row, t int) float64 {
		r, weights, age, total, cross := []float64{}, []float64{}, 0, 0.0, 0.0
		for s := t; s > 0; s-- { // pandas' weights have no end
			if x := m.r(s); !math.IsNaN(x) && age < 400 {
				w := math.Pow(0.8, float64(age))
				r, weights = append(r, x), append(weights, w)
				cross += 2 * total * w
				total += w
			}
			age++
		}
		mean, ss := 0.0, 0.0
		for k, w := range weights {
			mean += w / total * r[k]
		}
		for k, w := range weights {
			ss += w * (r[k] - mean) * (r[k] - mean)
		}
		if within := m.returns(max(t-165, 0), t); len(within) < 6 {
			return nan
		}
		return math.Sqrt(ss * total / cross * 8760)
	}},
	{"trend", Params{"window": "20", "min_periods": "12"}, func(m row, t int) float64 {
		var time, p []float64
		for s := t - 19; s <= t; s++ {
			if v := m.at("close", s); !math.IsNaN(v) {
				time, p = append(time, float64(s)), append(p, math.Log(v))
			}
		}
		if len(p) < 12 {
			return nan
		}
		return covOf(time, p) / covOf(time, time)
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

// covOf is Σ (a−mean a)·(b−mean b).
func covOf(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += (a[i] - meanOf(a)) * (b[i] - meanOf(b))
	}
	return s
}

// powerOf is the sum of the k-th powers of the distances from the mean.
func powerOf(v []float64, k float64, least int) float64 {
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = math.Pow(x-meanOf(v), k)
	}
	return sumOf(d, least)
}

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
