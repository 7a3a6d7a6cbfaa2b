package factors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
)

var nan = math.NaN()

// hourly is a grid of n one-hour bars that starts with 2024-01-01.
func hourly(n int, symbols ...string) *Grid {
	g := &Grid{Every: time.Hour, BarsPerYear: 8760}
	for t := range n {
		g.Close = append(g.Close, time.Date(2024, 1, 1, 1+t, 0, 0, 0, time.UTC).UnixMicro())
	}
	for _, s := range symbols {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "binance-futures", Symbol: s})
	}
	return g
}

// marketFields are all the fields that kinds of the catalogue ask for.
func marketFields(t *testing.T) []string {
	var names []string
	for _, k := range Catalogue {
		need, err := Needs(k.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range slices.Concat(need, k.Inputs) {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// testMarket is a random market with everything that bars can hold: bars without trades, a day
// that is missing, and prices that stand still.
func testMarket(t *testing.T, n int, symbols ...string) *Frame {
	f := &Frame{Grid: hourly(n, symbols...)}
	cols := map[string][][]float64{}
	for i := range symbols {
		r := rand.New(rand.NewPCG(11, uint64(i)))
		row := map[string][]float64{}
		for _, name := range marketFields(t) {
			row[name] = make([]float64, n)
			for t := range n {
				row[name][t] = 100 + r.NormFloat64()
			}
		}
		price := 1e4
		for t := range n {
			price *= math.Exp(0.002 * r.NormFloat64())
			if t > 150 && t < 160 {
				price = 1.1e4
			}
			v := math.Exp(r.NormFloat64()) * 1e6
			buy := v * r.Float64()
			if r.IntN(12) == 0 || t > 150 && t < 160 {
				v, buy = 0, 0
			}
			spread := r.Float64()
			for name, x := range map[string]float64{
				"close": price, "open": price * (1 + 1e-4*r.NormFloat64()),
				"high": price * (1.001 + 0.001*r.Float64()), "low": price * (0.999 - 0.001*r.Float64()),
				"turnover": v, "buy_turnover": buy, "sell_turnover": v - buy, "trades": math.Ceil(v / 1e4),
				"ofi_100t": 2*r.Float64() - 1, "funding_rate": 1e-4 * r.NormFloat64(),
				"mark_price": price + r.NormFloat64(), "index_price": price + r.NormFloat64(),
				"spread": spread / price, "open_interest": 1e9 * math.Exp(0.1*r.NormFloat64()),
				"settled_funding": float64(t%8/7) * 1e-4 * r.NormFloat64(),
				"bid_depth_5":     1e6 * r.Float64(), "ask_depth_5": 1e6 * r.Float64(),
				"book_ofi": 5 * r.NormFloat64(), "book_depth": 1 + r.Float64(),
				"liquidated_long": 1e5 * float64(r.IntN(3)), "liquidated_short": 1e5 * float64(r.IntN(2)),
			} {
				if row[name] != nil {
					row[name][t] = x
				}
			}
			if t >= 96 && t < 120 {
				for name := range row {
					row[name][t] = nan
				}
			}
		}
		for name, col := range row {
			cols[name] = append(cols[name], col)
		}
	}
	for _, name := range marketFields(t) {
		f.Panels = append(f.Panels, NewPanel(name, f.Grid, cols[name]...))
	}
	return f
}

// head is the first n rows of f.
func (f *Frame) head(n int) *Frame {
	g := *f.Grid
	g.Close = g.Close[:n]
	out := &Frame{Grid: &g}
	for _, p := range f.Panels {
		var cols [][]float64
		for i := range g.Instruments {
			cols = append(cols, p.Col(i)[:n])
		}
		out.Panels = append(out.Panels, NewPanel(p.Name, &g, cols...))
	}
	return out
}

// with is f with the values of some rows of its fields changed.
func (f *Frame) with(change func(field, t int, v float64) float64) *Frame {
	out := &Frame{Grid: f.Grid}
	for k, p := range f.Panels {
		var cols [][]float64
		for i := range f.Instruments {
			col := slices.Clone(p.Col(i))
			for t, v := range col {
				col[t] = change(k, t, v)
			}
			cols = append(cols, col)
		}
		out.Panels = append(out.Panels, NewPanel(p.Name, f.Grid, cols...))
	}
	return out
}

func mustMake(t *testing.T, kind string, p Params, g *Grid) Factor {
	t.Helper()
	f, err := Make("my_"+kind, kind, p, g)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustCompute(t *testing.T, market *Frame, fs ...Factor) *Frame {
	t.Helper()
	out, err := Compute(t.Context(), market, fs, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameBits(a, b []float64) (row int, same bool) {
	for t := range a {
		if math.Float64bits(a[t]) != math.Float64bits(b[t]) {
			return t, false
		}
	}
	return 0, true
}

func near(got, want, tol float64) bool {
	if math.IsNaN(got) || math.IsNaN(want) {
		return math.IsNaN(got) && math.IsNaN(want)
	}
	return math.Abs(got-want) <= tol*math.Max(1, math.Abs(want))
}
