package expr

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// market is hourly bars of some instruments with gaps, by field and instrument.
type market struct {
	grid *factors.Grid
	cols map[string][][]float64
}

const rowsOfMarket = 400

func newMarket(n int) *market {
	m := &market{grid: &factors.Grid{Every: time.Hour, BarsPerYear: 24 * 365}, cols: map[string][][]float64{}}
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "DOTUSDT", "BNBUSDT"} {
		m.grid.Instruments = append(m.grid.Instruments, datasets.Instrument{Exchange: "binance-futures", Symbol: symbol})
	}
	for t := range n {
		m.grid.Close = append(m.grid.Close, int64(t+1)*time.Hour.Microseconds())
	}
	for i := range m.grid.Instruments {
		r := rand.New(rand.NewPCG(5, uint64(i)))
		row := map[string][]float64{}
		price := 100.0 * float64(i+1)
		for t := range n {
			open := price
			price *= math.Exp(0.01 * r.NormFloat64())
			values := map[string]float64{
				"open": open, "close": price, "high": max(open, price) * (1 + 0.001*r.Float64()), "low": min(open, price) * (1 - 0.001*r.Float64()),
				"volume": float64(r.IntN(50)), "turnover": math.Exp(r.NormFloat64()), "funding_rate": 1e-4 * r.NormFloat64(),
			}
			gap := r.IntN(25) == 0 || t >= 96 && t < 110
			for name, v := range values {
				if gap && name != "funding_rate" || name == "volume" && r.IntN(30) == 0 {
					v = nan
				}
				row[name] = append(row[name], v)
			}
		}
		for name, col := range row {
			m.cols[name] = append(m.cols[name], col)
		}
	}
	return m
}

func (m *market) scope(exprs ...string) Scope {
	s := Scope{Instruments: m.grid.Instruments, Groups: []string{"a", "a", "b", "b", "b", "", "a"}[:len(m.grid.Instruments)], References: m.grid.References}
	for k, text := range exprs {
		s.Factors = append(s.Factors, Source{Name: "f" + string(rune('0'+k)), Expr: text})
	}
	return s
}

func (m *market) compile(t *testing.T, exprs ...string) []factors.Factor {
	t.Helper()
	g := *m.grid
	g.Close = nil
	fs, errs := Compile(m.scope(exprs...), &g)
	for _, err := range errs {
		t.Fatalf("%s: %v", err.Text, err)
	}
	return fs
}

// play computes factors over the first n rows, in blocks of the given sizes, the last repeated.
func (m *market) play(t *testing.T, fs []factors.Factor, n, workers int, sizes ...int) [][][]float64 {
	t.Helper()
	p, err := factors.NewPlan(fs, m.grid)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][][]float64, len(fs))
	for k := range out {
		out[k] = make([][]float64, len(m.grid.Instruments))
	}
	play := p.Start()
	for lo, k := 0, 0; lo < n; k++ {
		hi := min(n, lo+sizes[min(k, len(sizes)-1)])
		b := &bars.Block{Lo: lo, Hi: hi, Close: m.grid.Close[lo:hi]}
		for _, name := range p.Fields() {
			var cols [][]float64
			for _, col := range m.cols[name] {
				cols = append(cols, slices.Clone(col[lo:hi]))
			}
			b.Cols = append(b.Cols, cols)
		}
		got, err := play.Next(context.Background(), b, workers)
		if err != nil {
			t.Fatal(err)
		}
		for f := range got {
			for i := range got[f] {
				out[f][i] = append(out[f][i], got[f][i]...)
			}
		}
		lo = hi
	}
	return out
}

func (m *market) whole(t *testing.T, fs ...factors.Factor) [][][]float64 {
	return m.play(t, fs, rowsOfMarket, 1, rowsOfMarket)
}

// examples has a formula for each operator, and for each sign.
var examples = []string{
	"abs(funding_rate)", "sign(funding_rate)", "log(volume)", "log1p(volume)", "exp(returns)", "sqrt(volume - 10)", "power(close, 0.5)",
	"signed_power(funding_rate, 2)", "min(close, open)", "max(close, open)", "clip(returns, -0.01, 0.01)", "round(close)",
	"if(close > open, volume, -volume)", "if(is_missing(close), 1, 0)",
	"delay(close, 3)", "delta(close, 4h)", "pct_change(close, 5)", "ts_sum(volume, 7)", "ts_mean(close, 7)", "ts_std(close, 7)", "ts_var(close, 7)",
	"ts_min(close, 7)", "ts_max(close, 7)", "ts_argmin(close, 7)", "ts_argmax(close, 7)", "ts_median(close, 7)", "ts_quantile(close, 7, 0.3)",
	"ts_rank(close, 7)", "ts_zscore(close, 7)", "ts_skew(close, 7)", "ts_kurt(close, 7)", "ts_corr(close, volume, 9)", "ts_cov(close, volume, 9)",
	"ts_slope(close, 9)", "ts_slope(close, 9, volume)", "ts_intercept(close, 9)", "ts_intercept(close, 9, x = volume)", "ts_residual(close, 9)",
	"ts_residual(close, 9, volume)", "ts_product(1 + returns, 7)", "ts_count(close > open, 7)", "decay_linear(close, 7)",
	"ewm_mean(close, 3)", "ewm_mean(close, 10, window = 12)", "ewm_std(close, 3)", "since(returns > 0.01, 9)", "ffill(close, 3)",
	"day_sum(volume)", "day_mean(close)", "day_min(low)", "day_max(high)", "day_first(open)", "day_return()",
	"rank(close)", "zscore(returns)", "demean(returns)", "scale(returns)", "scale(returns, to = 2)", "winsorize(returns, 0.2)", "quantile(returns, 3)",
	"mean_of(returns)", "group_demean(returns)", "group_rank(returns)", "residual(returns, volume)", "residual(close, volume, turnover)",
	`close["binance-futures:ETHUSDT"] / close`, "-close", "close + open", "close - open", "close * open", "close / volume", "close ^ 2", "2 ^ -1 * close",
	"if(close < open, 1, 2)", "if(close <= open, 1, 2)", "if(close >= open, 1, 2)", "if(volume == 3, 1, 2)", "if(volume != 3, 1, 2)",
	"if(close > open and volume > 20, 1, 2)", "if(close > open or not volume > 20, 1, 2)",
	"volatility(window = 11) / momentum(13)", "ts_mean(delay(delta(rank(ts_std(returns, 5)), 2), 3), 4)", "ts_mean(close, 7, min_periods = 7)",
}

