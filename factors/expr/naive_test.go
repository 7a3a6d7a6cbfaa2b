package expr

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/qf-dev/qf/factors"
)

// The naive evaluation knows nothing of blocks, keys or kernels: a value is made of the rows that its definition names.

// at is a value by instrument and row; rows before the first are missing.
type at func(i, t int) float64

func (m *market) col(name string) at {
	return func(i, t int) float64 {
		if t < 0 {
			return nan
		}
		return m.cols[name][i][t]
	}
}

// rolled is f of the values of a window, oldest first, where there are enough of them.
func (x at) rolled(window int, f func(v []float64) float64) at {
	return func(i, t int) float64 {
		var v []float64
		for s := t - window + 1; s <= t; s++ {
			if y := x(i, s); y == y {
				v = append(v, y)
			}
		}
		if float64(len(v)) < 0.9*float64(window) {
			return nan
		}
		return f(v)
	}
}

func (x at) then(f func(v float64) float64) at {
	return func(i, t int) float64 { return finite(f(x(i, t))) }
}

func (x at) with(y at, f func(a, b float64) float64) at {
	return func(i, t int) float64 {
		a, b := x(i, t), y(i, t)
		if a != a || b != b {
			return nan
		}
		return finite(f(a, b))
	}
}

func (x at) delayed(k int) at { return func(i, t int) float64 { return x(i, t-k) } }

// across is f of an instrument's value and of all that there are at the bar.
func (x at) across(n int, f func(v float64, all []float64) float64) at {
	return func(i, t int) float64 {
		var all []float64
		for j := range n {
			if v := x(j, t); v == v {
				all = append(all, v)
			}
		}
		v := x(i, t)
		if v != v {
			return nan
		}
		return finite(f(v, all))
	}
}

