package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// number reads JSON numbers and the strings "NaN", "Inf" and "-Inf".
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`, "null":
		*n = number(math.NaN())
	case `"Inf"`:
		*n = number(math.Inf(1))
	case `"-Inf"`:
		*n = number(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}

func floats(x []number) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// transcribed is testdata/vectors.json, which testdata/transcribe.py writes.
type transcribed struct {
	Empyrical struct {
		Series map[string]json.RawMessage
		Cases  []struct {
			Function string
			Args     map[string]json.RawMessage
			Expected json.RawMessage
		}
	}
	Alphalens struct {
		Fixtures map[string]struct {
			Factor [][]float64
			Group  map[string]int
			Assets []string
		}
		IC []struct {
			Test string
			Args struct {
				ForwardReturns []float64 `json:"forward_returns"`
				GroupAdjust    bool      `json:"group_adjust"`
				ByGroup        bool      `json:"by_group"`
			}
			Expected struct {
				Values []float64 `json:"expected_ic_val"`
			}
		}
		Quantize []struct {
			Args struct {
				Factor    struct{ Fixture string }
				Quantiles int
				ByGroup   bool `json:"by_group"`
				ZeroAware bool `json:"zero_aware"`
			}
			Expected struct {
				Values []int `json:"expected_vals"`
			}
		}
	}
	NeweyWest struct {
		Rtol float64
		Mean []struct {
			IC      []float64
			Results []struct {
				Lags  int
				Small bool    `json:"small_sample_correction"`
				Mean  float64 `json:"mean"`
				SE    float64 `json:"se"`
				T     float64 `json:"t"`
				P     float64 `json:"p_two_sided_normal"`
			}
		}
	} `json:"newey_west"`
	Sharpe struct {
		Series struct {
			Returns  []float64
			Expected map[string]float64
		} `json:"rb_series"`
		Paper    []sharpeCase `json:"rb_paper_examples"`
		Mlfinlab []sharpeCase `json:"mlfinlab_cases"`
		Deflated struct {
			Ratio    float64 `json:"sr_daily"`
			Variance float64 `json:"var_sr_daily"`
			Cases    []struct {
				N        float64
				Skew     *float64
				Kurtosis *float64 `json:"kurtosis_raw"`
				SR0      float64  `json:"SR0_full"`
				DSR      float64  `json:"DSR_full"`
			}
		} `json:"dsr_paper"`
	}
	Derived struct {
		Rank []struct {
			X, Y              []float64
			RankX             []float64 `json:"rank_x_average"`
			RankY             []float64 `json:"rank_y_average"`
			Spearman, Pearson number
		} `json:"rank_correlation"`
		Buckets []struct {
			Values []float64
			K      int
			First  []int `json:"rank_first_qcut_1based"`
		} `json:"quantile_buckets"`
		Drawdown struct {
			Equity  []float64
			Max     float64 `json:"max_dd"`
			Peak    int     `json:"max_dd_peak_index"`
			Trough  int     `json:"max_dd_trough_index"`
			Longest int64   `json:"longest_underwater_bars_incl_open"`
		} `json:"drawdown_duration"`
		Multiple struct {
			P, Holm []float64
			BH      []float64 `json:"fdr_bh"`
			BY      []float64 `json:"fdr_by"`
		} `json:"multiple_testing"`
		Quantile map[string]json.RawMessage `json:"quantile_type7"`
	}
	Block struct {
		X        []float64
		Expected struct{ Stationary, Circular float64 }
		Rtol     float64
	} `json:"block_length"`
}

type sharpeCase struct {
	Fn        string
	N         float64
	SR        float64
	Benchmark float64   `json:"sr_benchmark"`
	Estimates []float64 `json:"sr_estimates"`
	Skew      float64
	Kurtosis  float64 `json:"kurtosis_raw"`
	Prob      float64
	Alpha     float64
	Expected  float64
	Round     int
	Delta     float64
}

func vectors(t *testing.T) transcribed {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v transcribed
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// near fails unless got is within tol of want, relative to the larger of 1 and |want|; NaN equals NaN.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tol*max(1, math.Abs(want))) {
		t.Errorf("%s = %.17g, want %.17g", what, got, want)
	}
}

// TestEmpyrical covers the cases of empyrical-reloaded whose formulas this package has. Left out, with
// the reason: cum_returns, simple_returns, aggregate_returns, annual_ret (bookkeeping on dated series that the
// simulation does not need), roll_* (not reported), tail_ratio, stability_of_timeseries,
// gpd_risk_estimates, beta_fragility_heuristic, batting_average and the capture ratios (not reported),
// excess_sharpe (the report has alpha and beta instead). Cases of empty series are passed over where
// an equity curve has its starting point here, and Omega against a loss of everything.
// Where that library answers Inf for a ratio without risk, this one answers NaN: it cannot be computed.
func TestEmpyrical(t *testing.T) {
	v := vectors(t).Empyrical
	perYear := map[string]float64{"daily": 252, "weekly": 52, "monthly": 12, "yearly": 1}
	const tol = 1.5e-8 // the suite's 8 decimals, as numpy's assert_almost_equal counts them
	ran := 0
	for i, c := range v.Cases {
		series := func(name string) (x []float64, columns [][]float64) {
			raw, ok := c.Args[name]
			if !ok {
				return nil, nil
			}
			var ref struct{ Series string }
			if json.Unmarshal(raw, &ref) == nil && ref.Series != "" {
				raw = v.Series[ref.Series]
			}
			var one []number
			if json.Unmarshal(raw, &one) == nil {
				return floats(one), nil
			}
			var scalar number
			if json.Unmarshal(raw, &scalar) == nil {
				return []float64{float64(scalar)}, nil
			}
			var many map[string][]number
			if err := json.Unmarshal(raw, &many); err != nil {
				t.Fatalf("case %d: %s: %v", i, name, err)
			}
			for _, k := range []string{"one", "two", "returns"} {
				if col, ok := many[k]; ok {
					columns = append(columns, floats(col))
				}
			}
			return nil, columns
		}
		var want []number
		if c.Expected[0] != '[' {
			c.Expected = json.RawMessage("[" + string(c.Expected) + "]")
		}
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			t.Fatal(err)
		}
		period := "daily"
		if raw, ok := c.Args["period"]; ok {
			json.Unmarshal(raw, &period)
		}
		year := perYear[period]
		one, columns := series("returns")
		if columns == nil {
			columns = [][]float64{one}
		}
		for k, r := range columns {
			var got []float64
			tolerance := tol
			// against makes r the excess over a scalar or a series; a missing value takes its period away.
			against := func(name string) []float64 {
				b, _ := series(name)
				out := []float64{}
				for t, x := range r {
					y := b[0]
					if len(b) == len(r) {
						y = b[t]
					}
					if !math.IsNaN(x - y) {
						out = append(out, x-y)
					}
				}
				return out
			}
			switch c.Function {
			case "sharpe_ratio":
				got = []float64{Sharpe(against("risk_free"), 0, year)}
			case "sortino":
				got = []float64{Sortino(against("required_return"), 0, year)}
			case "downside_risk":
				got = []float64{Downside(against("required_return"), 0, year)}
			case "annual_volatility":
				got = []float64{Volatility(present(r), year)}
			case "max_drawdown":
				if len(r) == 0 {
					continue // of nothing it is NaN there; an equity curve here has its starting point
				}
				got = []float64{MaxDrawdown(1, 0, growth(r), indices(len(r))).Max}
			case "cagr", "calmar":
				g := growth(r)
				if len(g) == 0 {
					continue // as above
				}
				cagr := CAGR(g[len(g)-1]-1, float64(len(r))/year)
				if c.Function == "cagr" {
					got = []float64{cagr}
				} else {
					got = []float64{Calmar(cagr, MaxDrawdown(1, 0, g, indices(len(r))).Max)}
				}
			case "omega":
				var required, riskFree number
				if json.Unmarshal(c.Args["required_return"], &required) != nil {
					t.Fatalf("case %d: required return", i)
				}
				excess := against("risk_free")
				if json.Unmarshal(c.Args["risk_free"], &riskFree) != nil {
					riskFree = 0
				}
				if required <= -1 {
					continue // no rate per period compounds to a loss of more than everything
				}
				got = []float64{Omega(excess, PeriodRate(float64(required), year))}
			case "value_at_risk":
				var cutoff float64
				json.Unmarshal(c.Args["cutoff"], &cutoff)
				got = []float64{ValueAtRisk(r, cutoff)}
			case "alpha_beta", "alpha", "beta":
				b, cols := series("benchmark")
				if b == nil && len(cols) > 0 {
					b = cols[0]
				}
				if len(r) != len(b) {
					r, b = r[max(0, len(r)-len(b)):], b[max(0, len(b)-len(r)):] // aligned by date: the longer starts earlier
				}
				x, y := pairs(r, b)
				alpha, beta := AlphaBeta(x, y, 0, year)
				got = map[string][]float64{"alpha_beta": {alpha, beta}, "alpha": {alpha}, "beta": {beta}}[c.Function]
				if raw, ok := c.Args["decimal_places"]; ok {
					var places float64
					json.Unmarshal(raw, &places)
					tolerance = 1.5 * math.Pow(10, -places)
				}
			}
			for j, g := range got {
				w := float64(want[min(j+k, len(want)-1)])
				if math.IsInf(w, 0) {
					w = math.NaN()
				}
				near(t, fmt.Sprintf("case %d: %s(%s)[%d]", i, c.Function, c.Args, j+k), g, w, tolerance)
				ran++
			}
		}
	}
	if ran < 70 {
		t.Errorf("%d figures were compared, want at least 70", ran)
	}
}

func present(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

func pairs(x, y []float64) (a, b []float64) {
	for t := range x {
		if !math.IsNaN(x[t] - y[t]) {
			a, b = append(a, x[t]), append(b, y[t])
		}
	}
	return a, b
}

// growth compounds returns; a missing one is no change.
func growth(r []float64) []float64 {
	out, g := make([]float64, len(r)), 1.0
	for t, v := range r {
		if !math.IsNaN(v) {
			g *= 1 + v
		}
		out[t] = g
	}
	return out
}

func indices(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i + 1)
	}
	return out
}

// TestAlphalensIC covers the information coefficients of alphalens-reloaded by date and over all dates. Left
// out: group_adjust (no groups here) and means by week of a single value; factor weights, turnover,
// event returns and rank autocorrelation belong to cross-sectional portfolios.
func TestAlphalensIC(t *testing.T) {
	v := vectors(t).Alphalens
	f := v.Fixtures["factor_data"].Factor
	for i, c := range v.IC {
		if c.Args.GroupAdjust || c.Args.ByGroup || len(c.Expected.Values) != len(f) {
			continue
		}
		for day := range f {
			near(t, fmt.Sprintf("case %d, day %d", i, day), Spearman(f[day], c.Args.ForwardReturns[4*day:4*day+4]), c.Expected.Values[day], 1e-12)
		}
	}
}

// TestNeweyWestVectors covers the means of overlapping series. Left out: the covariance of a regression
// on three columns (nothing here regresses on more than a mean) and the small-sample factor.
func TestNeweyWestVectors(t *testing.T) {
	v := vectors(t).NeweyWest
	for _, c := range v.Mean {
		for _, r := range c.Results {
			if r.Small {
				continue // no small-sample factor here
			}
			s := NeweyWest(c.IC, r.Lags)
			se := math.Sqrt(s / float64(len(c.IC)))
			near(t, "mean", Mean(c.IC)/r.Mean, 1, v.Rtol)
			near(t, "se", se/r.SE, 1, v.Rtol)
			near(t, "t", Mean(c.IC)/se/r.T, 1, v.Rtol)
			near(t, "p", TwoSided(Mean(c.IC)/se)/r.P, 1, v.Rtol)
		}
	}
}

// TestSharpeInferenceVectors covers the ratio's error, its probability, the track record it needs and
// the deflated ratio. Left out: Lean's PSR, which is against a benchmark series, to three places.
func TestSharpeInferenceVectors(t *testing.T) {
	v := vectors(t).Sharpe
	s := InferSharpe(v.Series.Returns)
	near(t, "sr", s.Ratio, v.Series.Expected["sr"], 1e-12)
	near(t, "sr_std", s.StdError(), v.Series.Expected["sr_std"], 1e-12)
	near(t, "psr", s.Probabilistic(0.05), v.Series.Expected["psr(benchmark=0.05)"], 1e-12)
	near(t, "min_trl", s.MinTrackRecord(0.05, 0.90), v.Series.Expected["min_trl(benchmark=0.05,prob=0.90)"], 1e-12)
	for _, c := range append(v.Paper, v.Mlfinlab...) {
		s := SharpeInference{c.SR, c.N, c.Skew, c.Kurtosis}
		tol := c.Delta
		if c.Round > 0 {
			tol = 0.5 * math.Pow(10, -float64(c.Round))
		}
		var got float64
		switch c.Fn {
		case "sr_std":
			got = s.StdError()
		case "psr":
			got = s.Probabilistic(c.Benchmark)
		case "min_trl_years(monthly SR, /12)":
			got = s.MinTrackRecord(c.Benchmark, c.Prob) / 12
		case "min_trl":
			got = s.MinTrackRecord(c.Benchmark, 1-c.Alpha)
		case "dsr": // its variance over trials has ddof 0
			got = s.Probabilistic(ExpectedMaxSharpe(gamma(c.Estimates, 0), float64(len(c.Estimates))))
		default:
			t.Fatalf("unknown function %s", c.Fn)
		}
		if math.Abs(got-c.Expected) > tol {
			t.Errorf("%s(%+v) = %v, want %v", c.Fn, s, got, c.Expected)
		}
	}
	for _, c := range v.Deflated.Cases {
		s := SharpeInference{v.Deflated.Ratio, 1250, -3, 10}
		if c.Skew != nil {
			s.Skew, s.Kurtosis = *c.Skew, *c.Kurtosis
		}
		sr0 := ExpectedMaxSharpe(v.Deflated.Variance, c.N)
		if c.SR0 != 0 {
			near(t, "SR0", sr0, c.SR0, 1e-9)
		}
		near(t, "DSR", s.Probabilistic(sr0), c.DSR, 1e-9)
	}
}

func TestDerivedVectors(t *testing.T) {
	v := vectors(t).Derived
	for _, c := range v.Rank {
		r := make([]float64, len(c.X))
		AverageRanks(r, c.X)
		if c.RankX != nil && !slices.Equal(r, c.RankX) {
			t.Errorf("ranks of %v = %v, want %v", c.X, r, c.RankX)
		}
		AverageRanks(r, c.Y)
		if c.RankY != nil && !slices.Equal(r, c.RankY) {
			t.Errorf("ranks of %v = %v, want %v", c.Y, r, c.RankY)
		}
		near(t, "spearman", Spearman(c.X, c.Y), float64(c.Spearman), 1e-12)
		near(t, "pearson", Pearson(c.X, c.Y), float64(c.Pearson), 1e-12)
	}
	d := MaxDrawdown(v.Drawdown.Equity[0], 0, v.Drawdown.Equity, indices(len(v.Drawdown.Equity)))
	near(t, "max_dd", d.Max, v.Drawdown.Max, 1e-12)
	if d.Peak != v.Drawdown.Peak || d.Trough != v.Drawdown.Trough || d.Longest != v.Drawdown.Longest || !d.Open {
		t.Errorf("drawdown %+v, want peak %d, trough %d, longest %d, open", d, v.Drawdown.Peak, v.Drawdown.Trough, v.Drawdown.Longest)
	}
	bh, by := BenjaminiHochberg(v.Multiple.P), BenjaminiYekutieli(v.Multiple.P)
	for i, p := range Holm(v.Multiple.P) {
		near(t, "holm", p, v.Multiple.Holm[i], 1e-12)
		near(t, "benjamini-hochberg", bh[i], v.Multiple.BH[i], 1e-12)
		near(t, "benjamini-yekutieli", by[i], v.Multiple.BY[i], 1e-12)
	}
	var x []float64
	figure := map[string]float64{}
	for k, raw := range v.Quantile {
		if k == "x" {
			json.Unmarshal(raw, &x)
			continue
		}
		var f float64
		json.Unmarshal(raw, &f)
		figure[k] = f
	}
	for _, q := range []float64{0, 0.05, 0.25, 0.5, 0.9, 0.95, 1} {
		near(t, fmt.Sprint("q", q), Quantile(x, q), figure[fmt.Sprint("q", q)], 1e-12)
	}
	skew, kurtosis := Shape(x)
	near(t, "skew", skew, figure["skew_biased"], 1e-12)
	near(t, "kurtosis", kurtosis, figure["kurtosis_raw_biased"], 1e-12)
}