func TestEveryOperatorHasAnExample(t *testing.T) {
	all := strings.Join(examples, "\n")
	for _, o := range Operators {
		if !strings.Contains(all, o.Name+"(") {
			t.Errorf("no example of %s", o.Name)
		}
		if o.Formula == "" || o.Group == "" || o.build == nil {
			t.Errorf("%s lacks its formula, its group or its code", o.Name)
		}
	}
	for sign := range infix {
		if !strings.Contains(all, " "+sign+" ") {
			t.Errorf("no example of %s", sign)
		}
	}
}

func sameBits(a, b []float64) (int, bool) {
	for t := range a {
		if math.Float64bits(a[t]) != math.Float64bits(b[t]) && !(a[t] != a[t] && b[t] != b[t]) {
			return t, false
		}
	}
	return 0, true
}

// Every operator has the same bits whatever the blocks, the number of workers and the future, and values that vary and
// are finite or missing.
func TestOperatorsByBlocksAndWithoutTheFuture(t *testing.T) {
	m := newMarket(rowsOfMarket)
	fs := m.compile(t, examples...)
	for k := range fs {
		fs[k].Name = examples[k]
	}
	whole := m.whole(t, fs...)
	for k := range fs {
		distinct := map[float64]bool{}
		for i := range whole[k] {
			for _, v := range whole[k][i] {
				if math.IsInf(v, 0) {
					t.Errorf("%s is infinite", examples[k])
				}
				if v == v {
					distinct[v] = true
				}
			}
		}
		if len(distinct) < 2 {
			t.Errorf("%s has %d distinct values", examples[k], len(distinct))
		}
	}
	check := func(what string, got [][][]float64, n int) {
		for k := range got {
			for i := range got[k] {
				if row, ok := sameBits(got[k][i], whole[k][i][:n]); !ok {
					t.Errorf("%s, %s: row %d of instrument %d is %v, of the whole %v", examples[k], what, row, i, got[k][i][row], whole[k][i][row])
				}
			}
		}
	}
	for _, workers := range []int{1, 3} {
		for _, sizes := range [][]int{{1}, {7}, {8192}, {1, 2, 3, 100, 5, 40}} {
			check("in blocks", m.play(t, fs, rowsOfMarket, workers, sizes...), rowsOfMarket)
		}
	}
	for _, n := range []int{1, 2, 12, 95, 121, 399} {
		check("without the future", m.play(t, fs, n, 1, n), n)
	}
}

// The value at t depends on the last Lookback rows, to the bit, and on no fewer.
func TestOperatorsLookback(t *testing.T) {
	m := newMarket(rowsOfMarket)
	fs := m.compile(t, examples...)
	full := m.whole(t, fs...)
	reached := make([]bool, len(fs))
	for from := 20; from < 260; from += 5 {
		other := newMarket(rowsOfMarket)
		for name, field := range other.cols {
			for i := range field {
				for t := range from {
					field[i][t] = field[i][t]*(1.5+0.1*float64((3*t+5*i+len(name))%7)) - 0.01*float64(t%3-1)
					if field[i][t] != field[i][t] {
						field[i][t] = float64(t % 5)
					}
				}
			}
		}
		got := other.whole(t, fs...)
		for k, f := range fs {
			first := from + f.Lookback - 1
			if first >= rowsOfMarket {
				t.Fatalf("%s: Lookback is %d", examples[k], f.Lookback)
			}
			for i := range got[k] {
				if row, ok := sameBits(got[k][i][first:], full[k][i][first:]); !ok {
					t.Fatalf("%s: Lookback is %d, but row %d notices a change before row %d", examples[k], f.Lookback, first+row, from)
				}
				if _, ok := sameBits(got[k][i][first-1:first], full[k][i][first-1:first]); !ok {
					reached[k] = true
				}
			}
		}
	}
	for k, f := range fs {
		if f.Lookback > 1 && !reached[k] {
			t.Errorf("%s: Lookback is %d, but no value depends on its oldest row", examples[k], f.Lookback)
		}
	}
}