func sumOf(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

func meanOf(v []float64) float64 { return sumOf(v) / float64(len(v)) }

func stdOf(v []float64) float64 {
	m, s := meanOf(v), 0.0
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

func rankOf(v float64, all []float64) float64 {
	less, equal := 0.0, 0.0
	for _, x := range all {
		if x < v {
			less++
		} else if x == v {
			equal++
		}
	}
	return (less + (equal+1)/2) / float64(len(all))
}

func minus(a, b float64) float64 { return a - b }
func over(a, b float64) float64  { return a / b }

// Whole formulas, with gaps, are what their definitions say.
func TestFormulasMatchANaiveEvaluation(t *testing.T) {
	m := newMarket(rowsOfMarket)
	n := len(m.grid.Instruments)
	c, o, h, l, v, f := m.col("close"), m.col("open"), m.col("high"), m.col("low"), m.col("volume"), m.col("funding_rate")
	r := c.with(c.delayed(1), func(a, b float64) float64 { return math.Log(a / b) })
	zscore := func(v float64, all []float64) float64 { return (v - meanOf(all)) / stdOf(all) }
	for text, want := range map[string]at{
		"-delta(close, 1h) / ts_std(close, 1d)": c.delayed(1).with(c, minus).with(c.rolled(24, stdOf), over),
		"rank(ts_sum(returns, 12)) - 0.5":       r.rolled(12, sumOf).across(n, rankOf).then(func(v float64) float64 { return v - 0.5 }),
		"zscore(log(volume)) * sign(returns)": v.then(math.Log).across(n, zscore).with(r, func(a, b float64) float64 {
			switch {
			case b > 0:
				return a
			case b < 0:
				return -a
			}
			return 0
		}),
		"-(rank(funding_rate) - mean_of(rank(funding_rate)))": f.across(n, rankOf).with(
			f.across(n, rankOf).across(n, func(_ float64, all []float64) float64 { return meanOf(all) }), func(a, b float64) float64 { return b - a }),
		"if(close > ts_mean(close, 20) and volume >= 10, (close - low) / (high - low), -1)": func(i, t int) float64 {
			up, many := c(i, t), v(i, t)
			mean := c.rolled(20, meanOf)(i, t)
			switch {
			case up != up || mean != mean || many != many:
				return nan
			case up > mean && many >= 10:
				return finite((c(i, t) - l(i, t)) / (h(i, t) - l(i, t)))
			}
			return -1
		},
		`ts_mean(returns["binance-futures:BTCUSDT"] - returns, 6)`: at(func(_, t int) float64 { return r(0, t) }).with(r, minus).rolled(6, meanOf),
		"decay_linear(ffill(volume, 2), 5) ^ 0.5": func(i, t int) float64 {
			sum, weights, values := 0.0, 0.0, 0
			for k := range 5 {
				for age := range 3 {
					if y := v(i, t-k-age); y == y {
						sum, weights, values = sum+float64(5-k)*y, weights+float64(5-k), values+1
						break
					}
				}
			}
			if values < 5 {
				return nan
			}
			return math.Sqrt(sum / weights)
		},
		"ts_corr(rank(close / open), volume, 10)": func(i, t int) float64 {
			x := c.with(o, over).across(n, rankOf)
			var a, b []float64
			for s := t - 9; s <= t; s++ {
				if s >= 0 && x(i, s) == x(i, s) && v(i, s) == v(i, s) {
					a, b = append(a, x(i, s)), append(b, v(i, s))
				}
			}
			if len(a) < 9 || slices.Min(a) == slices.Max(a) {
				return nan
			}
			ma, mb, saa, sbb, sab := meanOf(a), meanOf(b), 0.0, 0.0, 0.0
			for k := range a {
				saa, sbb, sab = saa+(a[k]-ma)*(a[k]-ma), sbb+(b[k]-mb)*(b[k]-mb), sab+(a[k]-ma)*(b[k]-mb)
			}
			return sab / math.Sqrt(saa*sbb)
		},
		"log(close / day_first(open)) - ts_quantile(returns, 24, 0.25)": func(i, t int) float64 {
			first := nan
			for s := t / 24 * 24; s <= t && first != first; s++ {
				first = o(i, s)
			}
			q := r.rolled(24, func(v []float64) float64 {
				v = slices.Sorted(slices.Values(v))
				k := float64(len(v)-1) * 0.25
				at := int(k)
				return v[at] + (k-float64(at))*(v[at+1]-v[at])
			})(i, t)
			return math.Log(c(i, t)/first) - q
		},
		"group_demean(ts_rank(close, 10)) + ts_argmax(high, 8)": func(i, t int) float64 {
			groups := m.scope().Groups
			if groups[i] == "" {
				return nan
			}
			rank := func(i int) float64 {
				if c(i, t) != c(i, t) {
					return nan
				}
				return c.rolled(10, func(v []float64) float64 { return rankOf(v[len(v)-1], v) })(i, t)
			}
			var all []float64
			for j := range n {
				if x := rank(j); groups[j] == groups[i] && x == x {
					all = append(all, x)
				}
			}
			ago, best, values := 0, math.Inf(-1), 0
			for k := range 8 {
				if x := h(i, t-k); x == x {
					if values++; x > best {
						best, ago = x, k
					}
				}
			}
			if values < 8 {
				return nan
			}
			return rank(i) - meanOf(all) + float64(ago)
		},
		"residual(returns, volume, funding_rate)": func(i, t int) float64 {
			var y []float64
			var x [][]float64
			row := -1
			for j := range n {
				a, b, c := r(j, t), v(j, t), 1e4*f(j, t)
				if a == a && b == b && c == c {
					if j == i {
						row = len(y)
					}
					y, x = append(y, a), append(x, []float64{1, b, c})
				}
			}
			if row < 0 || len(y) <= 3 {
				return nan
			}
			b := solve(x, y)
			return y[row] - b[0] - b[1]*x[row][1] - b[2]*x[row][2]
		},
		"ewm_mean(close, 4) - ewm_std(close, 4)": func(i, t int) float64 {
			var w, x []float64
			for k := range 200 {
				if y := c(i, t-k); y == y {
					w, x = append(w, math.Pow(0.6, float64(k))), append(x, y)
				}
			}
			if len(x) < 2 {
				return nan
			}
			total, squares, mean, m2 := sumOf(w), 0.0, 0.0, 0.0
			for k := range x {
				squares, mean = squares+w[k]*w[k], mean+w[k]*x[k]/total
			}
			for k := range x {
				m2 += w[k] * (x[k] - mean) * (x[k] - mean)
			}
			return mean - math.Sqrt(total*total/(total*total-squares)*m2/total)
		},
	} {
		got := m.whole(t, m.compile(t, text)...)[0]
		values := 0
		for i := range got {
			for row, g := range got[i] {
				w := want(i, row)
				if g == g {
					values++
				}
				if (g != g) != (w != w) || math.Abs(g-w) > 1e-9*max(1, math.Abs(w)) {
					t.Fatalf("%s: row %d of instrument %d is %v, want %v", text, row, i, g, w)
				}
			}
		}
		if values < 1000 {
			t.Errorf("%s has only %d values", text, values)
		}
	}
}

// solve is the least-squares solution by the normal equations.
func solve(x [][]float64, y []float64) []float64 {
	k := len(x[0])
	a := make([][]float64, k)
	for i := range a {
		a[i] = make([]float64, k+1)
		for r := range x {
			for j := range k {
				a[i][j] += x[r][i] * x[r][j]
			}
			a[i][k] += x[r][i] * y[r]
		}
	}
	for i := range a {
		for r := range a {
			if r == i {
				continue
			}
			f := a[r][i] / a[i][i]
			for j := range a[r] {
				a[r][j] -= f * a[i][j]
			}
		}
	}
	b := make([]float64, k)
	for i := range b {
		b[i] = a[i][k] / a[i][i]
	}
	return b
}

// Operators across instruments on one bar, worked by hand: 3, 1, missing, 1, 10.
func TestAcrossByHand(t *testing.T) {
	for text, want := range map[string][]float64{
		"rank(close)":           {0.75, 0.375, nan, 0.375, 1},
		"demean(close)":         {-0.75, -2.75, nan, -2.75, 6.25},
		"scale(close, 30)":      {6, 2, nan, 2, 20},
		"quantile(close, 2)":    {2, 1, nan, 1, 2},
		"mean_of(close)":        {3.75, 3.75, nan, 3.75, 3.75},
		"winsorize(close, 0.5)": {2, 2, nan, 2, 2},
		"winsorize(close, 0)":   {3, 1, nan, 1, 10},
		"zscore(close - close)": {nan, nan, nan, nan, nan},
		"group_rank(close)":     {1, 0.5, nan, nan, 1},
		"residual(close, open)": {nan, nan, nan, nan, nan}, // open is the same for all
		"residual(close, high)": {0, 0, nan, 0, 0},         // high is 2·close + 1
	} {
		m := newMarket(1)
		m.grid.Instruments = m.grid.Instruments[:5]
		m.cols["close"] = [][]float64{{3}, {1}, {nan}, {1}, {10}}
		m.cols["open"] = [][]float64{{5}, {5}, {5}, {5}, {5}}
		m.cols["high"] = [][]float64{{7}, {3}, {5}, {3}, {21}}
		s := m.scope(text)
		s.Groups = []string{"a", "a", "a", "", "b"}
		fs, errs := Compile(s, m.grid)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		got := m.play(t, fs, 1, 2, 1)[0]
		for i, w := range want {
			if g := got[i][0]; (g != g) != (w != w) || math.Abs(g-w) > 1e-12 {
				t.Errorf("%s of instrument %d is %v, want %v", text, i, g, w)
			}
		}
	}
}

// Both ways to rank give the same bits.
func TestRanksOfManyInstruments(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for _, n := range []int{many - 1, many, 1000} {
		x := make([]float64, n)
		for k := range x {
			x[k] = math.Round(100*r.NormFloat64()) / 7
		}
		got := slices.Clone(x)
		percentRank(got, &space{})
		for k, v := range x {
			if want := rankOf(v, x); got[k] != want {
				t.Fatalf("%d values: rank of %v is %v, want %v", n, v, got[k], want)
			}
		}
	}
}

// What is not finite is missing.
func TestNeverInfinite(t *testing.T) {
	m := newMarket(3)
	m.grid.Instruments = m.grid.Instruments[:1]
	m.cols["close"], m.cols["open"] = [][]float64{{0, 2, -4}}, [][]float64{{0, 0, 1e308}}
	for text, want := range map[string][]float64{
		"1 / close": {nan, 0.5, -0.25}, "close / open": {nan, nan, -4e-308}, "log(close)": {nan, math.Ln2, nan}, "sqrt(close)": {0, math.Sqrt2, nan},
		"open * 1e10": {0, 0, nan}, "open + open": {0, 0, nan}, "exp(open)": {1, 1, nan}, "close ^ 0.5": {0, math.Sqrt2, nan}, "power(close, -1)": {nan, 0.5, -0.25},
		"signed_power(close, 2)": {0, 4, -16}, "log1p(close)": {0, math.Log1p(2), nan}, "pct_change(close, 1)": {nan, nan, -3},
		"if(close > 0, close, 1 / close)": {nan, 2, -0.25}, "-2 ^ 2 + close": {-4, -2, -8}, "close - 1 - 1": {-2, 0, -6}, "if(not close > 0 and open == 0, 1, 0)": {1, 0, 0},
		"round(close / 4)": {0, 0, -1}, "2 * 3 + 4 / 2 * close": {6, 10, -2}, "2 ^ 3 ^ 0 * close": {0, 4, -8}, "if(true_or(close), 1, 0)": nil,
	} {
		fs, errs := Compile(m.scope(text), m.grid)
		if want == nil {
			if len(errs) == 0 {
				t.Errorf("%s compiles", text)
			}
			continue
		}
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		got := m.play(t, fs, 3, 1, 3)[0][0]
		for row, w := range want {
			if g := got[row]; (g != g) != (w != w) || math.Abs(g-w) > 1e-15*math.Abs(w) {
				t.Errorf("%s at row %d is %v, want %v", text, row, g, w)
			}
		}
	}
}

// Equal parts of all factors are one node of the plan; the order of a sum does not matter, nor how a window is written.
func TestCommonPartsAreComputedOnce(t *testing.T) {
	m := newMarket(30)
	started := map[string]int{}
	var count func(f *factors.Factor)
	count = func(f *factors.Factor) {
		for k := range f.Uses {
			f.Uses = slices.Clone(f.Uses)
			count(&f.Uses[k])
		}
		if start, key := f.Start, f.Key; start != nil {
			f.Start = func() factors.Eval { started[key]++; return start() }
		}
	}
	fs := m.compile(t, "close / ts_std(returns, 24)", "ts_std(returns, 1d) + open", "open + ts_std(x = returns, window = 2 * 12, min_periods = 0.9)", "volatility(24, 0.9) + volatility(1d)")
	for k := range fs {
		count(&fs[k])
	}
	m.play(t, fs, 30, 1, 30)
	for key, n := range started {
		if n != len(m.grid.Instruments) {
			t.Errorf("%s is computed %d times for %d instruments", key, n, len(m.grid.Instruments))
		}
	}
	if fs[1].Key != fs[2].Key || len(started) != 8 {
		t.Errorf("%d nodes: %v", len(started), started)
	}
}

// Definitions that double what they are made of stay small.
func TestDefinitionsDoNotGrow(t *testing.T) {
	m := newMarket(10)
	s := m.scope()
	last := "close"
	for k := range 60 {
		name := "d" + string(rune('a'+k%26)) + string(rune('a'+k/26))
		s.Definitions = append(s.Definitions, Source{Name: name, Expr: last + " / 2 + " + last + " / 2"})
		last = name
	}
	s.Factors = []Source{{Name: "f", Expr: last}}
	fs, errs := Compile(s, m.grid)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if got, want := m.play(t, fs, 10, 1, 10)[0][0], m.cols["close"][0]; math.Abs(got[3]-want[3]) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if fields, _ := s.Fields(); !slices.Equal(fields, []string{"close"}) {
		t.Errorf("fields %v", fields)
	}
}

func TestFields(t *testing.T) {
	m := newMarket(1)
	s := m.scope("funding + ofi(100 trades) * returns", "day_return() + spread", "f0 + bid_depth_5 + bad(")
	s.Definitions = []Source{{Name: "funding", Expr: "funding_rate + basis() + open_interest"}}
	want := []string{"funding_rate", "mark_price", "index_price", "open_interest", "ofi_100t", "close", "open", "spread"}
	got, _ := s.Fields()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
}

// No text makes the compiler fail other than by an error within the text.
func FuzzCompile(f *testing.F) {
	for _, text := range examples {
		f.Add(text)
	}
	for _, text := range []string{"close[", "1e", "((((", "- - -1", "not not close > 1", "a = 1", "if(", "f0", "1 trades", "delay(close, 100 trades)", "close # x", "ts_mean(close, 1e9)", "'", "2 ^ 2000", "\x00", "é"} {
		f.Add(text)
	}
	m := newMarket(1)
	f.Fuzz(func(t *testing.T, text string) {
		s := m.scope(text)
		s.Fields()
		fs, errs := Compile(s, m.grid)
		for _, e := range errs {
			if e.Msg == "" || e.Offset < 0 || e.Offset > len(text) {
				t.Errorf("%q: %+v", text, e)
			}
			e.Place()
		}
		if len(errs) == 0 && (len(fs) != 1 || fs[0].Lookback < 1 || fs[0].Key == "") {
			t.Errorf("%q: %+v", text, fs)
		}
	})
}
